"""Threshold crossings in a short segment: between two neighbouring events, where the potential hardly bends.

What `crossing` finds in closed form for any stretch of time, a bound on u'' finds for a short one with a few
multiplications: a piece over which the slope cannot change its sign is monotone, and one that u cannot climb to the
threshold holds no crossing. Pieces for which neither is sure are halved.
"""

import math

import numpy as np

from eventsim.kernels.cpu.crossing import first_crossing, potential
from eventsim.kernels.cpu.jit import kernel

# A piece that is still undecided after so many halvings is left to the closed form.
_MOST_PIECES = 48
# Newton ends with a step below this, in ms; its error is then of the order of the square.
_LAST_STEP = 1e-10
_MOST_STEPS = 100


@kernel
def _root(low, high, u_low, u_high, a, b, c, d, lam, mu, theta):
    """Where u reaches theta in [low, high], over which it rises from below to at least theta."""
    s = low + (high - low) * (theta - u_low) / (u_high - u_low)
    for _ in range(_MOST_STEPS):
        fall, fall_ref = math.exp(-lam * s), math.exp(-mu * s)
        psp, response = a + b * s, c + d * s
        missing = theta - (psp * fall + response * fall_ref)
        if missing > 0.0:
            low = s
        else:
            high = s
        step = missing / ((b - lam * psp) * fall + (d - mu * response) * fall_ref)
        following = s + step
        if not low <= following <= high:
            following = 0.5 * (low + high)
            step = following - s
        s = following
        if abs(step) < _LAST_STEP:
            break
    return s


@kernel
def crossing_before(start, end, a, b, c, d, lam, mu, theta, edges):
    """First s in [start, end) with u(s) >= theta, or infinity; the potential is that of `crossing`.

    edges float64[16] is scratch.
    """
    u = potential(start, a, b, c, d, lam, mu)
    if u >= theta:
        return start
    # |u''| up to ``end``; a and c change by less than b and d times the time.
    bend = (
        lam * (2.0 * abs(b) + lam * (abs(a) + abs(b) * end)) + mu * (2.0 * abs(d) + mu * (abs(c) + abs(d) * end))
    )
    s, length = start, end - start
    for _ in range(_MOST_PIECES):
        fall, fall_ref = math.exp(-lam * s), math.exp(-mu * s)
        slope = (b - lam * (a + b * s)) * fall + (d - mu * (c + d * s)) * fall_ref
        turn = bend * length
        if u + (max(slope, 0.0) + 0.5 * turn) * length >= theta and slope > -turn:
            if slope < turn:
                length *= 0.5
                continue
            stop = min(s + length, end)
            u_stop = potential(stop, a, b, c, d, lam, mu)
            if u_stop >= theta:
                return _root(s, stop, u, u_stop, a, b, c, d, lam, mu, theta)
        else:
            stop = min(s + length, end)
            u_stop = potential(stop, a, b, c, d, lam, mu)
        if stop >= end:
            return np.inf
        s, u, length = stop, u_stop, min(2.0 * length, end - stop)
        if u >= theta:
            return s
    s = first_crossing(start, a, b, c, d, lam, mu, theta, edges)
    return s if s < end else np.inf
