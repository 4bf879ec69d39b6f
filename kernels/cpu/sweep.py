"""One sample through one tile of 64 neurons on the tick clock, spike list in, spike list out."""

import numpy as np

from eventsim.kernels.cpu.active import close_chunk
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import (
    GAP,
    MARGIN,
    awake,
    jumped,
    lowered,
    next_event,
    put_to_rest,
    reach_of,
    stays_below,
    sum_rows,
)
from eventsim.kernels.cpu.vector import at_least, bit_count, load, splat, store, where, zeros
from eventsim.kernels.layout import (
    ALPHA_REF,
    ALPHA_SYN,
    BASE,
    CHUNK,
    CUT_P,
    CUT_Q,
    FIRST_P,
    FIRST_Q,
    GAIN_REF,
    SLACK,
    THETA,
    TILE,
)

_NOBODY = np.uint64(0)


@kernel
def valid_lanes(tile, n_neurons):
    """Number of neurons in a tile: 64, fewer in the last."""
    return min(TILE, n_neurons - tile * TILE)


@kernel
def fetch_tile(rows, n_spikes, scratch):
    """Bring a tile of weights into the second-level cache by reading it, if so many spikes will want it.

    Memory gives rows in their order three to four times as fast as in that of the spikes.
    """
    if 2 * n_spikes > len(rows):
        total = sum_rows(rows, None, 0, len(rows))
        store(total, scratch, 0)  # or the compiler would leave it all out


@kernel
def sweep_item(
    t, n_ticks, rows, lane_gain, n_lanes, run, run_end, run_tick, run_start, address, constants, n_abs, ready,
    n_taps, word_tick, word_lanes, words, active, drive, place,
):
    """Step a tile from tick ``t`` on; returns the new numbers of words, of spikes, of active entries and of pairs.

    run, run_end : the sample's runs of input spikes
    n_abs, ready, n_taps : None where neurons are never dead and the psp is not truncated
    active : None, or what `dense_forward_active` keeps
    drive, place : None, or what `driven_forward` gets, and which of it is the tile's

    A silence in which nobody can fire is jumped over in closed form. Where somebody may be active in it, its ticks are
    stepped through all the same and the state that the jump gives is taken after that, so that the spikes are those of
    a run that keeps no active set.

    Compiled for each combination of what is None: the state then stays in registers, which it does not where a loop has
    to keep room for what it does not do.
    """
    alpha, beta, theta = splat(constants[ALPHA_SYN]), splat(constants[ALPHA_REF]), splat(constants[THETA])
    kick, cut_p, cut_q = splat(constants[GAIN_REF]), splat(constants[CUT_P]), splat(constants[CUT_Q])
    limit, reach = constants[THETA] * MARGIN, reach_of(constants[ALPHA_SYN])
    valid = ~_NOBODY >> np.uint64(TILE - n_lanes)
    pr, qr = zeros(), zeros()
    if drive is None:
        p, q, base, slack = zeros(), zeros(), None, None
    else:
        own = drive[place]
        p, q, base, slack = load(own, FIRST_P), load(own, FIRST_Q), load(own, BASE), load(own, SLACK)
    spikes = entries = pairs = 0
    ended, chunk, seen = run, t // CHUNK, _NOBODY
    if ready is not None:
        ready[:] = 0
    if active is not None:
        (low, high, chunk_u, chunk_lanes, entries, pairs, first_block, block_entries, block_pairs, entry_lane,
         entry_ticks, rho) = active
        chunk_lanes[:] = _NOBODY
        landing, leap = -1, 0
        p_left, q_left, pr_left, qr_left = p, q, pr, qr
    while t < n_ticks:
        if active is not None and t == landing:
            p, q = jumped(p_left, q_left, leap, constants[ALPHA_SYN])
            pr, qr = jumped(pr_left, qr_left, leap, constants[ALPHA_REF])
        if active is not None and t // CHUNK != chunk:
            if seen != _NOBODY:
                entries, pairs = close_chunk(
                    chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk,
                    block_entries, block_pairs,
                )
            chunk, seen = t // CHUNK, _NOBODY
        q = alpha * (q + p)
        p = alpha * p
        qr = beta * (qr + pr)
        pr = beta * pr
        u = q + qr
        if drive is not None:
            u = u + base
        # No branches on what the neurons do: they would be guesses that hold up the rows of the next tick.
        if active is not None:
            lanes = at_least(u, splat(low)) & ~at_least(u, splat(high)) & valid
            if ready is not None:
                lanes = awake(lanes, t, ready)
            store(u, chunk_u, t % CHUNK)
            chunk_lanes[t % CHUNK] = lanes
            seen |= lanes
        lanes = at_least(u, theta) & valid
        if ready is not None:
            lanes = awake(lanes, t, ready)
            put_to_rest(lanes, t + n_abs, ready)
        pr = where(lanes, pr + kick, pr)
        word_tick[words] = t
        word_lanes[words] = lanes
        words += 1 if lanes != _NOBODY else 0
        spikes += bit_count(lanes)
        if run < run_end and run_tick[run] == t:
            p = p + lane_gain * sum_rows(rows, address, run_start[run], run_start[run + 1])
            run += 1
        if n_taps is not None and ended < run and run_tick[ended] == t - (n_taps - 1):
            # A psp of K taps counts for the last time at age K - 1; then what the untruncated system holds of it is
            # taken off.
            total = sum_rows(rows, address, run_start[ended], run_start[ended + 1])
            p = p - cut_p * total
            q = q - cut_q * total
            ended += 1
        t += 1
        to = next_event(run, run_end, ended, n_taps, run_tick, n_ticks)
        if to - t >= GAP and (active is None or t > landing) and stays_below(p, q, reach, limit, base, slack):
            if active is not None and not stays_below(p, q, reach, lowered(low), base, slack):
                landing, leap = to, to - t
                p_left, q_left, pr_left, qr_left = p, q, pr, qr
            else:
                if to < n_ticks:
                    p, q = jumped(p, q, to - t, constants[ALPHA_SYN])
                    pr, qr = jumped(pr, qr, to - t, constants[ALPHA_REF])
                t = to
    if active is not None and seen != _NOBODY:
        entries, pairs = close_chunk(
            chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk, block_entries,
            block_pairs,
        )
    return words, spikes, entries, pairs
