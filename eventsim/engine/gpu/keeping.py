"""Room for the active sets that kernels keep while they run a layer forward."""

import weakref

import numpy as np

from eventsim.engine.active import support_window
from eventsim.engine.gpu.active import DeviceActiveSet, lanes_of
from eventsim.kernels.layout import TILE, n_chunks

# What there is room for at first, as a share of all neurons and ticks.
_FIRST_SHARE = 1 / 8
# How much more room there is than the last run took.
_SPARE = 1.25
# Of every layer the entries and pairs that a tile and sample needed in its last run. Only the room that there is first
# depends on it.
_room = weakref.WeakKeyDictionary()
_KINDS = {"entry_lane": np.uint8, "entry_ticks": np.uint64, "rho": np.float32}


class Keeping:
    """What a forward pass keeps of a layer; `listed` gives the `DeviceActiveSet`.

    like : spikes of as many samples and ticks
    room : (entries, pairs) that there is room for; None: what the layer's last run needed, and somewhat more
    arguments : what kernels take of it, see chunks.cuh
    """

    def __init__(self, layer, neuron, like, support, room=None):
        self._layer, self._like, device = layer, like, layer.device
        self._items = len(layer.lane_neuron) * like.n_samples
        blocks = self._items * n_chunks(like.n_ticks)
        room = room or _first_room(layer, self._items, like.n_ticks)
        low, high = support_window(neuron, support)
        self._lists = _lists(device, *room)
        self.arguments = {
            "is_again": False, "entry_room": room[0], "pair_room": room[1], "u_low": low, "u_high": high,
            "rho_width": neuron.rho_width, "rho_peak": neuron.rho_peak, "used": device.zeros(2, np.uint64),
            **{name: device.empty(blocks, np.int64) for name in ("entry_place", "pair_place")},
            **{name: device.zeros(blocks, np.int64) for name in ("block_entries", "block_pairs")},
            "is_short": device.zeros(self._items, np.uint8), **self._lists,
        }

    def used(self):
        """(entries, pairs) of all that was active, whether there was room for it or not."""
        entries, pairs = self.arguments["used"].get().tolist()
        return entries, pairs

    def listed(self, run) -> DeviceActiveSet:
        """The active set that the kernel kept; ``run(**arguments)`` runs it once more, for what had no room."""
        layer, like, given = self._layer, self._like, self.arguments
        device, chunks = layer.device, n_chunks(like.n_ticks)
        used = self.used()
        if self._items:
            _room[layer] = [_SPARE * n / self._items for n in used]
        start = {f"{name}_start": device.starts(given[f"block_{plural}"])
                 for name, plural in (("entry", "entries"), ("pair", "pairs"))}
        lists = _lists(device, *used)
        if used[0] > given["entry_room"] or used[1] > given["pair_room"]:
            run(**(given | lists | {"is_again": True, "entry_place": start["entry_start"],
                                    "pair_place": start["pair_start"]}))
        lists |= {"entry_block": device.empty(used[0], np.int32), "entry_pair": device.empty(used[0], np.int64)}
        kept = {f"kept_{name.removeprefix('entry_')}": array for name, array in self._lists.items()}
        device.launch(
            "gather_chunks", n_blocks=self._items * chunks, n_chunks=chunks, entry_place=given["entry_place"],
            pair_place=given["pair_place"], is_short=given["is_short"], **kept, **start, **lists,
        )
        return DeviceActiveSet(device, like.n_samples, like.n_ticks, used[1], layer.lane_neuron,
                               lanes_of(device, layer.lane_neuron), **start, **lists)


def _first_room(layer, items, n_ticks):
    """(entries, pairs) that there is room for unless it is known how many there are."""
    most = TILE * n_chunks(n_ticks), TILE * n_ticks
    needed = _room.get(layer) or [_FIRST_SHARE * n for n in most]
    return [int(n + items * one) for n, one in zip(most, needed, strict=True)]


def _lists(device, entries, pairs):
    return {name: device.empty(pairs if name == "rho" else entries, kind) for name, kind in _KINDS.items()}
