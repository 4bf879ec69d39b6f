"""The forward pass on the exact clock through the global event queue: networks with delays and recurrence."""

import itertools
import math
import time

import numpy as np

from eventsim.engine.active import starts
from eventsim.engine.exact_wiring import check_settles
from eventsim.engine.feed import feed
from eventsim.engine.forward import check_input
from eventsim.engine.gpu.devices import check_on_host
from eventsim.engine.growing import doubled, run_to_end
from eventsim.engine.queue_wiring import QueueWiring
from eventsim.engine.trace import LayerTrace, Trace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_FAMILY,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_THETA,
    LIF_FAMILY,
    QUEUE_ROWS,
    SENDS,
    TILE,
)
from eventsim.spikes import Spikes

# Spikes, and spikes in flight, that there is room for before buffers grow.
_FIRST_ROOM = 1024
# What the kernel's progress counts.
_INPUT, _SPIKES, _FLIGHTS = 0, 1, 3


class _Sample:
    """One sample on its way through a network: what the queue keeps, and buffers that grow."""

    def __init__(self, wiring, first=0, last=0):
        tiles, of = len(wiring.theta), wiring.constants.T[:, :, None]
        state = np.zeros((tiles, QUEUE_ROWS, TILE))
        missing = np.where(np.isfinite(wiring.theta), wiring.theta - of[EXACT_THETA], 0.0)
        # Of the potential that a constant input comes to, and of the slope of a psp, or of a current.
        with_current = (of[EXACT_KICK_B] != 0.0) | (of[EXACT_KICK_C] != 0.0)
        state[:, 0] = missing
        state[:, 1] = missing * np.where(of[EXACT_FAMILY] == LIF_FAMILY, with_current, of[EXACT_LAM])
        state[:, -1] = -of[EXACT_DEAD]  # the time of the last spike: nobody is dead at the start
        self.last, self.progress = last, np.array([first, 0, 0, 0, 0])
        self.kept = {
            "state": state, "due": np.empty(tiles * TILE), "sure": np.empty(tiles * TILE, bool),
            "heap": np.empty(tiles * TILE, np.int64), "place": np.full(tiles * TILE, -1), "progress": self.progress,
        }
        self.flights = np.empty((_FIRST_ROOM, 2)), np.empty((_FIRST_ROOM, 3), np.int64)
        self.spikes = np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM, np.int64)

    def begin_piece(self, n_spikes):
        """Get ready for other input spikes, and for output spikes in place of those there are."""
        self.last, self.progress[_INPUT], self.progress[_SPIKES] = n_spikes, 0, 0

    def arguments(self):
        return {
            "last": self.last, **self.kept, "flight_time": self.flights[0], "flight_route": self.flights[1],
            "spike_time": self.spikes[0], "spike_neuron": self.spikes[1],
        }

    def grow(self):
        """Double the buffers that are full, keeping what is in them."""
        if self.progress[_SPIKES] == len(self.spikes[0]):
            self.spikes = doubled(*self.spikes)
        if self.progress[_FLIGHTS] + SENDS > len(self.flights[0]):
            self.flights = doubled(*self.flights)

    def by_layer(self, wiring):
        """(time, address) of the spikes of every layer, in the order of both."""
        when, lane = (column[: self.progress[_SPIKES]] for column in self.spikes)
        address = wiring.neuron.ravel()[lane]
        order = np.lexsort((address, when))  # rounding may let a lower neuron cross late, at the time of an arrival
        when, lane, address = when[order], lane[order], address[order]
        for first, last in itertools.pairwise(TILE * wiring.first_tile):
            own = (first <= lane) & (lane < last)
            yield when[own], address[own]


class NetworkQueue:
    """A network, run piece by piece in continuous time; one sample without an end.

    Weights and delays are copied: later changes of the network do not reach it. What it remembers is bounded by the
    network's size and by the spikes in flight and in a piece. Raises `ConfigError` for sparse layers.
    """

    def __init__(self, network):
        self._wiring = QueueWiring(network)
        self._sample = _Sample(self._wiring)
        recurrent = any(layer.kind == "recurrent" for layer in network.layers)
        self.fires_on = recurrent or bool((self._wiring.theta <= 0.0).any())  # for ever, without any input

    def advance(self, time, address, until) -> list[tuple]:
        """Run up to ``until`` ms, exclusive; returns (time float64[K], address int32[K]) of every layer's spikes.

        time float64 (ms), address int32 : input spikes by (time, address), all at or after the ``until`` before and
        before this one
        """
        self._sample.begin_piece(len(time))
        run_to_end("queue_network", {
            "until": until, "t_end": math.inf, **self._wiring.arguments, "address": address, "time": time,
        }, [self._sample])
        return list(self._sample.by_layer(self._wiring))


def check_timed_input(network, spikes):
    """Raise `ConfigError` unless a network can run, and ``spikes`` are spikes with times of its input addresses."""
    check_input(network, spikes)
    check_settles(network)
    if spikes.time is None:
        raise ConfigError("the exact clock needs spikes with times; these have ticks, encode the events exactly")


def forward_queue(network, spikes: Spikes) -> Trace:
    """Run a batch of input spikes with times through a network, with or without delays and recurrence.

    Continuous time, float64: a spike of neuron j at t acts on neuron i from t + d_ji on, and a neuron fires at the
    first instant t >= t_last + t_abs with u(t) >= theta. What would arrive at or after the end of a sample does not.
    All layers run together, so a layer's ``seconds`` in the `Trace` are its share of the SynOps.

    Raises `ConfigError` for input without times, and for sparse layers.
    """
    check_timed_input(network, spikes)
    check_on_host(network, "the event queue")
    started = time.perf_counter()
    wiring, t_end = QueueWiring(network), spikes.n_ticks * spikes.dt
    samples = [_Sample(wiring, int(a), int(b)) for a, b in itertools.pairwise(spikes.sample_ptr)]
    run_to_end("queue_network", {
        "until": t_end, "t_end": t_end, **wiring.arguments, "address": spikes.address, "time": spikes.time,
    }, samples)
    found = [list(sample.by_layer(wiring)) for sample in samples]
    layers, given = [], spikes
    for k, (name, layer) in enumerate(zip(network.layer_names, network.layers, strict=True)):
        own = Spikes(
            starts(np.array([len(one[k][0]) for one in found], np.int64)),
            np.concatenate([np.empty(0, np.int32), *(one[k][1] for one in found)]),
            time=np.concatenate([np.empty(0), *(one[k][0] for one in found)]),
            n_neurons=layer.n_out, n_ticks=spikes.n_ticks, dt=spikes.dt, check=False,
        )
        layers.append(LayerTrace.of(name, layer, feed(layer, given).spikes, own, started))
        given = own
    trace, seconds = Trace(spikes, layers), time.perf_counter() - started
    for layer in layers:
        layer.seconds = seconds * layer.synops / max(1, trace.synops)
    return trace
