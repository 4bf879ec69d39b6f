"""The forward pass on the exact clock: the event queue, layer after layer."""

import time

import numpy as np

from eventsim import kernels
from eventsim.engine.forward import check_input
from eventsim.engine.trace import LayerTrace, Trace
from eventsim.errors import ConfigError
from eventsim.kernels.status import Status
from eventsim.spikes import Spikes

_STATE_ROWS, _NEXT = 7, 6
_EDGES = 16
_FIRST_ROOM = 4096


class _Sample:
    """One sample on its way through a layer: the queue's state, and output buffers that grow."""

    def __init__(self, first, last, n_neurons):
        self.first, self.last = first, last
        state = np.zeros((_STATE_ROWS, n_neurons))
        state[_NEXT] = np.inf
        self.queue = (np.empty(_EDGES), state, np.arange(n_neurons), np.arange(n_neurons))
        self.progress = np.array([first, 0], np.int64)
        self.spike_time, self.spike_address = np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM, np.int32)

    def grow(self):
        """Double the buffers, keeping what is in them."""
        self.spike_time = np.concatenate((self.spike_time, np.empty_like(self.spike_time)))
        self.spike_address = np.concatenate((self.spike_address, np.empty_like(self.spike_address)))


def _layer(layer, neuron, spikes, dt, name):
    started = time.perf_counter()
    ptr = spikes.sample_ptr
    samples = [_Sample(int(ptr[b]), int(ptr[b + 1]), layer.n_out) for b in range(spikes.n_samples)]
    constants = neuron.exact_constants(dt)
    todo = samples
    while todo:
        status = kernels.call_parts("queue_layer", [
            (s.first, s.last, layer.n_out, spikes.n_ticks * spikes.dt, layer.packed, spikes.address, spikes.time,
             constants, *s.queue, s.progress, s.spike_time, s.spike_address)
            for s in todo
        ])
        todo = [s for s, word in zip(todo, status, strict=True) if word == Status.GROW]
        for s in todo:
            s.grow()
    counts = [int(s.progress[1]) for s in samples]
    out = Spikes(
        np.cumsum([0, *counts]),
        np.concatenate([np.empty(0, np.int32), *(s.spike_address[: s.progress[1]] for s in samples)]),
        time=np.concatenate([np.empty(0), *(s.spike_time[: s.progress[1]] for s in samples)]),
        n_neurons=layer.n_out, n_ticks=spikes.n_ticks, dt=spikes.dt, check=False,
    )
    return LayerTrace(
        name=name, spikes=out, synops=len(spikes) * layer.n_out,
        dense_macs=layer.n_weights * spikes.n_ticks * spikes.n_samples, seconds=time.perf_counter() - started,
    )


def forward_exact(network, spikes: Spikes) -> Trace:
    """Run a batch of input spikes with times through every layer, in continuous time, float64.

    A neuron fires at the first instant t >= t_last + t_abs with u(t) >= theta.
    """
    check_input(network, spikes)
    if spikes.time is None:
        raise ConfigError("the exact clock needs spikes with times; these have ticks, encode the events exactly")
    layers = []
    current = spikes
    for i, layer in enumerate(network.layers):
        layers.append(_layer(layer, network.neuron, current, network.dt, f"dense{i + 1}"))
        current = layers[-1].spikes
    return Trace(spikes, layers)
