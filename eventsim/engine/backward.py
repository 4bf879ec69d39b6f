"""The backward walk: weight gradients of every layer from a trace and the error of its output spikes."""

import itertools

import numpy as np

from eventsim import kernels
from eventsim.engine.trace import ActiveSet, Trace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import ALL, NONE, PAIRS, STATE_ROWS, TILE

# Tiles above a layer send their error to it in groups, each adding up its own part; the parts are added in the order of
# the groups. The number is fixed, so that sums do not depend on the number of threads.
_GROUPS = 8
_EMPTY = ActiveSet(
    0, np.empty(0, np.int64), np.empty((0, TILE), np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
)


def _runs(spikes):
    """The spike list by (sample, address), see the kernel `group_by_address`."""
    n = len(spikes)
    run_ptr = np.empty(spikes.n_samples + 1, np.int64)
    run_address, run_start, run_tick = np.empty(n, np.int32), np.empty(n + 1, np.int64), np.empty(n, np.int32)
    kernels.call(
        "group_by_address", spikes.sample_ptr, spikes.address, spikes.tick, np.empty(spikes.n_neurons, np.int64),
        run_ptr, run_address, run_start, run_tick,
    )
    return run_ptr, run_address, run_start, run_tick


def _kind(active):
    if active is None:
        return NONE
    return ALL if active.full else PAIRS


def backward_layer(layer, neuron, spikes, active, error, below, gradient, *, truncate=False):
    """Add a layer's weight gradient to ``gradient`` and return the error of the layer below, float32[G, P'] (or None).

    spikes : the layer's input; active : its `ActiveSet`; error : float32[G, P], to be summed over G; below : the
    `ActiveSet` of the layer below, None where there is none
    """
    tiles = len(layer.packed)
    bounds = np.unique(np.linspace(0, tiles, min(_GROUPS, tiles) + 1).astype(int))
    lower = _EMPTY if below is None else below
    error_below = np.empty((len(bounds) - 1, 0 if below is None else lower.n_pairs), np.float32)
    n_taps = neuron.n_taps(spikes.dt) if truncate else 0
    constants, runs = neuron.constants(spikes.dt, n_taps), _runs(spikes)
    n_ticks = spikes.n_ticks
    kernels.call_parts("dense_backward", [
        (group, first, last, spikes.n_samples, layer.n_out, n_ticks, neuron.dead_ticks(spikes.dt), n_taps, spikes.dt,
         neuron.rho_width, neuron.rho_peak, layer.packed, constants, spikes.sample_ptr, spikes.address, spikes.tick,
         *runs, _kind(active), active.start, active.count, active.tick, active.rho, error, _kind(below), lower.start,
         lower.count, lower.tick, np.empty((STATE_ROWS, TILE), np.float32), np.empty(TILE, np.int32),
         np.empty((n_ticks, TILE), np.float32), np.empty((n_ticks if n_taps else 0, TILE), np.float32), gradient,
         error_below)
        for group, (first, last) in enumerate(itertools.pairwise(bounds))
    ])
    return None if below is None else error_below


def gather_error(active: ActiveSet, error):
    """The output error at the pairs of the output layer's active set, float32[1, P]; ``error(b)`` is float32[N, T]."""
    out = np.empty((1, active.n_pairs), np.float32)
    for b in range(active.n_samples):
        dense = error(b)
        for item in range(b, len(active.start), active.n_samples):
            counts, start = active.count[item], active.start[item]
            stop = start + int(counts.sum())
            address = np.repeat(item // active.n_samples * TILE + np.arange(TILE), counts)
            if active.full:
                tick = np.tile(np.arange(dense.shape[1]), np.count_nonzero(counts))
            else:
                tick = active.tick[start:stop]
            out[0, start:stop] = dense[address, tick]
    return out


def backward(network, trace: Trace, error, gradients, *, truncate=False):
    """Add the loss gradient of every layer's weights to ``gradients``.

    error : callable, ``error(b)`` is the derivative of the loss by the output spikes of sample b, float32[N_out, T]
    gradients : list of float32[n_tiles, N_in, 64], laid out as `Dense.packed`
    """
    inputs = [trace.input, *(layer.spikes for layer in trace.layers[:-1])]
    sets = [layer.active for layer in trace.layers]
    if any(active is None for active in sets):
        raise ConfigError("this run kept no active sets; call forward with supports before backward")
    current = gather_error(sets[-1], error)
    for i in reversed(range(len(network.layers))):
        below = sets[i - 1] if i > 0 else None
        current = backward_layer(
            network.layers[i], network.neuron, inputs[i], sets[i], current, below, gradients[i], truncate=truncate
        )
