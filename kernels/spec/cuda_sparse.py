"""Kernels on a GPU that run sparse layers."""

from eventsim.kernels.spec.cuda_launch import RUNS, CudaKernel, by_thread, launched

KERNELS: dict[str, CudaKernel] = {}

KERNELS["count_crossed"] = by_thread("sparse", "n_spikes", """
    int64: n_spikes
    int32[spikes]: address tick
    int64[n_in]: row_start
    out int64[ticks]: crossed
""")

_ROWS = """
    int64: n_rows n_samples n_ticks first_tick n_listed
    int64[rows]: tick_ptr
    int32[spikes]: address
    int64[n_in]: row_start
    int32[synapses]: target
"""

KERNELS["count_arrivals"] = launched("sparse", "n_rows", f"""
    {_ROWS}
    out int64[lists]: count
""", threads=256)

KERNELS["list_arrivals"] = launched("sparse", "n_rows", f"""
    {_ROWS}
    float32[synapses]: weight
    int64[lists]: list_ptr
    out int64[lists]: count
    out uint64[arrivals]: arrival
""", threads=128)

KERNELS["sparse_forward"] = launched("sparse", "n_items", f"""
    int64: n_items n_samples n_neurons n_ticks n_abs first_tick last_tick
    float32: reach
    {RUNS}
    uint64[arrivals]: arrival
    float32[constants]: constants
    float32[two,powers]: decays
    out float32[items,rows,lanes]: state
    out int64[items]: since
    out int32[items,lanes]: ready
    out uint64[items,ticks]: fired
""")
