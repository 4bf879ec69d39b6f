"""Layers in continuous time on a device.

Windows are cut on the host, which the spikes of every layer come to for that; they are put in order there as well.
"""

import functools
import time

import numpy as np

from eventsim.engine.active import starts
from eventsim.engine.exact_kernels import sweep
from eventsim.engine.exact_sweep import by_sample
from eventsim.engine.exact_wiring import Lists, own_spikes, tile
from eventsim.engine.feed import feed
from eventsim.engine.gpu.devices import check_timed_layer
from eventsim.engine.gpu.keeping import Keeping
from eventsim.engine.gpu.wiring import DeviceWiring
from eventsim.engine.trace import LayerTrace
from eventsim.kernels.layout import TILE
from eventsim.spikes import Spikes

# Spikes of a neuron that there is room for at first; where one has more, the layer is run once more.
_FIRST_ROOM = 32
# Arguments of the host's kernels that those of a device do not take.
_ON_HOST = ("neuron", "sample_ptr")


def timed_layer(layer, neuron, spikes, dt, name, support, rng):
    """A layer over a batch of spikes on the host, as its `LayerTrace`, whose spikes are there, too."""
    check_timed_layer(layer, neuron)
    started, device = time.perf_counter(), layer.device
    n_samples, n_ticks, end = spikes.n_samples, spikes.n_ticks, spikes.n_ticks * spikes.dt
    given, keeps = feed(layer, spikes, rng), support is not None
    tiles, lists = tile(layer, given, neuron, dt), given.spikes
    run = sweep(layer, neuron, neuron.exact_constants(dt), tiles, Lists(lists.sample_ptr, lists.address, lists.time),
                n_samples, 0.0, end, spikes.dt if keeps else 0.0)
    arguments, kernel = _arguments(device, run, tiles), run.kernel
    kept = {"feed": given, "rows": len(tiles.weight) * len(lists)}
    shape = arguments["n_items"], n_ticks
    if keeps:
        kernel = f"{kernel}_active"
        arguments |= {"n_ticks": n_ticks, "dt": spikes.dt}
    make = functools.partial(Keeping, layer, neuron, spikes, support) if keeps else None
    counts, singles, times, addresses, kept["active"] = _run(device, kernel, arguments, tiles, make)
    if keeps:
        own = own_spikes(layer, neuron, times, addresses, counts, spikes)
        kept["wiring"] = DeviceWiring(arguments["weight"], lists, layer.n_out, None, given.constant is not None,
                                      fired=_fired(device, own, shape) if neuron.forgets else None)
    out = by_sample(times, addresses, counts, n_samples, 0.0, end)
    taken = layer.n_out * int(run.shared["window_count"].sum())
    return LayerTrace.of(name, layer, lists, Spikes.of_kernel(*out, spikes, layer.n_out), started,
                         singly=singles / taken if taken else 0.0, **kept)


def _arguments(device, run, tiles):
    """What a device's kernel takes of what a `Sweep` gives that of the host."""
    out = {name: device.put(value) for name, value in run.shared.items()
           if isinstance(value, np.ndarray) and name not in _ON_HOST}
    out["weight"] = weight = out.get("weight", tiles.weight)
    n_samples = run.shared["n_samples"]
    return out | {"n_items": len(tiles.theta) * n_samples, "n_samples": n_samples, "n_in": weight.shape[1]}


def _fired(device, own, shape):
    """uint64[items, T], the bits of a layer's `own_spikes`."""
    ptr, tick, lane = own
    words = np.zeros(shape, np.uint64)
    np.bitwise_or.at(words, (np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)), tick), np.uint64(1) << lane)
    return device.put(words)


def _run(device, kernel, arguments, tiles, keep=None):
    """Run a layer; returns the number of spikes of every item, that of neurons in windows that were run one event at a
    time, times and addresses of the spikes, item by item, all on the host, and the active set.

    keep : makes a `Keeping`, with room for as much as it is told; None: no active set is wanted, and there is none
    """
    lanes = TILE * arguments["n_items"]
    spike_ptr, keeping = np.arange(lanes + 1) * _FIRST_ROOM, keep and keep()
    found, counts = _launched(device, kernel, arguments, spike_ptr, keeping)
    list_ptr = starts(counts.ravel())
    if counts.max(initial=0) > _FIRST_ROOM:
        spike_ptr, keeping = list_ptr, keep and keep(keeping.used())
        found = _launched(device, kernel, arguments, list_ptr, keeping)[0]
    active = keep and keeping.listed(functools.partial(
        device.launch, kernel, spike_ptr=device.put(spike_ptr), **arguments, **found))
    times, addresses = (device.empty(int(list_ptr[-1]), kind) for kind in (np.float64, np.int32))
    device.launch(
        "list_times", n_lanes=lanes, n_samples=arguments["n_samples"], neuron=device.put(tiles.neuron),
        spike_ptr=device.put(spike_ptr), list_ptr=device.put(list_ptr), spike_time=found["spike_time"], time=times,
        address=addresses,
    )
    return counts.sum(axis=1), int(found["singles"].get().sum()), times.get(), addresses.get(), active


def _launched(device, kernel, arguments, spike_ptr, keeping):
    """What a kernel writes with room for the spikes of every lane from ``spike_ptr`` on, and how many there are."""
    shape = arguments["n_items"], TILE
    found = {name: device.zeros(shape, np.int64) for name in ("spike_count", "singles")}
    found["spike_time"] = device.empty(int(spike_ptr[-1]), np.float64)
    kept = keeping.arguments if keeping else {}
    device.launch(kernel, spike_ptr=device.put(spike_ptr), **arguments, **found, **kept)
    return found, found["spike_count"].get()
