"""What a run leaves behind: spikes and counters of every layer, and the active sets that training needs."""

import time
from dataclasses import dataclass

import numpy as np

from eventsim.kernels.layout import CHUNK, TILE, n_chunks, n_tiles
from eventsim.spikes import Spikes


@dataclass(frozen=True)
class ActiveSet:
    """The pairs (neuron, tick) of a layer at which the surrogate counts.

    They stand by *block*, which is a chunk of 64 ticks of one sample in one tile of 64 neurons; blocks are numbered
    ``(tile * B + sample) * n_chunks + chunk``. A block has an entry for each of its neurons with active ticks:

    n_samples, n_neurons, n_ticks : of the layer's spikes
    entry_start, pair_start : int64[blocks + 1], first entry and first pair of every block
    entry_lane : uint8[entries], the neuron's number in its tile, ascending in a block
    entry_ticks : uint64[entries], bit k is tick ``chunk * 64 + k``
    rho : float32[pairs], the surrogate, by entry and tick

    With full support every tick of every neuron is active, in the same order; entries and rho are empty then, and the
    backward pass recomputes rho.
    """

    n_samples: int
    n_neurons: int
    n_ticks: int
    entry_start: np.ndarray
    pair_start: np.ndarray
    entry_lane: np.ndarray
    entry_ticks: np.ndarray
    rho: np.ndarray
    full: bool = False

    @property
    def n_pairs(self) -> int:
        """Number of active pairs."""
        return int(self.pair_start[-1])

    @classmethod
    def everything(cls, n_samples: int, n_neurons: int, n_ticks: int) -> "ActiveSet":
        """The active set of a layer with full support."""
        lanes = np.minimum(TILE, n_neurons - TILE * np.arange(n_tiles(n_neurons)))
        ticks = np.minimum(CHUNK, n_ticks - CHUNK * np.arange(n_chunks(n_ticks)))
        sizes = np.multiply.outer(np.repeat(lanes, n_samples), ticks)
        return cls(
            n_samples, n_neurons, n_ticks, np.zeros(sizes.size + 1, np.int64), starts(sizes), np.empty(0, np.uint8),
            np.empty(0, np.uint64), np.empty(0, np.float32), full=True,
        )

    @classmethod
    def nothing(cls, n_samples: int, n_neurons: int, n_ticks: int) -> "ActiveSet":
        """The active set of a layer in which nothing happens."""
        start = np.zeros(n_tiles(n_neurons) * n_samples * n_chunks(n_ticks) + 1, np.int64)
        return cls(
            n_samples, n_neurons, n_ticks, start, start, np.empty(0, np.uint8), np.empty(0, np.uint64),
            np.empty(0, np.float32),
        )

    def coordinates(self, sample: int):
        """Arrays (pair, address, tick) of one sample: where each of its pairs stands, and which it is."""
        parts = [np.empty((3, 0), np.int64)]
        chunks = n_chunks(self.n_ticks)
        for tile in range(n_tiles(self.n_neurons)):
            first = (tile * self.n_samples + sample) * chunks
            for chunk, block in enumerate(range(first, first + chunks)):
                lane, tick = self._block(block, tile, chunk)
                pair = np.arange(self.pair_start[block], self.pair_start[block + 1])
                parts.append(np.array((pair, TILE * tile + lane, CHUNK * chunk + tick)))
        return tuple(np.concatenate(parts, axis=1))

    def _block(self, block, tile, chunk):
        """Lane and tick, counted from the chunk's first, of every pair of a block."""
        if self.full:
            shape = min(TILE, self.n_neurons - TILE * tile), min(CHUNK, self.n_ticks - CHUNK * chunk)
            lane, tick = np.indices(shape)
            return lane.ravel(), tick.ravel()
        span = slice(self.entry_start[block], self.entry_start[block + 1])
        words = np.ascontiguousarray(self.entry_ticks[span], "<u8").view(np.uint8)
        entry, tick = np.nonzero(np.unpackbits(words, bitorder="little").reshape(-1, CHUNK))
        return self.entry_lane[span][entry].astype(np.int64), tick

    def pairs(self, sample: int):
        """Arrays (address, tick, rho) of one sample, by address and tick; not for a full set."""
        pair, address, tick = self.coordinates(sample)
        order = np.lexsort((tick, address))
        return address[order], tick[order], self.rho[pair][order]


def starts(sizes):
    """Where each of some lists of these sizes starts when they stand one behind the other, and where the last ends."""
    out = np.zeros(sizes.size + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out


@dataclass
class LayerTrace:
    """One layer of a run: its output spikes and what they took.

    synops counts the synapses that the input spikes crossed, and in a recurrent layer its own; dense_macs what a dense
    simulation of the same layer multiplies; seconds the time spent. singly is, on the exact clock, the share of neurons
    that a window of the sweep had to run one event at a time, of all neurons in all windows.
    """

    name: str
    spikes: Spikes
    synops: int
    dense_macs: int
    seconds: float
    active: ActiveSet | None = None
    singly: float | None = None

    @classmethod
    def of(cls, name, layer, given: Spikes, spikes: Spikes, started, active=None, singly=None) -> "LayerTrace":
        """What a layer did with the spikes ``given`` to it since ``started``, a `time.perf_counter`."""
        return cls(
            name=name, spikes=spikes, synops=layer.synops(given, spikes),
            dense_macs=layer.n_synapses * given.n_ticks * given.n_samples, seconds=time.perf_counter() - started,
            active=active, singly=singly,
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
