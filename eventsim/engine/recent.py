"""What the class of a stream is chosen by: spikes of the last while, counted, or read as they reach the last layer."""

from typing import NamedTuple

import numpy as np

from eventsim.engine.readout import read_times
from eventsim.spikes import Spikes


class StreamSpikes(NamedTuple):
    """Spikes sorted by (time, address): float64[K], ms from the stream's zero, and int32[K]."""

    time: np.ndarray
    address: np.ndarray


NO_SPIKES = StreamSpikes(np.empty(0), np.empty(0, np.int32))


class Scores(NamedTuple):
    """At ``time`` ms: spikes of every output neuron before it, int64[N], and the neuron that has most of them."""

    time: float
    counts: np.ndarray
    chosen: int

    @property
    def is_empty(self) -> bool:
        """Whether there were no spikes."""
        return not self.counts.any()


class Potentials(NamedTuple):
    """At ``time`` ms: what was read of every output potential before it, float64[N], and the neuron that has the most.

    kind : what was read, of `eventsim.model.neurons.li.READOUTS`
    """

    time: float
    potentials: np.ndarray
    chosen: int
    kind: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing moved any potential."""
        return not self.potentials.any()


class _Window:
    """Spikes of the last while, for windows of ``span`` ms."""

    def __init__(self, span):
        self.span, self._kept = span, NO_SPIKES

    def add(self, spikes: StreamSpikes):
        """Take the spikes that follow those before."""
        if len(spikes.time):
            self._kept = StreamSpikes(*map(np.concatenate, zip(self._kept, spikes, strict=True)))

    def first(self, at) -> float | None:
        """Time of the first spike at ``at`` ms or later, if there is one."""
        i = np.searchsorted(self._kept.time, at)
        return float(self._kept.time[i]) if i < len(self._kept.time) else None

    def forget(self, at):
        """Drop the spikes that no window that ends at ``at`` ms or later can hold."""
        first = np.searchsorted(self._kept.time, at - self.span)
        if first:
            self._kept = StreamSpikes(*(column[first:] for column in self._kept))

    def _inside(self, at):
        """The spikes in [at - span, at)."""
        first, last = np.searchsorted(self._kept.time, (at - self.span, at))
        return StreamSpikes(*(column[first:last] for column in self._kept))


class Recent(_Window):
    """Output spikes of the last while, to be counted."""

    def __init__(self, span, n_neurons):
        super().__init__(span)
        self.n_neurons = n_neurons

    def scores(self, at) -> Scores:
        """The `Scores` over [at - span, at), ``at`` in ms."""
        counts = np.bincount(self._inside(at).address, minlength=self.n_neurons)
        return Scores(float(at), counts, int(np.argmax(counts)))


class RecentInput(_Window):
    """Spikes of the last while that reach a layer of `LI` neurons, to be read.

    A window is a sample: potentials are at rest when it begins, so that they are what the layer reads of a recording of
    that length.
    """

    def __init__(self, span, layer, neuron, dt):
        super().__init__(span)
        self._layer, self._neuron, self._dt = layer, neuron, dt

    def scores(self, at) -> Potentials:
        """The `Potentials` over [at - span, at), ``at`` in ms."""
        time, address = self._inside(at)
        time = np.maximum(time - (at - self.span), 0.0)
        given = Spikes([0, len(time)], address, time=time, n_neurons=self._layer.before.size, n_ticks=1, dt=self.span,
                       check=False)
        score = read_times(self._layer, self._neuron, given, self._dt).readout.score[0]
        return Potentials(float(at), score, int(np.argmax(score)), self._neuron.readout)


def window_of(network, span):
    """What the scores of a network over the last ``span`` ms are made from."""
    if network.readout is None:
        return Recent(span, network.arch.n_outputs)
    return RecentInput(span, network.layers[-1], network.readout, network.dt)
