"""The spike response model as its equations read: dense arrays over time, convolutions by their sums, float64.

Arrays: spikes s float[T, N] of 0/1, weights w float[N_in, N_out], potentials u float[T, N].
"""

import numpy as np


def alpha(tau, dt, n_ticks, n_taps=None):
    """(t / tau) exp(1 - t / tau) at t = 0, dt, ...; zero from tap ``n_taps`` on."""
    t = np.arange(n_ticks) * dt
    kernel = t / tau * np.exp(1 - t / tau)
    if n_taps is not None:
        kernel[n_taps:] = 0.0
    return kernel


def n_taps(tau, dt):
    """Taps up to the first value below 0.01 past the peak, as slayerPytorch ends a kernel."""
    kernel = alpha(tau, dt, int(30 * tau / dt))
    return next(k for k in range(len(kernel)) if k * dt > tau and kernel[k] < 0.01)


def psp(s, kernel):
    """Causal convolution of every column of s[T, N] with a kernel."""
    out = np.zeros(s.shape)
    for t in range(len(s)):
        for age in range(t + 1):
            out[t] += kernel[age] * s[t - age]
    return out


def fire(u, nu, theta, n_abs):
    """Spikes, potentials after the refractory term, and dead ticks, from potentials u[T, N] before it and nu[T]."""
    n_ticks, n_out = u.shape
    u = u.copy()
    out = np.zeros((n_ticks, n_out))
    dead = np.zeros((n_ticks, n_out), bool)
    last = np.full(n_out, -(10**9))
    for t in range(n_ticks):
        dead[t] = t - last < n_abs
        fires = (u[t] >= theta) & ~dead[t]
        out[t] = fires
        last[fires] = t
        for age in range(n_ticks - t):
            u[t + age] += nu[age] * fires
    return out, u, dead


def layer(s, w, p, dt, n_taps=None):
    """Spikes, and potentials after the refractory term, of one layer; dead ticks are marked in the third array.

    ``p`` has theta, tau_syn, tau_ref, scale_ref and n_abs.
    """
    n_ticks = len(s)
    u = psp(s, alpha(p.tau_syn, dt, n_ticks, n_taps)) @ w
    return fire(u, -p.scale_ref * p.theta * alpha(p.tau_ref, dt, n_ticks), p.theta, p.n_abs)


def surrogate(u, p):
    """rho(u) of Shrestha & Orchard 2018, eq. 8, as slayerPytorch scales it."""
    width = p.tau_rho * p.theta
    return p.scale_rho / width * np.exp(-np.abs(u - p.theta) / width)


def counts(u, dead, support, p):
    """Where rho counts."""
    return (np.abs(u - p.theta) <= support * p.theta) & ~dead


def adjoint_psp(d, kernel, dt):
    """g(t) = dt sum_{t' >= t} eps(t' - t) d(t')."""
    g = np.zeros(d.shape)
    for t in range(len(d)):
        for age in range(len(d) - t):
            g[t] += dt * kernel[age] * d[t + age]
    return g


def backward(inputs, potentials, deads, weights, error, p, dt, supports, n_taps=None, pressures=None):
    """Weight gradients of a stack of layers; ``error`` float[T, N_out] is dL/ds of the last one.

    inputs, potentials, deads : one dense array a layer; supports : in thresholds
    pressures : what is added to dL/ds of every layer in all ticks
    """
    gradients = []
    layers = zip(inputs, potentials, deads, weights, supports, pressures or [0.0] * len(inputs), strict=True)
    for s, u, dead, w, support, pressure in reversed(list(layers)):
        d = np.where(counts(u, dead, support, p), surrogate(u, p), 0.0) * (error + pressure)
        g = adjoint_psp(d, alpha(p.tau_syn, dt, len(s), n_taps), dt)
        gradients.append(s.T @ g)
        error = g @ w.T
    return gradients[::-1]


def smooth_forward(s, weights, p, dt):
    """A network without refractory response whose neurons emit R(u) instead of spikes, R' = rho; so it has derivatives.

    R(u) is a density in time: a tick hands R(u) dt to the next layer, as a spike hands over 1. Returns the inputs and
    potentials of every layer, and R of the last.
    """
    inputs, potentials = [], []
    for w in weights:
        u = psp(s, alpha(p.tau_syn, dt, len(s))) @ w
        inputs.append(s)
        potentials.append(u)
        x = (u - p.theta) / (p.tau_rho * p.theta)
        rate = p.scale_rho * np.where(x < 0, np.exp(np.minimum(x, 0)), 2 - np.exp(-np.maximum(x, 0)))
        s = rate * dt
    return inputs, potentials, rate
