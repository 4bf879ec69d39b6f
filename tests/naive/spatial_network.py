"""Networks of convolutions, pools, normalisation and dropout: forward and the explicit gradient, on dense float64.

A network is a list of (stages, layer): what becomes of the spikes on their way, and the synapses and neurons behind.
Arrays: spikes s float[T, B, C, H, W]; the batch is walked at once, since normalisation mixes its samples. A layer of N
neurons without positions has the shape (N, 1, 1).
"""

import itertools
from types import SimpleNamespace

import numpy as np

from naive import spatial
from naive.srm import adjoint_psp, alpha, counts, fire, psp, surrogate


class Conv:
    """Synapses of a convolution."""

    def __init__(self, w, **options):
        self.w, self.options = w, options

    def current(self, y, w=None):
        """What arrives at the neurons, of the weights or of the ``w`` given."""
        return spatial.conv(y, self.w if w is None else w, **self.options)

    def to_input(self, g, shape):
        """Adjoint of `current` in y."""
        return spatial.conv_to_input(g, self.w, shape, **self.options)

    def to_weights(self, y, g):
        """Adjoint of `current` in the weights."""
        return spatial.conv_to_weights(y, g, self.w, **self.options)


class Dense:
    """All-to-all synapses w[N_in, N_out]."""

    def __init__(self, w):
        self.w = w

    def current(self, y, w=None):
        """What arrives at the neurons, of the weights or of the ``w`` given."""
        flat = y.reshape(*y.shape[:-3], -1)
        return (flat @ (self.w if w is None else w))[..., None, None]

    def to_input(self, g, shape):
        """Adjoint of `current` in y."""
        return (g[..., 0, 0] @ self.w.T).reshape(*g.shape[:-3], *shape)

    def to_weights(self, y, g):
        """Adjoint of `current` in the weights."""
        return y.reshape(-1, self.w.shape[0]).T @ g.reshape(-1, self.w.shape[1])


class SumPool:
    """Synapses of one fixed weight w from every window of k x k to a neuron of its own."""

    def __init__(self, k, w, rounds_up=False):
        self.k, self.w, self.rounds_up = k, w, rounds_up

    def current(self, y, w=None):
        """What arrives at the neurons, of the weight or of the ``w`` given."""
        return spatial.sum_pool(y, self.k, self.rounds_up) * (self.w if w is None else w)

    def to_input(self, g, shape):
        """Adjoint of `current` in y."""
        return spatial.sum_pool_to_input(g, self.k, shape) * self.w

    def to_weights(self, y, g):
        """Nothing: the weight is fixed."""
        return None


class AveragePool:
    """Means over windows of k x k."""

    def __init__(self, k):
        self.k = k

    def apply(self, x):
        """What is handed on."""
        return spatial.average_pool(x, self.k)

    def size(self, x):
        """The sum of the absolute terms of what is handed on, from that of x."""
        return spatial.average_pool(x, self.k)

    def adjoint(self, x, e):
        """Derivatives by x, and by the stage's parameters."""
        return spatial.average_pool_to_input(e, self.k, x.shape[-3:]), ()


class BatchNorm:
    """Normalisation by the statistics of the batch, or by those given."""

    def __init__(self, gamma, beta, mean=None, var=None):
        self.gamma, self.beta, self.mean, self.var = gamma, beta, mean, var

    def apply(self, x):
        """What is handed on."""
        mean, var = spatial.statistics(x) if self.mean is None else (self.mean, self.var)
        self.used = mean, var
        return spatial.batch_norm(x, self.gamma, self.beta, mean, var)

    def size(self, x):
        """The sum of the absolute terms of what was handed on last, from that of x."""
        mean, var = self.used
        return spatial.batch_norm(x, np.abs(self.gamma), np.abs(self.beta), -np.abs(mean), var)

    def adjoint(self, x, e):
        """Derivatives by x, gamma and beta, with the statistics of the batch."""
        by_x, *by_parameters = spatial.batch_norm_adjoint(x, e, self.gamma)
        return by_x, tuple(by_parameters)


class Dropout:
    """The neurons outside ``mask`` bool[B, C, H, W] are silent for all time."""

    def __init__(self, mask, p):
        self.mask, self.p = mask, p

    def apply(self, x):
        """What is handed on."""
        return spatial.dropout(x, self.mask, self.p)

    size = apply

    def adjoint(self, x, e):
        """Derivatives by x, and by the stage's parameters."""
        return spatial.dropout(e, self.mask, self.p), ()


def spiking(p, dt):
    """Neurons that spike: (spikes, potentials after the refractory term, dead ticks) from potentials before it."""

    def emit(u):
        nu = -p.scale_ref * p.theta * alpha(p.tau_ref, dt, len(u))
        found = fire(u.reshape(len(u), -1), nu, p.theta, p.n_abs)
        return tuple(part.reshape(u.shape) for part in found)

    return emit


def smooth(p, dt):
    """Neurons without refractory response that hand on R(u) dt, R' = rho, instead of spikes; so it has derivatives."""

    def emit(u):
        x = (u - p.theta) / (p.tau_rho * p.theta)
        rate = p.scale_rho * np.where(x < 0, np.exp(np.minimum(x, 0)), 2 - np.exp(-np.maximum(x, 0)))
        return rate * dt, u, np.zeros(u.shape, bool)

    return emit


def through(stages, s):
    """What stands before every stage, and what comes out of the last."""
    return list(itertools.accumulate(stages, lambda x, stage: stage.apply(x), initial=s))


def forward_layer(stages, layer, s, emit, eps):
    """One layer's walk: before, y behind the stages, potentials u, spikes, dead ticks; eps float[T] is the psp."""
    *before, y = through(stages, s)
    out, u, dead = emit(layer.current(psp(y, eps)))
    return SimpleNamespace(before=before, y=y, u=u, spikes=out, dead=dead)


def forward(network, s, p, dt, emit=None, n_taps=None):
    """The walk of every layer, see `forward_layer`; ``emit`` is what neurons make of potentials, default: spikes."""
    walked = []
    for stages, layer in network:
        walked.append(forward_layer(stages, layer, s, emit or spiking(p, dt), alpha(p.tau_syn, dt, len(s), n_taps)))
        s = walked[-1].spikes
    return walked


def absolute_terms(stages, layer, s, eps):
    """The sum of the absolute terms of the potentials that `forward_layer` found last."""
    size = s
    for stage in stages:
        size = stage.size(size)
    return layer.current(psp(size, eps), np.abs(layer.w))


def backward(network, walked, error, p, dt, supports, n_taps=None, pressure=None):
    """Gradients (weights, those of every stage) of every layer, summed over the batch.

    error : float[T, B, C, H, W] is dL/ds of the last layer; supports : in thresholds
    pressure : float[layers, B], what every spike of a layer adds to the loss besides
    """
    gradients = []
    pressure = np.zeros((len(network), error.shape[1])) if pressure is None else pressure
    layers = zip(network, walked, supports, pressure, strict=True)
    for (stages, layer), walk, support, besides in reversed(list(layers)):
        error = error + besides[:, None, None, None]
        d = np.where(counts(walk.u, walk.dead, support, p), surrogate(walk.u, p), 0.0) * error
        g = adjoint_psp(d, alpha(p.tau_syn, dt, len(d), n_taps), dt)
        by_weights = layer.to_weights(walk.y, g)
        error = layer.to_input(g, walk.y.shape[-3:])
        by_stages = []
        for stage, x in reversed(list(zip(stages, walk.before, strict=True))):
            error, by_parameters = stage.adjoint(x, error)
            by_stages.append(by_parameters)
        gradients.append((by_weights, by_stages[::-1]))
    return gradients[::-1]
