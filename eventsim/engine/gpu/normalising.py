"""Gradients behind stages on a device: `eventsim.engine.normalising`, of which the channels' sums come to the host."""

import weakref

import numpy as np

from eventsim.engine.wiring import by_input
from eventsim.kernels.layout import TILE

_tables = weakref.WeakKeyDictionary()  # what `_table` found for a layer; tilings of layers do not change


class _Table:
    """How a layer's weights stand in rows of 64, on its device.

    kinds : kinds of patches, see `Patches.borders`; inside, kind_of : uint8[kinds, rows] and int32[patches]
    index : int32[tiles, rows, 64], the weight of every lane, -1 for none; place_ptr, place : int64[weights + 1] and
        int32, where every weight stands in those, flat. Empty where no patches share the weights
    """

    def __init__(self, layer):
        device, patches = layer.device, layer.patches
        inside, kind_of = np.ones((1, layer.n_in), bool), np.zeros(1, int)
        index, ptr, place = np.empty((0, 0, TILE), np.int32), np.zeros(1, np.int64), np.empty(0, np.int32)
        if patches is not None:
            inside, kind_of = patches.borders
            index = patches.weight_index
            place = np.argsort(index, axis=None, kind="stable")
            ptr = np.searchsorted(index.reshape(-1)[place], np.arange(np.prod(layer.weight_shape) + 1))
        self.kinds, self.patches = len(inside), len(kind_of)
        self.inside, self.kind_of = device.put(inside.view(np.uint8)), device.put(kind_of.astype(np.int32))
        self.index, self.place_ptr = device.put(index), device.put(ptr)
        self.place = device.put(place.astype(np.int32))


def _table(layer):
    if layer not in _tables:
        _tables[layer] = _Table(layer)
    return _tables[layer]


class Rows:
    """The gradient of a layer's rows of weights, and what comes of it.

    rows : float32[tiles, rows, 64]; g_sum : float32[groups, tiles * patches, 64], g over time, or None without a
        constant input
    """

    def __init__(self, layer, given, rows, g_sum):
        self._layer, self._given, self._rows, self._table = layer, given, rows, _table(layer)
        device, table, tiles = layer.device, self._table, len(rows)
        total = device.empty((table.kinds if g_sum is not None else 0, tiles, TILE), np.float64)
        if g_sum is not None:
            device.launch("sum_by_kind", n=total.size, n_tiles=tiles, n_patches=table.patches, n_groups=len(g_sum),
                          kind_of=table.kind_of, g_sum=g_sum, total=total)
        self._shared = {"n_kinds": table.kinds, "n_tiles": tiles, "n_rows": rows.shape[1], "inside": table.inside,
                        "total": total, "rows": rows}

    def add_to(self, gradient):
        """Add the gradient of the layer's weights to an array that is laid out as ``packed``."""
        layer, given, device = self._layer, self._given, self._layer.device
        is_normalised = given.scale is not None
        numbers = (given.scale, given.constant) if is_normalised else (np.empty(0), np.empty(0))
        scale, constant = (device.put(by_input(layer, values) if is_normalised else values) for values in numbers)
        if layer.patches is None and is_normalised:
            device.launch("add_normalised", n=gradient.size, scale=scale, constant=constant, gradient=gradient,
                          **self._shared)
        elif layer.patches is None:
            device.launch("add_scaled", n=gradient.size, scale=given.unit, rows=self._rows, gradient=gradient)
        else:
            device.launch("fold_rows", n=len(self._table.place_ptr) - 1, is_normalised=is_normalised, unit=given.unit,
                          scale=scale, constant=constant, place_ptr=self._table.place_ptr, place=self._table.place,
                          gradient=gradient, **self._shared)

    def sums(self):
        """`row_sums` of the host."""
        layer, shape = self._layer, self._rows.shape[:2]
        out = layer.device.empty((2, *shape), np.float64)
        layer.device.launch("sum_lanes", n=shape[0] * shape[1], is_shared=layer.patches is not None,
                            index=self._table.index, weight=layer.packed.reshape(-1), sums=out, **self._shared)
        return out.get()
