"""The spikes of a convolution's input as lists of its patches."""

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.runs import empty_runs, sample_parts
from eventsim.kernels.layout import TILE
from eventsim.kernels.memory import aligned_empty

# Spikes a run of a patch's list from which summing up their weights first is less work.
_CROWDED = 50


def list_starts(patches, sample_ptr, address):
    """``(list_ptr, pixels)`` of the spikes of a convolution's input, see `Pieces`."""
    ptr, patch, _ = patches.reach
    n_pixels = len(ptr) - 1
    pixels = np.zeros((len(sample_ptr) - 1, n_pixels), np.int64)
    kernels.call_parts("count_pixels", {
        "n_pixels": n_pixels, "sample_ptr": sample_ptr, "address": address, "count": pixels,
    }, sample_parts(sample_ptr))
    at = np.repeat(np.arange(n_pixels), np.diff(ptr))
    count = np.array([np.bincount(patch, own[at], minlength=patches.n_patches) for own in pixels], np.int64)
    return starts(count.reshape(-1, patches.n_patches).T.copy()), pixels.sum(axis=0)


class Pieces:
    """What the lists of a convolution's patches are made of.

    patches : `Patches`; spikes : `Spikes` of the layer's input on the grid; given : their runs

    Attributes
    ----------
    pixels : int64[pixels], spikes of every pixel, whatever the channel
    list_ptr : int64[n_patches * B + 1], where the list of a patch and sample, ``patch * B + sample``, begins
    runs : `Runs` of the lists, to be filled in
    """

    def __init__(self, patches, spikes, given):
        self._patches, self._parts = patches, sample_parts(spikes.sample_ptr)
        self.list_ptr, self.pixels = list_starts(patches, spikes.sample_ptr, spikes.address)
        n_pixels, n_patches = len(self.pixels), patches.n_patches
        self.runs = empty_runs(self.list_ptr, spikes.n_ticks)
        first = given.run_start[given.run_base]
        most = int((given.run_start[given.run_base + given.run_count] - first).max(initial=0))
        self._shared = {
            "n_samples": spikes.n_samples, "in_base": given.run_base, "in_count": given.run_count,
            "in_tick": given.run_tick, "in_start": given.run_start, "address": spikes.address,
            "run_base": self.runs.run_base, "run_count": self.runs.run_count, "run_tick": self.runs.run_tick,
            "next_run": (n_patches,), "last_tick": (n_patches,), "count": (n_pixels,), "end": (n_pixels,),
            **dict.fromkeys(("pixel", "channel", "seen", "own"), (most,)),
        }

    def cut(self):
        """Rows int32[K] of the lists, whose runs are filled in."""
        ptr, patch, first_row = self._patches.reach
        row = np.empty(self.list_ptr[-1], np.int32)
        kernels.call_parts("cut_patches", {
            **self._shared, "rows_a_channel": self._patches.rows_in * self._patches.columns_in, "reach_ptr": ptr,
            "reach_patch": patch, "reach_row": first_row, "list_ptr": self.list_ptr,
            "next_spike": (self._patches.n_patches,), "row": row, "run_start": self.runs.run_start,
        }, self._parts)
        return row

    @property
    def are_worth_summing(self) -> bool:
        """Whether `summed` can be called, and is less work than `cut` and adding up the rows."""
        return self._patches.sums_by_sixteen and self.list_ptr[-1] > _CROWDED * len(self.runs.run_tick)

    def summed(self, weight):
        """float32[1, runs, 64], what a patch gains in every run, of the weights float32[channels, n] of each channel.

        The runs are filled in, with a row each; the sums are the bits that the rows of `cut` give.
        """
        ptr, patch, to, since = self._patches.parts
        total = aligned_empty((1, len(self.runs.run_tick), TILE), np.float32)
        kernels.call_parts("sum_patches", {
            **self._shared, "n_weights": weight.shape[1], "part_ptr": ptr, "part_patch": patch, "part_to": to,
            "part_from": since, "weight": weight.reshape(-1), "total": total.reshape(-1),
        }, self._parts)
        self.runs.run_start[:] = np.arange(len(self.runs.run_start))
        return total
