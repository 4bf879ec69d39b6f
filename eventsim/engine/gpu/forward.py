"""The forward pass of dense layers and convolutions on a device, on the tick clock."""

import functools
import math
import time

import numpy as np

from eventsim.engine.active import support_window
from eventsim.engine.feed import feed
from eventsim.engine.gpu.active import everything, listed
from eventsim.engine.gpu.devices import check_layer
from eventsim.engine.gpu.spikes import merged, uploaded
from eventsim.engine.gpu.wiring import wire
from eventsim.engine.trace import LayerTrace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import ALPHA_REF, ALPHA_SYN, GAIN_SYN, TILE

# What a psp can still add is not known where it never decays.
_LEAST_DECAY = 1e-30


@functools.lru_cache(maxsize=32)
def _decays(alphas, n_ticks):
    """float32[2, n_ticks + 1], powers of two decays: by the host's C library, so that all devices have its bits."""
    out = np.array([[math.pow(alpha, n) for n in range(n_ticks + 1)] for alpha in alphas])
    return out.astype(np.float32)


def neuron_arguments(device, wiring, neuron) -> dict:
    """What kernels need to know of the neurons of a layer with this wiring."""
    like = wiring.lists
    constants = neuron.constants(like.dt)
    alphas = float(constants[ALPHA_SYN]), float(constants[ALPHA_REF])
    gain = np.full((len(wiring.weight), TILE), constants[GAIN_SYN], np.float32)
    return {
        "n_ticks": like.n_ticks, "n_abs": neuron.dead_ticks(like.dt), "constants": device.put(constants),
        "decays": device.put(_decays(alphas, like.n_ticks)), "gain": device.put(gain),
        "reach": 1.0 / (math.e * max(-math.log(alphas[0]), _LEAST_DECAY)),
    }


def tiled_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """A `Dense` layer or a convolution on a device over a batch; returns its `LayerTrace`, and None.

    There are no runs to hand on: spikes on a device have their own.
    """
    check_layer(layer, neuron)
    if truncate:
        raise ConfigError("the psp is truncated on the CPU only; leave out truncate, or the GPU")
    started = time.perf_counter()
    device, n_samples, n_ticks = layer.device, spikes.n_samples, spikes.n_ticks
    given = feed(layer, uploaded(device, spikes, runs), rng)
    wiring = wire(layer, given, neuron)
    arguments = wiring.arguments() | neuron_arguments(device, wiring, neuron)
    kernel = "dense_forward"
    if len(wiring.drive):
        kernel = "driven_forward"
        arguments |= {"moving": wiring.moving, "n_batch": n_samples, "drive": wiring.drive}
    items = wiring.n_items
    fired = device.zeros((items, n_ticks), np.uint64)
    kept = {"feed": given, "rows": len(wiring.weight) * len(wiring.lists)}
    if support is not None:
        kept |= {"wiring": wiring}
    if support is not None and math.isfinite(support):
        low, high = support_window(neuron, support)
        bits = device.zeros((items, n_ticks), np.uint64)
        u = device.empty((items, n_ticks, TILE), np.float32)
        device.launch(f"{kernel}_active", u_low=low, u_high=high, fired=fired, active=bits, u=u, **arguments)
        kept["active"] = listed(device, bits, u, n_samples, n_ticks, layer, neuron)
    else:
        device.launch(kernel, fired=fired, **arguments)
        if support is not None:
            kept["active"] = everything(device, n_samples, n_ticks, layer.lane_neuron)
    crossed = len(given.spikes) * layer.n_out if wiring.pixels is None else layer.crossed(wiring.pixels)
    return LayerTrace.of(name, layer, given.spikes, merged(device, fired, layer, spikes), started, synops=crossed,
                         **kept), None
