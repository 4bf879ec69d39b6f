"""Layers and networks in continuous time."""

from eventsim.kernels.spec.declare import Kernel, kernel

KERNELS: dict[str, Kernel] = {}

_NEURONS = """
    int32[tiles,lanes]: neuron
    float64[tiles,lanes]: theta
    float32[tiles,lanes]: least
"""

_WINDOWS = """
    int32[spikes]: address
    int64[samples]: sample_ptr window_base window_count
    float64[windows,columns]: window
    int64[windows]: window_event
    int32[windows,segments]: window_address
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    float64[constants]: constants
    scratch float64[edges]: edges
    scratch float32[one,lanes]: fetched
"""

_LIF_WINDOWS = """
    int32[spikes]: address
    int64[samples]: sample_ptr window_base window_count
    float64[windows,columns]: window
    int64[windows]: window_step
    float64[windows,columns]: step
    int64[windows]: step_event
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    float64[constants]: constants
    scratch float64[edges]: edges
    scratch float32[one,lanes]: fetched
"""

_LISTS = """
    int32[spikes]: address
    float64[spikes]: time
    int64[samples]: sample_ptr
    float64[constants]: constants
    scratch float64[edges]: edges
    scratch float32[one,lanes]: fetched
    scratch float64[columns]: window
    scratch int32[segments]: window_address
    scratch float64[events,two]: coefficient
    scratch float32[events]: upper
"""

_LIF_LISTS = """
    int32[spikes]: address
    float64[spikes]: time
    int64[samples]: sample_ptr
    float64[constants]: constants
    scratch float64[edges]: edges
    scratch float32[one,lanes]: fetched
    scratch float64[columns]: window
    scratch float64[steps,columns]: step
    scratch int64[steps]: step_event
    scratch float64[events,two]: coefficient
    scratch float32[events]: upper
"""

_SPIKES = """
    out int64[items]: item_spikes
    out float64[spikes]: spike_time
    out int32[spikes]: spike_address
"""

_ACTIVE = f"""
    scratch float32[ticks,lanes]: chunk_u
    scratch uint64[ticks]: chunk_lanes
    out int64[six]: progress
    {_SPIKES}
    out int32[blocks]: block_entries block_pairs
    out uint8[entries]: entry_lane
    out uint64[entries]: entry_ticks
    out float32[pairs]: rho
"""

KERNELS["cut_windows"] = kernel("windows", """
    int64: sample_first sample_last
    float64: begin end longest longest_silence settled dt
    int64[samples]: sample_ptr
    float64[spikes]: time
    int64[samples]: window_base
    out int64[samples]: window_count
    out float64[windows,columns]: window
    out int64[windows]: window_event
""")

KERNELS["fill_windows"] = kernel("windows", """
    int64: window_first window_last
    float64[spikes]: time
    int32[spikes]: address
    float64[constants]: constants
    int64[windows]: window_event
    out float64[windows,columns]: window
    out int32[windows,segments]: window_address
    out float64[spikes,two]: coefficient
    out float32[spikes]: upper
""")

KERNELS["exact_forward"] = kernel("exact", f"""
    int64: item_first item_last n_samples
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_WINDOWS}
    out float64[items,rows,lanes]: state
    out float32[items,rows,lanes]: response
    out int64[five]: progress
    {_SPIKES}
""")

KERNELS["exact_patches_forward"] = kernel("exact_patches", f"""
    int64: item_first item_last n_samples n_batch anew
    float64: end longest longest_silence
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_LISTS}
    out float64[items]: since
    out float64[items,rows,lanes]: state
    out float32[items,rows,lanes]: response
    out int64[six]: progress
    {_SPIKES}
""")

KERNELS["cut_lif_windows"] = kernel("lif_windows", """
    int64: sample_first sample_last
    float64: begin end longest longest_step dt
    int64[samples]: sample_ptr
    float64[spikes]: time
    float64[constants]: constants
    int64[samples]: window_base
    out int64[samples]: window_count
    out float64[windows,columns]: window
    out int64[windows]: window_step
    out float64[windows,columns]: step
    out int64[windows]: step_event
    out float64[spikes,two]: coefficient
    out float32[spikes]: upper
""")

KERNELS["lif_exact_forward"] = kernel("lif_sweep", f"""
    int64: item_first item_last n_samples
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_LIF_WINDOWS}
    out float64[items,rows,lanes]: state
    out int64[five]: progress
    {_SPIKES}
""")

KERNELS["exact_forward_active"] = kernel("exact_active", f"""
    int64: item_first item_last n_samples n_ticks
    float64: dt
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_WINDOWS}
    scratch float64[rows,lanes]: state
    scratch float32[rows,lanes]: response before
    {_ACTIVE}
""")

KERNELS["exact_patches_forward_active"] = kernel("exact_active", f"""
    int64: item_first item_last n_samples n_batch n_ticks
    float64: dt longest longest_silence
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_LISTS}
    scratch float64[rows,lanes]: state
    scratch float32[rows,lanes]: response before
    {_ACTIVE}
""")

KERNELS["lif_patches_forward"] = kernel("lif_patches", f"""
    int64: item_first item_last n_samples n_batch anew
    float64: end longest longest_step
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_LIF_LISTS}
    out float64[items]: since
    out float64[items,rows,lanes]: state
    out int64[six]: progress
    {_SPIKES}
""")

KERNELS["lif_exact_forward_active"] = kernel("lif_active", f"""
    int64: item_first item_last n_samples n_ticks
    float64: dt
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_LIF_WINDOWS}
    scratch float64[rows,lanes]: state
    {_ACTIVE}
""")

KERNELS["lif_patches_forward_active"] = kernel("lif_active", f"""
    int64: item_first item_last n_samples n_batch n_ticks
    float64: dt longest longest_step
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    {_NEURONS}
    {_LIF_LISTS}
    scratch float64[rows,lanes]: state
    {_ACTIVE}
""")

KERNELS["merge_times"] = kernel("times", """
    int64: sample_first sample_last n_samples
    float64: begin end
    int64[items]: item_ptr
    float64[spikes]: item_time
    int32[spikes]: item_address
    int64[samples]: sample_ptr
    scratch int64[buckets]: bucket_end
    out float64[spikes]: time
    out int32[spikes]: address
""")

KERNELS["share_times"] = kernel("times", """
    int64: sample_first sample_last n_ticks
    float64: dt
    float64[four]: shares
    int64[samples]: sample_ptr
    float64[spikes]: time
    out int32[spikes]: tick
    out float32[spikes,two]: share
""")

KERNELS["group_times_by_address"] = kernel("times", """
    int64: block block_samples n_ticks
    float64: dt
    float64[four]: shares
    int64[samples]: sample_ptr
    int32[spikes]: address
    float64[spikes]: time
    scratch int64[neurons]: neuron_end
    out int64[blocks,neurons]: neuron_ptr
    out int32[spikes]: row
    out float32[spikes,two]: share
""")

KERNELS["queue_network"] = kernel("queue", """
    int64: last
    float64: until t_end
    int64[layers]: first_tile sends
    int64[projections,fields]: projection
    int64[sources]: axon_of
    float32[rows,lanes]: weight
    int64[axons]: fan_first
    int32[fan]: fan_tile
    int64[fan]: fan_row
    float64[axons]: delay
    int32[synapses]: target
    float64[synapses]: target_delay
    float64[tiles,lanes]: theta
    int32[spikes]: address
    float64[spikes]: time
    float64[tiles,constants]: constants
    scratch float64[edges]: edges
    scratch float64[lanes]: reach
    out float64[tiles,rows,lanes]: state
    out float64[neurons]: due
    out bool[neurons]: sure
    out int64[neurons]: heap place
    out int64[five]: progress
    out float64[flights,two]: flight_time
    out int64[flights,three]: flight_route
    out float64[spikes]: spike_time
    out int64[spikes]: spike_neuron
""")
