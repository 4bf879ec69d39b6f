"""Windows of the exact sweep: short stretches of a sample with a few events each, the same for all neurons of a layer.

What an event adds to a neuron's state at the end of its window is its weight times two numbers that all neurons share,
so that the sweep adds rows, as on the grid. With x = (end of the window) - (time of the event), in the notation of
`crossing`:

    b += w e lam exp(-lam x)        a += w e lam x exp(-lam x)
"""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.layout import (
    AT_TICK,
    CLIMB,
    EXACT_KICK,
    EXACT_LAM,
    EXACT_MU,
    FALL,
    FALL_REF,
    LENGTH,
    SEGMENT_FALL,
    SEGMENT_FALL_REF,
    SEGMENT_KICK,
    SEGMENT_TIME,
    SEGMENTS,
    WINDOW_BEGIN,
    WINDOW_END,
)
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
# Rounding a coefficient to float32, and adding up a window's, must not lower the bound that it is for.
_ROUND_UP = 1.0 + 4e-6


@kernel
def next_end(begin, last_end, k, last, longest, longest_silence, next_tick, time):
    """End of the window that begins at ``begin``, and the first event after it."""
    soon = np.nextafter(begin, np.inf)  # what is shorter than the last bit of the time would never end
    limit = min(max(begin + longest, soon), next_tick, last_end)
    if k == last or time[k] >= limit:
        stop = min(next_tick, last_end, max(begin + longest_silence, soon))
        return (min(time[k], stop) if k < last else stop), k
    n = k
    while n < last and n - k < SEGMENTS - 1 and time[n] < limit:
        n += 1
    if n < last and time[n] < limit:
        return time[n], n
    return limit, n


@kernel
def _end_segment(window, i, since, fall, fall_ref):
    window[SEGMENT_TIME + i], window[SEGMENT_FALL + i], window[SEGMENT_FALL_REF + i] = since, fall, fall_ref


@kernel
def fill_window(window, k, following, time, address, constants, window_address, coefficient, upper):
    """Write what all neurons share of a window with the events k..following-1, of which begin and end are known."""
    lam, mu, kick = constants[EXACT_LAM], constants[EXACT_MU], constants[EXACT_KICK]
    begin, end = window[WINDOW_BEGIN], window[WINDOW_END]
    length = end - begin
    fall, fall_ref = math.exp(-lam * length), math.exp(-mu * length)
    window[LENGTH], window[FALL], window[FALL_REF], window[CLIMB] = length, fall, fall_ref, (1.0 - fall) / lam
    _end_segment(window, 0, 0.0, 1.0, 1.0)
    window[SEGMENT_KICK], window_address[0] = 0.0, 0
    for i in range(1, SEGMENTS):
        e = k + i - 1
        if e < following:
            since, left = time[e] - begin, end - time[e]
            early = math.exp(-lam * since)
            _end_segment(window, i, since, early, math.exp(-mu * since))
            window[SEGMENT_KICK + i], window_address[i] = kick / early, address[e]
            late = kick * fall / early
            coefficient[e, 0], coefficient[e, 1] = late * left, late
            # Only a window that is as short as float64 lets it be is longer than the psp takes to its peak, which is 1.
            upper[e] = (late * left if lam * left <= 1.0 else 1.0) * _ROUND_UP
        else:
            _end_segment(window, i, length, fall, fall_ref)
            window[SEGMENT_KICK + i], window_address[i] = 0.0, 0
    _end_segment(window, SEGMENTS, length, fall, fall_ref)


@kernel
def cut_windows(
    sample_first, sample_last, begin, end, longest, longest_silence, settled, dt, sample_ptr, time, window_base,
    window_count, window, window_event,
):
    """Cut the samples sample_first..sample_last-1 into windows from ``begin`` to ``end`` ms.

    longest, longest_silence : ms, of a window with and without events
    settled : ms without events after which nobody can fire, and windows are as long as the silence; may be infinite
    dt : ms, windows also end on multiples of it; 0: they do not
    window_base int64[B] : where a sample's windows start in window float64[W,42], of which only begin, end and tick are
        written, and window_event int64[W+1], whose entry w is the first event of window w
    window_count int64[B] : windows of a sample
    """
    for sample in range(sample_first, sample_last):
        k, last, w = sample_ptr[sample], sample_ptr[sample + 1], window_base[sample]
        t, tick, quiet_since = begin, np.int64(0), begin
        while t < end:
            next_tick = np.inf
            if dt > 0.0:
                while tick * dt <= t:
                    tick += 1
                next_tick = tick * dt
            silence = longest_silence if t - quiet_since < settled else np.inf
            stop, following = next_end(t, end, k, last, longest, silence, next_tick, time)
            window[w, WINDOW_BEGIN], window[w, WINDOW_END] = t, stop
            window[w, AT_TICK] = tick if stop == next_tick else -1.0
            window_event[w] = k
            if following > k:
                quiet_since = stop
            k, t = following, stop
            w += 1
        window_event[w] = k
        window_count[sample] = w - window_base[sample]
    return _OK


@kernel
def fill_windows(
    window_first, window_last, time, address, constants, window_event, window, window_address, coefficient, upper
):
    """Write what all neurons share of the windows window_first..window_last-1 of a sample, see `cut_windows`.

    window_address int32[W,8] : sources of the events at which a window's segments begin
    coefficient float64[K,2] : what a unit of weight adds to a and b at the end of its window
    upper float32[K] : the largest psp of a unit of weight in its window, rounded up
    """
    for w in range(window_first, window_last):
        fill_window(
            window[w], window_event[w], window_event[w + 1], time, address, constants, window_address[w], coefficient,
            upper,
        )
    return _OK
