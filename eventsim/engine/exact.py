"""Layers without delays in continuous time: the layer sweep in windows."""

import itertools
import time
import weakref

import numpy as np

from eventsim.engine.backward import check_trainable
from eventsim.engine.exact_active import sweep_active
from eventsim.engine.exact_kernels import sweep
from eventsim.engine.exact_sweep import Part, PatchPart, at_rest, joined, merged
from eventsim.engine.exact_wiring import cut_lists, own_spikes, tile, wire_back
from eventsim.engine.feed import feed
from eventsim.engine.forward import checked_supports
from eventsim.engine.gpu import exact as gpu
from eventsim.engine.gpu import readout as gpu_readout
from eventsim.engine.gpu.devices import check_timed
from eventsim.engine.growing import run_to_end
from eventsim.engine.queue import check_timed_input, forward_queue
from eventsim.engine.readout import read_times
from eventsim.engine.runs import item_parts
from eventsim.engine.trace import LayerTrace, Trace
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes

# Cost of a weight row, in those of the grid; only the balance of the parts depends on it.
_ROW_COST = 4
# Spikes an item in the last run of a layer. Only the first guess at the size of a buffer depends on it.
_room = weakref.WeakKeyDictionary()


def _swept(layer, spikes, tiles, run, bounds, constants):
    """The parts of a run that keeps nothing but spikes, and the number of those of every item."""
    n_items, room, end = len(tiles.theta) * spikes.n_samples, _room.get(layer, 0.0), spikes.n_ticks * spikes.dt
    sizes = [(first, last, int(room * (last - first))) for first, last in bounds]
    if layer.patches is None:
        items, parts = at_rest(tiles, spikes.n_samples, constants), [Part(*size) for size in sizes]
    else:
        items = {"item_spikes": np.zeros(n_items, np.int64), "anew": True, "end": end}
        parts = [PatchPart(first, last, constants, size) for first, last, size in sizes]
    run_to_end(run.kernel, {**run.shared, **items}, parts)
    return parts, items["item_spikes"]


def _layer(layer, neuron, spikes, dt, name, support, rng):
    """A layer over a batch, as its `LayerTrace`."""
    if layer.kind == "sparse":
        raise ConfigError(f"{name or 'a layer'} is {layer}, and sparse layers run on the grid clock only")
    if not neuron.fires:
        read = read_times if layer.device is None else gpu_readout.read_times
        return read(layer, neuron, spikes, dt, name, support, rng)
    if layer.device is not None:
        return gpu.timed_layer(layer, neuron, spikes, dt, name, support, rng)
    started = time.perf_counter()
    given, constants, end = feed(layer, spikes, rng), neuron.exact_constants(dt), spikes.n_ticks * spikes.dt
    tiles = tile(layer, given, neuron, dt)
    lists = cut_lists(layer, given.spikes.sample_ptr, given.spikes.address, given.spikes.time)
    run = sweep(layer, neuron, constants, tiles, lists, spikes.n_samples, 0.0, end,
                0.0 if support is None else spikes.dt)
    bounds, kept = item_parts(_ROW_COST * run.cost, len(tiles.weight)), {"feed": given}
    kept["rows"] = len(tiles.weight) * len(lists.address)
    if support is None:
        parts, counts = _swept(layer, spikes, tiles, run, bounds, constants)
    else:
        parts, active = sweep_active(run, layer, neuron, spikes, support, bounds)
        counts = np.concatenate([part.item_spikes for part in parts])
        own = own_spikes(layer, neuron, *joined(parts), counts, spikes)
        kept |= {"active": active, "wiring": wire_back(layer, given, tiles.weight, lists, neuron, own)}
    out = Spikes.of_kernel(*merged(parts, counts, spikes.n_samples, 0.0, end), spikes, layer.n_out)
    _room[layer] = 1.25 * len(out) / max(1, len(counts))
    taken, singly = (sum(int(part.progress[i]) for part in parts) for i in (parts[0].taken, parts[0].singly))
    return LayerTrace.of(name, layer, given.spikes, out, started, singly=singly / taken if taken else 0.0, **kept)


def forward_exact(network, spikes: Spikes, *, supports=None, rng=None) -> Trace:
    """Run a batch of input spikes with times through every layer, in continuous time, float64.

    supports : one number a layer (thresholds, or inf) to keep the active sets that `backward` needs, of potentials at
        the ticks of the spikes' ``dt``; None: inference
    rng : in training, as in `forward`; the batch's statistics are those of the spikes in every tick

    A neuron fires at the first instant t >= t_last + t_abs with u(t) >= theta; to leaky ones what arrives at once is
    one input. The constant input in every tick that batch normalisation makes is a constant current. Networks with
    delays or recurrence go through `forward_queue`, which gives the spikes of the others as well, but for rounding and
    one event at a time.
    """
    check_timed_input(network, spikes)
    check_timed(network)
    supports = checked_supports(network, supports)
    trace = Trace(spikes, [])
    if not network.is_immediate:
        if supports[0] is not None:
            check_trainable(network)
        trace = forward_queue(network.spiking, spikes)
    layers = zip(network.layer_names, network.layers, network.neurons, supports, strict=True)
    for name, layer, neuron, support in itertools.islice(layers, len(trace.layers), None):
        current = trace.layers[-1].spikes if trace.layers else spikes
        trace.layers.append(_layer(layer, neuron, current, network.dt, name, support, rng))
    return trace


def exact_layer(layer, neuron, spikes, dt, rng=None) -> LayerTrace:
    """One layer over a batch."""
    return _layer(layer, neuron, spikes, dt, "", None, rng)
