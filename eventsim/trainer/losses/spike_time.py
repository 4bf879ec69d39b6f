"""The van Rossum distance between output spikes and wanted ones."""

from typing import ClassVar

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes
from eventsim.trainer.losses.base import LossResult, correlate, psp_kernel, psp_of


class SpikeTime:
    """L = 1/2 sum err^2 dt with err = eps * (s - s_wanted) (Shrestha & Orchard 2018, eq. 6-7; van Rossum 2001).

    The wanted spikes are given as `Spikes`; from labels, the neuron of the class is wanted to fire true_count and every
    other one false_count spikes, evenly over the sample.
    """

    takes, filters = "spikes", True
    defaults: ClassVar[dict] = {"true_count": 60.0, "false_count": 10.0}

    def __init__(self, true_count=60, false_count=10):
        self.true_count = checks.whole_number("true_count", true_count, 0)
        self.false_count = checks.whole_number("false_count", false_count, 0)

    def wanted(self, labels, like: Spikes) -> Spikes:
        """Evenly spaced spike trains for labels int64[B]."""
        labels = checks.indices("labels", labels, like.n_neurons)
        if max(self.true_count, self.false_count) > like.n_ticks:
            raise ConfigError(f"{like.n_ticks} ticks cannot hold the wanted {self.true_count} spikes of a neuron")
        rows = []
        for b, label in enumerate(labels):
            for i in range(like.n_neurons):
                count = self.true_count if i == label else self.false_count
                ticks = ((np.arange(count) + 0.5) * like.n_ticks / max(count, 1)).astype(np.int32)
                rows += [(b, t, i) for t in ticks]
        array = np.array(rows, dtype=[("sample", np.int64), ("tick", np.int32), ("address", np.int32)])
        return Spikes.from_structured(
            array, n_samples=len(labels), n_neurons=like.n_neurons, n_ticks=like.n_ticks, dt=like.dt
        )

    def __call__(self, spikes, target, neuron, truncate=False) -> LossResult:
        """Value and error for a batch of output spikes; ``target`` is the wanted `Spikes`, or labels int64[B]."""
        wanted = target if isinstance(target, Spikes) else self.wanted(target, spikes)
        if (wanted.n_samples, wanted.n_neurons, wanted.n_ticks) != (spikes.n_samples, spikes.n_neurons, spikes.n_ticks):
            raise ConfigError(f"wanted spikes {wanted} do not fit the output {spikes}")
        kernel = psp_kernel(neuron, spikes.dt, spikes.n_ticks, truncate)

        def difference(b):
            return psp_of(spikes, b, kernel, neuron) - psp_of(wanted, b, kernel, neuron)

        def error(b):
            return (spikes.dt * correlate(difference(b), kernel)).astype(np.float32)

        value = np.array([0.5 * (difference(b) ** 2).sum() * spikes.dt for b in range(spikes.n_samples)])
        return LossResult(value, error)
