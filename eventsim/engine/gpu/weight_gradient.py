"""The gradient of a layer's rows of weights on a device, and of its constant input, block by block of a `Walk`."""

import numpy as np

from eventsim.engine.adjoint import tick_integral
from eventsim.engine.gpu.rows import rows_by_address, timed_rows
from eventsim.kernels.layout import ADD, TILE


def _rows(layer, neuron, wiring, walk, n_samples) -> dict:
    """What kernels that sum up g over spikes take of a layer's input."""
    lists, weight, share = wiring.lists, wiring.weight, layer.device.empty((0, 2), np.float32)
    if lists.is_timed:
        neuron_ptr, row, share = timed_rows(layer, neuron, lists, n_samples, walk)
    else:
        neuron_ptr, row = rows_by_address(layer, lists, n_samples, walk)
    return {"n_rows": len(weight) * weight.shape[1], "n_in": weight.shape[1], "is_timed": lists.is_timed,
            "neuron_ptr": neuron_ptr, "row": row, "share": share}


def _or_nothing(device, array):
    """An array of the device; what a sink does not have is an empty array of the host."""
    return array if isinstance(array, device.array_type) else device.empty((0, 0, TILE), np.float32)


def _add_parts(device, span, part, ends, total):
    """Add parts, of which those of ``span`` are there, to those of a total; see the kernel `add_parts`."""
    device.launch("add_parts", n=total.size, n_rows=total.shape[1], part_first=span[0], part_last=span[1],
                  group_first=ends, part=part, total=total)


class Weights:
    """The gradient of a dense layer's rows of weights, for a `Sink` of the device."""

    def __init__(self, layer, neuron, wiring, walk, n_samples, sink):
        device, self._walk, self._n_ticks = layer.device, walk, wiring.lists.n_ticks
        kept = {name: _or_nothing(device, getattr(sink, name)) for name in ("gradient", "mean", "square")}
        if sink.rule != ADD and len(walk.spans) > 1:  # of which only the last one takes the step
            kept["gradient"] = device.empty(wiring.weight.shape, np.float32)
        self._device = device
        self._shared = {"rule": sink.rule, "settings": device.put(sink.settings), "weight": wiring.weight, **kept,
                        **_rows(layer, neuron, wiring, walk, n_samples)}

    def add(self, k, held, neurons):
        """Add the part of the samples of the k-th block of the walk, which are ``held``."""
        first, last = held["sample_first"], held["sample_last"]
        piece_first, piece_last = self._walk.pieces_in(first, last)
        self._device.launch(
            "update_weights", piece_first=piece_first, piece_last=piece_last, held_ticks=self._n_ticks * (last - first),
            is_first=first == 0, is_last=last == self._walk.held[-1], g=neurons.g, ramp=neurons.ramp, **self._shared)


class SharedWeights:
    """The gradient of a convolution's rows of weights, added to ``rows`` of the device; see `patch_backward`."""

    def __init__(self, layer, neuron, wiring, walk, n_samples, rows):
        self._device, self._walk, self._n_ticks = layer.device, walk, layer.patches.n_patches * wiring.lists.n_ticks
        self._shared = _rows(layer, neuron, wiring, walk, n_samples)
        self._total = rows.reshape(1, -1, TILE)
        self._every = 0, len(walk.sums) - 1
        self._part = layer.device.zeros((self._every[1], *self._total.shape[1:]), np.float32)
        self._ends = layer.device.put(np.array(self._every))

    def add(self, k, held, neurons):
        """Add the part of some samples, see `Weights`; when it is the last, the groups of samples are added."""
        first, last = held["sample_first"], held["sample_last"]
        piece_first, piece_last = self._walk.pieces_in(first, last)
        self._device.launch(
            "collect", n_work=self._shared["n_rows"] * (piece_last - piece_first), piece_first=piece_first,
            group_first=self._walk.sum_of(first), held_ticks=self._n_ticks * (last - first), g=neurons.g,
            ramp=neurons.ramp, part=self._part, **self._shared)
        if last == self._walk.held[-1]:
            _add_parts(self._device, self._every, self._part, self._ends, self._total)


class Sums:
    """g over time, ``total`` float32[groups, tiles, 64], summed over the samples of each group."""

    def __init__(self, layer, neuron, wiring, active, walk):
        # A convolution's are summed up by groups of samples, those of a dense layer one sample after the other.
        ends = np.array([0, active.n_samples]) if layer.patches is None else walk.sums
        tiles, is_timed, dt = len(active.lane_neuron), wiring.lists.is_timed, wiring.lists.dt
        integral = tick_integral(neuron.shares(dt), dt) if is_timed else np.zeros(2, np.float32)
        self._device, self._ends = layer.device, layer.device.put(ends)
        self.total = layer.device.zeros((len(ends) - 1, tiles, TILE), np.float32)
        self._part = layer.device.empty((walk.most, tiles, TILE), np.float32)
        self._shared = {"n_tiles": tiles, "n_ticks": active.n_ticks, "is_timed": is_timed,
                        "integral": self._device.put(integral)}

    def add(self, k, held, neurons):
        """Add the part of some samples, see `Weights`."""
        span = held["sample_first"], held["sample_last"]
        self._device.launch("sum_over_time", n_items=self.total.shape[1] * (span[1] - span[0]), g=neurons.g,
                            ramp=neurons.ramp, part=self._part, **self._shared)
        _add_parts(self._device, span, self._part, self._ends, self.total)
