"""Kernels on a GPU that run layers forward, and what they keep for the backward pass."""

from eventsim.kernels.layout import RUNS_AT_ONCE
from eventsim.kernels.spec.cuda_launch import CHUNKS, ROOM, RUNS, WINDOW, CudaKernel, by_thread, launched

KERNELS: dict[str, CudaKernel] = {}

# By what stands behind a kernel's name, the type of the weights that it is compiled for.
WEIGHTS = {"": "float32", "_int8": "int8", "_float16": "uint16"}


def _lists(weight):
    """Weights of a type, and the lists of rows that they are summed up by."""
    return f"""
    {weight}[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {RUNS}
    int32[spikes]: address
"""


def _given(weight):
    """The same, and what is known of the neurons."""
    return f"""
    {_lists(weight)}
    float32[constants]: constants
    float32[two,powers]: decays
"""


GIVEN = _given("float32")
_FIRED = "out uint64[items,ticks]: fired"
SIZES = "int64: n_items n_samples n_neurons n_in n_ticks n_abs"
DRIVE = "float32[tiles,rows,lanes]: drive"

KERNELS["dense_forward"] = launched("dense", "n_items", f"""
    {SIZES} n_taps
    float32: reach
    {GIVEN}
    {_FIRED}
""", wide=RUNS_AT_ONCE)

KERNELS["dense_forward_active"] = launched("dense", "n_items", f"""
    {SIZES} n_taps
    {ROOM}
    {WINDOW} reach
    {GIVEN}
    {_FIRED}
    {CHUNKS}
""")

for _suffix, _weight in WEIGHTS.items():
    KERNELS[f"driven_forward{_suffix}"] = launched("dense", "n_items", f"""
        {SIZES} n_taps moving n_batch
        float32: reach
        {_given(_weight)}
        {DRIVE}
        {_FIRED}
    """, wide=RUNS_AT_ONCE)
    KERNELS[f"lif_forward{_suffix}"] = launched("lif", "n_items", f"""
        {SIZES} moving n_batch
        {_given(_weight)}
        {DRIVE}
        {_FIRED}
    """, wide=RUNS_AT_ONCE)
    KERNELS[f"read_sums{_suffix}"] = launched("readout", "n_items", f"""
        int64: n_items n_lists n_in
        {_lists(_weight)}
        float64[ticks]: share
        out float64[items,lanes]: score
    """)
    KERNELS[f"read_peaks{_suffix}"] = launched("readout", "n_items", f"""
        int64: n_items n_lists n_in n_batch n_ticks
        float64[powers]: held risen
        {_lists(_weight)}
        float64[places,lanes]: each
        out float64[items,lanes]: score when
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
    {RUNS}
    int32[spikes]: address
    float32[tiles,n_in,lanes]: weight
"""
_NEURONS = "float32[constants]: constants"

for _name, _drive in (("", ""), ("_lif", DRIVE)):
    KERNELS[f"delayed{_name}_forward"] = launched("delayed", "n_items", f"""
        {SIZES} depth delay_rows delay_columns
        {_DELAYED}
        int32[sources,targets]: delay
        {_NEURONS}
        {_drive}
        out float32[items,depth,lanes]: ring
        {_FIRED}
    """, per_block=4, threads=256)
    KERNELS[f"recurrent{_name}_forward"] = launched("delayed", "n_samples", f"""
        int64: n_samples n_neurons n_in n_ticks n_abs depth
        int64: delay_rows delay_columns own_delay_rows own_delay_columns
        {_DELAYED}
        float32[tiles,n_in,lanes]: own_weight
        int32[sources,targets]: delay own_delay
        {_NEURONS}
        {_drive}
        out float32[samples,rows,neurons]: state
        out float32[samples,depth,neurons]: ring
        out int32[samples,neurons]: ready
        {_FIRED}
    """, threads=1024)

_TIMED_LISTS = """
    float32[tiles,n_in,lanes]: weight
    int64[samples]: sample_ptr
    int32[spikes]: address
    float64[spikes]: time
"""

KERNELS["read_time_sums"] = launched("readout", "n_items", f"""
    int64: n_items n_lists n_in is_mean
    float64: tau end
    {_TIMED_LISTS}
    out float64[items,lanes]: score
""")

KERNELS["read_time_peaks"] = launched("readout", "n_items", f"""
    int64: n_items n_lists n_in n_batch
    float64: end rate held
    {_TIMED_LISTS}
    float64[places,lanes]: each
    out float64[items,lanes]: score when
""")

KERNELS["renumber_blocks"] = by_thread("active", "n_entries", """
    int64: n_entries n_chunks new_chunks
    int32[entries]: entry_block
    out int32[entries]: new_block
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
