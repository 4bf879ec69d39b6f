"""NIR's neurons as its equations read, by the scheme that is named: dense arrays over time, tick by tick, float64.

``p`` has the numbers of a node (tau or tau_mem and tau_syn, r, v_leak, v_threshold, v_reset, w_in), ``dt`` is a tick in
their unit of time, x float[T, N] what the node gets.
"""

import numpy as np


def euler(v, target, ratio):
    return v + ratio * (target - v)


def exact(v, target, ratio):
    return target + (v - target) * np.exp(-ratio)


def neurons(kind, p, x, dt, step=euler, reset="hard", strict=True, sums=False, sums_current=False):
    """Spikes and the potentials that were compared, float[T, N]."""
    n = x.shape[1]
    leak = getattr(p, "v_leak", 0.0)
    theta = p.threshold if kind == "Threshold" else p.v_threshold
    v, current, owed = np.full(n, leak), np.zeros(n), np.zeros(n)
    out, u = np.zeros(x.shape), np.zeros(x.shape)
    for t, given in enumerate(x):
        if kind == "IF":
            v = v + p.r * given
        elif kind == "Threshold":
            v = given
        elif kind == "LIF" and sums:
            v = step(v, leak, dt / p.tau) + p.r * given
        elif kind == "LIF":
            v = step(v, leak + p.r * given, dt / p.tau)
        else:
            jump = p.w_in * given
            current = step(current, 0.0, dt / p.tau_syn) + jump if sums_current else step(current, jump, dt / p.tau_syn)
            v = step(v, leak + p.r * current, dt / p.tau_mem)
        v, owed = v - owed, np.zeros(n)
        u[t] = v
        fires = v > theta if strict else v >= theta
        out[t] = fires
        if reset == "hard":
            v = np.where(fires, getattr(p, "v_reset", 0.0), v)
        elif reset == "subtract":
            v = v - fires * theta
        else:  # delayed: the threshold is missing in the next tick, after the decay
            owed = fires * theta
    return out, u
