"""A network as the event queue takes it: projections, and what a spike of every presynaptic neuron reaches."""

import weakref

import numpy as np

from eventsim.engine.active import starts
from eventsim.engine.exact_wiring import inference_tiles
from eventsim.engine.feed import arrivals, lane_addresses
from eventsim.errors import ConfigError
from eventsim.kernels.layout import EDGES, EXACT_CONSTANTS, TILE
from eventsim.model.layers import Recurrent, Sparse

# What stands one behind the other for all projections.
_LISTS = {
    "axon_of": np.int64, "fan_size": np.int64, "fan_tile": np.int32, "fan_row": np.int64, "delay": np.float64,
    "target": np.int32, "target_delay": np.float64,
}
# Of each layer that had to be sorted: its delays, and what `_by_delay` makes of them.
_sorted = weakref.WeakKeyDictionary()


def _by_delay(layer):
    """The targets of every row by their delay, int32[n_in, n_out], and those delays."""
    kept = _sorted.get(layer)
    if kept is None or kept[0] is not layer.delay:  # they are frozen: others are another array
        order = np.argsort(layer.delay, axis=1, kind="stable")
        kept = layer.delay, order.astype(np.int32), np.take_along_axis(layer.delay, order, axis=1)
        _sorted[layer] = kept
    return kept[1:]


def _fans(synapses, n_tiles):
    """(size, tile, row): how many tiles every presynaptic neuron reaches, and which, each with its row of weights.

    Rows are counted through all tiles that have some of their own.
    """
    if synapses.kind in ("dense", "recurrent"):
        tile = np.tile(np.arange(n_tiles), synapses.n_in)
        row = np.add.outer(np.arange(synapses.n_in), np.arange(n_tiles) * synapses.n_in)
        return np.full(synapses.n_in, n_tiles), tile, row.ravel()
    patches = synapses.patches
    reach_ptr, reach_patch, reach_row = patches.reach
    channel, channel_tile = (np.arange(n) for n in (synapses.given.channels, patches.channel_tiles))
    tile = np.add.outer(reach_patch, channel_tile * patches.n_patches)
    row = np.add.outer(reach_row, channel_tile * patches.n_rows)
    rows = np.add.outer(channel * patches.rows_in * patches.columns_in, row.ravel())
    sizes = np.diff(reach_ptr) * patches.channel_tiles
    return np.tile(sizes, len(channel)), np.tile(tile.ravel(), len(channel)), rows.ravel()


class QueueWiring:
    """The arguments of the kernel that a network's weights, delays and neurons are.

    first_tile : int64[layers + 1], the first of every layer's tiles
    neuron, theta : of all tiles, as in `Tiles`
    constants : float64[tiles, 11], those of a tile's neurons on the exact clock, padded with zeros
    """

    def __init__(self, network):
        for layer in network.layers:
            if isinstance(layer, Sparse):
                raise ConfigError(f"the event queue does not run sparse layers, and {layer} is one; use the grid clock")
        neurons = network.neurons
        tiles = [inference_tiles(*of_layer, network.dt) for of_layer in zip(network.layers, neurons, strict=True)]
        self.first_tile = starts(np.array([len(layer.theta) for layer in tiles]))
        self.neuron, self.theta = (np.concatenate([getattr(layer, name) for layer in tiles])
                                   for name in ("neuron", "theta"))
        self.constants = np.zeros((len(self.theta), EXACT_CONSTANTS))
        for first, last, neuron in zip(self.first_tile[:-1], self.first_tile[1:], neurons, strict=True):
            constants = neuron.exact_constants(network.dt)
            self.constants[first:last, : len(constants)] = constants
        self._lists = {name: [np.empty(0, dtype)] for name, dtype in _LISTS.items()}
        self._weight, self._table = [], []
        sends = [0]
        for k, layer in enumerate(network.layers):
            source = arrivals(layer) if k == 0 else lane_addresses(layer, network.layers[k - 1].lane_neuron)
            self._project(layer, k, tiles[k].weight, source)
            sends.append(len(self._table))
            if isinstance(layer, Recurrent):
                self._project(layer.recurrent, k, layer.recurrent.rows(), layer.lane_neuron)
        sends.append(len(self._table))
        lists = {name: np.concatenate(parts) for name, parts in self._lists.items()}
        self.arguments = {
            "first_tile": self.first_tile, "sends": np.array(sends), "projection": np.array(self._table),
            "weight": np.concatenate(self._weight), "fan_first": starts(lists.pop("fan_size")), **lists,
            "theta": self.theta, "constants": self.constants, "edges": (EDGES,),
            "reach": (TILE,),
        }

    def _project(self, synapses, k, weight, source):
        """Add the projection of a layer's synapses to layer ``k``, from lanes whose spikes arrive at ``source``."""
        first_axon, first_source, first_synapse = map(self._length, ("delay", "axon_of", "target"))
        first_tile, first_row = self.first_tile[k], sum(map(len, self._weight))
        delay, each = synapses.delay, -1
        if delay is not None and delay.ndim == 2:
            target, target_delay = _by_delay(synapses)
            self._add(target=target.ravel(), target_delay=target_delay.ravel(), fan_size=np.zeros(synapses.n_in, int))
            delay, each = target_delay[:, 0], first_synapse
        else:
            size, tile, row = _fans(synapses, len(weight))
            self._add(fan_size=size, fan_tile=tile + first_tile, fan_row=row + first_row)
        self._add(
            axon_of=np.where(source < 0, -1, source.astype(np.int64) + first_axon).ravel(),
            delay=np.broadcast_to(0.0 if delay is None else delay, synapses.n_in),
        )
        self._weight.append(weight.reshape(-1, TILE))
        self._table.append(
            [first_tile, synapses.n_out, first_row, synapses.n_in, first_axon, first_source, each]
        )

    def _add(self, **lists):
        for name, values in lists.items():
            self._lists[name].append(values.astype(_LISTS[name]))

    def _length(self, name):
        return sum(map(len, self._lists[name]))
