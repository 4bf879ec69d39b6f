"""A sparse layer of SRM neurons on the tick clock, forward: every presynaptic neuron has a list of targets.

A tile of 64 neurons is stepped only while one of them can still reach threshold. Otherwise it is left as it is, and
brought up to date when a spike reaches it, so that the cost follows spikes and what they touch.
"""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import (
    GAP,
    MARGIN,
    PR,
    QR,
    P,
    Q,
    jumped,
    list_spikes,
    reach_of,
    stays_below,
    step_rows,
)
from eventsim.kernels.cpu.sweep import valid_lanes
from eventsim.kernels.cpu.vector import flush_subnormals, load, restore_subnormals, splat, store, zeros
from eventsim.kernels.layout import ALPHA_REF, ALPHA_SYN, GAIN_REF, GAIN_SYN, THETA, TILE
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
# What a tile is doing. What a tick's spikes add stands apart from the state, so that the neurons that they reach, which
# is anywhere, are packed as closely as can be.
AT_REST, STEPPED, HAS_INPUT = np.uint8(0), np.uint8(1), np.uint8(2)


@kernel
def _catch_up(state, n, constants):
    """Bring a tile's state n ticks forward, in which it had no input and nobody fires."""
    alpha, beta = splat(constants[ALPHA_SYN]), splat(constants[ALPHA_REF])
    p, q, pr, qr = load(state, P), load(state, Q), load(state, PR), load(state, QR)
    if n < GAP:
        for _ in range(n):
            q = alpha * (q + p)
            p = alpha * p
            qr = beta * (qr + pr)
            pr = beta * pr
    else:
        p, q = jumped(p, q, n, constants[ALPHA_SYN])
        pr, qr = jumped(pr, qr, n, constants[ALPHA_REF])
    store(p, state, P)
    store(q, state, Q)
    store(pr, state, PR)
    store(qr, state, QR)


@kernel
def _first_target(target, first, last, neuron):
    """Where in the ascending target[first:last] the neurons from ``neuron`` on begin."""
    while first < last:
        middle = (first + last) // 2
        if target[middle] < neuron:
            first = middle + 1
        else:
            last = middle
    return first


@kernel
def _deliver(spike_first, spike_last, tick, neuron_first, neuron_last, address, row_start, target, weight, constants,
             state, total, since, doing):
    """Add the weights of a tick's spikes to the totals of neurons neuron_first..neuron_last-1, and wake their tiles."""
    for k in range(spike_first, spike_last):
        first, last = row_start[address[k]], row_start[address[k] + 1]
        first = _first_target(target, first, last, neuron_first)
        last = _first_target(target, first, last, neuron_last)
        for s in range(first, last):
            i = target[s] - neuron_first
            tile = i // TILE
            if doing[tile] != HAS_INPUT:
                if doing[tile] == AT_REST:
                    _catch_up(state[tile], tick - since[tile], constants)
                doing[tile] = HAS_INPUT
            total[tile, i % TILE] += weight[s]


@kernel
def sparse_forward(
    sample, neuron_first, neuron_last, n_ticks, n_abs, run_base, run_count, run_tick, run_start, address, row_start,
    target, weight, constants, state, total, since, doing, ready, progress, spike_tick, spike_address,
):
    """Spikes of the neurons neuron_first..neuron_last-1 in one sample, sorted by (tick, address).

    run_base, ... address : the input spikes by tick, see `group_by_tick`
    row_start int64[N_in+1], target int32[synapses], weight float32[synapses] : the synapses of every presynaptic
        neuron, targets ascending
    state float32[tiles,4,64], total float32[tiles,64], since int64[tiles], doing uint8[tiles], ready int32[tiles*64] :
        what is known of every tile; zeros at the start
    progress : int64[3], the next tick, the next run, and the number of spikes; zeros at the start

    Status GROW: spike_tick and spike_address may not hold what the next tick can give; grow them and call again.
    """
    alpha, beta, theta = splat(constants[ALPHA_SYN]), splat(constants[ALPHA_REF]), splat(constants[THETA])
    gain, kick = splat(constants[GAIN_SYN]), splat(constants[GAIN_REF])
    limit, reach = constants[THETA] * MARGIN, reach_of(constants[ALPHA_SYN])
    run, run_end = run_base[sample] + progress[1], run_base[sample] + run_count[sample]
    t, spikes = progress[0], progress[2]
    n_stepped = 1  # not known; the first turn counts
    mode = flush_subnormals()
    while t < n_ticks and (run < run_end or n_stepped > 0):
        if n_stepped == 0:  # nothing happens before the next input
            t = np.int64(run_tick[run])
        if spikes + (neuron_last - neuron_first) > len(spike_tick):
            progress[0], progress[1], progress[2] = t, run - run_base[sample], spikes
            restore_subnormals(mode)
            return _GROW
        n_stepped = 0
        for tile in range(len(doing)):
            if doing[tile] == AT_REST:
                continue
            rows = state[tile]
            p = load(rows, P)
            if doing[tile] == HAS_INPUT:
                p = p + gain * load(total, tile)
                store(zeros(), total, tile)
                doing[tile] = STEPPED
            own = ready[tile * TILE : (tile + 1) * TILE]
            lanes, p, q = step_rows(
                rows, p, t, valid_lanes(tile, neuron_last - neuron_first), n_abs, own, alpha, beta, theta, kick
            )
            spikes = list_spikes(lanes, t, neuron_first + tile * TILE, spikes, spike_tick, spike_address)
            if stays_below(p, q, reach, limit, None, None):
                doing[tile] = AT_REST
                since[tile] = t
            else:
                n_stepped += 1
        if run < run_end and run_tick[run] == t:
            _deliver(run_start[run], run_start[run + 1], t, neuron_first, neuron_last, address, row_start, target,
                     weight, constants, state, total, since, doing)
            run += 1
            n_stepped += 1
        t += 1
    progress[0], progress[1], progress[2] = n_ticks, run - run_base[sample], spikes
    restore_subnormals(mode)
    return _OK
