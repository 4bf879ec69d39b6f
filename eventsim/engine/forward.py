"""The forward pass on the tick clock: layer after layer, each from the spike list of the one before."""

import itertools
import math
import numbers
import time
from collections.abc import Iterable

import numpy as np

from eventsim import kernels
from eventsim.engine.growing import doubled, run_to_end
from eventsim.engine.trace import ActiveSet, LayerTrace, Trace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import STATE_ROWS, TILE, n_tiles
from eventsim.spikes import Spikes

# Cost of stepping a tile for a tick, in weight rows added; only the balance of the parts depends on it.
_STEP_COST = 3


def _even_parts(cost, n_parts):
    """Bounds of ``n_parts`` runs of items that cost about the same."""
    if len(cost) == 0:  # a batch without samples: one part without items
        return np.array([0, 0])
    ends = np.cumsum(cost)
    inner = np.searchsorted(ends, ends[-1] * np.arange(1, n_parts) / n_parts)
    return np.unique(np.concatenate(([0], inner, [len(cost)])))


class _Part:
    """A run of items with its output buffers, which grow until everything fits."""

    def __init__(self, first, last, n_ticks, keep_active, shared):
        n_items = last - first
        self.span, self.shared = (first, last), shared
        self.progress = np.array([first, 0, 0], np.int64)
        self.item_spikes = np.zeros(n_items, np.int64)
        self.active_count = np.zeros((n_items if keep_active else 1, TILE), np.int32)
        self.scratch = (
            np.empty((STATE_ROWS, TILE), np.float32),
            np.empty(TILE, np.int32),
            np.empty((TILE, n_ticks if keep_active else 0), np.int32),
            np.empty((TILE, n_ticks if keep_active else 0), np.float32),
        )
        room = 2 * TILE * n_ticks
        self.spike_tick, self.spike_address = np.empty(room, np.int32), np.empty(room, np.int32)
        active_room = 2 * room if keep_active else 0
        self.active_tick, self.active_rho = np.empty(active_room, np.int32), np.empty(active_room, np.float32)

    def arguments(self):
        return (
            *self.span, *self.shared, *self.scratch, self.progress, self.item_spikes, self.spike_tick,
            self.spike_address, self.active_count, self.active_tick, self.active_rho,
        )

    def grow(self):
        """Double the buffers, keeping what is in them."""
        self.spike_tick, self.spike_address, self.active_tick, self.active_rho = doubled(
            self.spike_tick, self.spike_address, self.active_tick, self.active_rho
        )


def support_window(neuron, support):
    """Potentials (low, high) with |u - theta| <= support * theta is low <= u < high, in float32."""
    low = np.float32(neuron.theta * (1.0 - support))
    return low, np.nextafter(np.float32(neuron.theta * (1.0 + support)), np.float32(np.inf))


def _sweep(layer, neuron, spikes, support, n_taps):
    """Run the tile kernel over all items of a layer; returns the parts, in the order of their items."""
    n_items = n_tiles(layer.n_out) * spikes.n_samples
    keep_active = support is not None and math.isfinite(support)
    low, high = support_window(neuron, support) if keep_active else (0.0, 0.0)
    cost = np.tile(np.diff(spikes.sample_ptr) + _STEP_COST * spikes.n_ticks, n_tiles(layer.n_out))
    bounds = _even_parts(cost, min(n_items, 2 * kernels.threads()))
    shared = (
        spikes.n_samples, layer.n_out, spikes.n_ticks, neuron.dead_ticks(spikes.dt), n_taps, keep_active, low, high,
        neuron.rho_width, neuron.rho_peak, layer.packed, spikes.sample_ptr, spikes.address, spikes.tick,
        neuron.constants(spikes.dt, n_taps),
    )
    parts = [_Part(a, b, spikes.n_ticks, keep_active, shared) for a, b in itertools.pairwise(bounds)]
    run_to_end("dense_forward", parts)
    return parts


def _merged_spikes(parts, layer, spikes):
    item_ptr = np.concatenate([[0], *(part.item_spikes for part in parts)]).cumsum()
    n_spikes = int(item_ptr[-1])
    sample_ptr = np.empty(spikes.n_samples + 1, np.int64)
    address, tick = np.empty(n_spikes, np.int32), np.empty(n_spikes, np.int32)
    kernels.call(
        "merge_items", spikes.n_samples, n_tiles(layer.n_out), spikes.n_ticks, item_ptr,
        np.concatenate([part.spike_tick[: part.progress[1]] for part in parts]),
        np.concatenate([part.spike_address[: part.progress[1]] for part in parts]),
        np.empty(spikes.n_ticks, np.int64), sample_ptr, address, tick,
    )
    return Spikes(
        sample_ptr, address, tick=tick, n_neurons=layer.n_out, n_ticks=spikes.n_ticks, dt=spikes.dt, check=False
    )


def _active_set(parts, n_samples):
    count = np.concatenate([part.active_count for part in parts])
    sizes = count.sum(axis=1, dtype=np.int64)
    return ActiveSet(
        n_samples, np.cumsum(sizes) - sizes, count,
        np.concatenate([part.active_tick[: part.progress[2]] for part in parts]),
        np.concatenate([part.active_rho[: part.progress[2]] for part in parts]),
    )


def forward_layer(layer, neuron, spikes, *, name="", support=None, truncate=False) -> LayerTrace:
    """One layer over a batch; ``support`` (in thresholds, or inf) also keeps its active set for the backward pass."""
    started = time.perf_counter()
    parts = _sweep(layer, neuron, spikes, support, neuron.n_taps(spikes.dt) if truncate else 0)
    if support is None:
        active = None
    elif math.isfinite(support):
        active = _active_set(parts, spikes.n_samples)
    else:
        active = ActiveSet.everything(spikes.n_samples, layer.n_out, spikes.n_ticks)
    out = _merged_spikes(parts, layer, spikes)
    return LayerTrace.of(name, layer, spikes, out, started, active)


def _one_each(supports, n_layers):
    """``supports`` as a list with an entry for each layer, all None where nothing is to be kept."""
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


def forward(network, spikes: Spikes, *, supports=None, truncate=False) -> Trace:
    """Run a batch of input spikes on the grid through every layer.

    supports : one number a layer (thresholds, or inf) to keep the active sets that `backward` needs; None: inference
    truncate : cut the psp off where slayerPytorch does (oracle mode)
    """
    check_input(network, spikes)
    if spikes.tick is None:
        raise ConfigError("the grid clock needs spikes with ticks; these have exact times, bin them first")
    if spikes.dt != network.dt:
        raise ConfigError(f"the network's tick is {network.dt:g} ms, the spikes' is {spikes.dt:g} ms")
    supports = _one_each(supports, len(network.layers))
    layers = []
    current = spikes
    for name, layer, support in zip(network.layer_names, network.layers, supports, strict=True):
        layers.append(forward_layer(layer, network.neuron, current, name=name, support=support, truncate=truncate))
        current = layers[-1].spikes
    return Trace(spikes, layers)
