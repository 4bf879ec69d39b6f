"""The last layer of neurons that never spike on a device, and what is read of their potentials."""

import time

import numpy as np

from eventsim.engine.feed import feed
from eventsim.engine.gpu import active
from eventsim.engine.gpu.devices import check_layer
from eventsim.engine.gpu.spikes import uploaded
from eventsim.engine.gpu.wiring import wire
from eventsim.engine.readout import active_set, by_neuron, decays, no_spikes
from eventsim.engine.trace import LayerTrace, Readout
from eventsim.engine.wiring import n_taps
from eventsim.kernels.layout import EACH_TICK, TILE


def read_ticks(layer, neuron, spikes, runs, name, support, truncate, rng):
    """`eventsim.engine.readout.read_ticks` on a device; returns its `LayerTrace`, and None for the runs."""
    check_layer(layer, neuron)
    n_taps(layer, neuron, spikes.dt, truncate)
    started = time.perf_counter()
    given = feed(layer, uploaded(layer.device, spikes), rng)
    wiring = wire(layer, given, neuron)
    readout = _read(layer, neuron, wiring, spikes)
    kept = {"feed": given, "rows": len(wiring.weight) * len(wiring.lists), "readout": readout}
    if support is not None:
        kept |= {"wiring": wiring, "active": active.uploaded(layer.device, active_set(readout, layer, spikes))}
    crossed = len(given.spikes) * layer.n_out if wiring.pixels is None else layer.crossed(wiring.pixels)
    return LayerTrace.of(name, layer, given.spikes, no_spikes(spikes, layer), started, synops=crossed, **kept), None


def _read(layer, neuron, wiring, like) -> Readout:
    """What is read of a layer with this wiring, on the ticks of the spikes ``like``."""
    device, lists, peaks = layer.device, wiring.lists, neuron.readout == "max"
    n_samples, n_ticks, dt = like.n_samples, like.n_ticks, like.dt
    each = wiring.any_drive().get()[:, EACH_TICK].astype(np.float64)
    score = device.zeros((wiring.n_items, TILE), np.float64)
    at = device.zeros((wiring.n_items, TILE), np.float64)
    share = np.zeros(0) if peaks else neuron.share(n_ticks, dt)
    shared = {
        "n_items": wiring.n_items if n_ticks else 0, "n_lists": lists.n_samples, "n_in": wiring.weight.shape[1],
        "weight": wiring.weight, "gain": device.put(np.ones((len(wiring.weight), TILE), np.float32)),
        "address": lists.on_device[0], **lists.runs._asdict(), "score": score,
    }
    if peaks:
        held, risen = decays(dt / neuron.tau_mem, n_ticks)
        device.launch("read_peaks", n_batch=n_samples, n_ticks=n_ticks, held=device.put(held), risen=device.put(risen),
                      each=device.put(each), when=at, **shared)
        return Readout(neuron.readout, by_neuron(score.get(), layer, n_samples),
                       by_neuron(at.get(), layer, n_samples) * dt)
    device.launch("read_sums", share=device.put(share), **shared)
    score = by_neuron(score.get(), layer, n_samples)
    if wiring.moving:
        score += share.sum() * by_neuron(each, layer, 1)
    return Readout(neuron.readout, score)
