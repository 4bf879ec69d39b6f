"""Kernels on a GPU that find spikes of a (sample, tick) that share an address, or a pixel."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, by_thread

KERNELS: dict[str, CudaKernel] = {}

KERNELS["find_first"] = by_thread("groups", "n_spikes", """
    int64: n_spikes n_samples n_ticks n_keys
    int64[samples]: sample_ptr
    int64[rows]: tick_ptr
    int32[spikes]: address tick
    out uint64[places]: table
    out int64[spikes]: place
""")

KERNELS["count_groups"] = by_thread("groups", "n_spikes", """
    int64: n_spikes
    uint64[places]: table
    int64[spikes]: place
    out int64[spikes]: count
""")

KERNELS["list_groups"] = by_thread("groups", "n_spikes", """
    int64: n_spikes
    uint64[places]: table
    int64[spikes]: place group_ptr
    out int64[spikes]: count
    out int32[spikes]: own
""")

KERNELS["sort_groups"] = by_thread("groups", "n_spikes", """
    int64: n_spikes
    int32[spikes]: address
    int64[spikes]: group_ptr
    out int32[spikes]: own
""")

KERNELS["sum_squares"] = by_thread("groups", "n_spikes", """
    int64: n_spikes n_samples n_positions n_channels
    int64[samples]: sample_ptr
    int32[spikes]: address
    int64[spikes]: count
    out int64[samples,two,channels]: total
""")
