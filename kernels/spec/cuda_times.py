"""Kernels on a GPU that make spike lists in continuous time."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, by_thread

KERNELS: dict[str, CudaKernel] = {}

KERNELS["list_times"] = by_thread("times", "n_lists", """
    int64: n_lists n_neurons room
    int64[starts]: spike_ptr list_ptr
    float64[spikes]: spike_time
    out float64[spikes]: time
    out int32[spikes]: address
""")

KERNELS["key_samples"] = by_thread("times", "n_spikes", """
    int64: n_spikes n_samples
    int64[samples]: sample_ptr
    int64[spikes]: order
    out int32[spikes]: key
""")

KERNELS["merge_times"] = by_thread("times", "n_spikes", """
    int64: n_spikes
    int64[spikes]: order by_sample
    float64[spikes]: item_time
    int32[spikes]: item_address
    out float64[spikes]: time
    out int32[spikes]: address
""")

KERNELS["floor_times"] = by_thread("times", "n_spikes", """
    int64: n_spikes n_ticks
    float64: dt
    float64[spikes]: time
    out int32[spikes]: tick
""")

KERNELS["route_times"] = by_thread("times", "n_spikes", """
    int64: n_spikes n_samples n_neurons is_masked
    int64[samples]: sample_ptr
    int32[spikes]: address
    float64[spikes]: time
    int32[neurons]: table
    uint8[samples,neurons]: kept
    int64[spikes]: new_ptr
    out int32[spikes]: new_address
    out float64[spikes]: new_time
""")

_REACH = """
    int32[spikes]: address
    int64[pixels]: reach_ptr
"""

KERNELS["count_pairs"] = by_thread("times", "n_spikes", f"""
    int64: n_spikes n_pixels
    {_REACH}
    out int64[spikes]: count
""")

KERNELS["list_pairs"] = by_thread("times", "n_spikes", f"""
    int64: n_spikes n_pixels
    {_REACH}
    int32[reach]: reach_patch
    int64[spikes]: pair_ptr
    out int32[pairs]: patch
    out int64[pairs]: spike
""")

KERNELS["find_lists"] = by_thread("times", "n_starts", """
    int64: n_starts n_samples n_pairs
    int64[samples]: sample_ptr
    int32[pairs]: patch
    int64[pairs]: spike order
    out int64[lists]: list_ptr
""")

KERNELS["cut_patch_times"] = by_thread("times", "n_pairs", """
    int64: n_pairs n_pixels rows_a_channel
    int32[spikes]: address
    float64[spikes]: time
    int64[pixels]: reach_ptr
    int32[reach]: reach_row
    int64[spikes]: pair_ptr
    int64[pairs]: spike order
    out int32[pairs]: row
    out float64[pairs]: row_time
""")

KERNELS["mark_own_spikes"] = by_thread("times", "n_spikes", """
    int64: n_spikes n_samples n_ticks
    float64: dt
    int64[samples]: sample_ptr
    int32[spikes]: address
    float64[spikes]: time
    int32[neurons]: place
    out uint64[items,ticks]: fired
""")

KERNELS["group_times_by_address"] = by_thread("times", "n_spikes", """
    int64: n_spikes n_places n_ticks
    float64: dt
    float64[shares]: shares
    int32[places]: at
    int64[spikes]: key order
    float64[spikes]: time
    out int32[spikes]: row
    out float32[spikes,two]: share
""")
