"""Dense layers in continuous time: the layer sweep in windows."""

import math
import time
from typing import NamedTuple

import numpy as np

from eventsim import kernels
from eventsim.engine.forward import check_input
from eventsim.engine.growing import doubled, run_to_end
from eventsim.engine.runs import even_parts, sample_parts
from eventsim.engine.trace import LayerTrace, Trace, starts
from eventsim.errors import ConfigError
from eventsim.kernels.layout import EDGES, EXACT_ROWS, NEVER, SEGMENTS, STATE_SPIKE, TILE, WINDOW_COLUMNS, n_tiles
from eventsim.kernels.memory import aligned_zeros
from eventsim.spikes import Spikes

_FIRST_ROOM = 4096
# Greatest length of a window in psp time constants.
_LONGEST = 0.25
# Greatest length of a window in refractory time constants, so that exp(its length in them) is a number; and in dead
# times, so that its spikes have a bound. Without events, also in psp time constants.
_LONGEST_REF, _LONGEST_DEAD, _LONGEST_SILENCE = 100.0, 512.0, 30.0
# Cost of stepping a tile over a window, in weight rows added; only the balance of the parts depends on it.
_STEP_COST = 6
_PARTS_A_THREAD = 4


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
    dead = constants[-1]
    most = min(_LONGEST_REF * neuron.tau_ref, _LONGEST_DEAD * dead)
    longest, silence = min(most, _LONGEST * neuron.tau_syn), min(most, _LONGEST_SILENCE * neuron.tau_syn)
    events, span = np.diff(sample_ptr), end - begin
    ticks = math.ceil(span / dt) if dt else 0
    busy = events // (SEGMENTS - 1) + np.minimum(events, math.ceil(span / longest) + ticks) + 1
    room = 2 * busy + math.ceil(span / silence) + ticks + 2
    ends = room.cumsum()
    k = len(spike_time)
    total = int(ends[-1]) if len(ends) else 0
    out = Windows(
        ends - room, np.zeros(len(room), np.int64), np.empty((total, WINDOW_COLUMNS)), np.zeros(total, np.int64),
        np.empty((total, SEGMENTS), np.int32), np.empty((k, 2)), np.empty(k, np.float32),
    )
    kernels.call_parts("cut_windows", {
        "begin": begin, "end": end, "longest": longest, "longest_silence": silence, "dt": dt,
        "sample_ptr": sample_ptr, "time": spike_time, "address": address, "constants": constants, **out._asdict(),
    }, sample_parts(sample_ptr))
    return out


class _Part:
    """A run of items with their state, and output buffers that grow."""

    def __init__(self, first, last):
        self.first, self.last = first, last
        self.state = aligned_zeros((last - first, EXACT_ROWS, TILE), np.float64)
        self.state[:, STATE_SPIKE] = NEVER
        self.response = aligned_zeros((last - first, 2, TILE), np.float32)
        self.spike_time, self.spike_address = np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM, np.int32)
        self.start()

    def start(self):
        self.item_spikes = np.zeros(self.last - self.first, np.int64)
        self.progress = np.array([self.first, 0, 0, 0, 0], np.int64)

    def arguments(self):
        return {"item_first": self.first, "item_last": self.last, "state": self.state, "response": self.response, "progress": self.progress,
                "item_spikes": self.item_spikes, "spike_time": self.spike_time, "spike_address": self.spike_address}

    def grow(self):
        """Double the buffers, keeping what is in them."""
        self.spike_time, self.spike_address = doubled(self.spike_time, self.spike_address)


def _sweep(layer, sample_ptr, address, windows, constants, parts):
    run_to_end("exact_forward", {
        "n_samples": len(sample_ptr) - 1, "n_neurons": layer.n_out, "weight": layer.rows(), "address": address,
        "sample_ptr": sample_ptr, **windows._asdict(), "constants": constants,
        "edges": (EDGES + 2 * SEGMENTS,), "fetched": (1, TILE),
    }, parts)


def _layer(layer, neuron, spikes, dt, name):
    started = time.perf_counter()
    constants = neuron.exact_constants(dt)
    windows = cut(spikes.sample_ptr, spikes.time, spikes.address, 0.0, spikes.n_ticks * spikes.dt, neuron, constants)
    tiles = n_tiles(layer.n_out)
    cost = np.diff(spikes.sample_ptr) + _STEP_COST * windows.window_count
    parts = [_Part(a, b) for a, b in even_parts(cost, _PARTS_A_THREAD * kernels.threads(), tiles)]
    _sweep(layer, spikes.sample_ptr, spikes.address, windows, constants, parts)
    counts = np.concatenate([part.item_spikes for part in parts])
    when = np.concatenate([part.spike_time[: part.progress[2]] for part in parts])
    address = np.concatenate([part.spike_address[: part.progress[2]] for part in parts])
    sample = np.repeat(np.tile(np.arange(spikes.n_samples), tiles), counts)
    order = np.lexsort((address, when, sample))
    out = Spikes(
        starts(counts.reshape(tiles, -1).sum(axis=0)), address[order], time=when[order], n_neurons=layer.n_out,
        n_ticks=spikes.n_ticks, dt=spikes.dt, check=False,
    )
    trace = LayerTrace.of(name, layer, spikes, out, started)
    trace.singles = sum(p.progress[4] for p in parts) / sum(p.progress[3] for p in parts)
    return trace


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
