"""Layers in continuous time on a device: what `eventsim.engine.exact` does, by the same sweep in windows."""

import functools
import time

import numpy as np

from eventsim.engine.exact_wiring import tile
from eventsim.engine.feed import feed
from eventsim.engine.gpu.devices import check_timed_layer
from eventsim.engine.gpu.keeping import Keeping
from eventsim.engine.gpu.spikes import uploaded
from eventsim.engine.gpu.timed import cut_lists, kernel_of, merged, own_spikes, patch_arguments, window_arguments
from eventsim.engine.gpu.wiring import DeviceWiring
from eventsim.engine.trace import LayerTrace
from eventsim.kernels.layout import TILE

# Spikes of a neuron that there is room for at first, at least, and of all together; where one has more, the layer runs
# again.
_FIRST_ROOM, _LEAST_ROOM, _MOST_ROOM = 32, 4, 1 << 26
# Totals of a run, see the kernels.
_TAKEN, _SINGLY, _LEFT_OUT = range(3)


def timed_layer(layer, neuron, spikes, dt, name, support, rng):
    """A layer over a batch of spikes, as its `LayerTrace`."""
    check_timed_layer(layer, neuron)
    started, device, constants = time.perf_counter(), layer.device, neuron.exact_constants(dt)
    n_samples, n_ticks, end = spikes.n_samples, spikes.n_ticks, spikes.n_ticks * spikes.dt
    given, keeps, pixels = feed(layer, uploaded(device, spikes), rng), support is not None, None
    tiles, lists, kernel = tile(layer, given, neuron, dt), given.spikes, kernel_of(layer, constants)
    if layer.patches is None:
        arguments = window_arguments(lists, neuron, constants, end, spikes.dt if keeps else 0.0, not tiles.fires_alone)
    else:
        lists, pixels = cut_lists(layer.patches, given.spikes)
        arguments = patch_arguments(lists, neuron, constants, n_samples) | ({} if keeps else {"end": end})
    arguments |= {name: array if isinstance(array, device.array_type) else device.put(array)
                  for name, array in tiles._asdict().items()}
    arguments |= {"n_items": len(tiles.theta) * n_samples, "n_neurons": layer.n_out, "n_in": tiles.weight.shape[1]}
    kept = {"feed": given, "rows": len(tiles.weight) * len(lists)}
    keep = None
    if keeps:
        kernel, keep = f"{kernel}_active", functools.partial(Keeping, layer, neuron, spikes, support)
        arguments |= {"n_ticks": n_ticks, "dt": spikes.dt}
    found, list_ptr, totals, kept["active"] = _run(device, kernel, arguments, n_samples * layer.n_out, keep)
    out = merged(device, found, list_ptr, spikes, layer.n_out)
    if keeps:
        n_neurons = layer.n_out if layer.patches is None else len(tiles.weight) * TILE
        shape = arguments["n_items"], n_ticks
        kept["wiring"] = DeviceWiring(arguments["weight"], lists, n_neurons, None, given.constant is not None,
                                      fired=own_spikes(layer, out, shape) if neuron.forgets else None)
    crossed = len(given.spikes) * layer.n_out if pixels is None else layer.crossed(pixels)
    singly = totals[_SINGLY] / totals[_TAKEN] if totals[_TAKEN] else 0.0
    return LayerTrace.of(name, layer, given.spikes, out, started, synops=crossed, singly=singly, **kept)


def _run(device, kernel, arguments, n_lists, keep):
    """Run a layer; returns what `merged` takes of its spikes, where those of every neuron begin, the totals, and the
    active set.

    n_lists : of the spikes, one for every neuron and sample
    keep : makes a `Keeping`, with room for as much as it is told; None: no active set is wanted, and there is none
    """
    keeping = keep and keep()
    room = min(_FIRST_ROOM, max(_LEAST_ROOM, _MOST_ROOM // max(n_lists, 1)))
    nothing = device.empty(0, np.int64)
    found, counts, totals = _launched(device, kernel, arguments, n_lists, keeping, room, nothing, n_lists * room)
    list_ptr = device.starts(counts)
    if totals[_LEFT_OUT]:
        keeping = keep and keep(keeping.used())
        found, counts, totals = _launched(device, kernel, arguments, n_lists, keeping, 0, list_ptr,
                                          int(list_ptr[-1:].get()[0]))
    again = functools.partial(device.launch, kernel, spike_count=counts, totals=device.zeros(3, np.int64), **found,
                              **arguments)
    return found, list_ptr, totals, keep and keeping.listed(again)


def _launched(device, kernel, arguments, n_lists, keeping, room, spike_ptr, size):
    """(found, counts, totals) of a run with so much room for spikes, see `_run`; totals are on the host."""
    found = {"room": room, "spike_ptr": spike_ptr, "spike_time": device.empty(size, np.float64)}
    counts, totals = device.zeros(n_lists, np.int64), device.zeros(3, np.int64)
    device.launch(kernel, spike_count=counts, totals=totals, **found, **arguments,
                  **(keeping.arguments if keeping else {}))
    return found, counts, totals.get()
