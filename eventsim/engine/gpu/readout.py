"""The last layer of neurons that never spike on a device, and what is read of their potentials."""

import time
from dataclasses import replace

import numpy as np

from eventsim.engine.feed import feed
from eventsim.engine.gpu import active
from eventsim.engine.gpu.devices import check_layer, check_timed_layer
from eventsim.engine.gpu.spikes import uploaded, with_end
from eventsim.engine.gpu.timed import cut_lists
from eventsim.engine.gpu.wiring import DeviceWiring, wire
from eventsim.engine.readout import active_set, by_neuron, check_timed_gradient, decays, end_set, no_spikes
from eventsim.engine.trace import LayerTrace, Readout
from eventsim.engine.wiring import n_taps, weigh
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
        "weight": wiring.weight, "gain": wiring.gain(1.0),
        "address": lists.on_device[0], **lists.runs._asdict(), "score": score,
    }
    if peaks:
        held, risen = decays(dt / neuron.tau_mem, n_ticks)
        device.launch(f"read_peaks{wiring.suffix}", n_batch=n_samples, n_ticks=n_ticks, held=device.put(held),
                      risen=device.put(risen), each=device.put(each), when=at, **shared)
        return Readout(neuron.readout, by_neuron(score.get(), layer, n_samples),
                       by_neuron(at.get(), layer, n_samples) * dt)
    device.launch(f"read_sums{wiring.suffix}", share=device.put(share), **shared)
    score = by_neuron(score.get(), layer, n_samples)
    if wiring.moving:
        score += share.sum() * by_neuron(each, layer, 1)
    return Readout(neuron.readout, score)


def read_times(layer, neuron, spikes, dt, name, support, rng) -> LayerTrace:
    """`eventsim.engine.readout.read_times` on a device."""
    check_timed_layer(layer, neuron)
    if support is not None:
        check_timed_gradient(neuron)
    started, device = time.perf_counter(), layer.device
    given, pixels = feed(layer, uploaded(device, spikes), rng), None
    rows, _, total = weigh(layer, given)
    rows, lists = rows if isinstance(rows, device.array_type) else device.put(rows), given.spikes
    if layer.patches is not None:
        lists, pixels = cut_lists(layer.patches, given.spikes)
    each = None if total is None else np.where(layer.lane_neuron < 0, 0.0, total) / dt
    readout = _read_times(layer, neuron, rows, lists, each, spikes)
    kept = {"feed": given, "rows": len(rows) * len(lists), "readout": readout}
    if support is not None:
        n_neurons = layer.n_out if layer.patches is None else len(rows) * TILE
        kept |= {"feed": replace(given, spikes=with_end(given.spikes)),
                 "wiring": DeviceWiring(rows, with_end(lists), n_neurons, None, given.constant is not None),
                 "active": active.uploaded(device, end_set(readout, layer, spikes))}
    crossed = len(given.spikes) * layer.n_out if pixels is None else layer.crossed(pixels)
    return LayerTrace.of(name, layer, given.spikes, no_spikes(spikes, layer), started, synops=crossed, **kept)


def _read_times(layer, neuron, rows, lists, each, like) -> Readout:
    """What is read of a layer with these lists of rows; each : float64[places, 64], a constant input a ms, or None."""
    device, n_samples, end = layer.device, like.n_samples, like.n_ticks * like.dt
    address, when = lists.on_device
    n_items, peaks = len(rows) * lists.n_samples, neuron.readout == "max"
    score = device.zeros((n_items, TILE), np.float64)
    shared = {"n_items": n_items if end else 0, "n_lists": lists.n_samples, "n_in": rows.shape[1], "weight": rows,
              "sample_ptr": lists.ptr, "address": address, "time": when, "end": end, "score": score}
    if peaks:
        rate, at = 1.0 / neuron.tau_mem, device.zeros((n_items, TILE), np.float64)
        constant = np.zeros(layer.lane_neuron.shape) if each is None else each
        device.launch("read_time_peaks", n_batch=n_samples, rate=rate, held=neuron.tau_mem if rate else 0.0,
                      each=device.put(constant), when=at, **shared)
        return Readout(neuron.readout, *(by_neuron(array.get(), layer, n_samples) for array in (score, at)))
    device.launch("read_time_sums", is_mean=neuron.readout == "mean", tau=neuron.tau_mem, **shared)
    score = by_neuron(score.get(), layer, n_samples)
    if each is not None and end:
        score += neuron.settled_at(end) * by_neuron(each, layer, 1)
    return Readout(neuron.readout, score)
