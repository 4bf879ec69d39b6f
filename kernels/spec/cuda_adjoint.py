"""Kernels on a GPU for the backward pass, and optimisers."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, by_thread, launched
from eventsim.kernels.spec.cuda_layers import DRIVE, GIVEN, SIZES

KERNELS: dict[str, CudaKernel] = {}

KERNELS["recompute_rho"] = launched("dense_adjoint", "n_items", f"""
    {SIZES} n_taps n_batch sample_first sample_last
    float32: rho_width rho_peak reach
    {GIVEN}
    {DRIVE}
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

_HELD = "int64: n_items n_samples n_ticks sample_first sample_last n_groups n_pairs"

_ADJOINT = f"""
    float32: dt
    float32[constants]: constants
    {_SET}
    float32[pairs]: rho
    float32[groups,pairs]: error
"""

KERNELS["adjoint_psp"] = launched("dense_adjoint", "n_items", f"""
    {_HELD} n_taps
    {_ADJOINT}
    int64: is_timed
    out float32[items,ticks,lanes]: g ramp kept
""")

KERNELS["adjoint_lif"] = launched("dense_adjoint", "n_items", f"""
    {_HELD}
    {_ADJOINT}
    uint64[items,ticks]: fired
    int64: is_timed
    out float32[items,ticks,lanes]: g ramp
""")

_BELOW = """
    int64: n_ranges
    int64[ranges]: range_start range_first
    int64: below_kind
    int64[tiles]: below_lanes
    int64[blocks]: below_pair_start
    uint8[entries]: below_lane
    uint64[entries]: below_ticks
    int32[entries]: below_block
    int64[entries]: below_pair
    int32[tiles,lanes]: near_row
"""

KERNELS["send_error"] = launched("send", "n_work", f"""
    int64: n_work n_samples n_ticks sample_first sample_last n_in n_entries n_pairs
    {_BELOW}
    int64[groups]: group_first
    float32[tiles,n_in,lanes]: weight
    float32[items,ticks,lanes]: g
    out float32[groups,pairs]: error_below
""", per_block=8, threads=128)

KERNELS["send_patch_error"] = launched("send", "n_entries", f"""
    int64: n_entries n_samples n_ticks sample_first sample_last n_in n_patches channel_tiles n_pixels rows_a_channel
    {_BELOW}
    int64[pixels]: reach_ptr
    int32[reach]: reach_patch reach_row
    float32[tiles,n_in,lanes]: weight
    float32[items,ticks,lanes]: g
    out float32[groups,pairs]: error_below
""", per_block=8, threads=128)

KERNELS["update_weights"] = launched("weight_gradient", "n_rows", """
    int64: n_rows n_in piece_first piece_last held_ticks is_first is_last rule is_timed
    float32[settings]: settings
    int64[lists]: neuron_ptr
    int32[spikes]: row
    float32[spikes,two]: share
    float32[items,ticks,lanes]: g ramp
    out float32[tiles,n_in,lanes]: weight gradient mean square
""", per_block=4, threads=256)

KERNELS["collect"] = launched("weight_gradient", "n_work", """
    int64: n_work n_rows n_in piece_first group_first held_ticks is_timed
    int64[lists]: neuron_ptr
    int32[spikes]: row
    float32[spikes,two]: share
    float32[items,ticks,lanes]: g ramp
    out float32[groups,rows,lanes]: part
""")

KERNELS["sum_over_time"] = launched("weight_gradient", "n_items", """
    int64: n_items n_tiles n_ticks is_timed
    float32[two]: integral
    float32[items,ticks,lanes]: g ramp
    out float32[samples,tiles,lanes]: part
""")

KERNELS["add_parts"] = by_thread("weight_gradient", "n", """
    int64: n n_rows part_first part_last
    int64[groups]: group_first
    float32[parts,rows,lanes]: part
    out float32[groups,rows,lanes]: total
""")

KERNELS["spread_error"] = launched("output_error", "n_blocks", f"""
    int64: n_blocks n_samples n_neurons n_ticks first last
    {_SET}
    int32[tiles,lanes]: lane_neuron
    float32[samples,neurons]: value
    out float32[pairs]: error
""")

KERNELS["add_pressure"] = launched("output_error", "n_blocks", """
    int64: n_blocks n_samples n_ticks
    int64[blocks]: pair_start
    float32[samples]: pressure
    out float32[groups,pairs]: error
""")

KERNELS["add_scaled"] = by_thread("stages", "n", """
    int64: n
    float32: scale
    float32[tiles,n_in,lanes]: rows
    out float32[tiles,n_in,lanes]: gradient
""")

KERNELS["normalise_error"] = launched("stages", "n_blocks", f"""
    int64: n_blocks n_samples n_ticks n_positions n_spikes n_keys
    int64[rows]: tick_ptr
    int32[spikes]: address
    uint64[places]: table
    int64[spikes]: count
    float32[channels]: shift slope
    {_SET}
    int32[tiles,lanes]: lane_address
    out float32[groups,pairs]: error
""")

KERNELS["mask_error"] = launched("stages", "n_blocks", f"""
    int64: n_blocks n_samples n_ticks n_neurons n_groups n_pairs
    uint8[samples,neurons]: kept
    {_SET}
    int32[tiles,lanes]: lane_address
    out float32[groups,pairs]: error
""")

KERNELS["sum_by_kind"] = by_thread("normalising", "n", """
    int64: n n_tiles n_patches n_groups
    int64[patches]: kind_of
    float32[groups,tiles,lanes]: g_sum
    out float64[kinds,tiles,lanes]: total
""")

KERNELS["sum_lanes"] = launched("normalising", "n", """
    int64: n n_kinds n_tiles n_rows is_shared
    uint8[kinds,rows]: inside
    float64[kinds,tiles,lanes]: total
    int32[tiles,n_in,lanes]: index
    float32[any]: weight
    float32[tiles,n_in,lanes]: rows
    out float64[two,tiles,rows]: sums
""", per_block=32, threads=256)

_NORMALISED = """
    uint8[kinds,rows]: inside
    float64[kinds,tiles,lanes]: total
    float64[rows]: scale constant
"""

KERNELS["add_normalised"] = by_thread("normalising", "n", f"""
    int64: n n_kinds n_tiles n_rows
    {_NORMALISED}
    float32[tiles,n_in,lanes]: rows
    out float32[tiles,n_in,lanes]: gradient
""")

KERNELS["fold_rows"] = by_thread("normalising", "n", f"""
    int64: n n_kinds n_tiles n_rows is_normalised
    float32: unit
    {_NORMALISED}
    int64[weights]: place_ptr
    int32[places]: place
    float32[tiles,n_in,lanes]: rows
    out float32[rows,lanes]: gradient
""")

KERNELS["adam_step"] = by_thread("optimizer", "n", """
    int64: n
    float32[settings]: settings
    out float32[rows,lanes]: weight gradient mean square
""")

KERNELS["sgd_step"] = by_thread("optimizer", "n", """
    int64: n
    float32[settings]: settings
    out float32[rows,lanes]: weight gradient velocity
""")
