"""Kernels on a GPU that run layers in continuous time."""

from eventsim.kernels.spec.cuda_launch import CudaKernel, by_thread, launched

KERNELS: dict[str, CudaKernel] = {}

_GIVEN = """
    float32[tiles,n_in,lanes]: weight
    float64[tiles,lanes]: theta
    float32[tiles,lanes]: least
    int32[spikes]: address
    int64[samples]: window_base window_count
    float64[windows,columns]: window
    int64[windows]: window_event
    int32[windows,segments]: window_address
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    float64[constants]: constants
    int64[starts]: spike_ptr
"""
_SPIKES = """
    out int64[items,lanes]: spike_count singles
    out float64[spikes]: spike_time
"""

KERNELS["exact_forward"] = launched("exact", "n_items", f"""
    int64: n_items n_samples n_in
    {_GIVEN}
    {_SPIKES}
""")

KERNELS["exact_forward_active"] = launched("exact", "n_items", f"""
    int64: n_items n_samples n_in n_ticks
    float64: dt
    float32: u_low u_high
    {_GIVEN}
    {_SPIKES}
    out uint64[items,ticks]: active
    out float32[items,ticks,lanes]: u
""")

KERNELS["list_times"] = by_thread("exact", "n_lanes", """
    int64: n_lanes n_samples
    int32[tiles,lanes]: neuron
    int64[starts]: spike_ptr list_ptr
    float64[spikes]: spike_time
    out float64[spikes]: time
    out int32[spikes]: address
""")
