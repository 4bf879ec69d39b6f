"""Losses on the number of output spikes."""

from typing import ClassVar

import numpy as np

from eventsim import checks
from eventsim.engine.output_error import CountGradient
from eventsim.errors import ConfigError
from eventsim.trainer.losses.base import LossResult, correlate, in_window, psp_kernel, psp_of


class SpikeCount:
    """L = 1/2 sum_i c_i^2 T_w with c_i = (n_i - target_i) / T_w; n_i spikes of output neuron i in a window of T_w ms.

    The error of an output spike is the exact derivative, c_i inside the window and 0 outside.

    true_count, false_count : target spikes of the sample's class and of the others (slayerPytorch's N-MNIST example)
    window : (start, stop) in ms, default the whole sample
    """

    takes = "spikes"
    # Settings of a training that go with it.
    defaults: ClassVar[dict] = {"true_count": 60.0, "false_count": 10.0, "loss_window": None}

    def __init__(self, true_count=60.0, false_count=10.0, window=None):
        for name, value in (("true_count", true_count), ("false_count", false_count)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
                raise ConfigError(f"{name} must be a number of spikes, at least 0, got {value!r}")
        self.true_count, self.false_count = float(true_count), float(false_count)
        self.window = None
        if window is not None:
            try:
                start, stop = (float(edge) for edge in window)
            except (TypeError, ValueError):
                start = stop = np.nan
            if not 0 <= start < stop < np.inf:
                raise ConfigError(f"window must be (start, stop) in ms with 0 <= start < stop, got {window!r}")
            self.window = (start, stop)

    def _ticks(self, spikes):
        """The window in ticks."""
        if self.window is None:
            return 0, spikes.n_ticks
        first, last = (min(round(edge / spikes.dt), spikes.n_ticks) for edge in self.window)
        if first >= last:
            raise ConfigError(
                f"the loss window {self.window[0]:g}..{self.window[1]:g} ms holds no tick of a sample of "
                f"{spikes.n_ticks} ticks of {spikes.dt:g} ms"
            )
        return first, last

    def _deviation(self, spikes, labels):
        """c float64[B, N], and the window's first and last tick."""
        checks.indices("labels", labels, spikes.n_neurons)
        first, last = self._ticks(spikes)
        inside = in_window(spikes, first, last)
        sample = np.repeat(np.arange(spikes.n_samples), np.diff(spikes.sample_ptr))[inside]
        target = np.full((spikes.n_samples, spikes.n_neurons), self.false_count)
        n = np.bincount(sample * spikes.n_neurons + spikes.address[inside], minlength=target.size)
        target[np.arange(spikes.n_samples), labels] = self.true_count
        return (n.reshape(target.shape) - target) / ((last - first) * spikes.dt), first, last

    def __call__(self, spikes, labels, neuron, truncate=False) -> LossResult:
        """Value and error for a batch of output spikes with labels int64[B]."""
        c, first, last = self._deviation(spikes, labels)
        error = CountGradient(c.astype(np.float32), spikes.n_ticks, first, last)
        return LossResult(0.5 * (c**2).sum(axis=1) * (last - first) * spikes.dt, error)


class SpikeCountSlayer(SpikeCount):
    """slayerPytorch's numSpikes: the same counts, but the error is put on the psp of the output.

    e_i(t) = dt sum_k eps[k] err_i(t + k dt), where err is c inside the window plus the psp of the spikes outside it;
    L = 1/2 sum err^2 dt (slayerPytorch, ``src/spikeLoss.py``). Divides by ticks there, by ms here: equal at dt = 1.
    """

    filters = True

    def __call__(self, spikes, labels, neuron, truncate=False) -> LossResult:
        """Value and error for a batch of output spikes with labels int64[B]."""
        c, first, last = self._deviation(spikes, labels)
        kernel = psp_kernel(neuron, spikes.dt, spikes.n_ticks, truncate)

        def difference(b):
            err = psp_of(spikes, b, kernel, neuron, window=(first, last))
            err[:, first:last] += c[b][:, None]
            return err

        def error(b):
            return (spikes.dt * correlate(difference(b), kernel)).astype(np.float32)

        value = np.array([0.5 * (difference(b) ** 2).sum() * spikes.dt for b in range(spikes.n_samples)])
        return LossResult(value, error)
