"""Dense layers in continuous time: the layer sweep in windows."""

import math
import time
import weakref

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.backward import check_trainable
from eventsim.engine.exact_active import sweep_active
from eventsim.engine.feed import Feed
from eventsim.engine.forward import checked_supports
from eventsim.engine.growing import Buffers, run_to_end
from eventsim.engine.queue import check_timed_input, forward_queue
from eventsim.engine.runs import item_parts, sample_parts
from eventsim.engine.trace import LayerTrace, Trace
from eventsim.engine.windows import cut
from eventsim.engine.wiring import plain
from eventsim.errors import ConfigError
from eventsim.kernels.layout import EDGES, EXACT_ROWS, NEVER, SEGMENTS, STATE_PSP, STATE_SPIKE, TILE, n_tiles
from eventsim.kernels.memory import aligned_zeros
from eventsim.spikes import Spikes

# The lists that a part writes, see `Buffers`, and the room for each that there is at first.
_LISTS = {"spike_time": (np.float64, 2), "spike_address": (np.int32, 2)}
_FIRST_ROOM = 4096
_NO_TIMES, _NOBODY = np.empty(0), np.empty(0, np.int32)
# Cost of stepping a tile over a window, in weight rows added, and that of a row, in those of the grid; only the balance
# of the parts depends on it.
_STEP_COST, _ROW_COST = 5, 4
# Spikes an item in the last run of a layer. Only the first guess at the size of a buffer depends on it.
_room = weakref.WeakKeyDictionary()


class _Part(Buffers):
    """A run of items, with output buffers that grow."""

    taken, singly = 3, 4  # entries of progress

    def __init__(self, first, last, room=0):
        self.span = {"item_first": first, "item_last": last}
        super().__init__(_LISTS, dict.fromkeys(_LISTS, room + _FIRST_ROOM), [first, 0, 0, 0, 0])

    def arguments(self):
        return {**self.span, "progress": self.progress, **self.lists}


def _at_rest(n_items):
    """Items in which nothing happened yet, as the kernel `exact_forward` takes them."""
    state = aligned_zeros((n_items, EXACT_ROWS, TILE), np.float64)
    state[:, STATE_SPIKE] = NEVER
    return {"state": state, "response": aligned_zeros((n_items, 2, TILE), np.float32),
            "item_spikes": np.zeros(n_items, np.int64)}


def _sweep(weight, n_neurons, sample_ptr, address, windows, constants, items, parts):
    """Run the parts of the items over all windows."""
    run_to_end("exact_forward", {
        "n_samples": len(sample_ptr) - 1, "n_neurons": n_neurons, "weight": weight, "address": address,
        "sample_ptr": sample_ptr, **windows._asdict(), "constants": constants, "edges": (EDGES + 2 * SEGMENTS,),
        "fetched": (1, TILE), **items,
    }, parts)


def _merged(parts, counts, n_samples, begin, end):
    """(sample_ptr, address, time) of the spikes of all items, ``counts`` of each, sorted by (sample, time, address)."""
    sample_ptr = starts(counts.reshape(len(counts) // max(1, n_samples), n_samples).sum(axis=0))
    n = int(sample_ptr[-1])
    when, address = np.empty(n), np.empty(n, np.int32)
    if n:
        kernels.call_parts("merge_times", {
            "n_samples": n_samples, "begin": begin, "end": end, "item_ptr": starts(counts),
            "item_time": np.concatenate([part.used("spike_time") for part in parts]),
            "item_address": np.concatenate([part.used("spike_address") for part in parts]),
            "sample_ptr": sample_ptr, "bucket_end": (int(np.diff(sample_ptr).max()) + 1,), "time": when,
            "address": address,
        }, sample_parts(sample_ptr))
    return sample_ptr, address, when


def _layer(layer, neuron, spikes, dt, name, support):
    """A `Dense` layer over a batch, as its `LayerTrace`."""
    if layer.kind != "dense" or layer.stages:
        raise ConfigError(f"{name or 'a layer'} is {layer}, and the exact clock runs dense and recurrent layers only")
    started = time.perf_counter()
    constants, end = neuron.exact_constants(dt), spikes.n_ticks * spikes.dt
    ticks = 0.0 if support is None else spikes.dt
    windows = cut(spikes.sample_ptr, spikes.time, spikes.address, 0.0, end, neuron, constants, ticks)
    cost, tiles, active = np.diff(spikes.sample_ptr) + _STEP_COST * windows.window_count, n_tiles(layer.n_out), None
    bounds = item_parts(_ROW_COST * cost, tiles)
    if support is None:
        room = _room.get(layer, 0.0)
        items = _at_rest(tiles * spikes.n_samples)
        parts = [_Part(a, b, int(room * (b - a))) for a, b in bounds]
        _sweep(layer.rows(), layer.n_out, spikes.sample_ptr, spikes.address, windows, constants, items, parts)
        counts = items["item_spikes"]
    else:
        parts, active = sweep_active(layer, neuron, spikes, windows, constants, support, bounds)
        counts = np.concatenate([part.item_spikes for part in parts])
    out = Spikes.of_kernel(*_merged(parts, counts, spikes.n_samples, 0.0, end), spikes, layer.n_out)
    _room[layer] = 1.25 * len(out) / max(1, tiles * spikes.n_samples)
    taken, singly = (sum(int(part.progress[i]) for part in parts) for i in (parts[0].taken, parts[0].singly))
    kept = {} if active is None else {"active": active, "feed": Feed(spikes), "wiring": plain(layer, spikes)}
    return LayerTrace.of(name, layer, spikes, out, started, singly=singly / taken if taken else 0.0, **kept)


def forward_exact(network, spikes: Spikes, *, supports=None, rng=None) -> Trace:
    """Run a batch of input spikes with times through every layer, in continuous time, float64.

    supports : one number a layer (thresholds, or inf) to keep the active sets that `backward` needs, of potentials at
        the ticks of the spikes' ``dt``; None: inference

    A neuron fires at the first instant t >= t_last + t_abs with u(t) >= theta. Networks with delays or recurrence go
    through `forward_queue`, which gives the spikes of the others as well, but for rounding and one event at a time.
    """
    check_timed_input(network, spikes)
    supports = checked_supports(network, supports)
    if not network.is_immediate:
        if supports[0] is not None:
            check_trainable(network)
        return forward_queue(network, spikes)
    layers = []
    current = spikes
    for name, layer, support in zip(network.layer_names, network.layers, supports, strict=True):
        layers.append(_layer(layer, network.neuron, current, network.dt, name, support))
        current = layers[-1].spikes
    return Trace(spikes, layers)


def exact_layer(layer, neuron, spikes, dt, rng=None) -> LayerTrace:
    """One layer over a batch."""
    return _layer(layer, neuron, spikes, dt, "", None)


class ExactLayer:
    """A dense layer without delays in continuous time, of one sample that is given in pieces.

    layer : Dense; neuron : SRM; dt : ms, the dead time of a neuron that has none of its own

    Its state is float64 and as large as the layer, however long the sample is. How a sample is cut into pieces decides
    where windows end, and so on the last bits of spike times.
    """

    def __init__(self, layer, neuron, dt):
        self._weight, self._n_neurons, self._neuron = layer.rows(), layer.n_out, neuron
        self._constants = neuron.exact_constants(dt)
        tiles = n_tiles(layer.n_out)
        self._items, self._part, self._begin = _at_rest(tiles), _Part(0, tiles), 0.0

    def advance(self, time, address, until):
        """Run up to ``until`` ms (excluded; may be infinite); returns the output spikes since the call before.

        time : float64[E], ms, input spikes not before the last ``until`` and before this one; address : int32[E]; both
            sorted by (time, address)
        Returns float64[K] and int32[K], sorted likewise.
        """
        if until < math.inf:
            return self._advance(time, address, until)
        last = time[-1] if len(time) else self._begin
        spikes = self._advance(time, address, math.nextafter(last, math.inf))
        more = self._advance(time[:0], address[:0], self._begin + self._longest_wait())
        return tuple(map(np.concatenate, zip(spikes, more, strict=True)))

    def _advance(self, time, address, until):
        begin, self._begin = self._begin, until
        self._part.progress[:] = 0
        self._items["item_spikes"][:] = 0
        sample_ptr = np.array([0, len(time)])
        windows = cut(sample_ptr, time, address, begin, until, self._neuron, self._constants)
        _sweep(self._weight, self._n_neurons, sample_ptr, address, windows, self._constants, self._items,
               [self._part])
        if self._part.progress[2] == 0:  # as in most of a stream's many short pieces
            return _NO_TIMES, _NOBODY
        _, fired, when = _merged([self._part], self._items["item_spikes"], 1, begin, until)
        return when, fired

    def _longest_wait(self):
        """ms after which no psp can reach the threshold any more, if no input arrives."""
        a, b = (float(self._items["state"][:, STATE_PSP + row].max(initial=0.0)) for row in (0, 1))
        tau, wait = self._neuron.tau_syn, self._neuron.tau_syn
        while (a + b * wait) * math.exp(-wait / tau) >= self._neuron.theta:
            wait += tau
        return wait


class ExactNetwork:
    """A network of dense layers without delays, run piece by piece: the layers one after the other over every piece."""

    def __init__(self, network):
        self._layers = [ExactLayer(layer, network.neuron, network.dt) for layer in network.layers]

    def advance(self, time, address, until) -> list[tuple]:
        """`ExactLayer.advance` of every layer over the spikes of the one before; returns what each of them gives."""
        out = []
        for layer in self._layers:
            time, address = layer.advance(time, address, until)
            out.append((time, address))
        return out
