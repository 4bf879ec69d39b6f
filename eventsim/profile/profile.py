"""`Profile`: everything that is counted of a network while samples pass through it."""

from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.engine.feed import arrivals
from eventsim.engine.trace import check_trace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE
from eventsim.model.network import CLOCKS
from eventsim.profile.population import Population, add_all


@dataclass
class Cost:
    """What a layer took over all samples, see `LayerTrace`; bytes is None where the engine does not know."""

    synops: int = 0
    dense_macs: int = 0
    seconds: float = 0.0
    bytes: int | None = 0
    _singly: float | None = None
    _samples: int = 0

    @property
    def singly(self) -> float | None:
        """The mean of `LayerTrace.singly`; None on the grid."""
        return None if self._singly is None else self._singly / max(self._samples, 1)

    def add(self, layer, done, given):
        """Count the `LayerTrace` of a batch of ``given`` spikes."""
        self.synops += done.synops
        self.dense_macs += done.dense_macs
        self.seconds += done.seconds
        self._samples += given.n_samples
        if done.singly is not None:
            self._singly = (self._singly or 0.0) + done.singly * given.n_samples
        if self.bytes is not None and done.rows is not None:
            spikes = sum(spikes.address.nbytes + spikes.when.nbytes for spikes in (given, done.spikes))
            self.bytes += done.rows * TILE * layer.packed.itemsize + spikes
        else:
            self.bytes = None


class Profile:
    """What a network does with the samples that were added.

    Attributes
    ----------
    network : Network
    populations : a `Population` for the input and every layer
    costs : a `Cost` for every layer
    repeats : int64[N], input spikes of every address that share it and their tick with the one before
    labels, predicted : int64[B], labels are -1 where nobody said them
    """

    def __init__(self, network):
        self.network = network
        layers = network.layers
        after = [*(synapses_behind(layer) for layer in layers), np.zeros(network.arch.n_outputs, np.int64)]
        self.populations = [Population(network.arch.n_inputs, after[:1], repeats=network.input_mode == "count")]
        for i, (layer, neuron) in enumerate(zip(layers, network.neurons, strict=True)):
            own = [part.fan_out for part in layer.projections[1:]]
            dead = [neuron.shortest_interval(network.dt, clock) / network.dt for clock in CLOCKS]
            self.populations.append(Population(layer.n_out, [after[i + 1], *own], dead, fires=neuron.fires))
        self.costs = [Cost() for _ in layers]
        self.repeats = np.zeros(network.arch.n_inputs, np.int64)
        self._labels, self._predicted = [], []

    def add(self, trace, labels=None):
        """Count a batch: its `Trace`, and its labels int64[B], where they are known.

        Raises `ConfigError` for the trace of another network, and for labels that are not one a sample.
        """
        check_trace(self.network, trace)
        n = trace.input.n_samples
        labels = np.full(n, -1) if labels is None else checks.indices("labels", labels, np.iinfo(np.int64).max)
        if len(labels) != n:
            raise ConfigError(f"there are {n} samples and {len(labels)} labels; give one a sample")
        spikes = [trace.input, *(done.spikes for done in trace.layers)]
        runs = [trace.runs, *(done.runs for done in trace.layers)]
        add_all(zip(self.populations, spikes, runs, strict=True))
        if self.network.input_mode == "count":
            self.repeats += repeats(trace.input)
        for layer, cost, done, given in zip(self.network.layers, self.costs, trace.layers, spikes, strict=False):
            cost.add(layer, done, given)
        self._labels.append(labels)
        self._predicted.append(trace.predict())

    @property
    def n_samples(self) -> int:
        """Samples so far."""
        return self.populations[0].n_samples

    @property
    def labels(self):
        """int64[B]"""
        return np.concatenate([np.empty(0, np.int64), *self._labels])

    @property
    def predicted(self):
        """int64[B]"""
        return np.concatenate([np.empty(0, np.int64), *self._predicted])

    def synops(self):
        """Synapses that spikes crossed, int64[B, layers]."""
        columns = []
        for i in range(len(self.costs)):
            crossed = self.populations[i].of_samples("crossed")[0]
            own = self.populations[i + 1].of_samples("crossed")[1:]
            columns.append(crossed + own.sum(axis=0))
        return np.stack(columns, axis=1)

    def spikes(self):
        """Spikes of every sample and layer, int64[B, layers]."""
        return np.stack([population.of_samples("spikes") for population in self.populations[1:]], axis=1)

    def silent(self):
        """Neurons without a spike, of every sample and layer, int64[B, layers]."""
        return np.stack([p.n_neurons - p.of_samples("fired") for p in self.populations[1:]], axis=1)

    def layer_figures(self) -> list[dict]:
        """Plain values of every layer: those of `Population.figures`, and what it took, a sample."""
        out, n = [], max(self.n_samples, 1)
        for name, layer, population, cost in zip(
            self.network.layer_names, self.network.layers, self.populations[1:], self.costs, strict=True
        ):
            out.append({
                "name": name, **population.figures(), "synops": cost.synops / n, "dense_macs": cost.dense_macs / n,
                "ratio": cost.synops / cost.dense_macs if cost.dense_macs else None,
                "bytes": None if cost.bytes is None else cost.bytes / n, "seconds": cost.seconds / n,
                "singly": cost.singly, "weights": layer.n_weights, "zero_weights": zero_weights(layer),
            })
        return out

    def class_figures(self) -> list[dict]:
        """Plain values of every class with samples: how many, the share that is right, spikes and SynOps by layer."""
        labels, right = self.labels, self.labels == self.predicted
        spikes, synops = self.spikes(), self.synops()
        return [
            {"class": int(c), "samples": int(np.sum(own)), "accuracy": float(right[own].mean()),
             "spikes": spikes[own].mean(axis=0).tolist(), "synops": synops[own].mean(axis=0).tolist()}
            for c in np.unique(labels[labels >= 0]) for own in [labels == c]
        ]


def synapses_behind(layer):
    """Synapses of a layer that a spike of every neuron before it crosses, int64[N], through the stages between."""
    return through_stages(layer, layer.fan_out)


def through_stages(layer, values):
    """What every neuron before a layer has of ``values``, one of each presynaptic neuron behind the stages, else 0."""
    where = arrivals(layer) if layer.stages else np.arange(layer.n_in)
    return np.where(where >= 0, values[where], 0)


def repeats(spikes):
    """Spikes that share sample, tick or time, and address with the one before, of every address, int64[N]."""
    same = (np.diff(spikes.address) == 0) & (np.diff(spikes.when) == 0)
    first = spikes.sample_ptr[1:-1]
    same[first[(first > 0) & (first < len(spikes))] - 1] = False
    return np.bincount(spikes.address[1:][same], minlength=spikes.n_neurons)


def zero_weights(layer) -> int:
    """Weights of a layer that are zero, of those that training changes."""
    return sum(int(np.count_nonzero(part.weight == 0)) for part in layer.projections)
