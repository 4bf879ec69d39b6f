"""A dense layer with delays and recurrence on the tick clock, forward: of SRM neurons, and of leaky ones.

What is on its way to the neurons stands in a ring, one sum of weights a neuron for each tick that it can arrive at. The
slot of tick t is ``t % depth``; it is emptied when tick t + 1 begins, before a spike of tick t + 1 can want it for tick
t + depth, the furthest that a delay reaches.
"""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import P, awake, list_spikes, put_to_rest, step_rows, sum_rows
from eventsim.kernels.cpu.sweep import valid_lanes
from eventsim.kernels.cpu.vector import at_least, flush_subnormals, load, restore_subnormals, splat, store, where, zeros
from eventsim.kernels.layout import (
    ALPHA_REF,
    ALPHA_SYN,
    EACH_TICK,
    GAIN_REF,
    GAIN_SYN,
    LIF_DECAY,
    LIF_DROP,
    LIF_FEED,
    LIF_GAIN,
    LIF_HARD,
    LIF_RESET,
    LIF_SYN_DECAY,
    LIF_SYN_GAIN,
    THETA,
    TILE,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
# Rows of a tile's state, of leaky neurons.
_V, _I = range(2)


@kernel
def _send_row(source, arrival, weight, ring):
    """Add a presynaptic neuron's weights to what arrives at a tick."""
    slot = ring[arrival % len(ring)]
    for tile in range(len(weight)):
        store(load(slot, tile) + load(weight[tile], source), slot, tile)


@kernel
def _scatter_row(source, tick, n_ticks, weight, delay, ring):
    """Add every weight of a presynaptic neuron where its own delay takes it."""
    now = tick % len(ring)
    for i in range(delay.shape[1]):
        d = delay[source, i]
        if tick + d < n_ticks:
            slot = now + d
            if slot >= len(ring):
                slot -= len(ring)
            ring[slot, i // TILE, i % TILE] += weight[i // TILE, source, i % TILE]


@kernel
def _send(address, first, last, tick, n_ticks, weight, delay, ring):
    """Put the weights of the spikes first..last-1, all of one tick, on their way; what comes too late is left out."""
    if delay.size == 1:
        arrival = tick + delay[0, 0]
        if arrival < n_ticks:
            slot = ring[arrival % len(ring)]
            for tile in range(len(weight)):
                store(load(slot, tile) + sum_rows(weight[tile], address, first, last), slot, tile)
    elif delay.shape[1] == 1:
        for k in range(first, last):
            arrival = tick + delay[address[k], 0]
            if arrival < n_ticks:
                _send_row(address[k], arrival, weight, ring)
    else:
        for k in range(first, last):
            _scatter_row(address[k], tick, n_ticks, weight, delay, ring)


@kernel
def delayed_forward(
    sample, n_neurons, n_ticks, n_abs, run_base, run_count, run_tick, run_start, address, weight, own_weight, delay,
    own_delay, constants, state, ring, ready, progress, spike_tick, spike_address,
):
    """Spikes of a layer in one sample, sorted by (tick, address).

    run_base, ... address : the input spikes by tick, see `group_by_tick`
    weight[tiles,N_in,64] : from the input; own_weight[tiles,N,64] : from the layer itself, without tiles where there is
        none
    delay : int32 ticks, 0..n_ticks: [1,1] of all synapses, [N_in,1] by presynaptic neuron, or [N_in,N] by synapse;
        own_delay : the same from the layer itself
    state float32[tiles,4,64], ready int32[tiles*64] : what is known of every tile; zeros at the start
    ring : float32[depth,tiles,64], depth above every delay that is below n_ticks; zeros at the start
    progress : int64[3], the next tick, the next run, and the number of spikes; zeros at the start

    A spike of tick t is added after the comparison of the tick at which it arrives, which is t where the delay is 0.
    Status GROW: spike_tick and spike_address may not hold what the next tick can give; grow them and call again.
    """
    alpha, beta, theta = splat(constants[ALPHA_SYN]), splat(constants[ALPHA_REF]), splat(constants[THETA])
    gain, kick = splat(constants[GAIN_SYN]), splat(constants[GAIN_REF])
    run, run_end = run_base[sample] + progress[1], run_base[sample] + run_count[sample]
    spikes = progress[2]
    mode = flush_subnormals()
    for t in range(progress[0], n_ticks):
        if spikes + n_neurons > len(spike_tick):
            progress[0], progress[1], progress[2] = t, run - run_base[sample], spikes
            restore_subnormals(mode)
            return _GROW
        first = spikes
        arrived = ring[(t + len(ring) - 1) % len(ring)]
        for tile in range(len(state)):
            rows = state[tile]
            p = load(rows, P) + gain * load(arrived, tile)
            store(zeros(), arrived, tile)
            own = ready[tile * TILE : (tile + 1) * TILE]
            lanes, _, _ = step_rows(rows, p, t, valid_lanes(tile, n_neurons), n_abs, own, alpha, beta, theta, kick)
            spikes = list_spikes(lanes, t, tile * TILE, spikes, spike_tick, spike_address)
        if run < run_end and run_tick[run] == t:
            _send(address, run_start[run], run_start[run + 1], t, n_ticks, weight, delay, ring)
            run += 1
        if first < spikes and len(own_weight) > 0:
            _send(spike_address, first, spikes, t, n_ticks, own_weight, own_delay, ring)
    progress[0], progress[1], progress[2] = n_ticks, run - run_base[sample], spikes
    restore_subnormals(mode)
    return _OK


@kernel
def _step_lif(state, given, tick, n_lanes, n_abs, ready, constants):
    """One tick of a tile of leaky neurons, see `lif`; returns the lanes that spike."""
    current = load(state, _I)
    v = splat(constants[LIF_DECAY]) * load(state, _V) + splat(constants[LIF_FEED]) * current
    v = v + splat(constants[LIF_GAIN]) * given
    lanes = at_least(v, splat(constants[THETA])) & ~np.uint64(0) >> np.uint64(TILE - n_lanes)
    if n_abs > 1:
        lanes = awake(lanes, tick, ready)
        put_to_rest(lanes, tick + n_abs, ready)
    left = splat(constants[LIF_RESET]) if constants[LIF_HARD] > 0 else v - splat(constants[LIF_DROP])
    store(where(lanes, left, v), state, _V)
    store(splat(constants[LIF_SYN_DECAY]) * current + splat(constants[LIF_SYN_GAIN]) * given, state, _I)
    return lanes


@kernel
def delayed_lif_forward(
    sample, n_neurons, n_ticks, n_abs, run_base, run_count, run_tick, run_start, address, weight, own_weight, delay,
    own_delay, constants, drive, state, ring, ready, progress, spike_tick, spike_address,
):
    """`delayed_forward` of leaky integrate-and-fire neurons, see `lif`.

    drive float32[tiles,4,64] : its row EACH_TICK is a constant input; own_delay : of a tick or more

    A spike is added before the comparison of the tick at which it arrives, so that one of the layer's own needs a tick.
    """
    run, run_end = run_base[sample] + progress[1], run_base[sample] + run_count[sample]
    spikes = progress[2]
    mode = flush_subnormals()
    for t in range(progress[0], n_ticks):
        if spikes + n_neurons > len(spike_tick):
            progress[0], progress[1], progress[2] = t, run - run_base[sample], spikes
            restore_subnormals(mode)
            return _GROW
        if run < run_end and run_tick[run] == t:
            _send(address, run_start[run], run_start[run + 1], t, n_ticks, weight, delay, ring)
            run += 1
        first, arrived = spikes, ring[t % len(ring)]
        for tile in range(len(state)):
            given = load(arrived, tile) + load(drive[tile], EACH_TICK)
            store(zeros(), arrived, tile)
            own = ready[tile * TILE : (tile + 1) * TILE]
            lanes = _step_lif(state[tile], given, t, valid_lanes(tile, n_neurons), n_abs, own, constants)
            spikes = list_spikes(lanes, t, tile * TILE, spikes, spike_tick, spike_address)
        if first < spikes and len(own_weight) > 0:
            _send(spike_address, first, spikes, t, n_ticks, own_weight, own_delay, ring)
    progress[0], progress[1], progress[2] = n_ticks, run - run_base[sample], spikes
    restore_subnormals(mode)
    return _OK
