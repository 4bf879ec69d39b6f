"""Kernels on a GPU that make spike lists: of recordings and of layers, by address, behind stages, and of patches."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, by_thread, launched

KERNELS: dict[str, CudaKernel] = {}

KERNELS["key_events"] = by_thread("bin", "n_events", """
    int64: n_events
    int64[events]: t
    uint16[events]: x y
    uint8[events]: p
    int64: width height step n_addresses
    out int64[events]: key
""")

KERNELS["mark_binned"] = by_thread("bin", "n_events", """
    int64: n_events keep_repeats
    int64[events]: key order
    out int64[events]: count
""")

KERNELS["list_binned"] = by_thread("bin", "n_events", """
    int64: n_events n_addresses
    int64[events]: key order place
    out int32[spikes]: tick address
""")

KERNELS["count_ticks"] = by_thread("lists", "n_words", """
    int64: n_words n_rows tiles n_groups
    uint64[items,ticks]: fired
    out int64[words]: count
""")

KERNELS["every_nth"] = by_thread("lists", "n", """
    int64: n step
    int64[values]: values
    out int64[n]: taken
""")

KERNELS["find_ticks"] = by_thread("lists", "n_starts", """
    int64: n_starts n_samples n_ticks
    int64[samples]: sample_ptr
    int32[spikes]: tick
    out int64[starts]: tick_ptr
""")

KERNELS["group_by_tick"] = launched("lists", "n_samples", """
    int64: n_samples n_ticks
    int64[rows]: tick_ptr
    out int64[samples]: run_base run_count
    out int32[runs]: run_tick
    out int64[runs]: run_start
""", per_block=8, threads=256)

KERNELS["merge_items"] = by_thread("lists", "n_words", """
    int64: n_words n_rows tiles n_groups n_ticks
    uint64[items,ticks]: fired
    int64[words]: group_ptr
    out int32[spikes]: address tick
""")

KERNELS["mark_neurons"] = by_thread("lists", "n_spikes", """
    int64: n_spikes
    int32[spikes]: address
    out uint8[neurons]: fired
""")

KERNELS["key_rows"] = by_thread("lists", "n_spikes", """
    int64: n_spikes n_samples n_neurons n_places
    int64[lists]: sample_ptr
    int32[lists]: block_of place_of
    int32[spikes]: address
    out int64[spikes]: key
""")

KERNELS["find_rows"] = by_thread("lists", "n_starts", """
    int64: n_starts n_spikes n_places
    int64[spikes]: key order
    out int64[starts]: neuron_ptr
""")

KERNELS["group_by_address"] = by_thread("lists", "n_spikes", """
    int64: n_spikes n_places n_ticks
    int32[places]: at
    int64[spikes]: key order
    int32[spikes]: tick
    out int32[spikes]: row
""")

KERNELS["order_lanes"] = by_thread("lists", "n_words", """
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

KERNELS["count_routed"] = by_thread("stages", "n_spikes", f"""
    {_ROUTED}
    int32[neurons]: table
    uint8[samples,neurons]: kept
    out int64[spikes]: count
""")

KERNELS["route_spikes"] = by_thread("stages", "n_spikes", f"""
    {_ROUTED}
    int32[spikes]: tick
    int32[neurons]: table
    uint8[samples,neurons]: kept
    int64[spikes]: new_ptr
    out int32[spikes]: new_address new_tick
""")

KERNELS["take"] = by_thread("stages", "n", """
    int64: n
    int64[n]: index
    int64[values]: values
    out int64[n]: taken
""")

KERNELS["count_pixels"] = by_thread("patches", "n_spikes", """
    int64: n_spikes n_pixels
    int32[spikes]: address
    out int32[pixels]: count
""")

_SEEN = """
    int64: n_spikes n_samples n_ticks n_pixels
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    int64[pixels]: reach_ptr
    int32[reach]: reach_patch
"""

KERNELS["count_seen"] = by_thread("patches", "n_spikes", f"""
    {_SEEN}
    out int64[rows]: count
""")

KERNELS["list_seen"] = by_thread("patches", "n_spikes", f"""
    {_SEEN}
    int64[rows]: tick_ptr list_ptr
    out int64[rows]: count
    out int32[spikes]: row_address
""")

KERNELS["cut_patches"] = by_thread("patches", "n_rows", """
    int64: n_rows n_samples n_ticks n_pixels width padding across step_down step_across rows_in columns_in
    uint8[pixels]: has_tap
    int64[rows]: tick_ptr
    int32[spikes]: address
    int64[rows]: list_ptr
    out int32[spikes]: row_address row_tick
""")
