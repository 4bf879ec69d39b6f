"""Kernels on a GPU that run layers forward, and what they keep for the backward pass."""

from eventsim.kernels.spec.cuda_launch import CHUNKS, ROOM, RUNS, WINDOW, CudaKernel, launched

KERNELS: dict[str, CudaKernel] = {}

GIVEN = f"""
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {RUNS}
    int32[spikes]: address
    float32[constants]: constants
    float32[two,powers]: decays
"""
_FIRED = "out uint64[items,ticks]: fired"
SIZES = "int64: n_items n_samples n_neurons n_in n_ticks n_abs"
DRIVE = "float32[tiles,rows,lanes]: drive"

KERNELS["dense_forward"] = launched("dense", "n_items", f"""
    {SIZES} n_taps
    float32: reach
    {GIVEN}
    {_FIRED}
""")

KERNELS["dense_forward_active"] = launched("dense", "n_items", f"""
    {SIZES} n_taps
    {ROOM}
    {WINDOW} reach
    {GIVEN}
    {_FIRED}
    {CHUNKS}
""")

KERNELS["driven_forward"] = launched("dense", "n_items", f"""
    {SIZES} n_taps moving n_batch
    float32: reach
    {GIVEN}
    {DRIVE}
    {_FIRED}
""")

KERNELS["driven_forward_active"] = launched("dense", "n_items", f"""
    {SIZES} n_taps moving n_batch
    {ROOM}
    {WINDOW} reach
    {GIVEN}
    {DRIVE}
    {_FIRED}
    {CHUNKS}
""")

KERNELS["lif_forward"] = launched("lif", "n_items", f"""
    {SIZES} moving n_batch
    {GIVEN}
    {DRIVE}
    {_FIRED}
""")

KERNELS["lif_forward_active"] = launched("lif", "n_items", f"""
    {SIZES} moving n_batch
    {ROOM}
    {WINDOW}
    {GIVEN}
    {DRIVE}
    {_FIRED}
    {CHUNKS}
""")

KERNELS["replay_lif"] = launched("lif", "n_items", f"""
    {SIZES} moving n_batch sample_first sample_last
    float32: rho_width rho_peak
    {GIVEN}
    {DRIVE}
    out float32[items,ticks,lanes]: g
""")

_DELAYED = f"""
    int64: n_samples n_neurons n_in n_ticks n_abs depth is_recurrent
    int64: delay_rows delay_columns own_delay_rows own_delay_columns
    {RUNS}
    int32[spikes]: address
    float32[tiles,n_in,lanes]: weight own_weight
    int32[sources,targets]: delay own_delay
    float32[constants]: constants
"""
_ON_THE_WAY = """
    out float32[samples,rows,neurons]: state
    out float32[samples,depth,neurons]: ring
    out int32[samples,neurons]: ready
    out uint64[items,ticks]: fired
"""

KERNELS["delayed_forward"] = launched("delayed", "n_samples", f"""
    {_DELAYED}
    {_ON_THE_WAY}
""", threads=256)

KERNELS["delayed_lif_forward"] = launched("delayed", "n_samples", f"""
    {_DELAYED}
    {DRIVE}
    {_ON_THE_WAY}
""", threads=256)

_LISTS = f"""
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {RUNS}
    int32[spikes]: address
"""

KERNELS["read_sums"] = launched("readout", "n_items", f"""
    int64: n_items n_lists n_in
    {_LISTS}
    float64[ticks]: share
    out float64[items,lanes]: score
""")

KERNELS["read_peaks"] = launched("readout", "n_items", f"""
    int64: n_items n_lists n_in n_batch n_ticks
    float64[powers]: held risen
    {_LISTS}
    float64[places,lanes]: each
    out float64[items,lanes]: score when
""")

KERNELS["gather_chunks"] = launched("active", "n_blocks", """
    int64: n_blocks n_chunks
    int64[blocks]: entry_place pair_place
    uint8[items]: is_short
    uint8[entries]: kept_lane
    uint64[entries]: kept_ticks
    float32[pairs]: kept_rho
    int64[blocks]: entry_start pair_start
    out uint8[entries]: entry_lane
    out uint64[entries]: entry_ticks
    out int32[entries]: entry_block
    out int64[entries]: entry_pair
    out float32[pairs]: rho
""")
