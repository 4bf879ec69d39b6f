"""Kernels on a GPU that make spike lists in continuous time."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, by_thread, launched

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

_PATCHES = """
    int64: n_lists n_samples n_pixels width padding across step_down step_across rows_in columns_in
    uint8[pixels]: has_tap
    int64[samples]: sample_ptr
    int32[spikes]: address
"""

KERNELS["count_patch_times"] = launched("times", "n_lists", f"""
    {_PATCHES}
    out int64[lists]: count
""", per_block=8, threads=256)

KERNELS["cut_patch_times"] = launched("times", "n_lists", f"""
    {_PATCHES}
    float64[spikes]: time
    int64[lists]: list_ptr
    out int32[spikes]: row
    out float64[spikes]: row_time
""", per_block=8, threads=256)

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
