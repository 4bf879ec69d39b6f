"""The forward pass of a layer with delays or recurrence on the tick clock."""

import time

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.growing import doubled, run_to_end
from eventsim.engine.runs import by_tick
from eventsim.engine.trace import LayerTrace
from eventsim.engine.wiring import lif_drive
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE, n_tiles
from eventsim.kernels.memory import aligned_zeros
from eventsim.spikes import Spikes

_STATE_ROWS = 4
# Samples a thread of which state is held at once: long delays make it large.
_SAMPLES_A_THREAD = 4


class _Part:
    """One sample: its neurons' state, what is on its way to them, and output buffers that grow."""

    def __init__(self, sample, n_neurons, depth):
        tiles = n_tiles(n_neurons)
        self.sample = sample
        self.state = {
            "state": aligned_zeros((tiles, _STATE_ROWS, TILE), np.float32),
            "ring": aligned_zeros((depth, tiles, TILE), np.float32), "ready": np.zeros(tiles * TILE, np.int32),
        }
        self.progress = np.zeros(3, np.int64)
        self.spike_tick, self.spike_address = np.empty((2, 2 * n_neurons), np.int32)

    def arguments(self):
        return {"sample": self.sample, **self.state, "progress": self.progress, "spike_tick": self.spike_tick,
                "spike_address": self.spike_address}

    def grow(self):
        """Double the buffers, keeping what is in them."""
        self.spike_tick, self.spike_address = doubled(self.spike_tick, self.spike_address)

    def spikes(self):
        """(tick, address) of the output spikes."""
        n = self.progress[2]
        return self.spike_tick[:n], self.spike_address[:n]


def in_ticks(delay, dt, n_ticks):
    """Delays in ticks, ``n_ticks`` for those beyond the sample: int32 of one entry, [N_in, 1], or [N_in, N_out]."""
    ticks = np.zeros(()) if delay is None else np.minimum(np.rint(delay / dt), n_ticks)
    return ticks.astype(np.int32).reshape(ticks.shape + (1,) * (2 - ticks.ndim))


def delays(layer, neuron, dt, n_ticks):
    """(delay, own_delay, depth): delays in ticks, from the input and from the layer itself, and the ring's depth."""
    delay, own = [in_ticks(part.delay, dt, n_ticks) for part in layer.projections] + [
        np.zeros((1, 1), np.int32)] * (2 - len(layer.projections))
    longest = max(int(delay.max()), int(own.max()))
    depth = 1 + min(longest, max(0, n_ticks - 1))  # what arrives beyond the sample's end needs no place
    return delay, own if neuron.family == "srm" else np.maximum(own, 1), depth


def check_delayed(layer, neuron, support, truncate):
    """Raise `ConfigError` for what a layer with delays or recurrence cannot do."""
    if layer.bias is not None and neuron.family != "lif":
        raise ConfigError("layers with delays or recurrence have a bias only of leaky neurons so far; leave it out")
    if support is not None or truncate:
        raise ConfigError(
            f"{layer} has delays or recurrence and can be simulated only so far: it keeps no active set and does not "
            "truncate the psp"
        )


def delayed_layer(layer, neuron, spikes, runs, name, support, truncate, rng):
    """A layer that is not immediate over a batch; returns its `LayerTrace`, and the runs of its spikes.

    A delay is a whole number of ticks, rounded to the nearest and ties to even; of a leaky layer's own spikes it is one
    or more. It has no backward pass and no oracle
    mode, and refuses both.
    """
    check_delayed(layer, neuron, support, truncate)
    started = time.perf_counter()
    n_samples, wave = spikes.n_samples, _SAMPLES_A_THREAD * kernels.threads()
    delay, own_delay, depth = delays(layer, neuron, spikes.dt, spikes.n_ticks)
    weights = [part.rows() for part in layer.projections] + [np.empty((0, 0, TILE), np.float32)]
    synapses = {"weight": weights[0], "own_weight": weights[1], "delay": delay, "own_delay": own_delay}
    kernel, more = "delayed_forward", {}
    if neuron.family == "lif":
        kernel, more = "delayed_lif_forward", {"drive": lif_drive(layer)}
    shared = {
        "n_neurons": layer.n_out, "n_ticks": spikes.n_ticks, "n_abs": neuron.dead_ticks(spikes.dt), **runs._asdict(),
        "address": spikes.address, **synapses, "constants": neuron.constants(spikes.dt), **more,
    }
    found = []
    for first in range(0, n_samples, wave):
        parts = [_Part(b, layer.n_out, depth) for b in range(first, min(first + wave, n_samples))]
        run_to_end(kernel, shared, parts)
        found += [part.spikes() for part in parts]
    sample_ptr = starts(np.array([len(tick) for tick, _ in found], np.int64))
    tick = np.concatenate([np.empty(0, np.int32), *(tick for tick, _ in found)])
    address = np.concatenate([np.empty(0, np.int32), *(address for _, address in found)])
    out = Spikes.of_kernel(sample_ptr, address, tick, spikes, layer.n_out)
    return LayerTrace.of(name, layer, spikes, out, started), by_tick(out)
