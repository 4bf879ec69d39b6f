"""A dense layer of SRM neurons on the tick clock, forward: the tile sweep.

An *item* is one sample in one tile of 64 postsynaptic neurons; items are numbered ``tile * B + sample``, so that a run
of items keeps one tile of weights, float32[N_in, 64], in the second-level cache for all samples.
"""

import numpy as np

from eventsim.kernels.cpu.active import close_chunk
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import GAP, awake, next_event, power, put_to_rest, reach_of, stays_below, sum_rows
from eventsim.kernels.cpu.surrogate import surrogate
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
from eventsim.kernels.layout import ALPHA_REF, ALPHA_SYN, CHUNK, CUT_P, CUT_Q, GAIN_REF, THETA, TILE
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_NOBODY = np.uint64(0)
# Of the potential that a tile must stay below to be left alone, for rounding.
_MARGIN = np.float32(1.0 - 1e-4)


@kernel
def valid_lanes(tile, n_neurons):
    """Number of neurons in a tile: 64, fewer in the last."""
    return min(TILE, n_neurons - tile * TILE)


@kernel
def dense_forward(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, keep_active, u_low, u_high, rho_width,
    rho_peak, weight, gain, run_base, run_count, run_tick, run_start, address, constants, ready, chunk_u, chunk_lanes,
    progress, item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho,
):
    """Spikes of the items item_first..item_last-1, and where wanted their active sets.

    weight[tiles,N_in,64] : float32, or int8 or float16 bits (uint16) to be multiplied by the gain
    gain : float32[tiles,64], what one unit of weight adds to a neuron's p
    run_base, run_count, run_tick, run_start, address : the input spikes by tick, see `group_by_tick`
    ready int32[64], chunk_u float32[64,64], chunk_lanes uint64[64] : scratch

    The spikes of an item are words (tick, bits of the lanes that spike), one for each tick that has any; item_words and
    item_spikes hold their numbers and how many bits are set. Active sets are laid out as `ActiveSet` says, and hold
    rho(u) where u_low <= u < u_high and the neuron is not dead. What stands by item is indexed from item_first on.

    Long runs of ticks without input are jumped over where no neuron of the tile can fire, or become active, in them.

    progress int64[4] holds the next item and the used lengths of words, entries and rho. Status GROW: a buffer may not
    hold what the next item can need; grow it and call again.
    """
    alpha, beta, theta = splat(constants[ALPHA_SYN]), splat(constants[ALPHA_REF]), splat(constants[THETA])
    low, high, kick = splat(u_low), splat(u_high), splat(constants[GAIN_REF])
    cut_p, cut_q = splat(constants[CUT_P]), splat(constants[CUT_Q])
    limit = (u_low if keep_active else constants[THETA]) * _MARGIN
    reach = reach_of(constants[ALPHA_SYN])
    # Where u = 0 is active, so are the ticks before the first input.
    rest_is_active = keep_active and u_low <= np.float32(0.0) < u_high
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    mode = flush_subnormals()
    for item in range(progress[0], item_last):
        words, entries, pairs = progress[1], progress[2], progress[3]
        if words + n_ticks > len(word_tick) or (
            keep_active and (entries + TILE * n_chunks > len(entry_lane) or pairs + TILE * n_ticks > len(rho))
        ):
            restore_subnormals(mode)
            return _GROW
        tile, sample = item // n_samples, item % n_samples
        run, run_end = run_base[sample], run_base[sample] + run_count[sample]
        spikes = 0
        if run < run_end or rest_is_active:
            rows, lane_gain = weight[tile], load(gain, tile)
            valid = ~_NOBODY >> np.uint64(TILE - valid_lanes(tile, n_neurons))
            p, q, pr, qr = zeros(), zeros(), zeros(), zeros()
            ready[:] = 0
            ended = run
            t = 0 if rest_is_active else run_tick[run]
            chunk, active = t // CHUNK, False
            chunk_lanes[:] = _NOBODY
            while t < n_ticks:
                if t // CHUNK != chunk:
                    if active:
                        block = (item - item_first) * n_chunks + chunk
                        entries, pairs = close_chunk(
                            chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, block, block_entries,
                            block_pairs,
                        )
                        chunk_lanes[:] = _NOBODY
                    chunk, active = t // CHUNK, False
                q = alpha * (q + p)
                p = alpha * p
                qr = beta * (qr + pr)
                pr = beta * pr
                u = q + qr
                if keep_active:
                    lanes = at_least(u, low) & ~at_least(u, high) & valid
                    if n_abs > 1:
                        lanes = awake(lanes, t, ready)
                    if lanes != _NOBODY:
                        store(u, chunk_u, t % CHUNK)
                        chunk_lanes[t % CHUNK] = lanes
                        active = True
                lanes = at_least(u, theta) & valid
                if n_abs > 1:
                    lanes = awake(lanes, t, ready)
                    put_to_rest(lanes, t + n_abs, ready)
                if lanes != _NOBODY:
                    pr = where(lanes, pr + kick, pr)
                    word_tick[words] = t
                    word_lanes[words] = lanes
                    words += 1
                    spikes += bit_count(lanes)
                if run < run_end and run_tick[run] == t:
                    p = p + lane_gain * sum_rows(rows, address, run_start[run], run_start[run + 1])
                    run += 1
                if n_taps > 0 and ended < run and run_tick[ended] == t - (n_taps - 1):
                    # A psp of K taps counts for the last time at age K - 1; then what the untruncated system holds of it
                    # is taken off.
                    total = sum_rows(rows, address, run_start[ended], run_start[ended + 1])
                    p = p - cut_p * total
                    q = q - cut_q * total
                    ended += 1
                t += 1
                to = next_event(run, run_end, ended, n_taps, run_tick, n_ticks)
                if to - t >= GAP and stays_below(p, q, reach, limit):
                    if to < n_ticks:
                        n = to - t
                        fall = splat(power(constants[ALPHA_SYN], n))
                        q = fall * (q + splat(np.float32(n)) * p)
                        p = fall * p
                        fall = splat(power(constants[ALPHA_REF], n))
                        qr = fall * (qr + splat(np.float32(n)) * pr)
                        pr = fall * pr
                    t = to
            if active:
                block = (item - item_first) * n_chunks + chunk
                entries, pairs = close_chunk(
                    chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, block, block_entries,
                    block_pairs,
                )
            if keep_active:
                surrogate(rho[progress[3]:pairs], constants[THETA], rho_width, rho_peak)
        item_spikes[item - item_first] = spikes
        item_words[item - item_first] = words - progress[1]
        progress[0], progress[1], progress[2], progress[3] = item + 1, words, entries, pairs
    restore_subnormals(mode)
    return _OK
