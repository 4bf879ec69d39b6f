"""The forward pass of a layer with delays or recurrence on a device, on the tick clock."""

import time

import numpy as np

from eventsim.engine.delayed import check_delayed, delays
from eventsim.engine.gpu.devices import check_layer
from eventsim.engine.gpu.spikes import merged, uploaded
from eventsim.engine.trace import LayerTrace
from eventsim.engine.wiring import lif_drive
from eventsim.kernels.layout import TILE, n_tiles

_STATE_ROWS = 4


def delayed_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """`eventsim.engine.delayed.delayed_layer` on a device; returns its `LayerTrace`, and None for the runs."""
    check_layer(layer, neuron)
    check_delayed(layer, neuron, support, truncate)
    started = time.perf_counter()
    device, given = layer.device, uploaded(layer.device, spikes)
    n_samples, n_ticks, tiles = given.n_samples, given.n_ticks, n_tiles(layer.n_out)
    delay, own_delay, depth = delays(layer, neuron, given.dt, n_ticks)
    weight, *own = (part.packed for part in layer.projections)
    fired = device.zeros((tiles * n_samples, n_ticks), np.uint64)
    arguments = {
        "n_samples": n_samples, "n_neurons": layer.n_out, "n_in": layer.n_in, "n_ticks": n_ticks,
        "n_abs": neuron.dead_ticks(given.dt), "depth": depth, "delay_rows": delay.shape[0],
        "delay_columns": delay.shape[1], "address": given.on_device[0], "weight": weight, "delay": device.put(delay),
        "constants": device.put(neuron.constants(given.dt)), "fired": fired, **given.runs._asdict(),
    }
    if neuron.family == "lif":
        arguments["drive"] = device.put(lif_drive(layer))
    if own:
        lanes = tiles * TILE
        arguments |= {
            "own_weight": own[0], "own_delay": device.put(own_delay), "own_delay_rows": own_delay.shape[0],
            "own_delay_columns": own_delay.shape[1], "ready": device.zeros((n_samples, lanes), np.int32),
            "state": device.zeros((n_samples, _STATE_ROWS, lanes), np.float32),
            "ring": device.zeros((n_samples, depth, lanes), np.float32),
        }
    else:
        arguments |= {"n_items": tiles * n_samples, "ring": device.zeros((tiles * n_samples, depth, TILE), np.float32)}
    kernel = ("recurrent" if own else "delayed") + ("_lif" if neuron.family == "lif" else "")
    device.launch(f"{kernel}_forward", **arguments)
    out = merged(device, fired, layer, given)
    return LayerTrace.of(name, layer, given, out, started, synops=layer.synops(given, out)), None
