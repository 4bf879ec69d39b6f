"""Kernels on a GPU that run layers in continuous time."""

from eventsim.kernels.spec.cuda_launch import CHUNKS, ROOM, WINDOW, CudaKernel, launched

KERNELS: dict[str, CudaKernel] = {}

_NEURONS = """
    float32[tiles,n_in,lanes]: weight
    int32[tiles,lanes]: neuron
    float64[tiles,lanes]: theta
    float32[tiles,lanes]: least
    int32[spikes]: address
"""
_ROOM = """
    float64[constants]: constants
    int64: room
    int64[starts]: spike_ptr
"""
_WINDOWS = f"""
    {_NEURONS}
    int64[samples]: window_base window_count
    float64[windows,columns]: window
    int64[windows]: window_event
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    {_ROOM}
"""
_LIF_WINDOWS = f"""
    {_NEURONS}
    int64[samples]: window_base window_count
    float64[windows,columns]: window
    int64[windows]: window_step
    float64[steps,columns]: step
    int64[steps]: step_event
    float64[spikes,two]: coefficient
    float32[spikes]: upper
    {_ROOM}
"""
_LISTS = f"""
    {_NEURONS}
    float64[spikes]: time
    int64[samples]: sample_ptr
    {_ROOM}
"""
_SIZES = "int64: n_items n_samples n_neurons n_in"
_PATCHES = "int64: n_items n_samples n_batch n_neurons n_in"
_SPIKES = """
    out int64[lists]: spike_count
    out int64[three]: totals
    out float64[spikes]: spike_time
"""
_TICKS = f"""
    int64: n_ticks
    {ROOM}
    float64: dt
"""


def _forward(name, file, sizes, given, lengths=""):
    """Declare the kernel that runs a layer, and the one that keeps active sets."""
    end = f"float64: end {lengths}" if lengths else ""
    KERNELS[name] = launched(file, "n_items", f"""
        {sizes}
        {end}
        {given}
        {_SPIKES}
    """)
    KERNELS[f"{name}_active"] = launched(file, "n_items", f"""
        {sizes}
        {_TICKS}
        {f"float64: {lengths}" if lengths else ""}
        {WINDOW}
        {given}
        {_SPIKES}
        {CHUNKS}
    """)


_forward("exact_forward", "exact", _SIZES, _WINDOWS)
_forward("lif_exact_forward", "lif_sweep", _SIZES, _LIF_WINDOWS)
_forward("exact_patches_forward", "exact_patches", _PATCHES, _LISTS, "longest longest_silence")
_forward("lif_patches_forward", "lif_patches", _PATCHES, _LISTS, "longest longest_step")

KERNELS["cut_windows"] = launched("exact", "n_samples", """
    int64: n_samples
    float64: begin end longest longest_silence settled dt
    int64[samples]: sample_ptr
    float64[spikes]: time
    int64[samples]: window_base
    out int64[samples]: window_count
    out float64[windows,columns]: window
    out int64[windows]: window_event
""", threads=32)

KERNELS["fill_windows"] = launched("exact", "n_windows", """
    int64: n_windows n_samples
    float64[spikes]: time
    float64[constants]: constants
    int64[samples]: window_base window_count
    int64[windows]: window_event
    out float64[windows,columns]: window
    out float64[spikes,two]: coefficient
    out float32[spikes]: upper
""", per_block=8, threads=128)

KERNELS["cut_lif_windows"] = launched("lif_sweep", "n_samples", """
    int64: n_samples
    float64: begin end longest longest_step dt
    int64[samples]: sample_ptr
    float64[spikes]: time
    float64[constants]: constants
    int64[samples]: window_base
    out int64[samples]: window_count
    out float64[windows,columns]: window
    out int64[windows]: window_step
    out float64[steps,columns]: step
    out int64[steps]: step_event
""", threads=32)

KERNELS["fill_lif_windows"] = launched("lif_sweep", "n_windows", """
    int64: n_windows n_samples
    float64[constants]: constants
    int64[samples]: window_base window_count
    int64[windows]: window_step
    int64[steps]: step_event
    out float64[windows,columns]: window
    out float64[steps,columns]: step
    out float64[spikes,two]: coefficient
    out float32[spikes]: upper
""", per_block=16, threads=128)
