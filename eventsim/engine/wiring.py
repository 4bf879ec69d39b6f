"""What a layer's kernels get: rows of weights, and the spikes as lists of such rows."""

from dataclasses import dataclass

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.runs import Runs, by_tick, empty_runs, sample_parts
from eventsim.errors import ConfigError
from eventsim.kernels.layout import ALPHA_SYN, DRIVE_ROWS, GAIN_SYN, TILE
from eventsim.model.precision import quantized

# Rounding of a potential that is the difference of two large ones, as a share of them.
_ROUNDING = 1e-5
_NO_DRIVE = np.empty((0, DRIVE_ROWS, TILE), np.float32)


@dataclass(frozen=True)
class Wiring:
    """A layer's synapses and input, as kernels of tiles want them.

    weight : float32[tiles, rows, 64], or int8 or the bits of float16, of which each patch has all
    scale : float32[tiles, 64], what one unit of ``weight`` weighs; None: 1
    address, runs : the input as lists of rows, one for each sample, or ``patch * B + sample`` of a convolution
    n_lists : their number; n_neurons : lanes that a list has in all tiles together
    drive : float32[tiles * patches, 4, 64], see `kernels.layout`, or empty where every lane of a tile that has a neuron
        has no constant input
    moving : whether there is a constant input
    pixels : int64[pixels], spikes that came from every pixel of a convolution's input; None: the layer is none
    """

    weight: np.ndarray
    scale: np.ndarray | None
    address: np.ndarray
    runs: Runs | None
    n_lists: int
    n_neurons: int
    drive: np.ndarray
    moving: bool
    pixels: np.ndarray | None = None

    def gain(self, unit):
        """float32[tiles, 64], what kernels multiply a neuron's summed rows with; a weight of 1 is ``unit``."""
        gain = np.full((len(self.weight), TILE), unit, np.float32)
        return gain if self.scale is None else gain * self.scale


def by_input(layer, values):
    """float64[rows], the value of a row's channel, of ``values`` by the channels that come in."""
    pixels = layer.given.positions if layer.kind == "dense" else layer.patches.rows_in * layer.patches.columns_in
    return np.repeat(values, pixels)


def unscaled_rows(layer):
    """float32[tiles, rows, 64], the weights of a layer."""
    return layer.rows() if layer.kind == "dense" else layer.patches.expand(layer.packed)


def wire(layer, given, neuron, runs=None, truncate=False) -> Wiring:
    """The wiring of a dense or convolutional layer for a `Feed` on the grid.

    runs : those of the feed's spikes, where they are there already
    """
    spikes, constants = given.spikes, neuron.constants(given.spikes.dt)
    if layer.kind == "dense":
        runs, address, n_lists, pixels = runs or by_tick(spikes), spikes.address, spikes.n_samples, None
    else:
        runs, address, pixels = cut(layer.patches, spikes)
        n_lists = spikes.n_samples * layer.patches.n_patches
    if given.is_plain and layer.kind == "dense":
        return plain(layer, spikes, runs)
    rows = unscaled_rows(layer)
    total = None
    if given.constant is not None:
        if truncate:
            raise ConfigError("the psp cannot be truncated behind batch normalisation, whose constant input has no end")
        total = constant_input(layer, rows, given.constant)
    if given.scale is not None:
        rows = (rows * by_input(layer, given.scale)[:, None]).astype(np.float32)
    elif given.unit != 1.0:
        rows = rows * np.float32(given.unit)
    scale = None
    if layer.precision != "float32":
        rows, scale = quantized(rows, layer.precision)
    n_neurons = layer.n_out if layer.kind == "dense" else len(rows) * TILE
    drive = _drive(layer, total, constants)
    return Wiring(rows, scale, address, runs, n_lists, n_neurons, drive, total is not None, pixels)


def plain(layer, spikes, runs=None) -> Wiring:
    """The wiring of a dense layer to which spikes come as they are."""
    return Wiring(layer.packed, layer.scale, spikes.address, runs, spikes.n_samples, layer.n_out, _NO_DRIVE, False)


def constant_input(layer, rows, constant):
    """float64[tiles * patches, 64], the sum over a lane's synapses of weight times constant input."""
    weighed = rows * by_input(layer, constant)[:, None]
    if layer.kind == "dense":
        return weighed.sum(axis=1)
    kinds, kind = layer.patches.borders
    totals = np.stack([weighed[:, inside].sum(axis=1) for inside in kinds], axis=1)
    return totals[:, kind].reshape(-1, TILE)


def _drive(layer, total, constants):
    """The drive of every tile and patch, of a constant input ``total``; see `Wiring`.

    Its psp is that of the two-state system at rest plus a state that decays from the start.
    """
    idle = layer.lane_neuron < 0
    if total is None and (layer.kind == "dense" or not idle.any()):
        return _NO_DRIVE
    drive = np.zeros((len(idle), DRIVE_ROWS, TILE))
    if total is not None:
        alpha, gain = float(constants[ALPHA_SYN]), float(constants[GAIN_SYN])
        p = gain * total / (1.0 - alpha)
        q = alpha * p / (1.0 - alpha)
        drive = np.stack((q, -p, -q, _ROUNDING * np.abs(q)), axis=1)
    drive[:, 0][idle] = -np.inf
    drive[:, 1:].transpose(0, 2, 1)[idle] = 0.0
    return drive.astype(np.float32)


def cut(patches, spikes):
    """(runs, rows int32[K]) of the lists of every patch and sample, and the spikes of every pixel, int64[pixels]."""
    n_samples, n_patches = spikes.n_samples, patches.n_patches
    reach_ptr, reach_patch, reach_row = patches.reach
    parts = sample_parts(spikes.sample_ptr)
    pixels = np.zeros((n_samples, len(reach_ptr) - 1), np.int64)
    shared = {"sample_ptr": spikes.sample_ptr, "address": spikes.address}
    kernels.call_parts("count_pixels", {**shared, "n_pixels": pixels.shape[1], "count": pixels}, parts)
    at = np.repeat(np.arange(pixels.shape[1]), np.diff(reach_ptr))
    count = [np.bincount(reach_patch, own[at], minlength=n_patches) for own in pixels]
    list_ptr = starts(np.array(count, np.int64).reshape(-1, n_patches).T.copy())
    runs, row = empty_runs(list_ptr, spikes.n_ticks), np.empty(list_ptr[-1], np.int32)
    kernels.call_parts("cut_patches", {
        **shared, "n_samples": n_samples, "rows_a_channel": patches.rows_in * patches.columns_in, "tick": spikes.tick,
        "reach_ptr": reach_ptr, "reach_patch": reach_patch, "reach_row": reach_row, "list_ptr": list_ptr,
        "next_spike": (n_patches,), "next_run": (n_patches,), "last_tick": (n_patches,), "row": row, **runs._asdict(),
    }, parts)
    return runs, row, pixels.sum(axis=0)
