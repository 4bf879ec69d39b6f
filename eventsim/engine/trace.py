"""What a run leaves behind: spikes and counters of every layer, and the active sets that training needs."""

import time
from dataclasses import dataclass

import numpy as np

from eventsim.kernels.layout import TILE, n_tiles
from eventsim.spikes import Spikes


@dataclass(frozen=True)
class ActiveSet:
    """The (neuron, tick) pairs of a layer at which the surrogate counts, by *item* = tile * B + sample.

    n_samples : B; start : int64[items], first entry of an item; count : int32[items, 64], entries of each neuron of its
    tile, one neuron behind the other; tick : int32[P]; rho : float32[P], the surrogate. With full support every tick of
    every neuron is active, in order, and tick and rho are empty: the backward pass recomputes rho.
    """

    n_samples: int
    start: np.ndarray
    count: np.ndarray
    tick: np.ndarray
    rho: np.ndarray
    full: bool = False

    @property
    def n_pairs(self) -> int:
        """Number of active pairs."""
        return int(self.count.sum(dtype=np.int64))

    @classmethod
    def everything(cls, n_samples: int, n_neurons: int, n_ticks: int) -> "ActiveSet":
        """The active set of a layer with full support."""
        tiles = n_tiles(n_neurons)
        lanes = np.minimum(TILE, n_neurons - TILE * np.arange(tiles))
        count = np.where(np.arange(TILE) < np.repeat(lanes, n_samples)[:, None], n_ticks, 0).astype(np.int32)
        sizes = count.sum(axis=1, dtype=np.int64)
        start = np.cumsum(sizes) - sizes
        return cls(n_samples, start, count, np.empty(0, np.int32), np.empty(0, np.float32), full=True)

    def pairs(self, sample: int):
        """Arrays (address, tick, rho) of one sample, by address and tick; not for a full set."""
        parts = []
        for tile in range(len(self.start) // self.n_samples):
            item = tile * self.n_samples + sample
            counts = self.count[item]
            span = slice(self.start[item], self.start[item] + counts.sum())
            parts.append((np.repeat(tile * TILE + np.arange(TILE), counts), self.tick[span], self.rho[span]))
        return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


@dataclass
class LayerTrace:
    """One layer of a run: its output spikes and what they took.

    synops counts the synapses that the input spikes crossed; dense_macs what a dense simulation of the same layer
    multiplies; seconds the time spent.
    """

    name: str
    spikes: Spikes
    synops: int
    dense_macs: int
    seconds: float
    active: ActiveSet | None = None

    @classmethod
    def of(cls, name, layer, given: Spikes, spikes: Spikes, started, active=None) -> "LayerTrace":
        """What a layer did with the spikes ``given`` to it since ``started``, a `time.perf_counter`."""
        return cls(
            name=name, spikes=spikes, synops=len(given) * layer.n_out,
            dense_macs=layer.n_weights * given.n_ticks * given.n_samples, seconds=time.perf_counter() - started,
            active=active,
        )


@dataclass
class Trace:
    """A run of a network over a batch: `input` spikes, `layers`, and what input binning merged or left out."""

    input: Spikes
    layers: list[LayerTrace]
    binning: object = None

    @property
    def output(self) -> Spikes:
        """Spikes of the last layer."""
        return self.layers[-1].spikes

    @property
    def synops(self) -> int:
        """SynOps of all layers."""
        return sum(layer.synops for layer in self.layers)

    @property
    def dense_macs(self) -> int:
        """Multiply-accumulates of a dense simulation of the same run."""
        return sum(layer.dense_macs for layer in self.layers)

    def predict(self):
        """Class of every sample, int64[B]: the output neuron with most spikes; ties go to the lowest index."""
        return np.argmax(self.output.counts(), axis=1)
