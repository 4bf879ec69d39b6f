"""The forward pass of a sparse layer on the tick clock."""

import itertools
import time

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.growing import doubled, run_to_end
from eventsim.engine.runs import by_tick
from eventsim.engine.trace import LayerTrace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE
from eventsim.kernels.memory import aligned_zeros
from eventsim.spikes import Spikes

STATE_ROWS = 4
# Neurons below which it is not worth to share out those of one sample.
_LEAST_NEURONS = 16 * TILE


class _Part:
    """One sample in a range of neurons: their state, and output buffers that grow."""

    def __init__(self, sample, first, last):
        n, tiles = last - first, -(-(last - first) // TILE)
        self.sample, self.span = sample, {"sample": sample, "neuron_first": first, "neuron_last": last}
        self.state = {
            "state": aligned_zeros((tiles, STATE_ROWS, TILE), np.float32),
            "total": aligned_zeros((tiles, TILE), np.float32), "since": np.zeros(tiles, np.int64),
            "doing": np.zeros(tiles, np.uint8), "ready": np.zeros(tiles * TILE, np.int32),
        }
        self.progress = np.zeros(3, np.int64)
        self.spike_tick, self.spike_address = np.empty(2 * n, np.int32), np.empty(2 * n, np.int32)

    def arguments(self):
        return {**self.span, **self.state, "progress": self.progress, "spike_tick": self.spike_tick,
                "spike_address": self.spike_address}

    def grow(self):
        """Double the buffers, keeping what is in them."""
        self.spike_tick, self.spike_address = doubled(self.spike_tick, self.spike_address)


def _ranges(n_neurons, n_samples):
    """Ranges of neurons, of whole tiles, so that there is a part for every thread."""
    n = min(-(-kernels.threads() // max(1, n_samples)), max(1, n_neurons // _LEAST_NEURONS))
    bounds = [min(n_neurons, -(-i * n_neurons // n // TILE) * TILE) for i in range(n + 1)]
    return list(itertools.pairwise(bounds))


def check_sparse(layer, neuron, support, truncate):
    """Raise `ConfigError` for what a sparse layer cannot do."""
    if neuron.family != "srm":
        raise ConfigError(f"neurons of {layer} are {type(neuron).__name__}, and sparse layers run those of SRM only; "
                          "use a dense layer for others")
    if support is not None or truncate:
        raise ConfigError(f"{layer} can be simulated only: it keeps no active set and does not truncate the psp")


def sparse_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """A `Sparse` layer over a batch; returns its `LayerTrace`, and the runs of its spikes.

    It has no backward pass and no oracle mode, and refuses both.
    """
    check_sparse(layer, neuron, support, truncate)
    started = time.perf_counter()
    parts = [
        _Part(b, first, last) for b in range(spikes.n_samples) for first, last in _ranges(layer.n_out, spikes.n_samples)
    ]
    run_to_end("sparse_forward", {
        "n_ticks": spikes.n_ticks, "n_abs": neuron.dead_ticks(spikes.dt), **runs._asdict(), "address": spikes.address,
        "row_start": layer.row_start, "target": layer.target, "weight": layer.values,
        "constants": neuron.constants(spikes.dt),
    }, parts)
    counts = np.zeros(spikes.n_samples, np.int64)
    np.add.at(counts, [part.sample for part in parts], [part.progress[2] for part in parts])
    tick = np.concatenate([np.empty(0, np.int32), *(part.spike_tick[: part.progress[2]] for part in parts)])
    address = np.concatenate([np.empty(0, np.int32), *(part.spike_address[: part.progress[2]] for part in parts)])
    if len(parts) > spikes.n_samples:  # ranges stand in the order of addresses, so a stable sort by tick does
        sample = np.repeat(np.arange(spikes.n_samples), counts)
        order = np.argsort(sample * spikes.n_ticks + tick, kind="stable")
        tick, address = tick[order], address[order]
    out = Spikes.of_kernel(starts(counts), address, tick, spikes, layer.n_out)
    return LayerTrace.of(name, layer, spikes, out, started), by_tick(out)
