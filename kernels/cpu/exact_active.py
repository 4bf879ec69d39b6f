"""A layer in continuous time, forward, that keeps active sets for the backward pass: potentials at the ticks.

The surrogate is sampled as on the grid: the potential of a tick has in it the response to all spikes up to the tick
before, and a neuron is out of the active set in the ticks of its dead time after the one in which it spiked.
"""

import numpy as np

from eventsim.kernels.cpu.active import close_chunk
from eventsim.kernels.cpu.exact import neurons_of, spikes_at_most, sweep_window
from eventsim.kernels.cpu.exact_patches import SAMPLED_MARGIN, begin, is_at_rest, limits, rest_for, run_window
from eventsim.kernels.cpu.jit import inlined, kernel
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
    where,
    zeros,
)
from eventsim.kernels.cpu.wide import fused, narrowed, wide_splat
from eventsim.kernels.cpu.windows import next_end
from eventsim.kernels.layout import (
    AT_TICK,
    CHUNK,
    EXACT_DEAD,
    EXACT_MU,
    EXACT_THETA,
    LENGTH,
    STATE_NEXT,
    STATE_PSP,
    STATE_SPIKE,
    TILE,
    WINDOW_END,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_NOBODY = np.uint64(0)


@inlined
def _lanes_at_tick(
    t, since, sampled, n, psp, own, response, before, theta, constants, u_low, u_high, valid, fall_ref, u
):
    """Write the potentials of the tick at t to the row u and return the active lanes; the tick before was at ``since``.

    sampled : the time of the last tick that this was called for, which is ``since`` unless the tile was at rest
    before float32[2,64] : the refractory response at that time, which is replaced by that of this one
    """
    fall, spiked = splat(fall_ref), load(own, STATE_SPIKE)
    earlier = at_least(wide_splat(since), spiked)
    lately = at_least(spiked, wide_splat(sampled))
    c, d = fused(load(before, 1), splat(np.float32(t - sampled)), load(before, 0)) * fall, load(before, 1) * fall
    # ``response`` is rounded towards the safe side in every window, so it is taken up only where a spike came to it.
    store(where(lately, load(response, 0), c), before, 0)
    store(where(lately, load(response, 1), d), before, 1)
    base = wide_splat(constants[EXACT_THETA]) - load(theta, n)
    # A spike on the very tick before was fired after that tick was sampled.
    potential = narrowed(load(own, psp) + base) + where(earlier & lately, load(response, 0), c)
    store(potential, u, 0)
    lanes = at_least(potential, splat(u_low)) & ~at_least(potential, splat(u_high)) & valid
    awake = at_least(wide_splat(t), spiked + wide_splat(constants[EXACT_DEAD]))
    return lanes & (awake | ~earlier)


@inlined
def _begin(n, valid, rest_is_active, theta, constants, state, response, before, chunk_u, chunk_lanes):
    """Begin tile ``n`` before any input, with the tick at 0."""
    begin(n, theta, constants, state, response)
    before[:] = np.float32(0.0)
    chunk_lanes[:] = _NOBODY
    if rest_is_active:
        store(zeros(), chunk_u, 0)
        chunk_lanes[0] = valid


@kernel
def exact_forward_active(
    item_first, item_last, n_samples, n_ticks, dt, u_low, u_high, rho_width, rho_peak, weight, neuron, theta, least,
    address, sample_ptr, window_base, window_count, window, window_event, window_address, coefficient, upper, constants,
    edges, fetched, state, response, before, chunk_u, chunk_lanes, progress, item_spikes, spike_time, spike_address,
    block_entries, block_pairs, entry_lane, entry_ticks, rho,
):
    """`exact_forward` from rest, that keeps the active sets as `ActiveSet` says; windows end on every tick of dt ms.

    They hold rho(u) where u_low <= u < u_high. state float64[7,64], response and before float32[2,64], chunk_u
    float32[64,64], chunk_lanes uint64[64] are scratch. progress int64[6] holds the next item, the used lengths of
    spikes, entries and rho, and how many neurons were taken over a window and how many of those one event at a time.
    Status GROW: the buffers did not hold what an item needs; grow them and call again, it is then begun anew.
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    fall_ref = np.float32(np.exp(-constants[EXACT_MU] * dt))
    rest_is_active = u_low <= np.float32(0.0) < u_high
    often = 1.0 / constants[EXACT_DEAD]
    mode = flush_subnormals()
    for item in range(progress[0], item_last):
        spikes, entries, pairs, singles = progress[1], progress[2], progress[3], progress[5]
        tile, sample, first_block = item // n_samples, item % n_samples, (item - item_first) * n_chunks
        valid = neurons_of(theta, tile)
        lanes = bit_count(valid)
        if item == item_first or sample == 0:
            fetch_tile(weight[tile], sample_ptr[n_samples] - sample_ptr[sample], fetched)
        _begin(tile, valid, rest_is_active, theta, constants, state, response, before, chunk_u, chunk_lanes)
        full = entries + TILE * n_chunks > len(entry_lane) or pairs + TILE * n_ticks > len(rho)
        now, then, chunk = STATE_PSP, STATE_NEXT, 0
        for w in range(window_base[sample], window_base[sample] + window_count[sample]):
            if full or spikes + lanes * spikes_at_most(window[w, LENGTH], often) > len(spike_time):
                restore_subnormals(mode)
                return _GROW
            spikes, more = sweep_window(
                tile, valid, window_event[w], window_event[w + 1], window[w], window_address[w], weight[tile], neuron,
                theta, least, address, coefficient, upper, constants, edges, now, then, state, response, spikes,
                spike_time, spike_address,
            )
            now, then = then, now
            singles += more
            tick = np.int64(window[w, AT_TICK])
            if 0 <= tick < n_ticks:
                if tick // CHUNK != chunk:
                    entries, pairs = close_chunk(
                        chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk,
                        block_entries, block_pairs,
                    )
                    chunk = tick // CHUNK
                row, since = tick % CHUNK, (tick - 1) * dt
                chunk_lanes[row] = _lanes_at_tick(
                    window[w, WINDOW_END], since, since, tile, now, state, response, before, theta, constants, u_low,
                    u_high, valid, fall_ref, chunk_u[row : row + 1],
                )
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
def exact_patches_forward_active(
    item_first, item_last, n_samples, n_batch, n_ticks, dt, longest, longest_silence, u_low, u_high, rho_width,
    rho_peak, weight, neuron, theta, least, address, time, sample_ptr, constants, edges, fetched, window,
    window_address, coefficient, upper, state, response, before, chunk_u, chunk_lanes, progress, item_spikes,
    spike_time, spike_address, block_entries, block_pairs, entry_lane, entry_ticks, rho,
):
    """`exact_patches_forward` from rest, that keeps the active sets as `exact_forward_active` does.

    From a tick on a tile is at rest where no potential can become active before the next input.
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    a_tick = np.float32(np.exp(-constants[EXACT_MU] * dt))
    rest_is_active = u_low <= np.float32(0.0) < u_high
    often, end = 1.0 / constants[EXACT_DEAD], n_ticks * dt
    mode = flush_subnormals()
    for item in range(progress[0], item_last):
        spikes, entries, pairs, singles = progress[1], progress[2], progress[3], progress[5]
        tile, sample, n = item // n_samples, item % n_samples, item // n_batch
        first_block = (item - item_first) * n_chunks
        valid = neurons_of(theta, n)
        lanes = bit_count(valid)
        if item == item_first or sample == 0:
            fetch_tile(weight[tile], sample_ptr[n_samples] - sample_ptr[sample], fetched)
        _begin(n, valid, rest_is_active, theta, constants, state, response, before, chunk_u, chunk_lanes)
        limit = limits(theta, n, constants[EXACT_THETA] - u_low, SAMPLED_MARGIN, constants)
        full = entries + TILE * n_chunks > len(entry_lane) or pairs + TILE * n_ticks > len(rho)
        now, then, chunk, windows = STATE_PSP, STATE_NEXT, 0, 0
        t, sampled, tick, k, last = 0.0, 0.0, 0, sample_ptr[sample], sample_ptr[sample + 1]
        while t < end:
            is_on_tick = t == tick * dt
            while tick * dt <= t:
                tick += 1
            next_tick = tick * dt
            if is_on_tick and (k == last or time[k] >= next_tick) and is_at_rest(now, state, limit, valid, constants):
                if k == last:
                    break
                rest_for(time[k] - t, now, state, response, window, constants)
                t = time[k]
                continue
            stop, following = next_end(t, end, k, last, longest, longest_silence, next_tick, time)
            if full or spikes + lanes * spikes_at_most(stop - t, often) > len(spike_time):
                restore_subnormals(mode)
                return _GROW
            spikes, more = run_window(
                t, stop, k, following, n, valid, weight[tile], neuron, theta, least, address, time, constants, edges,
                window, window_address, coefficient, upper, now, then, state, response, spikes, spike_time,
                spike_address,
            )
            now, then, t, k = then, now, stop, following
            singles += more
            windows += 1
            if stop == next_tick and tick < n_ticks:
                if tick // CHUNK != chunk:
                    entries, pairs = close_chunk(
                        chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk,
                        block_entries, block_pairs,
                    )
                    chunk = tick // CHUNK
                row, since = tick % CHUNK, (tick - 1) * dt
                fall_ref = a_tick if sampled == since else np.float32(np.exp(-constants[EXACT_MU] * (t - sampled)))
                chunk_lanes[row] = _lanes_at_tick(
                    t, since, sampled, n, now, state, response, before, theta, constants, u_low, u_high, valid,
                    fall_ref, chunk_u[row : row + 1],
                )
                sampled = t
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
