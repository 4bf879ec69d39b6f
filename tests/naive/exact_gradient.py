"""The explicit gradient in continuous time, as its equations read: sums over spikes and over ticks. float64.

Spikes of a layer are times float[K] in ms and addresses int[K]; what is sampled at the ticks is float[T, N].
"""

import numpy as np

from naive.exact import alpha, settling
from naive.srm import surrogate


def sampled(times, addresses, w, own_times, own_addresses, p, dt, n_ticks, current=0.0):
    """Potentials and dead neurons [T, N] at the ticks: of a neuron's own spikes those count that the tick before saw.

    ``p`` has theta, tau_syn, tau_ref, scale_ref, t_abs; ``current`` is a constant input a ms.
    """
    n_out = w.shape[1]
    u, dead = np.empty((n_ticks, n_out)), np.empty((n_ticks, n_out), bool)
    for k in range(n_ticks):
        seen = own_times <= (k - 1) * dt
        response = alpha(k * dt - own_times[seen], p.tau_ref)
        recoil = np.bincount(own_addresses[seen], response, n_out)
        psp = alpha(k * dt - times, p.tau_syn) @ w[addresses] + current * settling(k * dt, p.tau_syn)
        u[k] = psp - p.scale_ref * p.theta * recoil
        last = np.full(n_out, -np.inf)
        np.maximum.at(last, own_addresses[seen], own_times[seen])
        dead[k] = k * dt < last + p.t_abs
    return u, dead


def adjoint(t, d, tau_syn, dt):
    """g(t) = dt sum over the ticks k dt >= t of eps(k dt - t) d[k], float[N]."""
    age = np.arange(len(d)) * dt - t
    return dt * alpha(age[age >= 0], tau_syn) @ d[age >= 0]


def backward(inputs, potentials, active, weights, error, p, dt):
    """Weight gradients of a stack of layers; ``error`` float[T, N_out] is dL/ds of the last one at the ticks.

    inputs : (times, addresses) of every layer's input; potentials, active : [T, N] of every layer, where rho counts
    """
    gradients = []
    for (times, addresses), u, where, w in reversed(list(zip(inputs, potentials, active, weights, strict=True))):
        d = np.where(where, surrogate(u, p), 0.0) * error
        gradient = np.zeros(w.shape)
        for t, j in zip(times, addresses, strict=True):
            gradient[j] += adjoint(t, d, p.tau_syn, dt)
        gradients.append(gradient)
        error = np.array([adjoint(k * dt, d, p.tau_syn, dt) for k in range(len(d))]) @ w.T
    return gradients[::-1]
