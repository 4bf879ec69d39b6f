"""The backward walk: weight gradients of every layer from a trace and the error of its output spikes."""

from dataclasses import dataclass, field

import numpy as np

from eventsim import kernels
from eventsim.engine.runs import by_address, by_tick, empty_runs, even_parts
from eventsim.engine.trace import ActiveSet, Trace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import ADD, ALL, NONE, PAIRS, SUMS, TILE

# Tiles above a layer send their error to it in groups, each adding up its own part; the parts are added in the order of
# the groups. The number is fixed, so that sums do not depend on the number of threads.
_GROUPS = 8
# Rows of 64 numbers that the g of a block of samples may take: what a second-level cache holds. Fixed for the same
# reason.
_BLOCK_ROWS = 2400
_NO_ROWS = np.empty((0, 0, TILE), np.float32)
_NO_SETTINGS = np.empty(0, np.float32)


@dataclass(frozen=True)
class Sink:
    """Where the gradient of a layer's weights goes: into ``gradient``, or into a step of an optimiser at once.

    rule : of `kernels.layout`; settings : float32, what the rule's kernel needs
    gradient : float32[n_tiles, N_in, 64], laid out as `Dense.packed`, that is added to (rule ADD)
    mean, square : the optimiser's moments in the same layout (other rules)
    """

    rule: int = ADD
    settings: np.ndarray = field(default_factory=lambda: _NO_SETTINGS)
    gradient: np.ndarray = field(default_factory=lambda: _NO_ROWS)
    mean: np.ndarray = field(default_factory=lambda: _NO_ROWS)
    square: np.ndarray = field(default_factory=lambda: _NO_ROWS)


def _kind(active):
    if active is None:
        return NONE
    return ALL if active.full else PAIRS


def block_samples(spikes) -> int:
    """Samples whose g the backward pass holds at once."""
    return max(1, min(_BLOCK_ROWS // max(spikes.n_ticks, 1), spikes.n_samples))


def backward_layer(layer, neuron, spikes, active, error, below, sink, *, rows=None, truncate=False):
    """Pass a layer's weight gradient to its `Sink` and return the error of the layer below, float32[G, P'] (or None).

    spikes : the layer's input; rows : the same `by_address`, where it is there already
    active : the layer's `ActiveSet`; error : float32[G, P], to be summed over G
    below : the `ActiveSet` of the layer below, None where there is none
    """
    n_ticks, n_samples, block = spikes.n_ticks, spikes.n_samples, block_samples(spikes)
    rows = rows or by_address([spikes], block, neuron.tau_syn)[0]
    tiles = len(layer.packed)
    groups = even_parts(np.ones(tiles), min(_GROUPS, tiles))
    lower = ActiveSet.nothing(0, 1, 0) if below is None else below
    error_below = np.empty((len(groups), lower.n_pairs), np.float32)
    n_taps = neuron.n_taps(spikes.dt) if truncate else 0
    runs = by_tick(spikes) if active.full else empty_runs(spikes.sample_ptr, 0)
    kernels.call_parts("dense_backward", {
        "n_samples": n_samples, "block_samples": block, "n_neurons": layer.n_out, "n_ticks": n_ticks,
        "n_abs": neuron.dead_ticks(spikes.dt), "n_taps": n_taps, "dt": spikes.dt, "rho_width": neuron.rho_width,
        "rho_peak": neuron.rho_peak, "constants": neuron.constants(spikes.dt, n_taps), **runs._asdict(),
        "address": spikes.address, **rows._asdict(), "kind": _kind(active),
        "entry_start": active.entry_start, "pair_start": active.pair_start, "entry_lane": active.entry_lane,
        "entry_ticks": active.entry_ticks, "rho": active.rho, "error": error, "below_kind": _kind(below),
        "below_neurons": lower.n_neurons, "below_entry_start": lower.entry_start,
        "below_pair_start": lower.pair_start, "below_lane": lower.entry_lane, "below_ticks": lower.entry_ticks,
        "rule": sink.rule, "settings": sink.settings, "ready": (TILE,), "state": (2, TILE),
        "g": (block * n_ticks, TILE), "ramp": (block * n_ticks if len(rows.share) else 0, TILE),
        "kept": (n_ticks if n_taps else 0, TILE), "sums": (SUMS,),
        "total": (layer.n_in if sink.rule != ADD and block < n_samples else 0, TILE),
        "weight": layer.packed, "gradient": sink.gradient, "mean": sink.mean, "square": sink.square,
        "error_below": error_below,
    }, [{"group": i, "tile_first": first, "tile_last": last} for i, (first, last) in enumerate(groups)])
    return None if below is None else error_below


def gather_error(active: ActiveSet, error):
    """The output error at the pairs of the output layer's active set, float32[1, P]; ``error(b)`` is float32[N, T]."""
    out = np.empty((1, active.n_pairs), np.float32)
    for b in range(active.n_samples):
        pair, address, tick = active.coordinates(b)
        out[0, pair] = error(b)[address, tick]
    return out


def check_trainable(network):
    """Raise `ConfigError` for a network whose gradient is not known."""
    if not network.is_immediate:
        raise ConfigError(
            f"{network.arch.notation} has delays or recurrence, which are for simulation only so far; train a network "
            "without them, such as 34x34x2-512-10"
        )


def backward(network, trace: Trace, error, sinks, *, truncate=False):
    """Pass the loss gradient of every layer's weights to its `Sink`.

    error : callable, ``error(b)`` is the derivative of the loss by the output spikes of sample b, float32[N_out, T]
    sinks : a `Sink` a layer; those that take a step of an optimiser change the network's weights
    """
    check_trainable(network)
    inputs = [trace.input, *(layer.spikes for layer in trace.layers[:-1])]
    sets = [layer.active for layer in trace.layers]
    if any(active is None for active in sets):
        raise ConfigError("this run kept no active sets; call forward with supports before backward")
    if truncate and trace.input.time is not None:
        raise ConfigError("the exact clock's psp is not truncated; leave out truncate, or run the spikes on the grid")
    rows = by_address(inputs, block_samples(trace.input), network.neuron.tau_syn)
    current = gather_error(sets[-1], error)
    for i in reversed(range(len(network.layers))):
        below = sets[i - 1] if i > 0 else None
        current = backward_layer(
            network.layers[i], network.neuron, inputs[i], sets[i], current, below, sinks[i], rows=rows[i],
            truncate=truncate,
        )
