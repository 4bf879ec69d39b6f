"""A layer of leaky integrate-and-fire neurons whose tiles have an input list each, forward: patches of a convolution.

As in `exact_patches` a window is cut when the tile comes to it; one without input lasts until the next, so that silence
costs nothing.
"""

import numpy as np

from eventsim.kernels.cpu.exact import MARGIN, neurons_of, spikes_at_most
from eventsim.kernels.cpu.exact_patches import limits
from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.lif_sweep import run_window, take_in
from eventsim.kernels.cpu.lif_windows import cut_window, has_current, instant, peak
from eventsim.kernels.cpu.sweep import fetch_tile
from eventsim.kernels.cpu.vector import at_least, bit_count, flush_subnormals, load, restore_subnormals, store
from eventsim.kernels.cpu.wide import fused, larger, wide_splat, wide_zeros
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_THETA,
    LIF_CURRENT,
    LIF_V,
    NEVER,
    STATE_SPIKE,
    STEP_BEGIN,
    STEP_END,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_NOBODY = np.uint64(0)


@inlined
def begin_lif(n, theta, constants, own):
    """Put tile ``n`` to where it is before any input: all potentials are 0."""
    start = load(theta, n) - wide_splat(constants[EXACT_THETA])
    own[:] = 0.0
    own[STATE_SPIKE] = NEVER
    store(start, own, LIF_V)
    if has_current(constants):
        store(start, own, LIF_CURRENT)


@inlined
def lif_is_at_rest(v, i, most, limit, lanes):
    """Whether no potential of a tile can reach its limit before the next input; most : what a unit of current gives."""
    bound = fused(larger(i, wide_zeros()), wide_splat(most), larger(v, wide_zeros()))
    return ~at_least(limit, bound) & lanes == _NOBODY


@kernel
def lif_patches_forward(
    item_first, item_last, n_samples, n_batch, anew, end, longest, longest_step, weight, neuron, theta, least, address,
    time, sample_ptr, constants, edges, fetched, window, step, step_event, coefficient, upper, since, state, progress,
    item_spikes, spike_time, spike_address,
):
    """`exact_patches_forward` for leaky integrate-and-fire neurons.

    longest, longest_step : ms, see `cut_window`; window float64[7], step float64[8,7], step_event int64[9], coefficient
        float64[7,2], upper float32[7] : scratch, of one window
    """
    mode = flush_subnormals()
    often, with_current, peaks = 1.0 / constants[EXACT_DEAD], has_current(constants), peak(constants)
    for item in range(progress[0], item_last):
        tile, sample, n, slot = item // n_samples, item % n_samples, item // n_batch, 0 if anew else item
        own, lanes, rows = state[slot], neurons_of(theta, n), weight[tile]
        n_lanes = bit_count(lanes)
        if item == item_first or sample == 0:
            fetch_tile(rows, sample_ptr[n_samples] - sample_ptr[sample], fetched)
        if anew and progress[5] == 0:
            begin_lif(n, theta, constants, own)
            since[slot] = 0.0
        limit = limits(theta, n, 0.0, MARGIN, constants)
        k, last = sample_ptr[sample] + progress[1], sample_ptr[sample + 1]
        t, spikes, is_full = since[slot], progress[2], False
        while t < end:
            first = k
            while k < last and time[k] <= t + instant(t, constants):
                k += 1
            _, taken, steps = cut_window(
                t, end, -1, np.inf, 0, last - k, longest, longest_step, time[k:], constants, peaks, 0, window, step,
                step_event, coefficient, upper,
            )
            if spikes + n_lanes * spikes_at_most(window[STEP_END] - window[STEP_BEGIN], often) > len(spike_time):
                k, is_full = first, True
                break
            v, i = take_in(first, k, rows, address, with_current, own)
            if k == last and lif_is_at_rest(v, i, peaks[1], limit, lanes):
                store(v, own, LIF_V)
                store(i, own, LIF_CURRENT)
                break
            spikes, more = run_window(
                n, lanes, v, i, 0, steps, window, step, step_event, rows, address[k:], coefficient, upper, with_current,
                neuron, theta, least, constants, edges, None, own, spikes, spike_time, spike_address,
            )
            t, k = window[STEP_END], k + taken
            progress[3] += n_lanes
            progress[4] += more
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
