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
    RISE,
    WINDOW_BEGIN,
    WINDOW_END,
)
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
# Rounding a coefficient to float32, and adding up a window's, must not lower the bound that it is for.
_ROUND_UP = 1.0 + 4e-6


@kernel
def _next_end(begin, last_end, k, last, longest, longest_silence, most, next_tick, time):
    """End of the window that begins at ``begin``, and the first event after it."""
    limit = min(begin + longest, next_tick, last_end)
    if k == last or time[k] >= limit:
        silence = min(begin + longest_silence, next_tick, last_end)
        return (min(time[k], silence) if k < last else silence), k
    n = k
    while n < last and n - k < most and time[n] < limit:
        n += 1
    if n < last and time[n] < limit:
        return time[n], n
    return limit, n


@kernel
def cut_windows(
    sample_first, sample_last, begin, end, longest, longest_silence, most, dt, sample_ptr, time, constants, window_base,
    window_count, window, window_event, coefficient, upper, local,
):
    """Cut the samples sample_first..sample_last-1 into windows from ``begin`` to ``end`` ms.

    longest, longest_silence : ms, of a window with and without events; most : events in a window
    dt : ms, windows also end on multiples of it; 0: they do not
    window_base int64[B] : where a sample's windows start in window float64[W,8] and window_event int64[W+1], whose entry
        w is the first event of window w
    window_count int64[B] : windows of a sample
    coefficient float64[K,2] : what a unit of weight adds to a and b at the end of its window
    upper float32[K] : the first of them, rounded up
    local float64[K,4] : the event within its window, for `exact`
    """
    lam, mu, kick = constants[EXACT_LAM], constants[EXACT_MU], constants[EXACT_KICK]
    for sample in range(sample_first, sample_last):
        k, last, w = sample_ptr[sample], sample_ptr[sample + 1], window_base[sample]
        t, tick = begin, np.int64(0)
        while t < end:
            next_tick = np.inf
            if dt > 0.0:
                while tick * dt <= t:
                    tick += 1
                next_tick = tick * dt
            stop, following = _next_end(t, end, k, last, longest, longest_silence, most, next_tick, time)
            length = stop - t
            row = window[w]
            row[WINDOW_BEGIN], row[WINDOW_END], row[LENGTH] = t, stop, length
            row[FALL], row[FALL_REF], row[RISE] = math.exp(-lam * length), math.exp(-mu * length), math.exp(lam * length)
            row[CLIMB] = (1.0 - row[FALL]) / lam
            row[AT_TICK] = tick if stop == next_tick else -1.0
            window_event[w] = k
            for e in range(k, following):
                x = stop - time[e]
                fall = kick * math.exp(-lam * x)
                coefficient[e, 0], coefficient[e, 1] = fall * x, fall
                upper[e] = fall * x * _ROUND_UP
                since = time[e] - t
                local[e, 0], local[e, 1], local[e, 2] = since, math.exp(-lam * since), math.exp(-mu * since)
                local[e, 3] = fall * row[RISE]
            k, t = following, stop
            w += 1
        window_event[w] = k
        window_count[sample] = w - window_base[sample]
    return _OK
