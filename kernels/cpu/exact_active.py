"""A dense layer in continuous time, forward, that keeps active sets for the backward pass: potentials at the ticks.

The surrogate is sampled as on the grid: the potential of a tick has in it the response to all spikes up to the tick
before, and a neuron is out of the active set in the ticks of its dead time after the one in which it spiked.
"""

import numpy as np

from eventsim.kernels.cpu.active import close_chunk
from eventsim.kernels.cpu.exact import spikes_at_most, sweep_window
from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.cpu.sweep import fetch_tile, valid_lanes
from eventsim.kernels.cpu.vector import at_least, flush_subnormals, load, restore_subnormals, splat, store, where, zeros
from eventsim.kernels.cpu.wide import fused, narrowed, wide_splat
from eventsim.kernels.layout import (
    AT_TICK,
    CHUNK,
    EXACT_DEAD,
    EXACT_MU,
    EXACT_THETA,
    LENGTH,
    NEVER,
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
def _lanes_at_tick(t, since, psp, own, response, before, constants, u_low, u_high, valid, fall_ref, u):
    """Write the potentials of the tick at t to the row u and return the active lanes; the tick before was at ``since``.

    before float32[2,64] : the refractory response at the tick before, which is replaced by that of this one
    """
    fall, spiked = splat(fall_ref), load(own, STATE_SPIKE)
    earlier = at_least(wide_splat(since), spiked)
    lately = at_least(spiked, wide_splat(since))
    c, d = fused(load(before, 1), splat(np.float32(t - since)), load(before, 0)) * fall, load(before, 1) * fall
    # ``response`` is rounded towards the safe side in every window, so it is taken up only where a spike came to it.
    store(where(lately, load(response, 0), c), before, 0)
    store(where(lately, load(response, 1), d), before, 1)
    # A spike on the very tick before was fired after that tick was sampled.
    sampled = narrowed(load(own, psp)) + where(earlier & lately, load(response, 0), c)
    store(sampled, u, 0)
    lanes = at_least(sampled, splat(u_low)) & ~at_least(sampled, splat(u_high)) & valid
    awake = at_least(wide_splat(t), spiked + wide_splat(constants[EXACT_DEAD]))
    return lanes & (awake | ~earlier)


@kernel
def exact_forward_active(
    item_first, item_last, n_samples, n_neurons, n_ticks, dt, u_low, u_high, rho_width, rho_peak, weight, address,
    sample_ptr, window_base, window_count, window, window_event, window_address, coefficient, upper, constants, edges,
    fetched, state, response, before, chunk_u, chunk_lanes, progress, item_spikes, spike_time, spike_address,
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
        lanes = valid_lanes(tile, n_neurons)
        valid = ~_NOBODY >> np.uint64(TILE - lanes)
        if item == item_first or sample == 0:
            fetch_tile(weight[tile], sample_ptr[n_samples] - sample_ptr[sample], fetched)
        state[:] = 0.0
        state[STATE_SPIKE] = NEVER
        response[:] = np.float32(0.0)
        before[:] = np.float32(0.0)
        chunk_lanes[:] = _NOBODY
        if rest_is_active:
            store(zeros(), chunk_u, 0)
            chunk_lanes[0] = valid
        full = entries + TILE * n_chunks > len(entry_lane) or pairs + TILE * n_ticks > len(rho)
        now, then, chunk = STATE_PSP, STATE_NEXT, 0
        for w in range(window_base[sample], window_base[sample] + window_count[sample]):
            if full or spikes + lanes * spikes_at_most(window[w, LENGTH], often) > len(spike_time):
                restore_subnormals(mode)
                return _GROW
            spikes, more = sweep_window(
                tile, valid, window_event[w], window_event[w + 1], window[w], window_address[w], weight[tile], address,
                coefficient, upper, constants, edges, now, then, state, response, spikes, spike_time, spike_address,
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
                row = tick % CHUNK
                chunk_lanes[row] = _lanes_at_tick(
                    window[w, WINDOW_END], (tick - 1) * dt, now, state, response, before, constants, u_low, u_high,
                    valid, fall_ref, chunk_u[row : row + 1],
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
