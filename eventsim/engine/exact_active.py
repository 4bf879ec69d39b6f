"""A layer in continuous time that keeps its active set for the backward pass."""

import weakref

import numpy as np

from eventsim.engine.active import ActiveSet, starts, support_window
from eventsim.engine.growing import Buffers, run_to_end
from eventsim.kernels.layout import CHUNK, EXACT_ROWS, TILE, n_chunks

# The lists that a part writes, see `Buffers`.
_LISTS = {
    "spike_time": (np.float64, 1), "spike_address": (np.int32, 1), "entry_lane": (np.uint8, 2),
    "entry_ticks": (np.uint64, 2), "rho": (np.float32, 3),
}
_FIRST_ROOM = 4096
# What the last run of a layer needed of each, an item. Only the first guess at the size of a buffer depends on it.
_room = weakref.WeakKeyDictionary()


class ActivePart(Buffers):
    """A run of items with its output buffers, which grow until everything fits."""

    taken, singly = 4, 5  # entries of progress

    def __init__(self, first, last, n_ticks, room):
        self.span = {"item_first": first, "item_last": last}
        n_items, blocks = last - first, (last - first) * n_chunks(n_ticks)
        entries = TILE * n_chunks(n_ticks)
        least = {"spike_time": _FIRST_ROOM, "spike_address": _FIRST_ROOM, "entry_lane": entries,
                 "entry_ticks": entries, "rho": TILE * n_ticks}
        sizes = {name: one + n_items * room.get(name, one / 8) for name, one in least.items()}
        super().__init__(_LISTS, sizes, [first, 0, 0, 0, 0, 0])
        self.item_spikes = np.zeros(n_items, np.int64)
        self.blocks = {name: np.zeros(blocks, np.int32) for name in ("block_entries", "block_pairs")}

    def arguments(self):
        return {**self.span, "progress": self.progress, "item_spikes": self.item_spikes, **self.blocks, **self.lists}


def sweep_active(run, layer, neuron, spikes, support, bounds):
    """Run the items of a layer as the `Sweep` says; returns the parts, and the `ActiveSet` for ``support``."""
    room = _room.get(layer, {})
    parts = [ActivePart(first, last, spikes.n_ticks, room) for first, last in bounds]
    low, high = support_window(neuron, support)
    shared = {
        **run.shared, "n_ticks": spikes.n_ticks, "dt": spikes.dt, "u_low": low, "u_high": high,
        "rho_width": neuron.rho_width, "rho_peak": neuron.rho_peak, "state": (EXACT_ROWS, TILE),
        "chunk_u": (CHUNK, TILE), "chunk_lanes": (CHUNK,),
    }
    if neuron.family == "srm":
        shared |= {"response": (2, TILE), "before": (2, TILE)}
    n_items = bounds[-1][1]
    if n_items and spikes.n_ticks:  # without a tick there is no chunk to close
        run_to_end(f"{run.kernel}_active", shared, parts)
        _room[layer] = {name: 1.25 * sum(len(part.used(name)) for part in parts) / n_items for name in _LISTS}
    lists = {name: np.concatenate([part.used(name) for part in parts]) for name in ("entry_lane", "entry_ticks", "rho")}
    blocks = {name: np.concatenate([part.blocks[name] for part in parts]) for name in ("block_entries", "block_pairs")}
    active = ActiveSet(
        spikes.n_samples, spikes.n_ticks, layer.lane_neuron, starts(blocks["block_entries"]),
        starts(blocks["block_pairs"]), **lists,
    )
    return parts, active
