"""Dense layers in continuous time: the layer sweep in windows."""

import math
import time
import weakref
from typing import NamedTuple

import numpy as np

from eventsim import kernels
from eventsim.engine.forward import check_input
from eventsim.engine.growing import doubled, run_to_end
from eventsim.engine.runs import item_parts, sample_parts
from eventsim.engine.trace import LayerTrace, Trace, starts
from eventsim.errors import ConfigError
from eventsim.kernels.layout import EDGES, EXACT_ROWS, NEVER, SEGMENTS, STATE_SPIKE, TILE, WINDOW_COLUMNS, n_tiles
from eventsim.kernels.memory import aligned_zeros
from eventsim.spikes import Spikes

_FIRST_ROOM = 4096
# Greatest length of a window in psp time constants, with events and without.
_LONGEST, _LONGEST_SILENCE = 0.25, 30.0
# And in refractory time constants, so that exp(its length in them) is a number, and in dead times, so that the spikes
# in it have a bound.
_LONGEST_REF, _LONGEST_DEAD = 100.0, 512.0
# Cost of stepping a tile over a window, in weight rows added, and that of a row, in those of the grid; only the balance
# of the parts depends on it.
_STEP_COST, _ROW_COST = 5, 2
# Spikes an item in the last run of a layer. Only the first guess at the size of a buffer depends on it.
_room = weakref.WeakKeyDictionary()


class Windows(NamedTuple):
    """The windows of a batch, see the kernel `cut_windows`; the names are those of kernels' arguments."""

    window_base: np.ndarray
    window_count: np.ndarray
    window: np.ndarray
    window_event: np.ndarray
    window_address: np.ndarray
    coefficient: np.ndarray
    upper: np.ndarray


def cut(sample_ptr, spike_time, address, begin, end, neuron, constants, dt=0.0) -> Windows:
    """Windows from ``begin`` to ``end`` ms over input spikes; with ``dt`` they also end on every tick."""
    most = min(_LONGEST_REF * neuron.tau_ref, _LONGEST_DEAD * constants[-1])
    longest, silence = min(most, _LONGEST * neuron.tau_syn), min(most, _LONGEST_SILENCE * neuron.tau_syn)
    events, span = np.diff(sample_ptr), end - begin
    ticks = math.ceil(span / dt) if dt else 0
    # A window with events is full, or it is cut off; before each there may be one without, and silence is cut as well.
    busy = events // (SEGMENTS - 1) + np.minimum(events, math.ceil(span / longest) + ticks) + 1
    room = 2 * busy + math.ceil(span / silence) + ticks + 2
    ends = room.cumsum()
    total, n = int(ends[-1]) if len(ends) else 0, len(spike_time)
    out = Windows(
        ends - room, np.zeros(len(room), np.int64), np.empty((total, WINDOW_COLUMNS)), np.empty(total, np.int64),
        np.empty((total, SEGMENTS), np.int32), np.empty((n, 2)), np.empty(n, np.float32),
    )
    kernels.call_parts("cut_windows", {
        "begin": begin, "end": end, "longest": longest, "longest_silence": silence, "dt": dt, "sample_ptr": sample_ptr,
        "time": spike_time, "address": address, "constants": constants, **out._asdict(),
    }, sample_parts(sample_ptr))
    return out


class _Part:
    """A run of items with their state, and output buffers that grow."""

    def __init__(self, first, last, room=0):
        self.first, self.last = first, last
        self.state = aligned_zeros((last - first, EXACT_ROWS, TILE), np.float64)
        self.state[:, STATE_SPIKE] = NEVER
        self.response = aligned_zeros((last - first, 2, TILE), np.float32)
        room += _FIRST_ROOM
        self.spike_time, self.spike_address = np.empty(room), np.empty(room, np.int32)
        self.start()

    def start(self):
        """Forget spikes and counts of the run before; the state stays."""
        self.item_spikes = np.zeros(self.last - self.first, np.int64)
        self.progress = np.array([self.first, 0, 0, 0, 0], np.int64)

    def arguments(self):
        return {"item_first": self.first, "item_last": self.last, "state": self.state, "response": self.response,
                "progress": self.progress, "item_spikes": self.item_spikes, "spike_time": self.spike_time,
                "spike_address": self.spike_address}

    def grow(self):
        """Double the buffers, keeping what is in them."""
        self.spike_time, self.spike_address = doubled(self.spike_time, self.spike_address)


def _sweep(weight, n_neurons, sample_ptr, address, windows, constants, parts):
    """Run the parts over all windows."""
    run_to_end("exact_forward", {
        "n_samples": len(sample_ptr) - 1, "n_neurons": n_neurons, "weight": weight, "address": address,
        "sample_ptr": sample_ptr, **windows._asdict(), "constants": constants, "edges": (EDGES + 2 * SEGMENTS,),
        "fetched": (1, TILE),
    }, parts)


def _merged(parts, n_samples, begin, end):
    """(sample_ptr, address, time) of the parts' spikes, sorted by (sample, time, address)."""
    counts = np.concatenate([part.item_spikes for part in parts])
    sample_ptr = starts(counts.reshape(-1, n_samples).sum(axis=0))
    n = int(sample_ptr[-1])
    when, address = np.empty(n), np.empty(n, np.int32)
    if n:
        kernels.call_parts("merge_times", {
            "n_samples": n_samples, "begin": begin, "end": end, "item_ptr": starts(counts),
            "item_time": np.concatenate([part.spike_time[: part.progress[2]] for part in parts]),
            "item_address": np.concatenate([part.spike_address[: part.progress[2]] for part in parts]),
            "sample_ptr": sample_ptr, "bucket_end": (int(np.diff(sample_ptr).max()) + 1,), "time": when,
            "address": address,
        }, sample_parts(sample_ptr))
    return sample_ptr, address, when


def _layer(layer, neuron, spikes, dt, name):
    started = time.perf_counter()
    constants, end = neuron.exact_constants(dt), spikes.n_ticks * spikes.dt
    windows = cut(spikes.sample_ptr, spikes.time, spikes.address, 0.0, end, neuron, constants)
    cost = np.diff(spikes.sample_ptr) + _STEP_COST * windows.window_count
    tiles = n_tiles(layer.n_out)
    room = _room.get(layer, 0.0)
    parts = [_Part(a, b, int(room * (b - a))) for a, b in item_parts(_ROW_COST * cost, tiles)]
    _sweep(layer.rows(), layer.n_out, spikes.sample_ptr, spikes.address, windows, constants, parts)
    out = Spikes.of_kernel(*_merged(parts, spikes.n_samples, 0.0, end), spikes, layer.n_out)
    _room[layer] = 1.25 * len(out) / max(1, tiles * spikes.n_samples)
    taken, singly = (sum(int(part.progress[i]) for part in parts) for i in (3, 4))
    return LayerTrace.of(name, layer, spikes, out, started, singly=singly / taken if taken else 0.0)


def forward_exact(network, spikes: Spikes) -> Trace:
    """Run a batch of input spikes with times through every layer, in continuous time, float64.

    A neuron fires at the first instant t >= t_last + t_abs with u(t) >= theta.
    """
    check_input(network, spikes)
    if spikes.time is None:
        raise ConfigError("the exact clock needs spikes with times; these have ticks, encode the events exactly")
    layers = []
    current = spikes
    for name, layer in zip(network.layer_names, network.layers, strict=True):
        layers.append(_layer(layer, network.neuron, current, network.dt, name))
        current = layers[-1].spikes
    return Trace(spikes, layers)


class ExactLayer:
    """A dense layer of one sample that is run piece by piece; its state is all that it keeps.

    layer : Dense, without delays; neuron : SRM; dt : ms, the dead time of a neuron that has none of its own
    """

    def __init__(self, layer, neuron, dt):
        self._weight, self._n_neurons, self._neuron = layer.rows(), layer.n_out, neuron
        self._constants = neuron.exact_constants(dt)
        self._part = _Part(0, n_tiles(layer.n_out))
        self._begin = 0.0

    def advance(self, time, address, until):
        """Spikes (time float64[K] in ms, address int32[K]) from where the last call ended up to ``until``, exclusive.

        time, address : the input spikes of this span, sorted by (time, address)
        """
        begin, self._begin = self._begin, until
        self._part.start()
        sample_ptr = np.array([0, len(time)])
        windows = cut(sample_ptr, time, address, begin, until, self._neuron, self._constants)
        _sweep(self._weight, self._n_neurons, sample_ptr, address, windows, self._constants, [self._part])
        _, fired, when = _merged([self._part], 1, begin, until)
        return when, fired
