"""Windows of the exact sweep of leaky neurons: short stretches of a sample, as all neurons of a layer share them.

A window is cut into steps, at whose begins something arrives. In a step of s ms, potential and current of a neuron that
does not fire go, with lam = 1 / tau_mem and mu = 1 / tau_syn,

    v <- v exp(-lam s) + i F(s)        i <- i exp(-mu s)        F: what a unit of current gives in s ms

F is never below 0, and rises up to one time, its peak; without currents there is none of it. What arrives after the
window's begin counts two numbers at its end, so that the sweep adds rows, as on the grid.
"""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_MU,
    LIF_INNER,
    LIF_STEPS,
    STEP_BEGIN,
    STEP_END,
    STEP_FADE,
    STEP_FALL,
    STEP_FEED,
    STEP_TICK,
    STEP_TOP,
)
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
# Two times are one instant if they differ by less than this share of them and of a dead time: the rounding of thousands
# of dead times in a row may do that, and nobody fires twice in it.
_OF_TIME, _OF_DEAD_TIME = 2.0**-40, 2.0**-10
# Rounding a coefficient to float32, and adding up a window's, must not lower the bound that it is for.
_ROUND_UP = 1.0 + 4e-6


@kernel
def instant(t, constants):
    """ms by which times at t differ that are the same but for rounding."""
    return min(t * _OF_TIME, constants[EXACT_DEAD] * _OF_DEAD_TIME)


@kernel
def has_current(constants):
    """Whether synapses have a current; else they move the potential at once."""
    return constants[EXACT_KICK_B] != 0.0 or constants[EXACT_KICK_C] != 0.0


@kernel
def fade_beyond(s, mu, lam):
    """exp(-mu s) - exp(-lam s), to the last bits also where the rates are nearly the same."""
    slow = math.exp(-min(mu, lam) * s)
    return math.copysign(slow * -math.expm1(-abs(lam - mu) * s), lam - mu)


@kernel
def feed(s, constants):
    """F(s)."""
    lam = constants[EXACT_LAM]
    if constants[EXACT_KICK_B] != 0.0:
        return constants[EXACT_KICK_B] * s * math.exp(-lam * s)
    return constants[EXACT_KICK_C] * fade_beyond(s, constants[EXACT_MU], lam)


@kernel
def peak(constants):
    """When F is largest, and how large; infinity and the limit where it only rises."""
    lam, mu = constants[EXACT_LAM], constants[EXACT_MU]
    if not has_current(constants):
        return 0.0, 0.0
    if lam == 0.0:
        return np.inf, abs(constants[EXACT_KICK_C])
    at = 1.0 / lam if constants[EXACT_KICK_B] != 0.0 else math.log(mu / lam) / (mu - lam)
    return at, feed(at, constants)


@kernel
def _fill(row, begin, end, fall, fade, given, tick, peaks):
    """Write a window or step; peaks : see `peak`."""
    row[STEP_BEGIN], row[STEP_END], row[STEP_TICK] = begin, end, tick
    row[STEP_FALL], row[STEP_FADE], row[STEP_FEED] = fall, fade, given
    row[STEP_TOP] = given if end - begin < peaks[0] else peaks[1]


@kernel
def _fill_step(row, begin, end, constants, peaks):
    s = end - begin
    fall, fade, given = math.exp(-constants[EXACT_LAM] * s), 1.0, 0.0
    if has_current(constants):
        fade, given = math.exp(-constants[EXACT_MU] * s), feed(s, constants)
    _fill(row, begin, end, fall, fade, given, -1, peaks)


@kernel
def cut_window(
    begin, end, tick, next_tick, k, last, longest, longest_step, time, constants, peaks, s, window, step, step_event,
    coefficient, upper,
):
    """Cut the window from ``begin`` on, whose first event is k and whose first step s; returns those of the next one.

    What arrives within an `instant` of a step's begin arrives there.

    longest, longest_step : ms, of a window of several steps, and of one
    next_tick, end : ms, at neither of which a window goes on; ``tick`` is the one at its begin, or -1
    """
    t, first, inner = begin, s, k
    while True:
        step_event[s] = k
        while k < last and time[k] <= t + instant(t, constants):
            k += 1
        if s == first:
            inner = k
        soon = np.nextafter(t, np.inf)  # what is shorter than the last bit of the time would never end
        stop = min(max(t + longest_step, soon), next_tick, end)
        if k < last:
            stop = min(time[k], stop)
        if s > first and (stop - begin > longest or k - inner > LIF_INNER):
            k = step_event[s]
            break
        _fill_step(step[s], t, stop, constants, peaks)
        t = stop
        s += 1
        if s - first == LIF_STEPS or not t < min(next_tick, end):
            break
    step_event[s] = k
    fall, fade, given, with_current = 1.0, 1.0, 0.0, has_current(constants)
    for back in range(s - 1, first - 1, -1):
        row = step[back]
        given = row[STEP_FEED] * fall + row[STEP_FADE] * given
        fall *= row[STEP_FALL]
        fade *= row[STEP_FADE]
        for e in range(max(step_event[back], inner), step_event[back + 1]):
            coefficient[e, 0], coefficient[e, 1] = (given, fade) if with_current else (fall, 0.0)
            top = given if t - row[STEP_BEGIN] < peaks[0] else peaks[1]
            upper[e] = (top if with_current else 1.0) * _ROUND_UP
    _fill(window, begin, t, fall, fade, given, tick, peaks)
    return t, k, s


@kernel
def cut_lif_windows(
    sample_first, sample_last, begin, end, longest, longest_step, dt, sample_ptr, time, constants, window_base,
    window_count, window, window_step, step, step_event, coefficient, upper,
):
    """Cut the samples sample_first..sample_last-1 into windows and steps from ``begin`` to ``end`` ms.

    longest, longest_step : ms, see `cut_window`
    dt : ms, windows also end on multiples of it; 0: they do not
    window_base int64[B] : where a sample's windows start in window float64[W,7], see `layout`, and its steps in step,
        of the same shape
    window_count int64[B] : windows of a sample
    window_step int64[W] : the first step of every window, and one behind the last one's
    step_event int64[W] : the first event of every step, and one behind the last one's: it arrives at the step's begin
    coefficient float64[K,2], upper float32[K] : what a unit of weight counts at the window's end, of potential and
        current, or of the potential alone; and what it adds to the potential in the window at most, rounded up
    """
    peaks = peak(constants)
    for sample in range(sample_first, sample_last):
        k, last, w = sample_ptr[sample], sample_ptr[sample + 1], window_base[sample]
        t, s, tick = begin, window_base[sample], np.int64(0)
        while t < end:
            at, next_tick = np.int64(-1), np.inf
            if dt > 0.0:
                while tick * dt < t:
                    tick += 1
                if tick * dt == t:
                    at = tick
                    tick += 1
                next_tick = tick * dt
            window_step[w] = s
            t, k, s = cut_window(
                t, end, at, next_tick, k, last, longest, longest_step, time, constants, peaks, s, window[w], step,
                step_event, coefficient, upper,
            )
            w += 1
        window_step[w] = s
        window_count[sample] = w - window_base[sample]
    return _OK
