"""Arrays to spikes on the grid: rates, latencies and populations, for images and series of numbers.

Two shapes are taken. ``values`` with ``n_ticks`` are float[B, ...], one entry of the first axis a sample, which is held
for n_ticks ticks; the numbers of a sample become its neurons in C order, so that of an image [polarity, y, x] they are
the addresses of a sensor. A series, without n_ticks, has a number a tick: float[T], float[T, N] or float[B, T, N].

All are pure; what is random draws from ``seed``, a whole number or a NumPy generator, one sample after the other. Each
raises `ConfigError` for arguments that make no sense. `eventsim.data.encoders.decoding` has the way back.
"""

import math

import numpy as np

from eventsim import checks, kernels
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes

_NUMBERS = 1 << 20  # that are drawn at a time


def poisson(values, n_ticks=None, dt=1.0, *, max_rate=100.0, seed) -> Spikes:
    """Spikes at random, in every tick with the probability ``value * max_rate * dt / 1000``: for small ticks Poisson's.

    values : in 0..1, see this module; dt : ms; max_rate : spikes a second of the value 1, one a tick at most

    Gerstner & Kistler (2002), Spiking Neuron Models, chapter 5.
    """
    chance, n_ticks, dt = _spikes_a_tick(values, n_ticks, dt, max_rate)
    rng = checks.generator(seed)
    n_samples, _, n_neurons = chance.shape
    step = max(_NUMBERS // n_neurons, 1)
    parts = []
    for sample in range(n_samples):
        held = np.broadcast_to(chance[sample], (n_ticks, n_neurons))
        blocks = [(start, held[start : start + step]) for start in range(0, n_ticks, step)]
        found = [(start, *np.nonzero(rng.random(block.shape) < block)) for start, block in blocks]
        parts.append((np.concatenate([tick + start for start, tick, _ in found]),
                      np.concatenate([address for _, _, address in found])))
    return _joined(parts, n_neurons, n_ticks, dt)


def regular(values, n_ticks=None, dt=1.0, *, max_rate=100.0) -> Spikes:
    """Spikes at constant intervals, those of an integrator without leak that starts empty and fires when it is full.

    values : in 0..1, see this module; dt : ms; max_rate : spikes a second of the value 1, one a tick at most

    After k ticks a neuron has fired ``floor(k * value * max_rate * dt / 1000)`` times. A rate code, as in Gerstner &
    Kistler (2002), Spiking Neuron Models, section 1.5, without its noise.
    """
    share, n_ticks, dt = _spikes_a_tick(values, n_ticks, dt, max_rate)
    n_samples, rows, n_neurons = share.shape
    parts = []
    for sample in range(n_samples):
        most = n_neurons + math.ceil(share[sample].sum() * (n_ticks / rows))
        tick, address, count = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(1, np.int64)
        kernels.call("integrate_shares", share=share[sample], n_ticks=n_ticks, filled=(n_neurons,), tick=tick,
                     address=address, count=count)
        parts.append((tick[: count[0]], address[: count[0]]))
    return _joined(parts, n_neurons, n_ticks, dt)


def latency(values, n_ticks, dt=1.0) -> Spikes:
    """One spike a neuron, the earlier the larger its value: 1 in the first tick, almost 0 in the last; none for 0.

    values : float[B, ...] in 0..1; dt : ms

    Time to first spike, Thorpe, Delorme & Van Rullen (2001), Spike-based strategies for rapid processing.
    """
    values = _samples(values)
    n_ticks = checks.whole_number("n_ticks", n_ticks, 2)
    sample, address = np.nonzero(values > 0)
    tick = np.rint((1 - values[sample, address]) * (n_ticks - 1)).astype(np.int32)
    order = np.lexsort((address, tick, sample))
    ptr = np.searchsorted(sample, np.arange(len(values) + 1))
    return Spikes(ptr, address[order].astype(np.int32), tick=tick[order], n_neurons=values.shape[1], n_ticks=n_ticks,
                  dt=checks.milliseconds("dt", dt), check=False)


def population(values, n_ticks, dt=1.0, *, fields=8, low=0.0, high=1.0, beta=1.5, cutoff=0.1) -> Spikes:
    """Every value by a population of neurons with Gaussian receptive fields, each of which fires once, see `latency`.

    values : float[B, ...] in low..high; dt : ms
    fields : neurons a value, at least 3; field i of value j is the neuron ``j * fields + i``
    beta : how narrow a field is, see `centres`; cutoff : a neuron fires where its field's response is at least this

    Bohte, Kok & La Poutre (2002), Error-backpropagation in temporally encoded networks of spiking neurons.
    """
    centre, width = centres(fields, low, high, beta)
    cutoff = checks.number("cutoff", cutoff, below=1.0)
    values = _samples(values, low, high)
    response = np.exp(-((values[:, :, None] - centre) / width) ** 2 / 2)
    return latency(np.where(response >= cutoff, response, 0.0).reshape(len(values), -1), n_ticks, dt)


def centres(fields, low=0.0, high=1.0, beta=1.5):
    """Centres float64[fields] and width of the receptive fields for values in ``low..high``.

    They are ``(high - low) / (fields - 2)`` apart, the first half of that below ``low``, and that over ``beta`` wide.
    """
    fields = checks.whole_number("fields", fields, 3)
    beta = checks.number("beta", beta)
    low, high = checks.number("low", low, -math.inf), checks.number("high", high, -math.inf)
    if not (low < high and beta > 0):
        raise ConfigError(f"low must be below high and beta above 0, got {low:g}, {high:g} and {beta:g}")
    spacing = (high - low) / (fields - 2)
    return low + (np.arange(fields) - 0.5) * spacing, spacing / beta


def as_numbers(name, values, low, high):
    """``values`` as a float64 array, all of them in ``low..high``."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of unequal lengths
        array = np.array(None)
    if array.dtype.kind not in "biuf" or not array.size:
        raise ConfigError(f"{name} must be an array of numbers that is not empty, got {array.dtype}{list(array.shape)}")
    array = array.astype(np.float64)
    if not (np.isfinite(array).all() and low <= array.min() and array.max() <= high):
        where = "be finite" if high == math.inf else f"lie in {low:g}..{high:g}"
        raise ConfigError(f"{name} must {where}, got {array.min():g}..{array.max():g}; scale them")
    return array


def as_series(series, low=-math.inf, high=math.inf):
    """A series as float64[B, T, N]."""
    array = as_numbers("the series", series, low, high)
    if array.ndim > 3:
        raise ConfigError(f"a series has the shape [T], [T, N] or [B, T, N], got {list(array.shape)}")
    return array.reshape((1,) * (array.ndim < 3) + array.shape + (1,) * (array.ndim < 2))


def _samples(values, low=0.0, high=1.0):
    """Values as float64[B, N]."""
    array = as_numbers("values", values, low, high)
    if array.ndim < 2:
        raise ConfigError(f"values have an axis of samples and at least one more, got the shape {list(array.shape)}; "
                          "of one sample, give values[None]")
    return array.reshape(len(array), -1)


def _spikes_a_tick(values, n_ticks, dt, max_rate):
    """Spikes a tick float64[B, T or 1, N], the ticks, and ms a tick."""
    dt = checks.milliseconds("dt", dt)
    max_rate = checks.number("max_rate", max_rate)
    if max_rate * dt > 1000:
        raise ConfigError(f"max_rate must be at most one spike a tick, {1000 / dt:g} a second, got {max_rate:g}")
    if n_ticks is None:
        values = as_series(values, 0.0, 1.0)
        n_ticks = values.shape[1]
    else:
        values = _samples(values)[:, None]
    return values * (max_rate * dt / 1000), checks.whole_number("n_ticks", n_ticks, 1), dt


def _joined(samples, n_neurons, n_ticks, dt):
    """The spikes of samples, each a pair of ticks and addresses."""
    ticks, addresses = ([columns[i] for columns in samples] for i in (0, 1))
    ptr = np.cumsum([0, *map(len, ticks)])
    return Spikes(ptr, np.concatenate(addresses).astype(np.int32), tick=np.concatenate(ticks).astype(np.int32),
                  n_neurons=n_neurons, n_ticks=n_ticks, dt=dt, check=False)
