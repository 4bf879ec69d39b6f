"""Blocks of samples that the backward pass on a device takes one after the other.

Of a block all neurons have a number in every tick, `g`; of the whole batch they never do.
"""

from dataclasses import dataclass

import numpy as np

from eventsim.engine.adjoint import GROUPS, block_samples
from eventsim.engine.runs import even_parts
from eventsim.kernels.layout import TILE, n_chunks


def groups_of(n):
    """Bounds of the groups of ``n`` tiles or samples that the CPU sums up by themselves."""
    return even_parts(np.ones(n), min(GROUPS, n))


@dataclass(frozen=True)
class Walk:
    """The course of a layer's backward pass.

    sums : int64[n + 1], where the blocks of samples begin that the CPU sums up by themselves, and the last one ends
    held : int64[m + 1], likewise those whose g is held at the same time
    """

    sums: np.ndarray
    held: np.ndarray

    @classmethod
    def of(cls, layer, active, arrays) -> "Walk":
        """The walk through a layer with this active set and so many ``arrays`` of numbers for every neuron and tick.

        What is held fits the device's cache, or gives all of the device's multiprocessors something to do if that takes
        more. Of a dense layer it is a whole number of the CPU's blocks; those of a convolution may be cut.
        """
        device, n_samples, tiles = layer.device, active.n_samples, len(active.lane_neuron)
        size = 4 * arrays * tiles * max(active.n_ticks, 1) * TILE
        most = max(1, device.l2_bytes // size, device.tiles_at_once // tiles)
        unit = block_samples(active) if layer.patches is None else 1
        units = -(-n_samples // unit)
        blocks = max(1, -(-units // max(1, most // unit)))
        held = np.minimum(-(-units // blocks) * unit * np.arange(blocks + 1), n_samples)
        if layer.patches is None:
            sums = np.arange(0, n_samples, unit)
        else:
            sums = np.array([first for first, _ in groups_of(n_samples)])
        return cls(np.append(sums, n_samples), np.unique(held) if n_samples else held)

    @property
    def spans(self):
        """First and last sample of what is held at the same time, one after the other."""
        return list(zip(self.held[:-1].tolist(), self.held[1:].tolist(), strict=True))

    @property
    def most(self) -> int:
        """Samples that are held at most."""
        return int(np.diff(self.held).max(initial=0))

    @property
    def _ends(self):
        """Where lists by address begin: whatever is summed up by itself, or held at another time."""
        return np.union1d(self.sums, self.held)

    @property
    def pieces(self) -> int:
        """Number of lists by address."""
        return len(self._ends) - 1

    def piece_of(self, sample):
        """The piece of samples, int64[n]."""
        return np.searchsorted(self._ends, sample, side="right") - 1

    def place_in(self, sample, part, parts):
        """Where part of a sample stands among what is held with it, of so many parts of all samples, int64[n]."""
        block = np.searchsorted(self.held, sample, side="right") - 1
        first = self.held[block]
        return part * (self.held[block + 1] - first) + sample - first

    def pieces_in(self, first, last):
        """First of the lists by address of the samples first..last-1, which are held, and the one after the last."""
        return np.searchsorted(self._ends, (first, last)).tolist()

    def sum_of(self, sample) -> int:
        """Which of what is summed up by itself a sample is in."""
        return int(np.searchsorted(self.sums, sample, side="right")) - 1


def entry_ranges(walk, below):
    """Where the entries of a `DeviceActiveSet` stand, span by span: (n_entries, range_start, range_first)."""
    device, tiles, chunks = below.device, len(below.lane_neuron), n_chunks(below.n_ticks)
    if len(walk.spans) == 1:
        n = TILE * below.n_blocks if below.full else len(below.entry_lane)
        return [(n, device.put(np.array([0, n])), device.put(np.zeros(1, np.int64)))]
    block = (np.arange(tiles)[:, None] * below.n_samples + walk.held) * chunks
    ends = TILE * block if below.full else _taken(device, below.entry_start, block)
    out = []
    for first, last in zip(ends.T[:-1], ends.T[1:], strict=True):
        start = np.append(0, np.cumsum(last - first))
        out.append((int(start[-1]), device.put(start), device.put(first)))
    return out


def _taken(device, values, index):
    """int64 of the host, those of int64[n] of a device at some places."""
    taken = device.empty(index.size, np.int64)
    device.launch("take", n=index.size, index=device.put(index.reshape(-1)), values=values, taken=taken)
    return taken.get().reshape(index.shape)
