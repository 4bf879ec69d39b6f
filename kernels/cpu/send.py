"""Sends a tile's error down: e_j(t) = sum_i W_ji g_i(t), only where rho of neuron j counts."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.sweep import valid_lanes
from eventsim.kernels.cpu.vector import folded_product, load, load_sixteen, lowest_bit, store_few, sums_of_fours
from eventsim.kernels.layout import ALL, CHUNK, RING, TILE

_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@kernel
def _sum_up(pair, done, n, is_first, sums, error):
    """Sum up the products done..n-1 that wait, sixteen at a time, into error[pair + done:]; returns the new ``done``.

    A neuron adds 64 products at most and fewer than 16 are left of those before, so the ring of them never overflows.
    """
    while done + 16 <= n:
        total = sums_of_fours(sums, (done % RING) * 4)
        if not is_first:
            total = load_sixteen(error, pair + done) + total
        store_few(total, error, pair + done)
        done += 16
    return done


@kernel
def _sum_up_rest(pair, done, n, is_first, sums, error):
    """The same for fewer than sixteen; their sums go over scratch, since what follows in ``error`` is not theirs."""
    store_few(sums_of_fours(sums, (done % RING) * 4), sums, RING * 4)
    for k in range(n - done):
        e = sums[RING * 4 + k]
        error[pair + done + k] = e if is_first else error[pair + done + k] + e


@kernel
def send_error(
    sample, n_samples, chunk, n_chunks, is_first, driven, rows, kind, n_neurons, entry_start, pair_start, entry_lane,
    entry_ticks, g, sums, error,
):
    """error[...] of the layer below, at its active pairs in one chunk of a sample, gains this tile's part.

    rows : float32[N_in,64], the tile's weights; g : float32[ticks of the chunk,64], zero where not ``driven``
    kind, n_neurons, entry_start, ... : the `ActiveSet` of the layer below
    is_first : nothing is in ``error`` yet
    sums : float32[SUMS], scratch
    """
    every_tick = ~_NOBODY >> np.uint64(CHUNK - len(g))
    for tile in range((len(pair_start) - 1) // (n_samples * n_chunks)):
        block = (tile * n_samples + sample) * n_chunks + chunk
        pair, pair_end = pair_start[block], pair_start[block + 1]
        if pair == pair_end:
            continue
        if not driven:
            if is_first:
                error[pair:pair_end] = np.float32(0.0)
            continue
        if kind == ALL:
            entry, entry_end = 0, valid_lanes(tile, n_neurons)
        else:
            entry, entry_end = entry_start[block], entry_start[block + 1]
        n = done = 0
        for i in range(entry, entry_end):
            lane, ticks = i, every_tick
            if kind != ALL:
                lane, ticks = np.int64(entry_lane[i]), entry_ticks[i]
            weights = load(rows, tile * TILE + lane)
            while ticks != _NOBODY:
                store_few(folded_product(weights, load(g, lowest_bit(ticks))), sums, (n % RING) * 4)
                n += 1
                ticks &= ticks - _ONE
            done = _sum_up(pair, done, n, is_first, sums, error)
        if done < n:
            _sum_up_rest(pair, done, n, is_first, sums, error)
