"""Spikes back to the numbers that `eventsim.data.encoders.arrays` and `delta` made them from.

Each raises `ConfigError` for arguments that make no sense.
"""

import numpy as np

from eventsim import checks
from eventsim.data.encoders.arrays import centres
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes


def decode_rate(spikes, max_rate=100.0):
    """Values float64[B, N]: spikes a second over ``max_rate``, for `poisson` and `regular`, and for any neuron's."""
    _check(spikes)
    max_rate = checks.number("max_rate", max_rate)
    if not (spikes.n_ticks and max_rate):
        raise ConfigError(f"a rate needs a tick and a max_rate above 0, got {spikes.n_ticks} ticks and {max_rate:g}")
    return spikes.counts() / (spikes.n_ticks * spikes.dt / 1000 * max_rate)


def decode_latency(spikes):
    """Values float64[B, N] by every neuron's first spike: 1 in the first tick, 0 in the last or without one."""
    _check_grid(spikes)
    if spikes.n_ticks < 2:
        raise ConfigError(f"a latency needs two ticks or more, got {spikes.n_ticks}")
    first = np.full((spikes.n_samples, spikes.n_neurons), spikes.n_ticks - 1)
    np.minimum.at(first, (_sample(spikes), spikes.address), spikes.tick)
    return 1 - first / (spikes.n_ticks - 1)


def decode_population(spikes, *, fields=8, low=0.0, high=1.0, beta=1.5):
    """Values float64[B, N / fields], by the fields that fire first, for `population` with the same arguments.

    The responses r and s of two Gaussian fields of width w around a and b tell the value exactly, it is
    ``(a + b) / 2 + w^2 (ln r - ln s) / (a - b)``. So the two earliest are taken, whose ticks are close to the largest
    responses, where those matter least. Where one field fires, its centre is the value; where none does, NaN.
    """
    centre, width = centres(fields, low, high, beta)
    _check_grid(spikes)
    if spikes.n_neurons % fields:
        raise ConfigError(f"populations of {fields} fields do not divide {spikes.n_neurons} neurons")
    response = decode_latency(spikes).reshape(spikes.n_samples, -1, fields)
    fired = (spikes.counts() > 0).reshape(response.shape)
    order = np.argsort(np.where(fired, -response, np.inf), axis=2, kind="stable")[:, :, :2]
    a, b = np.moveaxis(centre[order], 2, 0)
    # The last tick stands for responses of up to half a tick, of which this is the middle.
    r, s = np.moveaxis(np.maximum(np.take_along_axis(response, order, 2), 0.25 / (spikes.n_ticks - 1)), 2, 0)
    both = (a + b) / 2 + width**2 * np.log(r / s) / (a - b)
    n_fired = fired.sum(axis=2)
    return np.where(n_fired > 1, both, np.where(n_fired == 1, a, np.nan))


def decode_delta(spikes, *, threshold, start=0.0):
    """Series float64[B, T, N / 2], from ``start`` up a threshold by every ON spike and down by every OFF one."""
    _check_grid(spikes)
    threshold = checks.number("threshold", threshold)
    if spikes.n_neurons % 2:
        raise ConfigError(f"there are as many ON neurons as OFF ones, got {spikes.n_neurons} neurons")
    n = spikes.n_neurons // 2
    steps = np.zeros((spikes.n_samples, spikes.n_ticks, n), np.int64)
    np.add.at(steps, (_sample(spikes), spikes.tick, spikes.address % n), np.where(spikes.address < n, -1, 1))
    return start + threshold * np.cumsum(steps, axis=1)


def _check(spikes):
    if not isinstance(spikes, Spikes):
        raise ConfigError(f"expected Spikes, got {type(spikes).__name__}")


def _check_grid(spikes):
    _check(spikes)
    if spikes.tick is None:
        raise ConfigError("expected spikes on the grid, got those of the exact clock")


def _sample(spikes):
    """The sample of every spike."""
    return np.repeat(np.arange(spikes.n_samples), np.diff(spikes.sample_ptr))
