"""The forward pass of dense layers and convolutions on a device, on the tick clock."""

import functools
import math
import time
from dataclasses import replace

import numpy as np

from eventsim.engine.feed import feed
from eventsim.engine.gpu.active import everything
from eventsim.engine.gpu.devices import check_layer
from eventsim.engine.gpu.keeping import Keeping
from eventsim.engine.gpu.neurons import neuron_arguments
from eventsim.engine.gpu.spikes import merged, uploaded
from eventsim.engine.gpu.wiring import wire
from eventsim.engine.trace import LayerTrace
from eventsim.engine.wiring import check_truncated, n_taps


def tiled_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """A `Dense` layer or a convolution on a device over a batch; returns its `LayerTrace`, and None.

    ``runs`` have no use, and there are none to hand on: spikes on a device have their own.
    """
    check_layer(layer, neuron)
    started, taps = time.perf_counter(), n_taps(layer, neuron, spikes.dt, truncate)
    device, n_samples, n_ticks = layer.device, spikes.n_samples, spikes.n_ticks
    given = feed(layer, uploaded(device, spikes), rng)
    check_truncated(given, truncate)
    wiring = wire(layer, given, neuron)
    arguments = wiring.arguments() | neuron_arguments(device, wiring, neuron, taps)
    kernel = "dense_forward"
    if len(wiring.drive):
        kernel = ("lif_forward" if neuron.family == "lif" else "driven_forward") + wiring.suffix
        arguments |= {"moving": wiring.moving, "n_batch": n_samples, "drive": wiring.drive}
    fired = device.zeros((wiring.n_items, n_ticks), np.uint64)
    kept = {"feed": given, "rows": len(wiring.weight) * len(wiring.lists)}
    if support is not None:
        kept["wiring"] = replace(wiring, fired=fired if neuron.forgets else None)
    if support is not None and math.isfinite(support):
        keeping = Keeping(layer, neuron, spikes, support)
        run = functools.partial(device.launch, f"{kernel}_active", fired=fired, **arguments)
        run(**keeping.arguments)
        kept["active"] = keeping.listed(run)
    else:
        device.launch(kernel, fired=fired, **arguments)
        if support is not None:
            kept["active"] = everything(device, n_samples, n_ticks, layer.lane_neuron)
    crossed = len(given.spikes) * layer.n_out if wiring.pixels is None else layer.crossed(wiring.pixels)
    return LayerTrace.of(name, layer, given.spikes, merged(device, fired, layer, spikes), started, synops=crossed,
                         **kept), None
