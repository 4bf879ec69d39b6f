"""The forward pass on the tick clock: layer after layer, each from the spike list of the one before."""

import math
import numbers
import time
import weakref
from collections.abc import Iterable

import numpy as np

from eventsim import kernels
from eventsim.engine.active import ActiveSet, starts, support_window
from eventsim.engine.delayed import delayed_layer
from eventsim.engine.feed import feed
from eventsim.engine.gpu import delayed as gpu_delayed
from eventsim.engine.gpu import forward as gpu
from eventsim.engine.gpu import readout as gpu_readout
from eventsim.engine.gpu import sparse as gpu_sparse
from eventsim.engine.growing import Buffers, run_to_end
from eventsim.engine.readout import read_ticks
from eventsim.engine.runs import by_tick, empty_runs, item_parts, sample_parts
from eventsim.engine.sparse import sparse_layer
from eventsim.engine.trace import LayerTrace, Trace
from eventsim.engine.wiring import n_taps, wire
from eventsim.errors import ConfigError
from eventsim.kernels.layout import CHUNK, GAIN_SYN, TILE, n_chunks, n_tiles
from eventsim.spikes import Spikes

# Cost of stepping a tile for a tick, in weight rows added; only the balance of the parts depends on it.
_STEP_COST = 4


# The lists that a sweep writes, see `Buffers`.
_LISTS = {
    "word_tick": (np.int32, 1), "word_lanes": (np.uint64, 1),
    "entry_lane": (np.uint8, 2), "entry_ticks": (np.uint64, 2), "rho": (np.float32, 3),
}
# What the last run of a layer needed of each, an item. Only the first guess at the size of a buffer depends on it.
_room = weakref.WeakKeyDictionary()


class _Part(Buffers):
    """A run of items with its output buffers, which grow until everything fits.

    ``room`` gives entries an item: what a run before needed, for each of the lists.
    """

    def __init__(self, first, last, n_ticks, room, keep_active):
        self.span = {"item_first": first, "item_last": last}
        n_items, blocks = last - first, (last - first) * n_chunks(n_ticks)
        self.counts = {name: np.zeros(n_items, np.int64) for name in ("item_spikes", "item_words")}
        most = {"word_tick": n_ticks + 1, "word_lanes": n_ticks + 1}
        if keep_active:
            self.counts |= {name: np.zeros(blocks, np.int32) for name in ("block_entries", "block_pairs")}
            entries = TILE * n_chunks(n_ticks)
            most |= {"entry_lane": entries, "entry_ticks": entries, "rho": TILE * n_ticks}
        sizes = {name: one + n_items * room.get(name, one / 8) for name, one in most.items()}
        super().__init__(_LISTS, sizes, [first, 0, 0, 0] if keep_active else [first, 0])

    def arguments(self):
        return {**self.span, "progress": self.progress, **self.counts, **self.lists}


def _learn_room(layer, parts, n_items):
    used = sum(part.progress for part in parts)
    names = parts[0].lists
    _room.setdefault(layer, {}).update({name: 1.25 * used[_LISTS[name][1]] / n_items for name in names})


def _sweep(layer, neuron, wiring, like, support, taps):
    """Run the tile kernel over all items of a layer; returns the parts, in the order of their items."""
    tiles, n_ticks, runs = len(wiring.weight), like.n_ticks, wiring.runs
    ends = runs.run_start[runs.run_base + runs.run_count] if wiring.n_lists else np.empty(0, np.int64)
    cost = ends - runs.run_start[runs.run_base] + _STEP_COST * runs.run_count
    bounds = item_parts(cost, tiles)
    keep_active = support is not None and math.isfinite(support)
    parts = [_Part(a, b, n_ticks, _room.get(layer, {}), keep_active) for a, b in bounds]
    constants = neuron.constants(like.dt, *([taps] if taps else []))
    shared = {
        "n_samples": wiring.n_lists, "n_neurons": wiring.n_neurons, "n_ticks": n_ticks,
        "n_abs": neuron.dead_ticks(like.dt), "weight": wiring.weight, **runs._asdict(), "address": wiring.address,
        "constants": constants, "ready": (TILE,),
    }
    driven = {"moving": wiring.moving, "n_batch": like.n_samples, "drive": wiring.drive}
    if neuron.family == "lif":
        kernel = "lif_forward"
        shared |= {"gain": wiring.gain(1.0), **driven}
    else:
        kernel = "driven_forward" if len(wiring.drive) else "dense_forward"
        shared |= {"n_taps": taps, "gain": wiring.gain(constants[GAIN_SYN])}
        shared |= driven if len(wiring.drive) else {}
    if keep_active:
        low, high = support_window(neuron, support)
        run_to_end(f"{kernel}_active", {
            **shared, "u_low": low, "u_high": high, "rho_width": neuron.rho_width, "rho_peak": neuron.rho_peak,
            "chunk_u": (CHUNK, TILE), "chunk_lanes": (CHUNK,),
        }, parts)
    else:
        run_to_end(kernel, {**shared, "fetched": (1, TILE)}, parts)
    _learn_room(layer, parts, tiles * wiring.n_lists)
    return parts


def _counts(parts, name):
    return np.concatenate([part.counts[name] for part in parts])


def _joined(parts, name):
    """A list of all parts, as far as it is used."""
    return np.concatenate([part.used(name) for part in parts])


def _merged_spikes(parts, layer, like):
    """The output spikes of all parts, and their runs."""
    tiles = len(layer.lane_neuron)
    sample_ptr = starts(_counts(parts, "item_spikes").reshape(tiles, like.n_samples).sum(axis=0))
    n_spikes = int(sample_ptr[-1])
    address, tick = np.empty(n_spikes, np.int32), np.empty(n_spikes, np.int32)
    runs = empty_runs(sample_ptr, like.n_ticks)
    if n_spikes:
        shared = {
            "n_samples": like.n_samples, "n_ticks": like.n_ticks, "word_ptr": starts(_counts(parts, "item_words")),
            "word_tick": _joined(parts, "word_tick"), "word_lanes": _joined(parts, "word_lanes"),
            "sample_ptr": sample_ptr, "address": address, "tick": tick, **runs._asdict(),
        }
        if layer.patches is None:
            kernels.call_parts("merge_items", {**shared, "tick_end": (like.n_ticks,)}, sample_parts(sample_ptr))
        else:
            kernels.call_parts("merge_tiles", {
                **shared, "neuron": layer.lane_neuron, "next_word": (tiles,), "next_tick": (tiles,),
                "is_fired": (n_tiles(layer.n_out),),
            }, sample_parts(sample_ptr))
    return Spikes.of_kernel(sample_ptr, address, tick, like, layer.n_out), runs


def _active_set(parts, spikes, layer):
    return ActiveSet(
        spikes.n_samples, spikes.n_ticks, layer.lane_neuron,
        starts(_counts(parts, "block_entries")), starts(_counts(parts, "block_pairs")),
        _joined(parts, "entry_lane"), _joined(parts, "entry_ticks"), _joined(parts, "rho"),
    )


def _tiled_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """A `Dense` layer or a convolution over a batch; returns its `LayerTrace`, and the runs of its spikes."""
    started = time.perf_counter()
    taps, given = n_taps(layer, neuron, spikes.dt, truncate), feed(layer, spikes, rng)
    same_ticks = given.spikes.tick is spikes.tick
    wiring = wire(layer, given, neuron, runs if same_ticks else None, truncate, whole=support is None)
    size = spikes.n_samples, spikes.n_ticks, layer.lane_neuron
    finite = support is not None and math.isfinite(support)
    parts = []
    # A layer without input is silent, unless neurons at rest count as active.
    at_rest_active = finite and support_window(neuron, support)[0] <= 0.0
    if spikes.n_samples and (len(given.spikes) or wiring.moving or at_rest_active):
        parts = _sweep(layer, neuron, wiring, spikes, support, taps)
        out, runs = _merged_spikes(parts, layer, spikes)
    else:
        ptr, none = np.zeros(spikes.n_samples + 1, np.int64), np.empty(0, np.int32)
        out = Spikes.of_kernel(ptr, none, none, spikes, layer.n_out)
        runs = empty_runs(ptr, spikes.n_ticks)
    kept = {"feed": given, "touched": int(wiring.runs.run_count.sum()) / max(1, wiring.n_lists * spikes.n_ticks),
            "rows": len(wiring.weight) * len(wiring.address)}
    if support is not None:
        kept |= {"wiring": wiring, "active": ActiveSet.everything(*size)}
        if finite:
            kept["active"] = _active_set(parts, spikes, layer) if parts else ActiveSet.nothing(*size)
    if wiring.pixels is not None:
        kept["synops"] = layer.crossed(wiring.pixels)
    return LayerTrace.of(name, layer, given.spikes, out, started, **kept), runs


def forward_layer(layer, neuron, spikes, *, name="", support=None, truncate=False, rng=None) -> LayerTrace:
    """One layer over a batch; ``support`` (in thresholds, or inf) also keeps its active set for the backward pass.

    rng : in training, see `forward`
    """
    return _run_layer(layer, neuron, spikes, _runs_for(layer, spikes), name, support, truncate, rng)[0]


def _runs_for(layer, spikes):
    """The runs of a layer's input; a device makes its own where they are not given."""
    return None if layer.device is not None else by_tick(spikes)


# How a layer of each kind is run on the CPU and on a device where it has neither delays nor recurrence.
_TILED = _tiled_layer, gpu.tiled_layer
_IMMEDIATE = {"dense": _TILED, "conv": _TILED, "pool": _TILED, "sparse": (sparse_layer, gpu_sparse.sparse_layer)}


def _run_layer(layer, neuron, *arguments):
    """A layer over a batch; returns its `LayerTrace`, and the runs of its spikes."""
    if neuron.family == "li":
        on_host, on_device = read_ticks, gpu_readout.read_ticks
    elif not layer.is_immediate:
        on_host, on_device = delayed_layer, gpu_delayed.delayed_layer
    else:
        on_host, on_device = _IMMEDIATE[layer.kind]
    return (on_host if layer.device is None else on_device)(layer, neuron, *arguments)


def checked_supports(network, supports, truncate=False):
    """``supports`` as a list with an entry for each layer, all None where nothing is to be kept."""
    if network.weights != "float32" and (truncate or supports is not None):
        raise ConfigError(f"weights of {network.weights} are for inference; train, and truncate the psp, with float32")
    n_layers = len(network.layers)
    if supports is None:
        return [None] * n_layers
    values = list(supports) if isinstance(supports, Iterable) else []
    numeric = all(isinstance(value, numbers.Real) and not isinstance(value, bool) for value in values)
    if len(values) != n_layers or not numeric or not all(value > 0 for value in values):
        raise ConfigError(
            f"supports must be a number of thresholds above 0, or inf, for each of {n_layers} layers, got {supports!r}"
        )
    return values


def check_input(network, spikes):
    """Raise `ConfigError` unless ``spikes`` are spikes of the network's input addresses."""
    if not isinstance(spikes, Spikes):
        raise ConfigError(f"the input must be Spikes, got {type(spikes).__name__}; bin events first")
    if spikes.n_neurons != network.arch.n_inputs:
        raise ConfigError(f"the network takes {network.arch.n_inputs} input addresses, got {spikes.n_neurons}")


def forward(network, spikes: Spikes, *, supports=None, truncate=False, rng=None) -> Trace:
    """Run a batch of input spikes on the grid through every layer.

    supports : one number a layer (thresholds, or inf) to keep the active sets that `backward` needs; None: inference
    truncate : cut the psp off where slayerPytorch does (oracle mode)
    rng : in training, the generator of dropout's masks, with which batch normalisation takes the batch's statistics, or
        a `Share` of a batch that has it; None: nobody is dropped, and the statistics are the running ones
    """
    check_input(network, spikes)
    if spikes.tick is None:
        raise ConfigError("the grid clock needs spikes with ticks; these have exact times, bin them first")
    if spikes.dt != network.dt:
        raise ConfigError(f"the network's tick is {network.dt:g} ms, the spikes' is {spikes.dt:g} ms")
    supports = checked_supports(network, supports, truncate)
    layers = []
    current, runs = spikes, _runs_for(network.layers[0], spikes)
    trace = Trace(spikes, layers, runs=runs)
    for name, layer, neuron, support in zip(network.layer_names, network.layers, network.neurons, supports,
                                            strict=True):
        done, runs = _run_layer(layer, neuron, current, runs, name, support, truncate, rng)
        done.runs = runs
        layers.append(done)
        current = done.spikes
    return trace
