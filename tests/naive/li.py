"""Leaky integrators as their equations read: dense arrays over time, float64.

Arrays: spikes s float[T, N] (counts), weights w float[N_in, N_out], potentials v float[T, N].
"""

import numpy as np


def potentials(s, w, tau, dt, bias=0.0):
    """v after the input of every tick; bias is added to that of each."""
    v, out = np.zeros(w.shape[1]), np.zeros((len(s), w.shape[1]))
    for t in range(len(s)):
        v = np.exp(-dt / tau) * v + s[t] @ w + bias
        out[t] = v
    return out


def read(v, kind):
    """(score float[N], its derivative by v, float[T, N]); of equal maxima the first counts."""
    slope = np.zeros(v.shape)
    if kind == "mean":
        slope[:] = 1.0 / len(v)
    elif kind == "last":
        slope[-1] = 1.0
    else:
        slope[np.argmax(v, axis=0), np.arange(v.shape[1])] = 1.0
    return (slope * v).sum(axis=0), slope


def adjoint(slope, tau, dt):
    """g(t) = dL/d(input of tick t), where ``slope`` is dL/dv(t): each input is followed forward while it decays."""
    g = np.zeros(slope.shape)
    for first in range(len(slope)):
        for t in range(first, len(slope)):
            g[first] += np.exp(-dt / tau) ** (t - first) * slope[t]
    return g


def in_continuous_time(times, w, tau, end, kind, current=0.0):
    """Score float[N] of one sample of ``end`` ms; times: (ms, address) pairs; current: constant input a ms.

    The mean by integrating every spike's response, the largest of a dense scan that has the arrivals in it.
    """
    def v(t, before):
        """Potentials at t; of a spike at t itself from the one side or from the other."""
        out = current * (t if np.isinf(tau) else tau * (1.0 - np.exp(-t / tau))) * np.ones(w.shape[1])
        for when, j in times:
            if when < t or (when == t and not before):
                out = out + w[j] * np.exp(-(t - when) / tau)
        return out

    if kind == "last":
        return v(end, False)
    if kind == "max":
        arrivals = sorted({when for when, _ in times})
        looked = [v(t, False) for t in np.linspace(0.0, end, 500)] + [v(t, True) for t in arrivals]
        return np.max(looked + [v(t, False) for t in arrivals], axis=0)
    x = end / tau
    area = end * end / 2.0 if np.isinf(tau) else tau * end - tau * tau * (1.0 - np.exp(-x))
    total = current * area * np.ones(w.shape[1])
    for when, j in times:
        left = end - when
        total = total + w[j] * (left if np.isinf(tau) else tau * (1.0 - np.exp(-left / tau)))
    return total / end
