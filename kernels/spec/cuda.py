"""Kernels on a GPU: their arguments, as in the tables of those on the CPU, and how many threads run them.

They bear the names of the CPU's kernels and functions of which they do the work, and what both take stands in the same
order. There are no arguments for buffers that grow: lists are counted, their starts summed up, and then filled.
"""

from dataclasses import dataclass

from eventsim.kernels.spec.declare import Kernel, kernel


@dataclass(frozen=True)
class CudaKernel(Kernel):
    """A kernel, and its launch: a block of ``threads`` for every ``per_block`` of what the argument ``work`` counts."""

    work: str
    per_block: int
    threads: int


KERNELS: dict[str, CudaKernel] = {}


def _launched(file, work, text, per_block=1, threads=64):
    plain = kernel(file, text)
    return CudaKernel(plain.file, plain.arguments, work, per_block, threads)


def _by_thread(file, work, text):
    """A thread for each, 256 a block."""
    return _launched(file, work, text, 256, 256)


_RUNS = """
    int64[samples]: run_base run_count
    int32[runs]: run_tick
    int64[runs]: run_start
"""

KERNELS["bin_events"] = _by_thread("bin", "n_ticks", """
    int64: n_events
    int64[events]: t
    uint16[events]: x y
    uint8[events]: p
    int64: width height step n_ticks keep_repeats
    out int32[events]: sorted
    out int64[ticks]: begin count
""")

KERNELS["list_binned"] = _by_thread("bin", "n_ticks", """
    int64: n_ticks
    int32[events]: sorted
    int64[ticks]: begin tick_ptr
    out int32[spikes]: tick address
""")

KERNELS["count_ticks"] = _by_thread("lists", "n_rows", """
    int64: n_rows tiles
    uint64[items,ticks]: fired
    out int64[rows]: count
""")

KERNELS["find_ticks"] = _by_thread("lists", "n_starts", """
    int64: n_starts n_samples n_ticks
    int64[samples]: sample_ptr
    int32[spikes]: tick
    out int64[starts]: tick_ptr
""")

KERNELS["group_by_tick"] = _launched("lists", "n_samples", """
    int64: n_samples n_ticks
    int64[rows]: tick_ptr
    out int64[samples]: run_base run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""", per_block=8, threads=256)

KERNELS["merge_items"] = _by_thread("lists", "n_rows", """
    int64: n_rows tiles n_ticks
    uint64[items,ticks]: fired
    int64[rows]: tick_ptr
    out int32[spikes]: address tick
""")

KERNELS["mark_neurons"] = _by_thread("lists", "n_spikes", """
    int64: n_spikes
    int32[spikes]: address
    out uint8[neurons]: fired
""")

KERNELS["count_by_address"] = _by_thread("lists", "n_spikes", """
    int64: n_spikes n_samples n_neurons
    int64[samples]: sample_ptr
    int32[samples]: block_of
    int32[spikes]: address
    out int32[lists]: count
""")

KERNELS["widen"] = _by_thread("lists", "n", """
    int64: n
    int32[lists]: count
    out int64[lists]: size
""")

KERNELS["group_by_address"] = _by_thread("lists", "n_spikes", """
    int64: n_spikes n_samples n_neurons n_ticks
    int64[samples]: sample_ptr
    int32[samples]: block_of place_of
    int32[spikes]: address tick
    int64[lists]: neuron_ptr
    out int32[lists]: count
    out int32[spikes]: row
""")

KERNELS["sort_rows"] = _by_thread("lists", "n_lists", """
    int64: n_lists n_ticks
    int32[samples]: at
    int64[lists]: neuron_ptr
    out int32[spikes]: row
""")

KERNELS["order_lanes"] = _by_thread("lists", "n_words", """
    int64: n_words n_rows n_neurons
    int32[neurons]: place
    uint64[items,ticks]: fired
    out uint64[items,ticks]: ordered
""")

_ROUTED = """
    int64: n_spikes n_samples n_neurons is_masked
    int64[samples]: sample_ptr
    int32[spikes]: address
"""

KERNELS["count_routed"] = _by_thread("stages", "n_spikes", f"""
    {_ROUTED}
    int32[neurons]: table
    uint8[samples,neurons]: kept
    out int64[spikes]: count
""")

KERNELS["route_spikes"] = _by_thread("stages", "n_spikes", f"""
    {_ROUTED}
    int32[spikes]: tick
    int32[neurons]: table
    uint8[samples,neurons]: kept
    int64[spikes]: new_ptr
    out int32[spikes]: new_address new_tick
""")

KERNELS["take"] = _by_thread("stages", "n", """
    int64: n
    int64[n]: index
    int64[values]: values
    out int64[n]: taken
""")

KERNELS["sum_squares"] = _by_thread("stages", "n_spikes", """
    int64: n_spikes n_samples n_positions n_channels
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    out int64[samples,two,channels]: total
""")

KERNELS["count_pixels"] = _by_thread("patches", "n_spikes", """
    int64: n_spikes n_pixels
    int32[spikes]: address
    out int32[pixels]: count
""")

KERNELS["find_first"] = _by_thread("patches", "n_spikes", """
    int64: n_spikes n_samples n_ticks n_pixels
    int64[samples]: sample_ptr
    int64[rows]: tick_ptr
    int32[spikes]: address tick
    out int64[spikes]: seen
""")

KERNELS["list_by_pixel"] = _by_thread("patches", "n_spikes", """
    int64: n_spikes n_samples n_ticks
    int64[samples]: sample_ptr
    int64[rows]: tick_ptr
    int32[spikes]: address tick
    int64[spikes]: seen
    out int32[spikes]: own
""")

_PATCHES = """
    int64: n_rows n_samples n_ticks n_pixels width padding across step_down step_across rows_in columns_in
    uint8[pixels]: has_tap
    int64[rows]: tick_ptr
    int32[spikes]: address
"""

KERNELS["count_seen"] = _by_thread("patches", "n_rows", f"""
    {_PATCHES}
    out int64[rows]: count
""")

KERNELS["cut_patches"] = _by_thread("patches", "n_rows", f"""
    {_PATCHES}
    int64[rows]: list_ptr
    out int32[spikes]: row_address row_tick
""")

_GIVEN = f"""
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {_RUNS}
    int32[spikes]: address
    float32[constants]: constants
    float32[two,powers]: decays
"""
_FIRED = "out uint64[items,ticks]: fired"
_ACTIVE = """
    out uint64[items,ticks]: active
    out float32[items,ticks,lanes]: u
"""
_SIZES = "int64: n_items n_samples n_neurons n_in n_ticks n_abs"
_DRIVE = "float32[tiles,rows,lanes]: drive"

KERNELS["dense_forward"] = _launched("dense", "n_items", f"""
    {_SIZES}
    float32: reach
    {_GIVEN}
    {_FIRED}
""")

KERNELS["dense_forward_active"] = _launched("dense", "n_items", f"""
    {_SIZES}
    float32: u_low u_high reach
    {_GIVEN}
    {_FIRED}
    {_ACTIVE}
""")

KERNELS["driven_forward"] = _launched("dense", "n_items", f"""
    {_SIZES} moving n_batch
    float32: reach
    {_GIVEN}
    {_DRIVE}
    {_FIRED}
""")

KERNELS["driven_forward_active"] = _launched("dense", "n_items", f"""
    {_SIZES} moving n_batch
    float32: u_low u_high reach
    {_GIVEN}
    {_DRIVE}
    {_FIRED}
    {_ACTIVE}
""")

KERNELS["lif_forward"] = _launched("lif", "n_items", f"""
    {_SIZES} moving n_batch
    {_GIVEN}
    {_DRIVE}
    {_FIRED}
""")

KERNELS["lif_forward_active"] = _launched("lif", "n_items", f"""
    {_SIZES} moving n_batch
    float32: u_low u_high
    {_GIVEN}
    {_DRIVE}
    {_FIRED}
    {_ACTIVE}
""")

KERNELS["replay_lif"] = _launched("lif", "n_items", f"""
    {_SIZES} moving n_batch
    float32: rho_width rho_peak
    {_GIVEN}
    {_DRIVE}
    out float32[items,ticks,lanes]: g
""")

_DELAYED = f"""
    int64: n_samples n_neurons n_in n_ticks n_abs depth is_recurrent
    int64: delay_rows delay_columns own_delay_rows own_delay_columns
    {_RUNS}
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

KERNELS["delayed_forward"] = _launched("delayed", "n_samples", f"""
    {_DELAYED}
    {_ON_THE_WAY}
""", threads=256)

KERNELS["delayed_lif_forward"] = _launched("delayed", "n_samples", f"""
    {_DELAYED}
    {_DRIVE}
    {_ON_THE_WAY}
""", threads=256)

_LISTS = f"""
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {_RUNS}
    int32[spikes]: address
"""

KERNELS["read_sums"] = _launched("readout", "n_items", f"""
    int64: n_items n_lists n_in
    {_LISTS}
    float64[ticks]: share
    out float64[items,lanes]: score
""")

KERNELS["read_peaks"] = _launched("readout", "n_items", f"""
    int64: n_items n_lists n_in n_batch n_ticks
    float64[powers]: held risen
    {_LISTS}
    float64[places,lanes]: each
    out float64[items,lanes]: score when
""")

KERNELS["count_active"] = _launched("active", "n_blocks", """
    int64: n_blocks n_ticks
    uint64[items,ticks]: active
    out int64[blocks]: block_entries block_pairs
""")

KERNELS["close_chunk"] = _launched("active", "n_blocks", """
    int64: n_blocks n_ticks
    float32: theta rho_width rho_peak
    uint64[items,ticks]: active
    float32[items,ticks,lanes]: u
    int64[blocks]: entry_start pair_start
    out uint8[entries]: entry_lane
    out uint64[entries]: entry_ticks
    out int32[entries]: entry_block
    out int64[entries]: entry_pair
    out float32[pairs]: rho
""")

KERNELS["recompute_rho"] = _launched("dense_adjoint", "n_items", f"""
    {_SIZES} n_batch
    float32: rho_width rho_peak reach
    {_GIVEN}
    {_DRIVE}
    out float32[items,ticks,lanes]: g
""")

_SET = """
    int64: kind
    int64[tiles]: lanes
    int64[blocks]: entry_start pair_start
    uint8[entries]: entry_lane
    uint64[entries]: entry_ticks
    int64[entries]: entry_pair
"""

_ADJOINT = f"""
    int64: n_items n_samples n_ticks n_groups n_pairs
    float32: dt
    float32[constants]: constants
    {_SET}
    float32[pairs]: rho
    float32[groups,pairs]: error
"""

KERNELS["adjoint_psp"] = _launched("dense_adjoint", "n_items", f"""
    {_ADJOINT}
    out float32[items,ticks,lanes]: g
""")

KERNELS["adjoint_lif"] = _launched("dense_adjoint", "n_items", f"""
    {_ADJOINT}
    uint64[items,ticks]: fired
    out float32[items,ticks,lanes]: g
""")

_BELOW = """
    int64: below_kind
    int64[tiles]: below_lanes
    int64[blocks]: below_pair_start
    uint8[entries]: below_lane
    uint64[entries]: below_ticks
    int32[entries]: below_block
    int64[entries]: below_pair
    int32[tiles,lanes]: near_row
"""

KERNELS["send_error"] = _launched("send", "n_work", f"""
    int64: n_work n_samples n_ticks n_in n_entries n_pairs
    {_BELOW}
    int64[groups]: group_first
    float32[tiles,n_in,lanes]: weight
    float32[items,ticks,lanes]: g
    out float32[groups,pairs]: error_below
""", per_block=8, threads=128)

KERNELS["send_patch_error"] = _launched("send", "n_entries", f"""
    int64: n_entries n_samples n_ticks n_in n_patches channel_tiles n_pixels rows_a_channel
    {_BELOW}
    int64[pixels]: reach_ptr
    int32[reach]: reach_patch reach_row
    float32[tiles,n_in,lanes]: weight
    float32[items,ticks,lanes]: g
    out float32[groups,pairs]: error_below
""", per_block=8, threads=128)

KERNELS["sum_over_time"] = _launched("dense_adjoint", "n_sums", """
    int64: n_sums n_tiles n_samples n_ticks
    int64[groups]: group_first
    float32[items,ticks,lanes]: g
    out float32[groups,tiles,lanes]: g_sum
""")

KERNELS["update_weights"] = _launched("dense_adjoint", "n_rows", """
    int64: n_rows n_in n_blocks sample_ticks rule
    float32[settings]: settings
    int64[lists]: neuron_ptr
    int32[spikes]: row
    float32[items,ticks,lanes]: g
    out float32[tiles,n_in,lanes]: weight gradient mean square
""", per_block=4, threads=256)

KERNELS["gather_error"] = _launched("dense_adjoint", "n_blocks", f"""
    int64: n_blocks n_samples n_neurons n_ticks
    {_SET}
    int32[tiles,lanes]: lane_neuron
    float32[samples,neurons,ticks]: dense
    out float32[pairs]: error
""")

KERNELS["add_pressure"] = _launched("dense_adjoint", "n_blocks", """
    int64: n_blocks n_samples n_ticks
    int64[blocks]: pair_start
    float32[samples]: pressure
    out float32[groups,pairs]: error
""")

KERNELS["normalise_error"] = _launched("stages", "n_blocks", f"""
    int64: n_blocks n_samples n_ticks n_positions
    int64[rows]: tick_ptr
    int32[spikes]: address
    float32[channels]: shift slope
    {_SET}
    int32[tiles,lanes]: lane_address
    out float32[groups,pairs]: error
""")

KERNELS["mask_error"] = _launched("stages", "n_blocks", f"""
    int64: n_blocks n_samples n_ticks n_neurons n_groups n_pairs
    uint8[samples,neurons]: kept
    {_SET}
    int32[tiles,lanes]: lane_address
    out float32[groups,pairs]: error
""")

KERNELS["adam_step"] = _by_thread("optimizer", "n", """
    int64: n
    float32[settings]: settings
    out float32[rows,lanes]: weight gradient mean square
""")

KERNELS["sgd_step"] = _by_thread("optimizer", "n", """
    int64: n
    float32[settings]: settings
    out float32[rows,lanes]: weight gradient velocity
""")
