"""A layer in continuous time whose tiles have an input list each, forward: the patches of a convolution.

A window serves one tile only, so it is cut when the tile comes to it, and a tile that nobody fires in before its next
input is not taken over windows at all: the cost follows the events that a patch sees.
"""

import math

import numpy as np

from eventsim.kernels.cpu.exact import MARGIN, keep_psp, neurons_of, spikes_at_most, step_response, sweep_window
from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.sweep import fetch_tile
from eventsim.kernels.cpu.vector import at_least, bit_count, flush_subnormals, load, restore_subnormals, store
from eventsim.kernels.cpu.wide import fused, larger, size, wide_splat, wide_zeros
from eventsim.kernels.cpu.windows import fill_window, next_end
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_LAM,
    EXACT_MU,
    EXACT_THETA,
    FALL_REF,
    LENGTH,
    NEVER,
    STATE_NEXT,
    STATE_PSP,
    STATE_SPIKE,
    WINDOW_BEGIN,
    WINDOW_END,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_NOBODY = np.uint64(0)
# Of the thresholds: what the rounding of a tick's potential to float32 cannot reach.
SAMPLED_MARGIN = 1e-5


@inlined
def begin(n, theta, constants, own, response):
    """Put tile ``n`` to where it is before any input: all potentials are 0."""
    psp = load(theta, n) - wide_splat(constants[EXACT_THETA])
    own[:] = 0.0
    own[STATE_SPIKE] = NEVER
    store(psp, own, STATE_PSP)
    store(psp * wide_splat(constants[EXACT_LAM]), own, STATE_PSP + 1)
    response[:] = np.float32(0.0)


@inlined
def limits(theta, n, below, margin, constants):
    """What is less than the thresholds of tile ``n`` by ``below``, and by a share of them out of rounding's reach."""
    own = load(theta, n)
    slack = wide_splat(margin) * (wide_splat(constants[EXACT_THETA]) + size(own))
    return own - wide_splat(below) - slack


@inlined
def is_at_rest(psp, own, limit, lanes, constants):
    """Whether no potential of a tile can reach its limit before the next input; the psp is in the row ``psp``.

    The response to a spike is at most 0.
    """
    peak = wide_splat(1.0 / (math.e * constants[EXACT_LAM]))
    bound = fused(larger(load(own, psp + 1), wide_zeros()), peak, larger(load(own, psp), wide_zeros()))
    return ~at_least(limit, bound) & lanes == _NOBODY


@inlined
def rest_for(length, psp, own, response, window, constants):
    """Take the state of a tile at rest ``length`` ms on; of a window only what this needs is written."""
    window[LENGTH], window[FALL_REF] = length, math.exp(-constants[EXACT_MU] * length)
    fall = math.exp(-constants[EXACT_LAM] * length)
    b = load(own, psp + 1)
    store(fused(b, wide_splat(length), load(own, psp)) * wide_splat(fall), own, psp)
    store(b * wide_splat(fall), own, psp + 1)
    step_response(response, window)


@inlined
def run_window(
    t, stop, k, following, n, lanes, rows, neuron, theta, least, address, time, constants, edges, window,
    window_address, coefficient, upper, now, then, own, response, spikes, spike_time, spike_address,
):
    """Take tile ``n`` over the window from t to ``stop``, which has the events k..following-1; see `sweep_window`."""
    window[WINDOW_BEGIN], window[WINDOW_END] = t, stop
    n_events = following - k
    fill_window(window, 0, n_events, time[k:], address[k:], constants, window_address, coefficient, upper)
    return sweep_window(
        n, lanes, 0, n_events, window, window_address, rows, neuron, theta, least, address[k:], coefficient, upper,
        constants, edges, now, then, own, response, spikes, spike_time, spike_address,
    )


@kernel
def exact_patches_forward(
    item_first, item_last, n_samples, n_batch, anew, end, longest, longest_silence, weight, neuron, theta, least,
    address, time, sample_ptr, constants, edges, fetched, window, window_address, coefficient, upper, since, state,
    response, progress, item_spikes, spike_time, spike_address,
):
    """`exact_forward` for lists that are cut into windows on the way, up to ``end`` ms.

    n_batch : of so many samples at a time the neurons are the same, and have a row of neuron, theta and least
    address, time, sample_ptr : rows of weights and their times, by list; the lists are what ``n_samples`` counts
    longest, longest_silence : ms, of a window with and without events
    window float64[42], window_address int32[8], coefficient float64[7,2], upper float32[7] : scratch, of one window
    since float64[items], state, response : the state of every item and its time in ms, which stays behind ``end`` where
        an item is at rest; with ``anew``, a run from the beginning to the end, of the present item only
    progress int64[6] : as in `exact_forward`, but for the next event of an item in the second place; and at the end,
        whether it was begun

    Status GROW: as in `exact_forward`.
    """
    mode = flush_subnormals()
    often = 1.0 / constants[EXACT_DEAD]
    for item in range(progress[0], item_last):
        tile, sample, n, slot = item // n_samples, item % n_samples, item // n_batch, 0 if anew else item
        own, own_response = state[slot], response[slot]
        lanes = neurons_of(theta, n)
        n_lanes = bit_count(lanes)
        if item == item_first or sample == 0:
            fetch_tile(weight[tile], sample_ptr[n_samples] - sample_ptr[sample], fetched)
        if anew and progress[5] == 0:
            begin(n, theta, constants, own, own_response)
            since[slot] = 0.0
        limit = limits(theta, n, 0.0, MARGIN, constants)
        k, last = sample_ptr[sample] + progress[1], sample_ptr[sample + 1]
        t, spikes, now, then, is_full = since[slot], progress[2], STATE_PSP, STATE_NEXT, False
        while t < end:
            if (k == last or time[k] - t > longest_silence) and is_at_rest(now, own, limit, lanes, constants):
                if k == last:
                    break
                rest_for(time[k] - t, now, own, own_response, window, constants)
                t = time[k]
            stop, following = next_end(t, end, k, last, longest, longest_silence, np.inf, time)
            if spikes + n_lanes * spikes_at_most(stop - t, often) > len(spike_time):
                is_full = True
                break
            spikes, more = run_window(
                t, stop, k, following, n, lanes, weight[tile], neuron, theta, least, address, time, constants, edges,
                window, window_address, coefficient, upper, now, then, own, own_response, spikes, spike_time,
                spike_address,
            )
            now, then, t, k = then, now, stop, following
            progress[3] += n_lanes
            progress[4] += more
        keep_psp(now, own)
        since[slot] = t
        item_spikes[item] += spikes - progress[2]
        progress[2] = spikes
        if is_full:
            progress[0], progress[1], progress[5] = item, k - sample_ptr[sample], 1
            restore_subnormals(mode)
            return _GROW
        progress[0], progress[1], progress[5] = item + 1, 0, 0
    restore_subnormals(mode)
    return _OK
