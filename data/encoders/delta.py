"""Series to spikes by their changes."""

import numpy as np

from eventsim import checks, kernels
from eventsim.data.encoders.arrays import as_series
from eventsim.data.encoders.binning import MODES
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes

_MOST_SPIKES = 2**31 - 1


def delta(series, dt=1.0, *, threshold, mode="or") -> Spikes:
    """Send on delta: an ON or OFF spike wherever the series has moved by ``threshold`` since the last one.

    series : float[T], [T, N] or [B, T, N], a number a tick; the first tick's is what the second is compared with
    dt : ms; threshold : in the unit of the series
    mode : ``"or"`` gives one spike a tick at most, so that a steep series is followed later; ``"count"`` one for every
        threshold passed

    Neurons are those of a sensor of N x 1 pixels: 0..N - 1 are OFF, N..2 N - 1 ON. The pixel of an event camera does
    this with the logarithm of its light: Lichtsteiner, Posch & Delbruck (2008), A 128x128 120 dB 15 us latency
    asynchronous temporal contrast vision sensor.
    """
    dt = checks.milliseconds("dt", dt)
    series = as_series(series)
    checks.choice("mode", mode, MODES)
    threshold = checks.number("threshold", threshold)
    n_samples, n_ticks, n_neurons = series.shape
    with np.errstate(over="ignore"):
        reach = (series.max(axis=1) - series.min(axis=1)).max()
    if not reach < threshold * _MOST_SPIKES:
        raise ConfigError(f"threshold must be above 0, and not tiny against the range of the series, which is "
                          f"{reach:g}; got {threshold:g}")
    steps = np.empty(series.shape, np.int32)
    for sample in range(n_samples):
        kernels.call("delta_steps", series=series[sample], threshold=threshold,
                     most=1 if mode == "or" else _MOST_SPIKES, level=(n_neurons,), steps=steps[sample])
    sample, tick, neuron = np.nonzero(steps)
    step = steps[sample, tick, neuron].astype(np.int64)
    if (n_spikes := np.abs(step).sum()) > _MOST_SPIKES:
        raise ConfigError(f"threshold = {threshold:g} gives {n_spikes} spikes; choose a larger one")
    address = np.where(step > 0, n_neurons + neuron, neuron)
    order = np.lexsort((address, tick, sample))
    order = np.repeat(order, np.abs(step[order]))
    ptr = np.searchsorted(sample[order], np.arange(n_samples + 1))
    return Spikes(ptr, address[order].astype(np.int32), tick=tick[order].astype(np.int32), n_neurons=2 * n_neurons,
                  n_ticks=n_ticks, dt=dt, check=False)
