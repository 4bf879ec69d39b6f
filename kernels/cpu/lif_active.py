"""A layer of leaky integrate-and-fire neurons in continuous time that keeps active sets: potentials at the ticks.

As on the grid, a potential of a tick is compared before it is reset: what the resets of spikes since the last tick took
away is added to it again, as far as it would have lasted. A spike on the tick itself counts to the time before it.
"""

import math

import numpy as np

from eventsim.kernels.cpu.active import close_chunk
from eventsim.kernels.cpu.exact import neurons_of, spikes_at_most
from eventsim.kernels.cpu.exact_patches import SAMPLED_MARGIN, limits
from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.lif_patches import begin_lif, lif_is_at_rest
from eventsim.kernels.cpu.lif_sweep import run_window, take_in
from eventsim.kernels.cpu.lif_windows import cut_window, feed, has_current, instant, peak
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.cpu.sweep import fetch_tile
from eventsim.kernels.cpu.vector import (
    at_least,
    bit_count,
    flush_subnormals,
    load,
    restore_subnormals,
    splat,
    store,
)
from eventsim.kernels.cpu.wide import fused, narrowed, wide_splat, wide_zeros
from eventsim.kernels.layout import (
    CHUNK,
    EXACT_DEAD,
    EXACT_LAM,
    EXACT_MU,
    EXACT_THETA,
    LIF_CURRENT,
    LIF_UNDONE,
    LIF_V,
    STATE_SPIKE,
    STEP_BEGIN,
    STEP_END,
    STEP_TICK,
    TILE,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_NOBODY = np.uint64(0)


@inlined
def _lanes_at_tick(t, since, n, v, own, theta, constants, u_low, u_high, valid, u):
    """Write the potentials of the tick at t to the row u and return the active lanes; the tick before was at ``since``.

    The resets that are put down are for this tick, and are done with.
    """
    base = wide_splat(constants[EXACT_THETA]) - load(theta, n)
    potential = narrowed(v + load(own, LIF_UNDONE) + base)
    store(potential, u, 0)
    store(wide_zeros(), own, LIF_UNDONE)
    spiked = load(own, STATE_SPIKE)
    lately = ~at_least(wide_splat(since), spiked)
    awake = at_least(wide_splat(t + instant(t, constants)), spiked + wide_splat(constants[EXACT_DEAD]))
    return at_least(potential, splat(u_low)) & ~at_least(potential, splat(u_high)) & valid & (awake | lately)


@kernel
def lif_exact_forward_active(
    item_first, item_last, n_samples, n_ticks, dt, u_low, u_high, rho_width, rho_peak, weight, neuron, theta, least,
    address, sample_ptr, window_base, window_count, window, window_step, step, step_event, coefficient, upper,
    constants, edges, fetched, state, chunk_u, chunk_lanes, progress, item_spikes, spike_time, spike_address,
    block_entries, block_pairs, entry_lane, entry_ticks, rho,
):
    """`lif_exact_forward` from rest, that keeps the active sets as `exact_forward_active` does."""
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    often, with_current = 1.0 / constants[EXACT_DEAD], has_current(constants)
    mode = flush_subnormals()
    for item in range(progress[0], item_last):
        spikes, entries, pairs, singles = progress[1], progress[2], progress[3], progress[5]
        tile, sample, first_block = item // n_samples, item % n_samples, (item - item_first) * n_chunks
        valid, rows = neurons_of(theta, tile), weight[tile]
        lanes = bit_count(valid)
        if item == item_first or sample == 0:
            fetch_tile(rows, sample_ptr[n_samples] - sample_ptr[sample], fetched)
        begin_lif(tile, theta, constants, state)
        chunk_lanes[:] = _NOBODY
        full = entries + TILE * n_chunks > len(entry_lane) or pairs + TILE * n_ticks > len(rho)
        chunk, tick = 0, np.int64(0)
        for w in range(window_base[sample], window_base[sample] + window_count[sample]):
            length = window[w, STEP_END] - window[w, STEP_BEGIN]
            if full or spikes + lanes * spikes_at_most(length, often) > len(spike_time):
                restore_subnormals(mode)
                return _GROW
            first_step = window_step[w]
            v, i = take_in(step_event[first_step], step_event[first_step + 1], rows, address, with_current, state)
            at = np.int64(window[w, STEP_TICK])
            if 0 <= at < n_ticks:
                if at // CHUNK != chunk:
                    entries, pairs = close_chunk(
                        chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk,
                        block_entries, block_pairs,
                    )
                    chunk = at // CHUNK
                row = at % CHUNK
                chunk_lanes[row] = _lanes_at_tick(
                    at * dt, (at - 1) * dt, tile, v, state, theta, constants, u_low, u_high, valid,
                    chunk_u[row : row + 1],
                )
                tick = at + 1
            spikes, more = run_window(
                tile, valid, v, i, first_step, window_step[w + 1], window[w], step, step_event, rows, address,
                coefficient, upper, with_current, neuron, theta, least, constants, edges, tick * dt, state, spikes,
                spike_time, spike_address,
            )
            singles += more
        entries, pairs = close_chunk(
            chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk, block_entries,
            block_pairs,
        )
        surrogate(rho[progress[3]:pairs], np.float32(constants[EXACT_THETA]), rho_width, rho_peak)
        item_spikes[item - item_first] = spikes - progress[1]
        progress[4] += lanes * window_count[sample]
        progress[0], progress[1], progress[2], progress[3], progress[5] = item + 1, spikes, entries, pairs, singles
    restore_subnormals(mode)
    return _OK


@kernel
def lif_patches_forward_active(
    item_first, item_last, n_samples, n_batch, n_ticks, dt, longest, longest_step, u_low, u_high, rho_width, rho_peak,
    weight, neuron, theta, least, address, time, sample_ptr, constants, edges, fetched, window, step, step_event,
    coefficient, upper, state, chunk_u, chunk_lanes, progress, item_spikes, spike_time, spike_address, block_entries,
    block_pairs, entry_lane, entry_ticks, rho,
):
    """`lif_patches_forward` from rest, that keeps the active sets as `exact_forward_active` does.

    From a tick on a tile is at rest where no potential can become active before the next input.
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    often, with_current, peaks = 1.0 / constants[EXACT_DEAD], has_current(constants), peak(constants)
    end, lam, mu = n_ticks * dt, constants[EXACT_LAM], constants[EXACT_MU]
    mode = flush_subnormals()
    for item in range(progress[0], item_last):
        spikes, entries, pairs, singles = progress[1], progress[2], progress[3], progress[5]
        tile, sample, n = item // n_samples, item % n_samples, item // n_batch
        first_block, valid, rows = (item - item_first) * n_chunks, neurons_of(theta, n), weight[tile]
        lanes = bit_count(valid)
        if item == item_first or sample == 0:
            fetch_tile(rows, sample_ptr[n_samples] - sample_ptr[sample], fetched)
        begin_lif(n, theta, constants, state)
        chunk_lanes[:] = _NOBODY
        limit = limits(theta, n, constants[EXACT_THETA] - u_low, SAMPLED_MARGIN, constants)
        full = entries + TILE * n_chunks > len(entry_lane) or pairs + TILE * n_ticks > len(rho)
        chunk, windows, t, tick, k, last = 0, 0, 0.0, np.int64(0), sample_ptr[sample], sample_ptr[sample + 1]
        while t < end:
            first, at = k, np.int64(-1)
            while k < last and time[k] <= t + instant(t, constants):
                k += 1
            while tick * dt < t:
                tick += 1
            if tick * dt == t:
                at = tick
                tick += 1
            next_tick = tick * dt
            _, taken, steps = cut_window(
                t, end, at, next_tick, 0, last - k, longest, longest_step, time[k:], constants, peaks, 0, window, step,
                step_event, coefficient, upper,
            )
            length = window[STEP_END] - t
            if full or spikes + lanes * spikes_at_most(length, often) > len(spike_time):
                restore_subnormals(mode)
                return _GROW
            v, i = take_in(first, k, rows, address, with_current, state)
            if 0 <= at < n_ticks:
                if at // CHUNK != chunk:
                    entries, pairs = close_chunk(
                        chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk,
                        block_entries, block_pairs,
                    )
                    chunk = at // CHUNK
                row = at % CHUNK
                chunk_lanes[row] = _lanes_at_tick(
                    t, (at - 1) * dt, n, v, state, theta, constants, u_low, u_high, valid, chunk_u[row : row + 1]
                )
                if (k == last or time[k] >= next_tick) and lif_is_at_rest(v, i, peaks[1], limit, valid):
                    if k == last:
                        break
                    rest = time[k] - t
                    fall, fade, given = math.exp(-lam * rest), math.exp(-mu * rest), feed(rest, constants)
                    store(fused(i, wide_splat(given), v * wide_splat(fall)), state, LIF_V)
                    store(i * wide_splat(fade), state, LIF_CURRENT)
                    t = time[k]
                    continue
            spikes, more = run_window(
                n, valid, v, i, 0, steps, window, step, step_event, rows, address[k:], coefficient, upper, with_current,
                neuron, theta, least, constants, edges, next_tick, state, spikes, spike_time, spike_address,
            )
            t, k = window[STEP_END], k + taken
            singles += more
            windows += 1
        entries, pairs = close_chunk(
            chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk, block_entries,
            block_pairs,
        )
        surrogate(rho[progress[3]:pairs], np.float32(constants[EXACT_THETA]), rho_width, rho_peak)
        item_spikes[item - item_first] = spikes - progress[1]
        progress[4] += lanes * windows
        progress[0], progress[1], progress[2], progress[3], progress[5] = item + 1, spikes, entries, pairs, singles
    restore_subnormals(mode)
    return _OK
