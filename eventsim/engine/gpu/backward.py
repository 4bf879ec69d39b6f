"""The backward pass of dense layers and convolutions on a device, and the errors that it starts from."""

import numpy as np

from eventsim.engine.adjoint import Adjoint
from eventsim.engine.gpu.active import DeviceActiveSet
from eventsim.engine.gpu.neurons import neuron_arguments
from eventsim.engine.gpu.normalising import Rows
from eventsim.engine.gpu.send import Sending
from eventsim.engine.gpu.walk import Walk
from eventsim.engine.gpu.weight_gradient import SharedWeights, Sums, Weights
from eventsim.engine.output_error import CountGradient, at_pairs
from eventsim.engine.sink import Sink
from eventsim.engine.wiring import n_taps
from eventsim.kernels.layout import TILE


def gather_error(active: DeviceActiveSet, error):
    """The output error at the pairs of the output layer's active set; ``error(b)`` is float32[N, T] of the host.

    A `CountGradient` is spread over the pairs on the device. Others are gathered on the host, sample by sample, which
    the pairs come to for that, without rho.
    """
    device = active.device
    if not isinstance(error, CountGradient):
        return device.put(at_pairs(active.get(with_rho=False), error))
    out = device.empty(active.n_pairs, np.float32)
    device.launch(
        "spread_error", n_blocks=active.n_blocks, n_samples=active.n_samples, n_neurons=error.value.shape[1],
        n_ticks=active.n_ticks, first=error.first, last=error.last, lane_neuron=device.put(active.lane_neuron),
        value=device.put(error.value), error=out, **active.arguments(),
    )
    return out.reshape(1, -1)


def add_pressure(active: DeviceActiveSet, error, pressure):
    """Add a number for each sample, float32[B] of the host, to the error float32[G, P] of the device, in place."""
    active.device.launch(
        "add_pressure", n_blocks=active.n_blocks, n_samples=active.n_samples, n_ticks=active.n_ticks,
        pair_start=active.pair_start, pressure=active.device.put(np.asarray(pressure, np.float32)), error=error,
    )


class _Neurons:
    """A layer's neurons, run backward in time, some samples at a time; see `adjoint_psp`.

    g, ramp : float32[items, T, 64] of those samples, dt dL/d(input) of every neuron and tick, and what inputs between
        ticks count besides, on the exact clock, else empty
    """

    def __init__(self, layer, neuron, wiring, active, error, most, taps):
        """most : samples at a time; taps : of a truncated psp, else 0"""
        self._device, self._tiles = layer.device, len(active.lane_neuron)
        device, is_lif, is_timed = layer.device, neuron.family != "srm", wiring.lists.is_timed
        dt, shape = wiring.lists.dt, (self._tiles * most, active.n_ticks, TILE)
        self.g = device.empty(shape, np.float32)
        self.ramp = device.empty(shape if is_timed else (0, 0, TILE), np.float32)
        if is_timed:
            own = {"constants": device.put(neuron.adjoint_constants(dt))}
        else:
            own = neuron_arguments(device, wiring, neuron, taps)
        self._kernels = {}
        if active.full:
            self._kernels["replay_lif" if is_lif else "recompute_rho"] = {
                "n_batch": active.n_samples, "rho_width": neuron.rho_width, "rho_peak": neuron.rho_peak,
                "drive": wiring.any_drive(), **({"moving": wiring.moving} if is_lif else {}), **wiring.arguments(),
                **own,
            }
        n_groups, n_pairs = error.shape
        self._kernels["adjoint_lif" if is_lif else "adjoint_psp"] = rest = {
            "n_samples": active.n_samples, "n_ticks": active.n_ticks, "n_groups": n_groups, "n_pairs": n_pairs,
            "dt": dt, "constants": own["constants"], "rho": active.rho, "error": error, "is_timed": is_timed,
            "ramp": self.ramp, **active.arguments(),
        }
        if is_lif:
            rest["fired"] = device.empty((0, 0), np.uint64) if wiring.fired is None else wiring.fired
        else:
            rest |= {"n_taps": taps, "kept": device.empty(shape if taps else (0, 0, TILE), np.float32)}

    def run(self, held):
        """Fill g, and ramp, for the samples that are ``held``."""
        n_items = self._tiles * (held["sample_last"] - held["sample_first"])
        for kernel, arguments in self._kernels.items():
            self._device.launch(kernel, **(arguments | held | {"n_items": n_items, "g": self.g}))


def adjoint(layer, neuron, done, error, below, sink=None, truncate=False) -> Adjoint:
    """The adjoint of a `Dense` layer or a convolution; see `eventsim.engine.adjoint.dense_adjoint`.

    Errors and gradients stay on the device, and rows is None; `row_sums` for batch normalisation come to the host.
    """
    device, wiring, active, given = layer.device, done.wiring, done.active, done.feed
    taps, is_timed = n_taps(layer, neuron, wiring.lists.dt, truncate), wiring.lists.is_timed
    walk = Walk.of(layer, active, 2 if is_timed or taps else 1)
    neurons = _Neurons(layer, neuron, wiring, active, error, walk.most, taps)
    parts, rows, sums, sending = [], None, None, None
    if below is not None:
        parts.append(sending := Sending(layer, wiring, below, walk))
    if layer.patches is None and given.is_plain:
        parts.append(Weights(layer, neuron, wiring, walk, active.n_samples, sink))
    elif layer.n_weights or wiring.moving:
        rows = device.zeros(wiring.weight.shape, np.float32)
        if layer.patches is None:
            parts.append(Weights(layer, neuron, wiring, walk, active.n_samples, Sink(gradient=rows)))
        else:
            parts.append(SharedWeights(layer, neuron, wiring, walk, active.n_samples, rows))
    if wiring.moving:
        parts.append(sums := Sums(layer, neuron, wiring, active, walk))
    for k, (first, last) in enumerate(walk.spans):
        held = {"sample_first": first, "sample_last": last}
        neurons.run(held)
        for part in parts:
            part.add(k, held, neurons)
    by_row = None
    if rows is not None:
        found = Rows(layer, given, rows, None if sums is None else sums.total)
        by_row = None if sums is None else found.sums()
        if layer.n_weights:
            found.add_to(sink.gradient)
    return Adjoint(None, None, None if sending is None else sending.error, by_row)


def parameter_step(device, kernel, settings, arrays):
    """A step of an optimiser on a parameter by itself: ``kernel`` on its arrays of the device, by name."""
    rows = {name: array.reshape(-1, TILE) for name, array in arrays.items()}
    device.launch(kernel, n=rows["weight"].size, settings=device.put(settings), **rows)
