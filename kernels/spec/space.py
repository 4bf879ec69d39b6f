"""Convolutions, and the stages between layers."""

from eventsim.kernels.spec.declare import Kernel, kernel
from eventsim.kernels.spec.grid import ACTIVE, BACKWARD, BELOW, BETWEEN, INPUT

KERNELS: dict[str, Kernel] = {}

KERNELS["count_pixels"] = kernel("patches", """
    int64: sample_first sample_last n_pixels
    int64[samples]: sample_ptr
    int32[spikes]: address
    out int64[samples,pixels]: count
""")

_GIVEN = """
    int64[samples]: in_base in_count
    int32[runs]: in_tick
    int64[runs]: in_start
    int32[spikes]: address
"""

_BY_PIXEL = """
    scratch int32[spikes]: pixel channel
    scratch int32[pixels]: count end
    scratch int32[spikes]: seen own
"""

KERNELS["cut_patches"] = kernel("patches", f"""
    int64: sample_first sample_last n_samples rows_a_channel
    {_GIVEN}
    int64[pixels]: reach_ptr
    int32[seen]: reach_patch reach_row
    int64[lists]: run_base list_ptr
    scratch int64[patches]: next_spike next_run
    scratch int32[patches]: last_tick
    {_BY_PIXEL}
    out int32[spikes]: row
    out int64[lists]: run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""")

KERNELS["cut_patch_times"] = kernel("patches", """
    int64: sample_first sample_last n_samples rows_a_channel
    int64[samples]: sample_ptr
    int32[spikes]: address
    float64[spikes]: time
    int64[pixels]: reach_ptr
    int32[seen]: reach_patch reach_row
    int64[lists]: list_ptr
    scratch int64[patches]: next_spike
    out int32[spikes]: row
    out float64[spikes]: row_time
""")

KERNELS["sum_patches"] = kernel("patches", f"""
    int64: sample_first sample_last n_samples n_weights
    {_GIVEN}
    int64[pixels]: part_ptr
    int32[seen]: part_patch part_to part_from
    int64[lists]: run_base
    float32[weights]: weight
    scratch int64[patches]: next_run
    scratch int32[patches]: last_tick
    {_BY_PIXEL}
    out float32[sums]: total
    out int64[lists]: run_count
    out int32[runs]: run_tick
""")

KERNELS["merge_tiles"] = kernel("patches", """
    int64: sample_first sample_last n_samples n_ticks
    int64[items]: word_ptr
    int32[words]: word_tick
    uint64[words]: word_lanes
    int32[tiles,lanes]: neuron
    int64[samples]: sample_ptr run_base
    scratch int64[tiles]: next_word
    scratch int32[tiles]: next_tick
    scratch uint64[words]: is_fired
    out int32[spikes]: address tick
    out int64[samples]: run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""")

KERNELS["patch_backward"] = kernel("patch_adjoint", f"""
    int64: group sample_first sample_last n_samples n_ticks family n_abs n_taps
    float32: dt rho_width rho_peak
    float32[constants]: constants
    {INPUT}
    {BETWEEN}
    float32[tiles,n_in,lanes]: weight
    float32[tiles,rows,lanes]: drive
    int64[tiles]: lanes
    {BACKWARD}
    int64[patches]: near_ptr
    int32[near]: near_tile
    int32[near,lanes]: near_row
    scratch int32[lanes]: ready
    scratch uint64[ticks]: fired
    scratch float32[two,lanes]: state
    scratch float32[ticks,lanes]: g ramp kept
    scratch float32[sums]: sums
    out float32[groups,tiles,n_in,lanes]: gradient
    out float32[groups,tiles,lanes]: g_sum
    out float32[groups,pairs]: error_below
""")

_BY_PAIRS = f"""
    int32[positions,taps]: tap_place
    int32[tiles,lanes]: lane_neuron
    {ACTIVE}
    float32[pairs]: drive
"""

_PIECE = """
    scratch int64[ticks]: ticks_at
    scratch float32[rows,lanes]: state y
"""

KERNELS["pair_gradient"] = kernel("pair_adjoint", f"""
    int64: group piece sample_first sample_last n_samples n_ticks n_pixels n_positions
    float32: dt
    float32[constants]: constants
    {INPUT}
    {_BY_PAIRS}
    float32[ticks]: reach
    {_PIECE}
    out float32[groups,pieces,channels,taps,sixteen]: gradient
    out float32[groups,tiles,lanes]: g_sum
""")

KERNELS["pair_error"] = kernel("pair_adjoint", f"""
    int64: piece sample_first sample_last n_samples n_ticks n_pixels n_positions
    float32: dt
    float32[constants]: constants
    {_BY_PAIRS}
    float32[pieces,channels,taps,sixteen]: weight
    int32[tiles,lanes]: lane_address
    {BELOW}
    {_PIECE}
    out float32[groups,pairs]: error_below
""")

KERNELS["move_spikes"] = kernel("stages", """
    int64: sample_first sample_last
    int64[samples]: sample_ptr
    int32[spikes]: address
    int32[neurons]: table
    out int32[spikes]: new_address
""")

KERNELS["count_routed"] = kernel("stages", """
    int64: sample_first sample_last
    int64[samples]: sample_ptr
    int32[spikes]: address
    int32[neurons]: table
    bool[samples,neurons]: kept
    out int64[samples]: count
""")

KERNELS["route_spikes"] = kernel("stages", """
    int64: sample_first sample_last
    int64[samples]: sample_ptr
    int32[spikes]: address
    int32|float64[spikes]: when
    int32[neurons]: table
    bool[samples,neurons]: kept
    int64[samples]: new_ptr
    out int32[spikes]: new_address
    out int32|float64[spikes]: new_when
""")

KERNELS["sum_squares"] = kernel("stages", """
    int64: sample_first sample_last n_positions
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    scratch int32[neurons]: spikes
    out int64[samples,two,channels]: total
""")

KERNELS["normalise_error"] = kernel("stages", f"""
    int64: sample_first sample_last n_samples n_ticks n_positions
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    float32[channels]: shift slope
    int64: kind
    int64[tiles]: lanes
    {ACTIVE}
    int32[tiles,lanes]: lane_address
    scratch uint16[neurons,ticks]: spikes
    out float32[groups,pairs]: error
""")

KERNELS["mask_error"] = kernel("stages", f"""
    int64: sample_first sample_last n_samples n_ticks
    bool[samples,neurons]: kept
    int64: kind
    int64[tiles]: lanes
    {ACTIVE}
    int32[tiles,lanes]: lane_address
    out float32[groups,pairs]: error
""")
