"""The rows of weights and the constant input that a layer's kernels on a device get, made there."""

import numpy as np

from eventsim.engine.gpu.kept import kept
from eventsim.engine.wiring import NO_DRIVE, ROUNDING, by_input, what_counts
from eventsim.kernels.layout import DRIVE_ROWS, TILE


def weigh(layer, given):
    """(rows, scale, total): what `eventsim.engine.wiring.weigh` gives, on the layer's device.

    scale is the host's float32[tiles, 64], or None; total is float64[tiles, kinds, 64], the constant input of every
    lane in a patch of each kind of border, without the layer's bias, or None.
    """
    rows, scale, total = _unscaled(layer), None, None
    if given.constant is not None:
        total = _constant_input(layer, rows, given.constant)
    if not given.is_plain:
        rows = _scaled(layer, rows, by_input(layer, what_counts(layer, given)))
    if layer.precision != "float32":
        is_ready = layer.patches is None and layer.scale is not None
        rows, scale = (rows, layer.scale) if is_ready else _rounded(layer, rows)
    return rows, scale, total


def _unscaled(layer):
    """The weights of a layer, [tiles, rows, 64] in the type that they are kept in."""
    device, patches = layer.device, layer.patches
    if patches is None:
        return layer.packed
    index = kept(device, patches, "weight_index", lambda: patches.weight_index)
    rows = device.empty(index.shape, np.float32)
    device.launch("expand_rows", n=rows.size, index=index, packed=layer.packed, rows=rows)
    return rows


def _scaled(layer, weight, counts):
    """Rows of weights, times what the spikes of each count, float32[rows] of the host."""
    device = layer.device
    rows = device.empty(weight.shape, np.float32)
    device.launch("scale_rows", n=rows.size, n_in=len(counts), counts=device.put(counts), weight=weight, rows=rows)
    return rows


def _rounded(layer, rows):
    """(rows, scale) in the precision of a layer that is converted for the run, see `eventsim.model.precision`."""
    device, is_whole, shape = layer.device, layer.precision == "int8", {"n_in": rows.shape[1], "rows": rows}
    scale = device.empty((len(rows), TILE), np.float32)
    device.launch("find_scales", n_tiles=len(rows), is_whole=is_whole, scale=scale, **shape)
    few = device.empty(rows.shape, np.int8 if is_whole else np.uint16)
    device.launch(f"round_{layer.precision}", n=rows.size, scale=scale, few=few, **shape)
    return few, scale.get()


def borders(layer):
    """(inside, kind) of a layer's device: uint8[kinds, rows] and int64[patches], see `Patches.borders`."""
    device, patches = layer.device, layer.patches
    if patches is None:
        return (kept(device, layer, "inside", lambda: np.ones((1, layer.n_in), np.uint8)),
                kept(device, layer, "kind", lambda: np.zeros(1, np.int64)))
    return (kept(device, patches, "inside", lambda: patches.borders[0].view(np.uint8)),
            kept(device, patches, "kind", lambda: patches.borders[1].astype(np.int64)))


def _constant_input(layer, weight, constant):
    """float64[tiles, kinds, 64], see `weigh`; constant : float64[channels]."""
    device, inside = layer.device, borders(layer)[0]
    total = device.empty((len(weight), len(inside), TILE), np.float64)
    device.launch("constant_input", n=total.size, n_in=weight.shape[1], n_kinds=len(inside),
                  constant=device.put(by_input(layer, constant)), inside=inside, weight=weight, total=total)
    return total


def drive(layer, neuron, total, dt):
    """The drive of a layer's tiles and patches, see `eventsim.engine.wiring.DRIVES`, and whether it is an input."""
    device, family = layer.device, neuron.family
    lanes, moving = layer.lane_neuron, total is not None or layer.bias is not None
    if not moving and not _wants_places(layer, family):
        return device.put(NO_DRIVE), False
    inside, kind = borders(layer)
    out = device.empty((len(lanes), DRIVE_ROWS, TILE), np.float32)
    own = {"rounding": ROUNDING, "constants": device.put(neuron.constants(dt))} if family == "srm" else {}
    device.launch(
        "drive_srm" if family == "srm" else "drive_lif", n=lanes.size, n_patches=len(kind), n_kinds=len(inside),
        has_bias=layer.bias is not None, has_total=total is not None, kind=kind, drive=out,
        neuron=kept(device, layer.patches or layer, "neuron", lambda: lanes),
        bias=device.put(np.zeros(0) if layer.bias is None else layer.bias),
        total=device.empty((0, 0, TILE), np.float64) if total is None else total, **own,
    )
    return out, moving


def _wants_places(layer, family):
    """Whether kernels of a family want a drive where there is no constant input."""
    if family == "li":
        return False
    if family == "lif" or layer.precision != "float32":
        return True
    return layer.patches is not None and bool((layer.lane_neuron < 0).any())
