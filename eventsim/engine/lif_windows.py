"""Windows of the exact sweep of leaky neurons over a batch of input spikes."""

import math
from typing import NamedTuple

import numpy as np

from eventsim import kernels
from eventsim.engine.runs import even_parts
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_MU,
    MOST_SPIKES,
    STEP_COLUMNS,
)

# Greatest length of a window of several steps, in the shorter time constant, where synapses have a current. Where they
# have none the bound does not depend on it.
_LONGEST = 0.25
# Input spikes that are worth another thread, which takes whole samples.
_WORTH_A_THREAD = 2000


class LifWindows(NamedTuple):
    """The windows of a batch, see the kernel `cut_lif_windows`; the names are those of kernels' arguments."""

    window_base: np.ndarray
    window_count: np.ndarray
    window: np.ndarray
    window_step: np.ndarray
    step: np.ndarray
    step_event: np.ndarray
    coefficient: np.ndarray
    upper: np.ndarray


def lengths(constants):
    """The greatest length in ms of a window of several steps, and of a step, in which few enough spikes can be."""
    most = MOST_SPIKES * constants[EXACT_DEAD]
    if not constants[[EXACT_KICK_B, EXACT_KICK_C]].any():
        return most, most
    return min(most, _LONGEST / max(constants[EXACT_LAM], constants[EXACT_MU])), most


def settings(begin, end, constants, dt=0.0) -> dict:
    """How the kernel `cut_lif_windows` cuts from ``begin`` to ``end`` ms; with ``dt`` also on every tick."""
    longest, longest_step = lengths(constants)
    return {"begin": begin, "end": end, "longest": longest, "longest_step": longest_step, "dt": dt}


def room_for(sample_ptr, *, begin, end, longest, longest_step, dt):
    """Steps that a sample has at most, int64[B], by `settings`: each ends at an arrival, a tick, or at its longest."""
    ticks = math.ceil(end / dt) if dt else 0
    return sample_ptr[1:] - sample_ptr[:-1] + ticks + math.ceil((end - begin) / longest_step) + 3


def cut(sample_ptr, spike_time, begin, end, constants, dt=0.0) -> LifWindows:
    """Windows over input spikes; see `settings`."""
    how = settings(begin, end, constants, dt)
    room = room_for(sample_ptr, **how)
    ends, n = room.cumsum(), len(spike_time)
    total = int(ends[-1]) if len(ends) else 0
    out = LifWindows(
        ends - room, np.zeros(len(room), np.int64), np.empty((total, STEP_COLUMNS)), np.empty(total, np.int64),
        np.empty((total, STEP_COLUMNS)), np.empty(total, np.int64), np.empty((n, 2)), np.empty(n, np.float32),
    )
    n_parts = min(kernels.threads(), 1 + n // _WORTH_A_THREAD)
    kernels.call_parts("cut_lif_windows", {
        **how, "sample_ptr": sample_ptr, "time": spike_time, "constants": constants, **out._asdict(),
    }, [{"sample_first": first, "sample_last": last} for first, last in even_parts(room, n_parts)])
    return out
