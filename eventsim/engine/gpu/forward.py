"""The forward pass of a dense layer on a device, on the tick clock."""

import functools
import math
import time

import numpy as np

from eventsim.engine.active import support_window
from eventsim.engine.feed import Feed
from eventsim.engine.gpu.active import everything, listed
from eventsim.engine.gpu.devices import check_layer
from eventsim.engine.gpu.spikes import merged, uploaded
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


def neuron_arguments(device, layer, neuron, like) -> dict:
    """What kernels need to know of a layer's neurons on the ticks of the spikes ``like``."""
    constants = neuron.constants(like.dt)
    alphas = float(constants[ALPHA_SYN]), float(constants[ALPHA_REF])
    gain = np.full((len(layer.lane_neuron), TILE), constants[GAIN_SYN], np.float32)
    return {
        "n_ticks": like.n_ticks, "n_abs": neuron.dead_ticks(like.dt), "constants": device.put(constants),
        "decays": device.put(_decays(alphas, like.n_ticks)), "gain": device.put(gain),
        "reach": 1.0 / (math.e * max(-math.log(alphas[0]), _LEAST_DECAY)),
    }


def input_arguments(layer, given) -> dict:
    """What kernels need to know of a layer's weights and of the spikes that come in."""
    return {
        "n_items": len(layer.packed) * given.n_samples, "n_samples": given.n_samples, "n_neurons": layer.n_out,
        "n_in": layer.n_in, "weight": layer.packed, "address": given.on_device[0], **given.runs._asdict(),
    }


def dense_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """A `Dense` layer on a device over a batch; returns its `LayerTrace`, and the runs of its spikes.

    ``rng`` has no use: there are no stages.
    """
    check_layer(layer, neuron)
    if truncate:
        raise ConfigError("the psp is truncated on the CPU only; leave out truncate, or the GPU")
    started = time.perf_counter()
    device, n_ticks = layer.device, spikes.n_ticks
    given = uploaded(device, spikes, runs)
    arguments = input_arguments(layer, given) | neuron_arguments(device, layer, neuron, spikes)
    items = arguments["n_items"]
    fired = device.zeros((items, n_ticks), np.uint64)
    kept = {}
    if support is not None and math.isfinite(support):
        low, high = support_window(neuron, support)
        bits = device.zeros((items, n_ticks), np.uint64)
        u = device.empty((items, n_ticks, TILE), np.float32)
        device.launch("dense_forward_active", u_low=low, u_high=high, fired=fired, active=bits, u=u, **arguments)
        kept["active"] = listed(device, bits, u, spikes.n_samples, n_ticks, layer, neuron)
    else:
        device.launch("dense_forward", fired=fired, **arguments)
        if support is not None:
            kept["active"] = everything(device, spikes.n_samples, n_ticks, layer.lane_neuron)
    out = merged(device, fired, layer, spikes)
    done = LayerTrace.of(name, layer, given, out, started, synops=len(given) * layer.n_out, feed=Feed(given),
                         rows=len(layer.packed) * len(given), **kept)
    return done, out.runs
