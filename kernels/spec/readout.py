"""Read-outs of neurons that never spike, on either clock."""

from eventsim.kernels.spec.declare import Kernel, kernel

KERNELS: dict[str, Kernel] = {}

_LISTS = """
    float32|int8|uint16[tiles,rows,lanes]: weight
    float32[tiles,lanes]: gain
    int64[lists]: run_base run_count
    int64[runs]: run_start
    int32[spikes]: address
"""

KERNELS["read_sums"] = kernel("readout", f"""
    int64: item_first item_last n_lists
    {_LISTS}
    float64[runs]: run_share
    out float64[items,lanes]: score
""")

KERNELS["read_peaks"] = kernel("readout", f"""
    int64: item_first item_last n_lists n_batch
    float64: step last_time rate held
    {_LISTS}
    float64[runs]: run_time
    float64[places,lanes]: each
    out float64[items,lanes]: score when
""")
