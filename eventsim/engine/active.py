"""The active sets of layers, which the backward pass is confined to."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from eventsim.kernels.layout import ALL, CHUNK, PAIRS, TILE, n_chunks


def starts(sizes):
    """Where each of some lists of these sizes starts when they stand one behind the other, and where the last ends."""
    out = np.zeros(sizes.size + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out


def support_window(neuron, support):
    """Potentials (low, high) with |u - theta| <= support * theta is low <= u < high, in float32."""
    low = np.float32(neuron.theta * (1.0 - support))
    return low, np.nextafter(np.float32(neuron.theta * (1.0 + support)), np.float32(np.inf))


@functools.cache
def _ones_in_sixteen():
    """uint8[65536], the bits that are set in every word of 16."""
    return np.unpackbits(np.arange(1 << 16, dtype=np.uint16).view(np.uint8)).reshape(-1, 16).sum(axis=1, dtype=np.uint8)


def _set_bits(words):
    """Bits that are set in every uint64[n], int64[n]."""
    return _ones_in_sixteen()[words.view(np.uint16)].reshape(-1, 4).sum(axis=1, dtype=np.int64)


@dataclass(frozen=True)
class ActiveSet:
    """The pairs (neuron, tick) of a layer at which the surrogate counts.

    They stand by *block*, which is a chunk of 64 ticks of one sample in one tile of 64 neurons; blocks are numbered
    ``(tile * B + sample) * n_chunks + chunk``. A block has an entry for each of its neurons with active ticks:

    n_samples, n_ticks : of the layer's spikes
    lane_neuron : int32[tiles, 64], the address of every lane of the layer's tiles, -1 for none
    entry_start, pair_start : int64[blocks + 1], first entry and first pair of every block
    entry_lane : uint8[entries], the neuron's number in its tile, ascending in a block
    entry_ticks : uint64[entries], bit k is tick ``chunk * 64 + k``
    rho : float32[pairs], the surrogate, by entry and tick

    With full support every tick of every neuron is active, in the same order; entries and rho are empty then, and the
    backward pass recomputes rho.
    """

    n_samples: int
    n_ticks: int
    lane_neuron: np.ndarray
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

    @property
    def kind(self) -> int:
        """What the kernels call it."""
        return ALL if self.full else PAIRS

    @functools.cached_property
    def lanes(self):
        """Lanes of every tile up to its last neuron, int64[tiles]; with full support those have pairs."""
        return TILE - np.argmax(self.lane_neuron[:, ::-1] >= 0, axis=1)

    @classmethod
    def everything(cls, n_samples: int, n_ticks: int, lane_neuron) -> "ActiveSet":
        """The active set of a layer with full support."""
        none = cls.nothing(n_samples, n_ticks, lane_neuron)
        ticks = np.minimum(CHUNK, n_ticks - CHUNK * np.arange(n_chunks(n_ticks)))
        sizes = np.multiply.outer(np.repeat(none.lanes, n_samples), ticks)
        return replace(none, entry_start=np.zeros(sizes.size + 1, np.int64), pair_start=starts(sizes), full=True)

    @classmethod
    def nothing(cls, n_samples: int, n_ticks: int, lane_neuron) -> "ActiveSet":
        """The active set of a layer in which nothing happens."""
        start = np.zeros(len(lane_neuron) * n_samples * n_chunks(n_ticks) + 1, np.int64)
        return cls(n_samples, n_ticks, lane_neuron, start, start, np.empty(0, np.uint8), np.empty(0, np.uint64),
                   np.empty(0, np.float32))

    @classmethod
    def of_words(cls, words, n_ticks: int, lane_neuron, rho: float) -> "ActiveSet":
        """The active set of bits by tick, uint64[tiles, B, chunks, 64], with one ``rho`` at all pairs."""
        n_samples, words = words.shape[1], words.reshape(-1, TILE)
        block, lane = np.nonzero(words)
        ticks = words[block, lane]
        bits = _set_bits(ticks)
        sizes = [np.bincount(block, weight, len(words)).astype(np.int64) for weight in (None, bits)]
        return cls(n_samples, n_ticks, lane_neuron, *map(starts, sizes), lane.astype(np.uint8), ticks,
                   np.full(bits.sum(), rho, np.float32))

    def until(self, n_ticks):
        """The same pairs among ``n_ticks``, which are not fewer; not of a full set."""
        chunks, n_lists = n_chunks(self.n_ticks), len(self.lane_neuron) * self.n_samples

        def longer(start):
            ends = start[chunks::chunks] if chunks else np.zeros(n_lists, np.int64)
            more = np.repeat(ends[:, None], n_chunks(n_ticks) - chunks, axis=1)
            return np.append(np.hstack((start[:-1].reshape(n_lists, chunks), more)), start[-1])

        return replace(self, n_ticks=n_ticks, entry_start=longer(self.entry_start), pair_start=longer(self.pair_start))

    def by_neuron(self, n_neurons: int):
        """Active pairs of every neuron, over all samples, int64[N]."""
        if self.full:
            return np.full(n_neurons, self.n_samples * self.n_ticks)
        _, address, ticks = self.entries()
        return np.bincount(address, ticks, minlength=n_neurons).astype(np.int64)

    def entries(self):
        """Arrays (sample, address, number of ticks) of every entry, in their order; not for a full set."""
        block = np.repeat(np.arange(len(self.entry_start) - 1), np.diff(self.entry_start))
        tile, sample = np.divmod(block // max(1, n_chunks(self.n_ticks)), max(1, self.n_samples))
        return sample, self.lane_neuron[tile, self.entry_lane], _set_bits(self.entry_ticks)

    def coordinates(self, sample: int):
        """Arrays (pair, address, tick) of one sample: where each of its pairs stands, and which it is.

        Pairs that full support has for lanes of no neuron have the address -1.
        """
        parts = [np.empty((3, 0), np.int64)]
        chunks = n_chunks(self.n_ticks)
        for tile in range(len(self.lane_neuron)):
            first = (tile * self.n_samples + sample) * chunks
            for chunk, block in enumerate(range(first, first + chunks)):
                lane, tick = self._block(block, tile, chunk)
                pair = np.arange(self.pair_start[block], self.pair_start[block + 1])
                parts.append(np.array((pair, self.lane_neuron[tile, lane], CHUNK * chunk + tick)))
        return tuple(np.concatenate(parts, axis=1))

    def _block(self, block, tile, chunk):
        """Lane and tick, counted from the chunk's first, of every pair of a block."""
        if self.full:
            shape = self.lanes[tile], min(CHUNK, self.n_ticks - CHUNK * chunk)
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
