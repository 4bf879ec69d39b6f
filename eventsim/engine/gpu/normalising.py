"""Gradients behind stages on a device: `eventsim.engine.normalising`, of which the channels' sums come to the host."""

import numpy as np

from eventsim.engine.gpu.kept import kept
from eventsim.engine.gpu.weights import borders
from eventsim.engine.wiring import by_input
from eventsim.kernels.layout import TILE


def _places(layer):
    """(index, place_ptr, place) of the layer's device: where its weights stand in rows of 64.

    index : int32[tiles, rows, 64], the weight of every lane, -1 for none; place_ptr, place : int64[weights + 1] and
        int32, where every weight stands in those, flat. Empty where no patches share the weights
    """
    device, patches = layer.device, layer.patches
    if patches is None:
        return device.empty((0, 0, TILE), np.int32), device.zeros(1, np.int64), device.empty(0, np.int32)

    def places():
        return np.argsort(patches.weight_index, axis=None, kind="stable")

    def starts():
        return np.searchsorted(patches.weight_index.reshape(-1)[places()], np.arange(np.prod(layer.weight_shape) + 1))

    return (kept(device, patches, "weight_index", lambda: patches.weight_index),
            kept(device, patches, "place_ptr", starts),
            kept(device, patches, "place_of_weight", lambda: places().astype(np.int32)))


class Rows:
    """The gradient of a layer's rows of weights, and what comes of it.

    rows : float32[tiles, rows, 64]; g_sum : float32[groups, tiles * patches, 64], g over time, or None without a
        constant input
    """

    def __init__(self, layer, given, rows, g_sum):
        self._layer, self._given, self._rows = layer, given, rows
        self._index, self._place_ptr, self._place = _places(layer)
        device, tiles, (inside, kind_of) = layer.device, len(rows), borders(layer)
        total = device.empty((len(inside) if g_sum is not None else 0, tiles, TILE), np.float64)
        if g_sum is not None:
            device.launch("sum_by_kind", n=total.size, n_tiles=tiles, n_patches=len(kind_of), n_groups=len(g_sum),
                          kind_of=kind_of, g_sum=g_sum, total=total)
        self._shared = {"n_kinds": len(inside), "n_tiles": tiles, "n_rows": rows.shape[1], "inside": inside,
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
            device.launch("fold_rows", n=len(self._place_ptr) - 1, is_normalised=is_normalised, unit=given.unit,
                          scale=scale, constant=constant, place_ptr=self._place_ptr, place=self._place,
                          gradient=gradient, **self._shared)

    def sums(self):
        """`row_sums` of the host."""
        layer, shape = self._layer, self._rows.shape[:2]
        out = layer.device.empty((2, *shape), np.float64)
        layer.device.launch("sum_lanes", n=shape[0] * shape[1], is_shared=layer.patches is not None,
                            index=self._index, weight=layer.packed.reshape(-1), sums=out, **self._shared)
        return out.get()
