"""Windows of the exact sweep over a batch of input spikes."""

import math
from typing import NamedTuple

import numpy as np

from eventsim import kernels
from eventsim.engine.runs import sample_parts
from eventsim.kernels.layout import EXACT_DEAD, MOST_SPIKES, SEGMENTS, WINDOW_COLUMNS

# Greatest length of a window in psp time constants, with events and without, and the silence after which the most that
# float32 weights can do, some exp(100) thresholds a spike, has decayed to nothing.
_LONGEST, _LONGEST_SILENCE, _SETTLED = 0.25, 30.0, 200.0
_MOST_WINDOWS = 1 << 48  # more than there can be, and an int64
# Windows that are worth to be filled by another thread.
_LEAST_A_PART = 256


class Windows(NamedTuple):
    """The windows of a batch, see the kernel `cut_windows`; the names are those of kernels' arguments."""

    window_base: np.ndarray
    window_count: np.ndarray
    window: np.ndarray
    window_event: np.ndarray
    window_address: np.ndarray
    coefficient: np.ndarray
    upper: np.ndarray


def lengths(neuron, constants):
    """The greatest length in ms of a window with events, and of one without."""
    most = MOST_SPIKES * constants[EXACT_DEAD]
    return min(most, _LONGEST * neuron.tau_syn), min(most, _LONGEST_SILENCE * neuron.tau_syn)


def settings(begin, end, neuron, constants, dt=0.0, settles=True) -> dict:
    """How the kernel `cut_windows` cuts from ``begin`` to ``end`` ms; with ``dt`` windows also end on every tick.

    settles : whether neurons that nothing reaches are silent some day
    """
    longest, silence = lengths(neuron, constants)
    settled = _SETTLED * neuron.tau_syn if settles else math.inf
    return {"begin": begin, "end": end, "longest": longest, "longest_silence": silence, "settled": settled, "dt": dt}


def room_for(sample_ptr, *, begin, end, longest, longest_silence, settled, dt):
    """Windows that a sample has at most, int64[B], by `settings`."""
    events, span = sample_ptr[1:] - sample_ptr[:-1], end - begin
    pieces, silences = (min(math.ceil(span / length), _MOST_WINDOWS) for length in (longest, longest_silence))
    ticks = math.ceil(span / dt) if dt else 0
    # A window with events is full, or it is cut off; before each there may be one without, and silence is cut as well.
    busy = events // (SEGMENTS - 1) + np.minimum(events, pieces + ticks) + 1
    quiet = silences
    if math.isfinite(settled):
        quiet = np.minimum(silences, (events + 1) * (math.ceil(settled / longest_silence) + 1))
    return 2 * busy + quiet + ticks + 2


def cut(sample_ptr, spike_time, address, begin, end, neuron, constants, dt=0.0, settles=True) -> Windows:
    """Windows over input spikes; see `settings`."""
    how = settings(begin, end, neuron, constants, dt, settles)
    room = room_for(sample_ptr, **how)
    ends = room.cumsum()
    total, n = int(ends[-1]) if len(ends) else 0, len(spike_time)
    out = Windows(
        ends - room, np.zeros(len(room), np.int64), np.empty((total, WINDOW_COLUMNS)), np.empty(total, np.int64),
        np.empty((total, SEGMENTS), np.int32), np.empty((n, 2)), np.empty(n, np.float32),
    )
    kernels.call_parts("cut_windows", {
        **how, "sample_ptr": sample_ptr, "time": spike_time, "window_base": out.window_base,
        "window_count": out.window_count, "window": out.window, "window_event": out.window_event,
    }, sample_parts(sample_ptr))
    kernels.call_parts("fill_windows", {
        "time": spike_time, "address": address, "constants": constants, "window_event": out.window_event,
        "window": out.window, "window_address": out.window_address, "coefficient": out.coefficient, "upper": out.upper,
    }, _window_parts(out))
    return out


def _window_parts(windows):
    """Parts of about as many windows each, none with those of two samples."""
    share = max(_LEAST_A_PART, -(-int(windows.window_count.sum()) // (2 * kernels.threads())))
    return [
        {"window_first": first, "window_last": min(first + share, base + count)}
        for base, count in zip(windows.window_base.tolist(), windows.window_count.tolist(), strict=True)
        for first in range(base, base + count, share)
    ]
