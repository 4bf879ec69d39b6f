"""NIR's neurons as its equations read, by the scheme that is named: dense arrays over time, tick by tick, float64.

``p`` has the numbers of a node (tau or tau_mem and tau_syn, r, v_leak, v_threshold, v_reset, w_in), ``dt`` is a tick in
their unit of time, x float[T, N] what the node gets.
"""

import numpy as np


def euler(v, target, ratio):
    return v + ratio * (target - v)


def exact(v, target, ratio):
    return target + (v - target) * np.exp(-ratio)


def neurons(kind, p, x, dt, step=euler, reset="hard", strict=True, sums=False, sums_current=False,
            back=None):
    """Spikes and the potentials that were compared, float[T, N].

    back : what comes back in the tick t, given t and the spikes of the ticks before it
    """
    n = x.shape[1]
    leak = getattr(p, "v_leak", 0.0)
    theta = p.threshold if kind == "Threshold" else p.v_threshold
    v, current, owed = np.full(n, leak), np.zeros(n), np.zeros(n)
    out, u = np.zeros(x.shape), np.zeros(x.shape)
    for t, given in enumerate(x):
        given = given if back is None else given + back(t, out[:t])
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


def delayed(x, ticks):
    """float[T, N] that comes so many ticks later, int or int[N]."""
    out = np.zeros(x.shape)
    for i, late in enumerate(np.broadcast_to(ticks, x.shape[1])):
        out[late:, i] = x[: len(x) - late, i]
    return out


def returning(weight, bias=0.0, ticks=0, ticks_after=0):
    """``back`` through weights (out, in), each spike after the ticks of both its ends, at least one."""

    late = np.maximum(1, np.add.outer(np.broadcast_to(ticks_after, len(weight)), np.broadcast_to(ticks, len(weight))))

    def back(t, out):
        padded = np.concatenate((np.zeros((late.max(), len(weight))), out))  # nobody fired before the start
        sent = padded[t + late.max() - late, np.arange(len(weight))]
        return (weight * sent).sum(axis=1) + bias

    return back
