"""The table of kernels: name, file, and every argument with its type, rank and role.

Argument checks, the scalar casts of GPU launches and the mirror tests are derived from it. A line reads
``dtype[axes]: name name ...``, arguments in the order of the call; ``out`` before it marks what the kernel writes, and
a scalar has no axes.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel."""

    name: str
    dtype: np.dtype
    rank: int
    out: bool


@dataclass(frozen=True)
class Kernel:
    """One kernel: the file (stem) that it stands in, and its arguments in order."""

    file: str
    arguments: tuple[Argument, ...]


def _arguments(line):
    kind, names = line.split(":")
    *out, kind = kind.split()
    dtype, _, axes = kind.partition("[")
    rank = axes.count(",") + 1 if axes else 0
    return [Argument(name, np.dtype(dtype), rank, out == ["out"]) for name in names.split()]


def _kernel(file, text):
    return Kernel(file, tuple(argument for line in text.strip().splitlines() for argument in _arguments(line)))


KERNELS: dict[str, Kernel] = {}

KERNELS["dense_forward"] = _kernel("dense", """
    int64: item_first item_last n_samples n_neurons n_ticks n_abs n_taps
    bool: keep_active
    float32: u_low u_high rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    float32[constants]: constants
    out float32[rows,lanes]: state
    out int32[lanes]: ready
    out int32[lanes,ticks]: lane_tick
    out float32[lanes,ticks]: lane_u
    out int64[three]: progress
    out int64[items]: item_spikes
    out int32[spikes]: spike_tick spike_address
    out int32[items,lanes]: active_count
    out int32[pairs]: active_tick
    out float32[pairs]: active_rho
""")

KERNELS["merge_items"] = _kernel("lists", """
    int64: n_samples n_tiles n_ticks
    int64[items]: item_ptr
    int32[spikes]: item_tick item_address
    out int64[ticks]: tick_end
    out int64[samples]: sample_ptr
    out int32[spikes]: address tick
""")

KERNELS["group_by_address"] = _kernel("lists", """
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    out int64[neurons]: slot
    out int64[samples]: run_ptr
    out int32[runs]: run_address
    out int64[runs]: run_start
    out int32[spikes]: run_tick
""")

KERNELS["dense_backward"] = _kernel("dense_adjoint", """
    int64: group tile_first tile_last n_samples n_neurons n_ticks n_abs n_taps
    float32: dt rho_width rho_peak
    float32[tiles,n_in,lanes]: weight
    float32[constants]: constants
    int64[samples]: sample_ptr
    int32[spikes]: address tick
    int64[samples]: run_ptr
    int32[runs]: run_address
    int64[runs]: run_start
    int32[spikes]: run_tick
    int64: kind
    int64[items]: start
    int32[items,lanes]: count
    int32[pairs]: active_tick
    float32[pairs]: active_rho
    float32[groups,pairs]: error
    int64: below_kind
    int64[items]: below_start
    int32[items,lanes]: below_count
    int32[pairs]: below_tick
    out float32[rows,lanes]: state
    out int32[lanes]: ready
    out float32[ticks,lanes]: drive kept
    out float32[tiles,n_in,lanes]: gradient
    out float32[groups,pairs]: error_below
""")

KERNELS["adam_step"] = _kernel("optimizer", """
    int64: first last
    float32: rate beta1 beta2 bias1 bias2 epsilon
    out float32[n]: weight gradient mean square
""")

KERNELS["bin_events"] = _kernel("bin", """
    int64[events]: t
    uint16[events]: x y
    uint8[events]: p
    int64: width height step n_ticks
    bool: keep_repeats
    out int32[events]: tick address
    out int64[three]: counts
""")

KERNELS["remap_spikes"] = _kernel("bin", """
    int32[neurons]: table
    int32[spikes]: tick address
    bool: keep_repeats
    out int32[spikes]: new_tick new_address
    out int64[two]: counts
""")

KERNELS["queue_layer"] = _kernel("queue", """
    int64: first last n_neurons
    float64: t_end
    float32[tiles,n_in,lanes]: weight
    int32[spikes]: address
    float64[spikes]: time
    float64[constants]: constants
    out float64[scratch]: edges
    out float64[rows,neurons]: state
    out int64[neurons]: heap place
    out int64[two]: progress
    out float64[spikes]: spike_time
    out int32[spikes]: spike_address
""")

KERNELS["camera_events"] = _kernel("camera", """
    float64[rows,columns]: scene
    int64[steps]: row column
    float64[steps]: down right
    int64: width height
    float64: step follow leak
    float64[polarities,pixels]: threshold
    float64[pixels]: refractory phase
    out int64[two]: progress
    out float64[events]: t
    out uint16[events]: x y
    out uint8[events]: p
""")
