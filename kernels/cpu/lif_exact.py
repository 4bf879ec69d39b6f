"""Leaky integrate-and-fire neurons in continuous time: what the event queue does with them.

With s ms since what reached a neuron last, lam = 1 / tau_mem and mu = 1 / tau_syn,

    u(s) = (a + b s) exp(-lam s) + c exp(-mu s)

A weight adds to a where it moves the potential at once; to a and c, which have opposite signs then, where there is a
current; and to b, with c = 0, where a current decays as fast as the potential. A spike takes the threshold off a, or
leaves a what the reset says. b and c of a potential that moves at once are 0.

A constant input is a threshold of its own for its neuron, as in `crossing`.
"""

import math

import numpy as np

from eventsim.kernels.cpu.crossing import ROUNDING, first_crossing
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_HARD,
    EXACT_KICK,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_MU,
    EXACT_RECOIL,
    EXACT_RESET,
    EXACT_THETA,
)

# Rows of a tile's state in the event queue, which has a row D for others.
A, B, C, _, SINCE, LAST = range(6)
_MOST_STEPS = 200


@kernel
def _potential(s, a, b, c, lam, mu):
    return (a + b * s) * math.exp(-lam * s) + c * math.exp(-mu * s)


@kernel
def _rise(low, high, a, b, c, lam, mu, theta):
    """Where u reaches theta in [low, high], over which it rises to it; the later end of the last bracket."""
    for _ in range(_MOST_STEPS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if _potential(middle, a, b, c, lam, mu) >= theta:
            high = middle
        else:
            low = middle
    return high


@kernel
def lif_crossing(start, a, b, c, lam, mu, theta, edges):
    """First s >= start with u(s) >= theta, or infinity; ``edges`` float64[16] is scratch."""
    if b != 0.0:
        return first_crossing(start, a, b, 0.0, 0.0, lam, lam, theta, edges)
    if _potential(start, a, 0.0, c, lam, mu) >= theta:
        return start
    if lam * a * c < 0.0 and lam != mu:  # the only turn of u
        turn = math.log(-mu * c / (lam * a)) / (mu - lam)
        if turn > start:
            if _potential(turn, a, 0.0, c, lam, mu) >= theta:
                return _rise(start, turn, a, 0.0, c, lam, mu, theta)
            start = turn
    # From here on u goes one way: to 0, or to a where nothing leaks.
    if (a if lam == 0.0 else 0.0) <= theta:
        return np.inf
    length = 1.0 / mu if lam == 0.0 else 1.0 / lam
    while _potential(start + length, a, 0.0, c, lam, mu) < theta:
        length *= 2.0
    return _rise(start, start + length, a, 0.0, c, lam, mu, theta)


@kernel
def lif_present(state, lane, now, constants):
    """a, b and c of a neuron at present."""
    a, b, c, s = state[A, lane], state[B, lane], state[C, lane], now - state[SINCE, lane]
    if s > 0.0:
        fall = math.exp(-constants[EXACT_LAM] * s)
        a, b, c = (a + b * s) * fall, b * fall, c * math.exp(-constants[EXACT_MU] * s)
    return a, b, c


@kernel
def _keep(state, lane, a, b, c, now):
    state[A, lane], state[B, lane], state[C, lane], state[SINCE, lane] = a, b, c, now


@kernel
def lif_add(state, lane, weight, now, constants):
    """Bring a neuron to the present and add a synapse."""
    a, b, c = lif_present(state, lane, now, constants)
    _keep(state, lane, a + constants[EXACT_KICK] * weight, b + constants[EXACT_KICK_B] * weight,
          c + constants[EXACT_KICK_C] * weight, now)


@kernel
def lif_spike(state, lane, theta, now, constants):
    """What a spike leaves; theta : the neuron's own threshold."""
    a, b, c = lif_present(state, lane, now, constants)
    if constants[EXACT_HARD] > 0.0:
        a = constants[EXACT_RESET] - (constants[EXACT_THETA] - theta) - c
    else:
        a += constants[EXACT_RECOIL]
    _keep(state, lane, a, b, c, now)
    state[LAST, lane] = now


@kernel
def _most(a, b, c, lam):
    """What u does not exceed, but for rounding."""
    return max(a, 0.0) + max(c, 0.0) + (max(b, 0.0) / (lam * math.e) if b != 0.0 else 0.0)


@kernel
def lif_bound(state, lane, constants):
    """What u does not exceed from the last arrival on, but for rounding."""
    return _most(state[A, lane], state[B, lane], state[C, lane], constants[EXACT_LAM])


@kernel
def lif_not_before(state, theta, lane, now, constants):
    """A time before which a neuron does not cross if nothing reaches it; infinity only where it never does."""
    a, b, c = lif_present(state, lane, now, constants)
    lam, mu = constants[EXACT_LAM], constants[EXACT_MU]
    if theta > 0.0 and _most(a, b, c, lam) < (1.0 - ROUNDING) * theta:
        return np.inf
    size = abs(a) + abs(c) + (abs(b) / lam if b != 0.0 else 0.0)
    slope = max(b - lam * a, 0.0) + max(-mu * c, 0.0) + (abs(b) / math.e if b != 0.0 else 0.0)
    gap = theta - a - c - ROUNDING * (abs(theta) + size)
    s = gap / slope if gap > 0.0 and slope > 0.0 else (0.0 if gap <= 0.0 else np.inf)
    return max(now + s, state[LAST, lane] + constants[EXACT_DEAD])


@kernel
def lif_next_crossing(state, theta, lane, now, constants, edges):
    """Time of a neuron's next crossing if nothing reaches it before, or infinity."""
    a, b, c = lif_present(state, lane, now, constants)
    ready = state[LAST, lane] + constants[EXACT_DEAD]
    s = lif_crossing(max(0.0, ready - now), a, b, c, constants[EXACT_LAM], constants[EXACT_MU], theta, edges)
    return max(now + s, ready)
