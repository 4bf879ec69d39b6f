"""Leaky integrate-and-fire neurons in continuous time: what the event queue does with them.

With s ms since what reached a neuron last, lam = 1 / tau_mem and mu = 1 / tau_syn,

    u(s) = (a + b s) exp(-lam s) + c exp(-mu s)

b and c are what of a potential v and a current i the latter makes, and a is v - c: of a current that decays as fast as
the potential c is 0, of another b, and of a potential that a weight moves at once both. What is kept is v and i, since
a and c may be large and of opposite signs. A spike takes the threshold off v, or leaves what the reset says.

A constant input is a threshold of its own for its neuron, as in `crossing`.
"""

import math

import numpy as np

from eventsim.kernels.cpu.crossing import ROUNDING, first_crossing
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.lif_windows import feed, has_current, instant
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
    TILE,
)

# Rows of a tile's state in the event queue, which has two more for others.
V, CURRENT, _, _, SINCE, LAST = range(6)
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
def _decays(s, constants):
    """What potential and current fall to in s ms, and what a unit of current gives."""
    fall = math.exp(-constants[EXACT_LAM] * s)
    if not has_current(constants):
        return fall, 1.0, 0.0
    return fall, math.exp(-constants[EXACT_MU] * s), feed(s, constants)


@kernel
def _present(state, lane, now, constants):
    """Potential and current of a neuron at present."""
    v, i, s = state[V, lane], state[CURRENT, lane], now - state[SINCE, lane]
    if s > 0.0:
        fall, fade, given = _decays(s, constants)
        v, i = v * fall + i * given, i * fade
    return v, i


@kernel
def _keep(state, lane, v, i, now):
    state[V, lane], state[CURRENT, lane], state[SINCE, lane] = v, i, now


@kernel
def lif_add(state, lane, weight, now, constants):
    """Bring a neuron to the present and add a synapse."""
    v, i = _present(state, lane, now, constants)
    if has_current(constants):
        _keep(state, lane, v, i + weight, now)
    else:
        _keep(state, lane, v + weight, i, now)


@kernel
def _most_given(constants):
    """What a unit of current gives at most: of its share that a steady one keeps up, or all that leaks from nowhere."""
    if constants[EXACT_KICK_B] != 0.0:
        return constants[EXACT_KICK_B] / (constants[EXACT_LAM] * math.e)
    most = abs(constants[EXACT_KICK_C])
    return min(most, 1.0) if constants[EXACT_LAM] > 0.0 else most


@kernel
def lif_add_row(state, weight, now, constants, reach):
    """`lif_add` to a whole tile; ``reach`` gets what potentials do not exceed from now on, but for rounding."""
    with_current, most = has_current(constants), _most_given(constants)
    since, fall, fade, given = now, 1.0, 1.0, 0.0
    for lane in range(TILE):
        if state[SINCE, lane] != since:  # most neurons are as old as the one before
            since = state[SINCE, lane]
            fall, fade, given = _decays(max(now - since, 0.0), constants)
        v, i = state[V, lane] * fall + state[CURRENT, lane] * given, state[CURRENT, lane] * fade
        if with_current:
            i += weight[lane]
        else:
            v += weight[lane]
        _keep(state, lane, v, i, now)
        reach[lane] = max(v, 0.0) + max(i, 0.0) * most


@kernel
def lif_spike(state, lane, theta, now, constants):
    """What a spike leaves; theta : the neuron's own threshold."""
    v, i = _present(state, lane, now, constants)
    v += constants[EXACT_RECOIL]
    if constants[EXACT_HARD] > 0.0:
        v = constants[EXACT_RESET] - (constants[EXACT_THETA] - theta)
    _keep(state, lane, v, i, now)
    state[LAST, lane] = now


@kernel
def _ready(state, lane, now, constants):
    """When a neuron may fire again; at present, if it is so but for rounding."""
    ready = state[LAST, lane] + constants[EXACT_DEAD]
    return now if abs(ready - now) <= instant(now, constants) else ready


@kernel
def lif_not_before(state, theta, lane, now, constants):
    """A time before which a neuron does not cross if nothing reaches it; infinity only where it never does."""
    v, i = _present(state, lane, now, constants)
    lam, most = constants[EXACT_LAM], _most_given(constants)
    if theta > 0.0 and max(v, 0.0) + max(i, 0.0) * most < (1.0 - ROUNDING) * theta:
        return np.inf
    # v' = (1 / tau_mem or 1) i - lam v
    drive = constants[EXACT_KICK_B] + constants[EXACT_KICK_C] * (lam - constants[EXACT_MU])
    slope = lam * (max(-v, 0.0) + max(-i, 0.0) * most) + max(i, 0.0) * drive
    gap = theta - v - ROUNDING * (abs(theta) + abs(v) + abs(i) * most)
    s = gap / slope if gap > 0.0 and slope > 0.0 else (0.0 if gap <= 0.0 else np.inf)
    return max(now + s, _ready(state, lane, now, constants))


@kernel
def lif_next_crossing(state, theta, lane, now, constants, edges):
    """Time of a neuron's next crossing if nothing reaches it before, or infinity."""
    v, i = _present(state, lane, now, constants)
    a, b, c = v + constants[EXACT_KICK] * i, constants[EXACT_KICK_B] * i, constants[EXACT_KICK_C] * i
    ready = _ready(state, lane, now, constants)
    s = lif_crossing(max(0.0, ready - now), a, b, c, constants[EXACT_LAM], constants[EXACT_MU], theta, edges)
    return max(now + s, ready)


@kernel
def lif_waits(now, arrival, constants):
    """Whether a crossing waits for an arrival that is at the same time but for rounding."""
    return arrival <= now + instant(now, constants)
