"""Threshold crossings in a short segment, between two neighbouring events, where the potential hardly bends.

What `crossing` finds in closed form for any stretch of time, a bound on u'' finds for a short one with a few
multiplications: a piece over which the slope cannot change its sign is monotone, and one that u cannot climb to the
threshold holds no crossing. Pieces for which neither is sure are halved.
"""

import math

import numpy as np

from eventsim.kernels.cpu.crossing import first_crossing, potential
from eventsim.kernels.cpu.jit import inlined, kernel

# A segment that is still undecided after so many pieces is left to the closed form.
_MOST_PIECES = 48
# Halley's method ends with a step that is so small a share of the time constants, and whose cube, which its error is of
# the order of, is so short, in ms.
_SMALL_STEP, _LAST_ERROR = 1e-4, 1e-14
_MOST_STEPS = 100


@inlined
def _slope(s, a, b, c, d, lam, mu):
    """u'(s)."""
    return (b - lam * (a + b * s)) * math.exp(-lam * s) + (d - mu * (c + d * s)) * math.exp(-mu * s)


@inlined
def bend_of(end, a, b, c, d, lam, mu):
    """The largest |u''| from 0 to ``end``, or more.

    psp'' is exp(-lam s) lam (lam (a + b s) - 2 b), whose linear factor is largest in size at one of the ends.
    """
    psp = max(abs(lam * a - 2.0 * b), abs(lam * (a + b * end) - 2.0 * b))
    response = max(abs(mu * c - 2.0 * d), abs(mu * (c + d * end) - 2.0 * d))
    return lam * psp + mu * response


@inlined
def rising_root(low, high, u_low, u_high, slope, slope_high, a, b, c, d, lam, mu, theta):
    """Where u reaches theta in [low, high], over which it gets from below theta to it and turns once at most.

    Returns s and exp(-mu s). Halley's method, kept inside; it starts from the cubic s(u) that has the right values and
    slopes at both ends.
    """
    length, gain = high - low, u_high - u_low
    w = (theta - u_low) / gain
    s = low + w * w * (3.0 - 2.0 * w) * length
    s += w * (1.0 - w) * gain * ((1.0 - w) / slope - w / slope_high)
    if not low <= s <= high:
        s = 0.5 * (low + high)
    fall_ref, step = 1.0, 0.0
    for _ in range(_MOST_STEPS):
        fall, fall_ref = math.exp(-lam * s), math.exp(-mu * s)
        psp, response = (a + b * s) * fall, (c + d * s) * fall_ref
        b_now, d_now = b * fall, d * fall_ref
        missing = theta - (psp + response)
        if missing > 0.0:
            low = s
        else:
            high = s
        rise = b_now - lam * psp + d_now - mu * response
        turn = lam * (lam * psp - 2.0 * b_now) + mu * (mu * response - 2.0 * d_now)
        step = 2.0 * missing * rise / (2.0 * rise * rise + missing * turn)
        # At a turn the step is 0. One of bisection says nothing about the error that is left.
        is_halley = low <= s + step <= high and abs(step * turn) < rise
        if not is_halley:
            step = 0.5 * (low + high) - s
        s += step
        ratio = step * turn / rise
        if is_halley and abs(step) * (lam + mu) < _SMALL_STEP and abs(step) * ratio * ratio < _LAST_ERROR:
            break
    # The exponential is that of one step before, which the first terms of a series make up for.
    z = mu * step
    return s, fall_ref * (1.0 - z + 0.5 * z * z)


@kernel
def crossing_before(start, end, a, b, c, d, lam, mu, theta, edges):
    """First s in [start, end) with u(s) >= theta, or infinity; the potential is that of `crossing`.

    edges float64[16] is scratch.
    """
    u = potential(start, a, b, c, d, lam, mu)
    if u >= theta:
        return start
    bend = bend_of(end, a, b, c, d, lam, mu)
    s, length = start, end - start
    for _ in range(_MOST_PIECES):
        slope = _slope(s, a, b, c, d, lam, mu)
        turn = bend * length
        stop = min(s + length, end)
        may_reach = u + (max(slope, 0.0) + 0.5 * turn) * length >= theta and slope > -turn
        if may_reach and slope < turn:
            length *= 0.5
            continue
        u_stop = potential(stop, a, b, c, d, lam, mu)
        if may_reach and u_stop >= theta:
            slope_stop = _slope(stop, a, b, c, d, lam, mu)
            return rising_root(s, stop, u, u_stop, slope, slope_stop, a, b, c, d, lam, mu, theta)[0]
        if stop >= end:
            return np.inf
        s, u, length = stop, u_stop, min(2.0 * length, end - stop)
        if u >= theta:
            return s
    s = first_crossing(start, a, b, c, d, lam, mu, theta, edges)
    return s if s < end else np.inf
