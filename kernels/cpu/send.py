"""Sends a tile's error down: e_j(t) = sum_i W_ji g_i(t), only where rho of neuron j counts."""

import numpy as np

from eventsim.kernels.cpu.active_set import entries_of, entry_at
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.short import folded_product, load_sixteen, store_few, sums_of_fours
from eventsim.kernels.cpu.vector import bit_count, load, lowest_bit
from eventsim.kernels.layout import CHUNK, RING

_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@kernel
def _sum_up(pair, done, n, sums, error):
    """Sum up the products done..n-1 that wait, sixteen at a time, into error[pair + done:]; returns the new ``done``.

    A neuron adds 64 products at most and fewer than 16 are left of those before, so the ring of them never overflows.
    """
    while done + 16 <= n:
        total = load_sixteen(error, pair + done) + sums_of_fours(sums, (done % RING) * 4)
        store_few(total, error, pair + done)
        done += 16
    return done


@kernel
def _sum_up_rest(pair, done, n, sums, error):
    """The same for fewer than sixteen; their sums go over scratch, since what follows in ``error`` is not theirs."""
    if done < n:
        store_few(sums_of_fours(sums, (done % RING) * 4), sums, RING * 4)
        for k in range(n - done):
            error[pair + done + k] += sums[RING * 4 + k]


@kernel
def send_error(
    sample, n_samples, chunk, n_chunks, near_first, near_last, near_tile, near_row, rows, kind, lanes, entry_start,
    pair_start, entry_lane, entry_ticks, g, sums, error,
):
    """Add this tile's part to error[...] of the layer below, at its active pairs in one chunk of a sample.

    near_tile int32[near], near_row int32[near,64] : of near_first..near_last-1, the tiles below that this one sees, and
        the row of ``rows`` that each of their lanes is, -1 where it is none
    rows : float32[N_in,64], the tile's weights; g : float32[ticks of the chunk,64]
    kind, lanes, entry_start, ... : the `ActiveSet` of the layer below
    sums : float32[SUMS], scratch
    """
    every_tick = ~_NOBODY >> np.uint64(CHUNK - len(g))
    for near in range(near_first, near_last):
        tile = np.int64(near_tile[near])
        block = (tile * n_samples + sample) * n_chunks + chunk
        pair = pair_start[block]
        if pair == pair_start[block + 1]:
            continue
        entry_first, entry_last = entries_of(block, tile, kind, lanes, entry_start)
        n = done = 0
        for entry in range(entry_first, entry_last):
            lane, ticks = entry_at(entry, kind, entry_lane, entry_ticks, every_tick)
            row = np.int64(near_row[near, lane])
            if row < 0:
                _sum_up_rest(pair, done, n, sums, error)
                pair += n + bit_count(ticks)
                n = done = 0
                continue
            weights = load(rows, row)
            while ticks != _NOBODY:
                store_few(folded_product(weights, load(g, lowest_bit(ticks))), sums, (n % RING) * 4)
                n += 1
                ticks &= ticks - _ONE
            done = _sum_up(pair, done, n, sums, error)
        _sum_up_rest(pair, done, n, sums, error)
