"""Layers in continuous time on a device.

Windows are cut on the host, which the spikes of every layer come to for that; they are put in order there as well.
"""

import time

import numpy as np

from eventsim.engine import windows
from eventsim.engine.active import starts, support_window
from eventsim.engine.exact_sweep import by_sample
from eventsim.engine.exact_wiring import tile
from eventsim.engine.feed import feed
from eventsim.engine.gpu.active import listed
from eventsim.engine.gpu.devices import check_timed_layer
from eventsim.engine.gpu.wiring import DeviceWiring
from eventsim.engine.trace import LayerTrace
from eventsim.kernels.layout import TILE
from eventsim.spikes import Spikes

# Spikes of a neuron that there is room for at first; where one has more, the layer is run once more.
_FIRST_ROOM = 32


def timed_layer(layer, neuron, spikes, dt, name, support, rng):
    """A layer over a batch of spikes on the host, as its `LayerTrace`, whose spikes are there, too."""
    check_timed_layer(layer, neuron)
    started, device = time.perf_counter(), layer.device
    given, constants, end = feed(layer, spikes, rng), neuron.exact_constants(dt), spikes.n_ticks * spikes.dt
    tiles, lists = tile(layer, given, neuron, dt), given.spikes
    cut = windows.cut(lists.sample_ptr, lists.time, lists.address, 0.0, end, neuron, constants,
                      0.0 if support is None else spikes.dt, settles=not tiles.fires_alone)
    arguments, kernel = _arguments(device, tiles, lists, cut, constants), "exact_forward"
    kept = {"feed": given, "rows": len(tiles.weight) * len(lists)}
    if support is not None:
        kernel, (low, high) = "exact_forward_active", support_window(neuron, support)
        shape = arguments["n_items"], spikes.n_ticks
        bits, u = device.zeros(shape, np.uint64), device.empty((*shape, TILE), np.float32)
        arguments |= {"n_ticks": spikes.n_ticks, "dt": spikes.dt, "u_low": low, "u_high": high, "active": bits, "u": u}
    counts, singles, times, addresses = _run(device, kernel, arguments, tiles)
    if support is not None:
        kept["active"] = listed(device, bits, u, spikes, layer, neuron)
        kept["wiring"] = DeviceWiring(arguments["weight"], lists, layer.n_out, None, given.constant is not None)
    out = by_sample(times, addresses, counts, spikes.n_samples, 0.0, end)
    taken = layer.n_out * int(cut.window_count.sum())
    return LayerTrace.of(
        name, layer, lists, Spikes.of_kernel(*out, spikes, layer.n_out), started,
        singly=singles / taken if taken else 0.0, **kept,
    )


def _arguments(device, tiles, lists, cut, constants):
    """What kernels take of a layer's `Tiles`, spikes and `Windows`."""
    put = {name: device.put(array) for name, array in cut._asdict().items()}
    weight = tiles.weight if isinstance(tiles.weight, device.array_type) else device.put(tiles.weight)
    return {
        **put, "n_items": len(tiles.theta) * lists.n_samples, "n_samples": lists.n_samples, "n_in": weight.shape[1],
        "weight": weight, "theta": device.put(tiles.theta), "least": device.put(tiles.least),
        "address": device.put(lists.address), "constants": device.put(constants),
    }


def _run(device, kernel, arguments, tiles):
    """Run a layer; returns the number of spikes of every item, that of neurons in windows that were run one event at a
    time, and times and addresses of the spikes, item by item; all on the host.
    """
    lanes = TILE * arguments["n_items"]
    spike_ptr = np.arange(lanes + 1) * _FIRST_ROOM
    found, counts = _launched(device, kernel, arguments, spike_ptr)
    list_ptr = starts(counts.ravel())
    if counts.max(initial=0) > _FIRST_ROOM:
        found, spike_ptr = _launched(device, kernel, arguments, list_ptr)[0], list_ptr
    times, addresses = (device.empty(list_ptr[-1], kind) for kind in (np.float64, np.int32))
    device.launch(
        "list_times", n_lanes=lanes, n_samples=arguments["n_samples"], neuron=device.put(tiles.neuron),
        spike_ptr=device.put(spike_ptr), list_ptr=device.put(list_ptr), spike_time=found["spike_time"], time=times,
        address=addresses,
    )
    return counts.sum(axis=1), int(found["singles"].get().sum()), times.get(), addresses.get()


def _launched(device, kernel, arguments, spike_ptr):
    """What a kernel writes with room for the spikes of every lane from ``spike_ptr`` on, and how many there are."""
    shape = arguments["n_items"], TILE
    found = {name: device.zeros(shape, np.int64) for name in ("spike_count", "singles")}
    found["spike_time"] = device.empty(spike_ptr[-1], np.float64)
    device.launch(kernel, spike_ptr=device.put(spike_ptr), **arguments, **found)
    return found, found["spike_count"].get()
