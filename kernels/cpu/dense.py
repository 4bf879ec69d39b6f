"""A dense layer of SRM neurons on the tick clock, forward: the tile sweep.

An *item* is one sample in one tile of 64 postsynaptic neurons; items are numbered ``tile * B + sample``, so that a run
of items keeps one tile of weights, float32[N_in, 64], in the second-level cache for all samples.
"""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import ALPHA_REF, ALPHA_SYN, THETA, U, fire, receive, step, tick_end
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.cpu.vector import lowest_bit, mask_at_least
from eventsim.kernels.layout import TILE
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_ONE = np.uint64(1)


@kernel
def valid_lanes(tile, n_neurons):
    """Number of neurons in a tile: 64, fewer in the last."""
    return min(TILE, n_neurons - tile * TILE)


@kernel
def _collect(mask, tick, state, ready, lane_count, lane_tick, lane_u):
    """Append (tick, potential) to the list of every neuron in ``mask`` that is not dead."""
    while mask != np.uint64(0):
        lane = lowest_bit(mask)
        mask &= mask - _ONE
        if tick >= ready[lane]:
            i = lane_count[lane]
            lane_tick[lane, i] = tick
            lane_u[lane, i] = state[U, lane]
            lane_count[lane] = i + 1


@kernel
def _pack(lane_count, lane_tick, lane_u, active_tick, active_rho, used):
    """Copy the 64 lists to ``used`` and on, one behind the other; returns the new end."""
    for lane in range(TILE):
        for i in range(lane_count[lane]):
            active_tick[used + i] = lane_tick[lane, i]
            active_rho[used + i] = lane_u[lane, i]
        used += lane_count[lane]
    return used


@kernel
def dense_forward(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, keep_active, u_low, u_high, rho_width,
    rho_peak, weight, sample_ptr, address, tick, constants, state, ready, lane_tick, lane_u,
    progress, item_spikes, spike_tick, spike_address, active_count, active_tick, active_rho,
):
    """Spikes of the items item_first..item_last-1, and where wanted their active sets.

    The spikes of an item are sorted by (tick, address); item_spikes int64[...] holds their number. An active set holds
    (tick, rho) for the ticks with u_low <= u < u_high at which the neuron is not dead, neuron by neuron;
    active_count int32[..., 64] holds their numbers. Both are indexed by item - item_first.

    progress int64[3] holds the next item and the used lengths of the two output buffers. Status GROW: a buffer may not
    hold what the next item can need, 64 * n_ticks entries; grow it and call again.
    """
    alpha_syn, alpha_ref, theta = constants[ALPHA_SYN], constants[ALPHA_REF], constants[THETA]
    # Where u = 0 is active, so are the ticks before the first input.
    rest_is_active = keep_active and u_low <= np.float32(0.0) < u_high
    for item in range(progress[0], item_last):
        spikes, active = progress[1], progress[2]
        room = TILE * n_ticks
        if spikes + room > len(spike_tick) or (keep_active and active + room > len(active_tick)):
            return _GROW
        tile, sample = item // n_samples, item % n_samples
        lane_count = active_count[item - item_first if keep_active else 0]
        lane_count[:] = 0
        k, end = sample_ptr[sample], sample_ptr[sample + 1]
        if k < end or rest_is_active:
            rows = weight[tile]
            lanes = valid_lanes(tile, n_neurons)
            valid = ~np.uint64(0) >> np.uint64(TILE - lanes)
            state[:] = np.float32(0.0)
            ready[:] = 0
            cut = k
            for t in range(0 if rest_is_active else tick[k], n_ticks):
                step(state, alpha_syn, alpha_ref)
                if keep_active:
                    mask = mask_at_least(state, U, u_low) & ~mask_at_least(state, U, u_high) & valid
                    _collect(mask, t, state, ready, lane_count, lane_tick, lane_u)
                spiking = fire(state, t, constants, n_abs, ready)
                while spiking != np.uint64(0):
                    lane = lowest_bit(spiking)
                    spiking &= spiking - _ONE
                    spike_tick[spikes] = t
                    spike_address[spikes] = tile * TILE + lane
                    spikes += 1
                first, k = k, tick_end(tick, t, k, end)
                cut_first = cut
                if n_taps > 0:
                    cut = tick_end(tick, t - (n_taps - 1), cut, end)
                receive(rows, address, first, k, cut_first, cut, constants, state)
            if keep_active:
                active = _pack(lane_count, lane_tick, lane_u, active_tick, active_rho, active)
                surrogate(active_rho[progress[2]:active], theta, rho_width, rho_peak)
        item_spikes[item - item_first] = spikes - progress[1]
        progress[0], progress[1], progress[2] = item + 1, spikes, active
    return _OK
