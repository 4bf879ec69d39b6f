"""The forward pass of a sparse layer on a device, on the tick clock."""

import time

import numpy as np

from eventsim.engine.gpu.devices import check_layer
from eventsim.engine.gpu.neurons import on_ticks
from eventsim.engine.gpu.spikes import merged, uploaded
from eventsim.engine.runs import Runs
from eventsim.engine.sparse import STATE_ROWS, check_sparse
from eventsim.engine.trace import LayerTrace
from eventsim.kernels.layout import TILE, n_tiles

# What is listed at once: arrivals, of 8 bytes each, and ticks of items, of 28. A tick is listed whole whatever it has.
_MOST_ARRIVALS, _MOST_ROWS = 1 << 27, 1 << 25


def sparse_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """`eventsim.engine.sparse.sparse_layer` on a device; returns its `LayerTrace`, and None for the runs."""
    check_layer(layer, neuron)
    check_sparse(layer, neuron, support, truncate)
    started = time.perf_counter()
    device, given, n_samples, n_ticks = layer.device, uploaded(layer.device, spikes), spikes.n_samples, spikes.n_ticks
    crossed = _crossed(layer, given)
    n_items = n_tiles(layer.n_out) * n_samples
    shared = {
        "n_items": n_items, "n_samples": n_samples, "n_neurons": layer.n_out, **on_ticks(device, neuron, given),
        "state": device.zeros((n_items, STATE_ROWS, TILE), np.float32), "since": device.zeros(n_items, np.int64),
        "ready": device.zeros((n_items, TILE), np.int32), "fired": device.zeros((n_items, n_ticks), np.uint64),
    }
    for first, last in _windows(crossed, n_items):
        arriving = _arrivals(layer, given, first, last, int(crossed[first:last].sum()))
        device.launch("sparse_forward", first_tick=first, last_tick=last, **arriving, **shared)
    out = merged(device, shared["fired"], layer, given)
    return LayerTrace.of(name, layer, given, out, started, synops=int(crossed.sum())), None


def _crossed(layer, given):
    """int64[T] of the host, synapses that the spikes of every tick cross, of all samples."""
    crossed = layer.device.zeros(given.n_ticks, np.int64)
    address, tick = given.on_device
    layer.device.launch("count_crossed", n_spikes=len(given), address=address, tick=tick,
                        row_start=layer.lists_on_device[0], crossed=crossed)
    return crossed.get()


def _windows(crossed, n_items):
    """(first, last) of the ticks whose arrivals are listed at once."""
    first, room, most = 0, 0, max(1, _MOST_ROWS // max(1, n_items))
    out = []
    for tick, n in enumerate(crossed.tolist()):
        if tick > first and (room + n > _MOST_ARRIVALS or tick - first >= most):
            out.append((first, tick))
            first, room = tick, 0
        room += n
    return [*out, (first, len(crossed))] if len(crossed) else []


def _arrivals(layer, given, first, last, n):
    """The ``n`` arrivals of the ticks first..last-1, with their runs, as `sparse_forward` takes them."""
    device, n_samples, n_listed = layer.device, given.n_samples, last - first
    n_items = n_tiles(layer.n_out) * n_samples
    row_start, target = layer.lists_on_device
    count, arrival = device.zeros(n_items * n_listed, np.int64), device.empty(n, np.uint64)
    rows = {
        "n_rows": n_samples * n_listed, "n_samples": n_samples, "n_ticks": given.n_ticks, "first_tick": first,
        "n_listed": n_listed, "tick_ptr": given.tick_ptr, "address": given.on_device[0], "row_start": row_start,
        "target": target, "count": count,
    }
    device.launch("count_arrivals", **rows)
    list_ptr = device.starts(count)
    device.launch("list_arrivals", weight=layer.packed, list_ptr=list_ptr, arrival=arrival, **rows)
    base, counts = (device.empty(n_items, np.int64) for _ in range(2))
    tick, start = (device.empty(n_items * (n_listed + 1), kind) for kind in (np.int32, np.int64))
    runs = Runs(base, counts, tick, start)._asdict()
    device.launch("group_by_tick", n_samples=n_items, n_ticks=n_listed, tick_ptr=list_ptr, **runs)
    return {"arrival": arrival, **runs}
