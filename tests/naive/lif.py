"""Leaky integrate-and-fire as its equations read: dense arrays over time, tick by tick, float64.

Arrays: spikes s float[T, N] of 0/1, weights w float[N_in, N_out], potentials u float[T, N]. ``p`` has theta, tau_mem,
tau_syn (None: input moves the potential at once), late, strict, reset, drop, v_reset, n_abs, tau_rho and scale_rho.
"""

import numpy as np


def decays(p, dt):
    """(of the potential, of the current, what a unit of current gives the potential in a tick)."""
    of_v = np.exp(-dt / p.tau_mem)
    share = dt if np.isinf(p.tau_mem) else 1.0 - of_v
    return (of_v, 0.0, 0.0) if p.tau_syn is None else (of_v, np.exp(-dt / p.tau_syn), share)


def layer(s, w, p, dt, bias=0.0):
    """Spikes, potentials before the reset, and dead ticks of one layer; bias is added to the input of every tick."""
    of_v, of_i, share = decays(p, dt)
    n_ticks, n_out = len(s), w.shape[1]
    v, current, last = np.zeros(n_out), np.zeros(n_out), np.full(n_out, -(10**9))
    out, u, dead = np.zeros((n_ticks, n_out)), np.zeros((n_ticks, n_out)), np.zeros((n_ticks, n_out), bool)
    for t in range(n_ticks):
        given = s[t] @ w + bias
        if p.tau_syn is None:
            v = of_v * v + given
        else:
            before, current = current, of_i * current + given
            v = of_v * v + share * (before if p.late else current)
        u[t], dead[t] = v, t - last < p.n_abs
        fires = (v > p.theta if p.strict else v >= p.theta) & ~dead[t]
        out[t], last[fires] = fires, t
        v = np.where(fires, p.v_reset if p.reset == "hard" else v - p.drop, v)
    return out, u, dead


def adjoint(d, out, p, dt):
    """g(t) = dt dL/d(input of tick t), where d(t) is dL/dv(t) by the neuron's own spike of tick t.

    Each input is followed forward: it moves v by itself and through the current, until a hard reset forgets it.
    """
    of_v, of_i, share = decays(p, dt)
    g = np.zeros(d.shape)
    for first in range(len(d)):
        v, current = np.zeros(d.shape[1]), np.zeros(d.shape[1])
        for t in range(first, len(d)):
            given = 1.0 if t == first else 0.0
            if p.tau_syn is None:
                v = of_v * v + given
            else:
                before, current = current, of_i * current + given
                v = of_v * v + share * (before if p.late else current)
            g[first] += dt * v * d[t]
            if p.reset == "hard":
                v = np.where(out[t] > 0, 0.0, v)
    return g
