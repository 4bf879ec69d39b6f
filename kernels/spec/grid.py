"""Layers on the tick clock, and their spike lists."""

from eventsim.kernels.spec.declare import Kernel, kernel

KERNELS: dict[str, Kernel] = {}

INPUT = """
    int64[samples]: run_base run_count
    int32[runs]: run_tick
    int64[runs]: run_start
    int32[spikes]: address
"""

_SWEPT = """
    scratch float32[one,lanes]: fetched
    out int64[two]: progress
    out int64[items]: item_spikes item_words
    out int32[words]: word_tick
    out uint64[words]: word_lanes
"""

_SWEPT_ACTIVE = """
    scratch float32[ticks,lanes]: chunk_u
    scratch uint64[ticks]: chunk_lanes
    out int64[four]: progress
    out int64[items]: item_spikes item_words
    out int32[words]: word_tick
    out uint64[words]: word_lanes
    out int32[blocks]: block_entries block_pairs
    out uint8[entries]: entry_lane
    out uint64[entries]: entry_ticks
    out float32[pairs]: rho
"""

KERNELS["dense_forward"] = kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs n_taps
    float32|int8|uint16[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {INPUT}
    float32[constants]: constants
    scratch int32[lanes]: ready
    {_SWEPT}
""")

KERNELS["dense_forward_active"] = kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs n_taps
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {INPUT}
    float32[constants]: constants
    scratch int32[lanes]: ready
    {_SWEPT_ACTIVE}
""")

KERNELS["driven_forward"] = kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs n_taps moving n_batch
    float32|int8|uint16[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {INPUT}
    float32[constants]: constants
    float32[tiles,rows,lanes]: drive
    scratch int32[lanes]: ready
    {_SWEPT}
""")

KERNELS["driven_forward_active"] = kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs n_taps moving n_batch
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {INPUT}
    float32[constants]: constants
    float32[tiles,rows,lanes]: drive
    scratch int32[lanes]: ready
    {_SWEPT_ACTIVE}
""")

KERNELS["lif_forward"] = kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs moving n_batch
    float32|int8|uint16[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {INPUT}
    float32[constants]: constants
    float32[tiles,rows,lanes]: drive
    scratch int32[lanes]: ready
    {_SWEPT}
""")

KERNELS["lif_forward_active"] = kernel("dense", f"""
    int64: item_first item_last n_samples n_neurons n_ticks n_abs moving n_batch
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    float32[tiles,lanes]: gain
    {INPUT}
    float32[constants]: constants
    float32[tiles,rows,lanes]: drive
    scratch int32[lanes]: ready
    {_SWEPT_ACTIVE}
""")

KERNELS["sparse_forward"] = kernel("sparse", f"""
    int64: sample neuron_first neuron_last n_ticks n_abs
    {INPUT}
    int64[neurons]: row_start
    int32[synapses]: target
    float32[synapses]: weight
    float32[constants]: constants
    out float32[tiles,rows,lanes]: state
    out float32[tiles,lanes]: total
    out int64[tiles]: since
    out uint8[tiles]: doing
    out int32[lanes]: ready
    out int64[three]: progress
    out int32[spikes]: spike_tick spike_address
""")

KERNELS["delayed_forward"] = kernel("delayed", f"""
    int64: sample n_neurons n_ticks n_abs
    {INPUT}
    float32[tiles,n_in,lanes]: weight own_weight
    int32[n_in,n_out]: delay own_delay
    float32[constants]: constants
    out float32[tiles,rows,lanes]: state
    out float32[ticks,tiles,lanes]: ring
    out int32[lanes]: ready
    out int64[three]: progress
    out int32[spikes]: spike_tick spike_address
""")

KERNELS["delayed_lif_forward"] = kernel("delayed", f"""
    int64: sample n_neurons n_ticks n_abs
    {INPUT}
    float32[tiles,n_in,lanes]: weight own_weight
    int32[n_in,n_out]: delay own_delay
    float32[constants]: constants
    float32[tiles,rows,lanes]: drive
    out float32[tiles,rows,lanes]: state
    out float32[ticks,tiles,lanes]: ring
    out int32[lanes]: ready
    out int64[three]: progress
    out int32[spikes]: spike_tick spike_address
""")

KERNELS["group_by_tick"] = kernel("lists", """
    int64: sample_first sample_last
    int64[samples]: sample_ptr
    int32[spikes]: tick
    int64[samples]: run_base
    out int64[samples]: run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""")

KERNELS["merge_items"] = kernel("lists", """
    int64: sample_first sample_last n_samples n_ticks
    int64[items]: word_ptr
    int32[words]: word_tick
    uint64[words]: word_lanes
    int64[samples]: sample_ptr run_base
    scratch int64[ticks]: tick_end
    out int32[spikes]: address tick
    out int64[samples]: run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""")

KERNELS["mark_neurons"] = kernel("lists", """
    int32[spikes]: address
    out bool[neurons]: fired
""")

KERNELS["group_by_address"] = kernel("lists", """
    int64: block block_samples n_ticks
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    scratch int64[neurons]: neuron_end
    out int64[blocks,neurons]: neuron_ptr
    out int32[spikes]: row
""")

BETWEEN = """
    float32[spikes,two]: share
    float32[two]: integral
    int64[items]: own_ptr
    int32[spikes]: own_tick
    uint8[spikes]: own_lane
"""

ACTIVE = """
    int64[blocks]: entry_start pair_start
    uint8[entries]: entry_lane
    uint64[entries]: entry_ticks
"""

BELOW = """
    int64: below_kind
    int64[tiles]: below_lanes
    int64[blocks]: below_entry_start below_pair_start
    uint8[entries]: below_lane
    uint64[entries]: below_ticks
"""

BACKWARD = f"""
    int64: kind
    {ACTIVE}
    float32[pairs]: rho
    float32[groups,pairs]: error
    {BELOW}
"""

KERNELS["dense_backward"] = kernel("dense_adjoint", f"""
    int64: group tile_first tile_last n_samples block_samples n_neurons n_ticks family n_abs n_taps
    float32: dt rho_width rho_peak
    float32[constants]: constants
    {INPUT}
    float32[tiles,rows,lanes]: drive
    int64[blocks,neurons]: neuron_ptr
    int32[spikes]: row
    {BETWEEN}
    {BACKWARD}
    int32[near]: near_tile
    int32[near,lanes]: near_row
    int64: rule
    float32[settings]: settings
    scratch int32[lanes]: ready
    scratch uint64[ticks]: fired
    scratch float32[two,lanes]: state
    scratch float32[ticks,lanes]: g ramp kept
    scratch float32[sums]: sums
    scratch float32[n_in,lanes]: total
    out float32[tiles,n_in,lanes]: weight gradient mean square
    out float32[tiles,lanes]: g_sum
    out float32[groups,pairs]: error_below
""")

_SURVEYED = """
    out int64[neurons]: neuron_spikes neuron_fired neuron_saturated
    out int64[four,intervals]: interval_bins
    out int64[bins]: activity
    out int64[samples]: sample_fired
    out int64[kinds,samples]: sample_crossed
    out float64[samples]: sample_synchrony
"""

KERNELS["survey_ticks"] = kernel("statistics", f"""
    int64: sample_first sample_last n_ticks coarse saturation
    {INPUT}
    int64[kinds,neurons]: fan_out
    scratch int64[neurons]: state
    {_SURVEYED}
""")

KERNELS["survey_times"] = kernel("statistics", f"""
    int64: sample_first sample_last n_ticks coarse shift fine saturation
    int64[samples]: sample_ptr
    int32[spikes]: address when
    int64[kinds,neurons]: fan_out
    scratch int64[neurons]: state
    scratch int64[neurons,two]: twin
    {_SURVEYED}
    out float64[two,samples]: sample_interval
    out int64[samples]: sample_shared
""")

KERNELS["adam_step"] = kernel("optimizer", """
    int64: first last
    float32[settings]: settings
    out float32[rows,lanes]: weight gradient mean square
""")

KERNELS["sgd_step"] = kernel("optimizer", """
    int64: first last
    float32[settings]: settings
    out float32[rows,lanes]: weight gradient velocity
""")

KERNELS["read_rows"] = kernel("bandwidth", """
    int64: first last repeats
    float32[rows,lanes]: rows
    out float32[one,lanes]: total
""")
