"""The forward pass on the exact clock: the event queue, layer after layer."""

import time

import numpy as np

from eventsim.engine.forward import check_input
from eventsim.engine.growing import doubled, run_to_end
from eventsim.engine.trace import LayerTrace, Trace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import EDGES, NEXT, QUEUE_ROWS
from eventsim.spikes import Spikes

_FIRST_ROOM = 4096


class _Sample:
    """One sample on its way through a layer: the queue's state, and output buffers that grow."""

    def __init__(self, first, last, n_neurons):
        self.span = {"first": first, "last": last}
        state = np.zeros((QUEUE_ROWS, n_neurons))
        state[NEXT] = np.inf
        self.queue = {"state": state, "heap": np.arange(n_neurons), "place": np.arange(n_neurons)}
        self.progress = np.array([first, 0], np.int64)
        self.spike_time, self.spike_address = np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM, np.int32)

    def arguments(self):
        return {**self.span, **self.queue, "progress": self.progress, "spike_time": self.spike_time,
                "spike_address": self.spike_address}

    def grow(self):
        """Double the buffers, keeping what is in them."""
        self.spike_time, self.spike_address = doubled(self.spike_time, self.spike_address)


def _layer(layer, neuron, spikes, dt, name):
    started = time.perf_counter()
    ptr = spikes.sample_ptr
    samples = [_Sample(int(ptr[b]), int(ptr[b + 1]), layer.n_out) for b in range(spikes.n_samples)]
    run_to_end("queue_layer", {
        "n_neurons": layer.n_out, "t_end": spikes.n_ticks * spikes.dt, "weight": layer.rows(),
        "address": spikes.address, "time": spikes.time, "constants": neuron.exact_constants(dt), "edges": (EDGES,),
    }, samples)
    counts = [int(s.progress[1]) for s in samples]
    out = Spikes(
        np.cumsum([0, *counts]),
        np.concatenate([np.empty(0, np.int32), *(s.spike_address[: s.progress[1]] for s in samples)]),
        time=np.concatenate([np.empty(0), *(s.spike_time[: s.progress[1]] for s in samples)]),
        n_neurons=layer.n_out, n_ticks=spikes.n_ticks, dt=spikes.dt, check=False,
    )
    return LayerTrace.of(name, layer, spikes, out, started)


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
