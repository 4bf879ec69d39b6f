"""The explicit gradient of leaky integrate-and-fire layers in continuous time, by following every input. float64.

Spikes of a layer are times float[K] in ms and addresses int[K]; what is sampled at the ticks is float[T, N]. ``p`` is
as in `exact_lif`. A spike in ((k - 1) dt, k dt] is one of tick k: the potential of that tick has its reset not in it.
Where ``p`` has no tau_mem it is that of `exact_gradient`, whose sums are taken.
"""

import numpy as np

from naive import exact_gradient
from naive.exact import settling
from naive.exact_lif import after
from naive.srm import surrogate


def sampled(times, addresses, w, own_times, own_addresses, p, dt, n_ticks, drive=0.0):
    """Potentials and dead neurons [T, N] at the ticks; ``drive`` is a constant input a ms.

    Two potentials go along: the neuron's own, and that which it would have without the resets since the last tick.
    """
    if not hasattr(p, "tau_mem"):
        return exact_gradient.sampled(times, addresses, w, own_times, own_addresses, p, dt, n_ticks, current=drive)
    n_out = w.shape[1]
    u, dead = np.empty((n_ticks, n_out)), np.empty((n_ticks, n_out), bool)
    # At one time inputs come first, then the tick is looked at, and then neurons fire.
    happens = [(t, 0, j) for t, j in zip(times, addresses, strict=True)]
    happens += [(k * dt, 1, k) for k in range(n_ticks)]
    happens += [(t, 2, i) for t, i in zip(own_times, own_addresses, strict=True)]
    v, without, current = np.zeros(n_out), np.zeros(n_out), np.zeros(n_out)
    now, tick_time, last, seen = 0.0, -np.inf, np.full(n_out, -np.inf), np.full(n_out, -np.inf)
    for t, kind, i in sorted(happens):
        without, _ = after(without, current, t - now, p, drive)
        v, current = after(v, current, t - now, p, drive)
        now = t
        if kind == 0 and p.tau_syn is None:
            v, without = v + w[i], without + w[i]
        elif kind == 0:
            current = current + w[i]
        elif kind == 1:
            u[i], without, tick_time = without, v.copy(), t
            dead[i] = t < (seen + p.t_abs) * (1.0 - 1e-12)  # a tick later it is awake, however that rounds
            seen = last.copy()
        else:
            v[i] = p.v_reset if p.reset == "hard" else v[i] - p.drop
            last[i] = t
            if t == tick_time:
                without[i], seen[i] = v[i], t
    return u, dead


def fired(own_times, own_addresses, dt, n_ticks, n_out):
    """bool[T, N]: whether a neuron fired in ((k - 1) dt, k dt]."""
    out = np.zeros((n_ticks, n_out), bool)
    for t, i in zip(own_times, own_addresses, strict=True):
        for k in range(n_ticks):
            out[k, i] |= (k - 1) * dt < t <= k * dt
    return out


def adjoint(t, d, cut, p, dt):
    """g(t) = dt dL/d(input at t), float[N]: the input is followed through all ticks, d[k] being dL/du of tick k.

    What a neuron had of it at a tick it forgets with a hard reset of that tick.
    """
    if not hasattr(p, "tau_mem"):
        return exact_gradient.adjoint(t, d, p.tau_syn, dt)
    total, now = np.zeros(d.shape[1]), t
    v = np.full(d.shape[1], 1.0 if p.tau_syn is None else 0.0)
    current = np.full(d.shape[1], 0.0 if p.tau_syn is None else 1.0)
    for k in range(len(d)):
        if k * dt < t:
            continue
        v, current = after(v, current, k * dt - now, p)
        now = k * dt
        total += dt * v * d[k]
        if p.reset == "hard":
            v = np.where(cut[k], 0.0, v)
    return total


def settled(d, cut, p, dt):
    """dt dL/d(constant input a tick), float[N]: that of an input from 0 on, followed likewise."""
    if not hasattr(p, "tau_mem"):
        return settling(np.arange(len(d)) * dt, p.tau_syn) @ d
    total, v, current = np.zeros(d.shape[1]), np.zeros(d.shape[1]), 0.0
    for k in range(len(d)):
        if k:
            v, current = after(v, current, dt, p, drive=1.0)
        total += v * d[k]
        if p.reset == "hard":
            v = np.where(cut[k], 0.0, v)
    return total


def backward(inputs, potentials, active, cuts, weights, error, p, dt):
    """Weight gradients of a stack of layers; ``error`` float[T, N_out] is dL/ds of the last one at the ticks.

    inputs : (times, addresses) of every layer's input; potentials, active, cuts : [T, N] of every layer, where rho
        counts, and `fired`; p : of every layer
    """
    gradients = []
    for (times, addresses), u, where, cut, w, own in reversed(
        list(zip(inputs, potentials, active, cuts, weights, p, strict=True))
    ):
        d = np.where(where, surrogate(u, own), 0.0) * error
        gradient = np.zeros(w.shape)
        for t, j in zip(times, addresses, strict=True):
            gradient[j] += adjoint(t, d, cut, own, dt)
        gradients.append(gradient)
        error = np.array([adjoint(k * dt, d, cut, own, dt) for k in range(len(d))]) @ w.T
    return gradients[::-1]
