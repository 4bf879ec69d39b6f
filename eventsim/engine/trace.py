"""What a run leaves behind: spikes and counters of every layer, and what training needs of them."""

import time
from dataclasses import dataclass

import numpy as np

from eventsim.engine.active import ActiveSet
from eventsim.engine.feed import Feed
from eventsim.engine.runs import Runs
from eventsim.engine.wiring import Wiring
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes


@dataclass(frozen=True)
class Readout:
    """What was read of the potentials of neurons that never spike.

    kind : of `eventsim.model.neurons.li.READOUTS`
    score : float64[B, N]; time : ms, float64[B, N], of the largest potential when it was first reached, else None
    """

    kind: str
    score: np.ndarray
    time: np.ndarray | None = None


@dataclass
class LayerTrace:
    """One layer of a run: its output spikes and what they took.

    synops counts the synapses that the input spikes crossed, and in a recurrent layer its own; dense_macs what a dense
    simulation of the same layer multiplies; seconds the time spent. singly is, on the exact clock, the share of neurons
    that a window of the sweep had to run one event at a time, of all neurons in all windows. touched is, on the grid,
    the share of ticks in which input arrives, at a convolution's patches in each of them. rows counts the rows of 64
    weights that a sweep of tiles added up; runs are those of the output spikes, on the grid and the CPU. feed is what
    reached the synapses; of a run that `backward` is to follow, wiring is how, and active the active set. readout is
    that of neurons that never spike.
    """

    name: str
    spikes: Spikes
    synops: int
    dense_macs: int
    seconds: float
    active: ActiveSet | None = None
    singly: float | None = None
    touched: float | None = None
    rows: int | None = None
    runs: Runs | None = None
    feed: Feed | None = None
    wiring: Wiring | None = None
    readout: Readout | None = None

    @classmethod
    def of(cls, name, layer, given: Spikes, spikes: Spikes, started, synops=None, **rest) -> "LayerTrace":
        """What a layer did with the spikes ``given`` to it since ``started``, a `time.perf_counter`."""
        return cls(
            name=name, spikes=spikes, synops=layer.synops(given.address, spikes.address) if synops is None else synops,
            dense_macs=layer.n_synapses * given.n_ticks * given.n_samples, seconds=time.perf_counter() - started,
            **rest,
        )


def check_trace(network, trace):
    """Raise `ConfigError` unless ``trace`` is the `Trace` of a run of a network like this one."""
    if not isinstance(trace, Trace):
        raise ConfigError(f"trace must be a Trace, got {type(trace).__name__}; Network.simulate gives one")
    wanted = [network.arch.n_inputs, *(layer.n_out for layer in network.layers)]
    found = [trace.input.n_neurons, *(done.spikes.n_neurons for done in trace.layers)]
    if found != wanted or trace.input.dt != network.dt:
        raise ConfigError("the trace is of another network than the one given; simulate with the one or give the other")


@dataclass
class Trace:
    """A run of a network over a batch: `input` spikes, `layers`, and what input binning merged or left out.

    runs are those of the input, on the grid.
    """

    input: Spikes
    layers: list[LayerTrace]
    binning: object = None
    runs: Runs | None = None

    def _repr_html_(self):
        from eventsim.report.notebook import trace  # the report imports this module, so it is looked up late

        return trace.show(self)

    @property
    def output(self) -> Spikes:
        """Spikes of the last layer; none where its potentials are read."""
        return self.layers[-1].spikes

    @property
    def readout(self) -> Readout | None:
        """What was read of the last layer's potentials; None where its spikes are counted."""
        return self.layers[-1].readout

    @property
    def scores(self):
        """What the class is chosen by, [B, N]: what was read, float64, or the output spikes of each neuron, int64."""
        return self.output.counts() if self.readout is None else self.readout.score

    @property
    def synops(self) -> int:
        """SynOps of all layers."""
        return sum(layer.synops for layer in self.layers)

    @property
    def dense_macs(self) -> int:
        """Multiply-accumulates of a dense simulation of the same run."""
        return sum(layer.dense_macs for layer in self.layers)

    def predict(self):
        """Class of every sample, int64[B]: the output neuron with most spikes, or the highest potential.

        Ties go to the lowest index.
        """
        return np.argmax(self.scores, axis=1)
