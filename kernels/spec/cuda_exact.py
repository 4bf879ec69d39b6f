"""Kernels on a GPU that run layers in continuous time."""

from eventsim.kernels.spec.cuda_launch import CHUNKS, ROOM, WINDOW, CudaKernel, by_thread, launched

KERNELS: dict[str, CudaKernel] = {}

_NEURONS = """
    float32[tiles,n_in,lanes]: weight
    float64[tiles,lanes]: theta
    float32[tiles,lanes]: least
    int32[spikes]: address
    int64[samples]: window_base window_count
    float64[windows,columns]: window
"""
_WINDOWS = f"""
    {_NEURONS}
    int64[windows]: window_event
    int32[windows,segments]: window_address
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    float64[constants]: constants
    int64[starts]: spike_ptr
"""
_LIF_WINDOWS = f"""
    {_NEURONS}
    int64[windows]: window_step
    float64[steps,columns]: step
    int64[steps]: step_event
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    float64[constants]: constants
    int64[starts]: spike_ptr
"""
_SIZES = "int64: n_items n_samples n_in"
_TICKS = f"""
    int64: n_ticks
    {ROOM}
    float64: dt
    {WINDOW}
"""
_SPIKES = """
    out int64[items,lanes]: spike_count singles
    out float64[spikes]: spike_time
"""

for _name, _file, _given in (("exact_forward", "exact", _WINDOWS), ("lif_exact_forward", "lif_sweep", _LIF_WINDOWS)):
    KERNELS[_name] = launched(_file, "n_items", f"""
        {_SIZES}
        {_given}
        {_SPIKES}
    """)
    KERNELS[f"{_name}_active"] = launched(_file, "n_items", f"""
        {_SIZES}
        {_TICKS}
        {_given}
        {_SPIKES}
        {CHUNKS}
    """)

KERNELS["list_times"] = by_thread("exact", "n_lanes", """
    int64: n_lanes n_samples
    int32[tiles,lanes]: neuron
    int64[starts]: spike_ptr list_ptr
    float64[spikes]: spike_time
    out float64[spikes]: time
    out int32[spikes]: address
""")
