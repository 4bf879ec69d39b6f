"""The explicit gradient of a layer behind pooling, normalisation and dropout in continuous time. float64.

A spike of neuron j before the stages is one of address table[j] behind them, and counts ``unit`` there, or nothing
where that is -1. Normalisation takes the spikes of an address in [k dt, (k + 1) dt) for those of tick k. With x of them
y = s x + c, where s = gamma / sigma and c = beta - s mean for every channel: s unit a spike, and a current of c / dt.
"""

from dataclasses import dataclass

import numpy as np

from naive.exact_lif_gradient import adjoint, sampled, settled
from naive.srm import surrogate


@dataclass
class Stages:
    """What comes before a layer's synapses; channel int[N'] of every address behind the stages.

    gamma, beta : float[channels], or None where nothing is normalised; kept : bool[B, N'], or None
    """

    table: np.ndarray
    unit: float
    channel: np.ndarray
    gamma: np.ndarray | None = None
    beta: np.ndarray | None = None
    kept: np.ndarray | None = None


def arriving(stages, b, times, addresses):
    """Times and addresses behind the stages of the spikes of sample b."""
    to = stages.table[addresses]
    stays = to >= 0 if stages.kept is None else (to >= 0) & stages.kept[b, to]
    return times[stays], to[stays]


def counted(stages, batch, dt, n_ticks):
    """x float[B, T, N'] of what arrives of a batch, a list of (times, addresses)."""
    x = np.zeros((len(batch), n_ticks, len(stages.channel)))
    for b, (times, addresses) in enumerate(batch):
        np.add.at(x, (b, (times / dt).astype(int), addresses), stages.unit)
    return x


def statistics(stages, x):
    """Mean and biased variance of every channel."""
    by_channel = [x[..., stages.channel == c] for c in range(stages.channel.max() + 1)]
    return np.array([part.mean() for part in by_channel]), np.array([part.var() for part in by_channel])


def affine(stages, x):
    """(s, c) of every channel of x."""
    if stages.gamma is None:
        channels = stages.channel.max() + 1
        return np.ones(channels), np.zeros(channels)
    mean, var = statistics(stages, x)
    s = stages.gamma / np.sqrt(var + 1e-5)
    return s, stages.beta - s * mean


def potentials(stages, b, given, x, w, own, p, dt, n_ticks):
    """`sampled` of sample b, whose spikes ``given`` arrive and whose neurons fire the spikes ``own``."""
    s, c = affine(stages, x)
    weights = (stages.unit * s[stages.channel])[:, None] * w
    return sampled(*given, weights, *own, p, dt, n_ticks, c[stages.channel] @ w / dt)


def backward(stages, batch, x, w, u, active, cut, error, p, dt):
    """(dL/dw, (dL/dgamma, dL/dbeta), error before the stages [B][T, N]) of a layer.

    batch : what arrives; u, active, cut (where neurons fired, see `exact_lif_gradient`), error : [B][T, N_out]
    """
    n_ticks = x.shape[1]
    s, c = affine(stages, x)
    own_s, own_c = s[stages.channel], c[stages.channel]
    ticks = np.arange(n_ticks) * dt
    by_spikes, by_current, errors = np.zeros(w.shape), np.zeros(w.shape[1]), []
    for b, (times, addresses) in enumerate(batch):
        d = np.where(active[b], surrogate(u[b], p), 0.0) * error[b]
        for t, j in zip(times, addresses, strict=True):
            by_spikes[j] += stages.unit * adjoint(t, d, cut[b], p, dt)
        by_current += settled(d, cut[b], p, dt)
        errors.append(np.array([adjoint(t, d, cut[b], p, dt) for t in ticks]) @ w.T * own_s)
    by_weights = own_s[:, None] * by_spikes + own_c[:, None] * by_current
    of_channel = stages.channel == np.arange(len(s))[:, None]
    by_s, by_c = of_channel @ (w * by_spikes).sum(axis=1), of_channel @ (w * by_current).sum(axis=1)
    by_norm = ()
    if stages.gamma is not None:
        mean, var = statistics(stages, x)
        sigma = np.sqrt(var + 1e-5)
        by_norm = (by_s - mean * by_c) / sigma, by_c
        by_mean, by_var = -s * by_c, (by_s - mean * by_c) * stages.gamma * -0.5 * sigma**-3
        n = x.size / len(stages.channel) * of_channel.sum(axis=1)
        of_mean, of_var = (by_mean / n)[stages.channel], (2 * by_var / n)[stages.channel]
        errors = [e + of_mean + of_var * (own - mean[stages.channel]) for e, own in zip(errors, x, strict=True)]
    below = []
    for b, e in enumerate(errors):
        behind = stages.unit * e if stages.kept is None else np.where(stages.kept[b], stages.unit * e, 0.0)
        below.append(np.where(stages.table >= 0, behind[:, stages.table], 0.0))
    return by_weights, by_norm, below
