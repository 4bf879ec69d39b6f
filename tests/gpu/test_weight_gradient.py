"""Sums over the spikes of a row of weights, and over time, on a device: one term after the other, many or few."""

import itertools

import numpy as np
import pytest

from eventsim.kernels.layout import ADD, TILE

# Lengths of lists, on both sides of the 8 and 32 that are fetched at once.
LENGTHS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 39, 40, 63, 64, 65, 100, 333)
TILES, HELD_TICKS, PIECES = 2, 50, 2


def in_order(terms, before):
    """The sum of float32[n, 64], term by term, from float32[64] on."""
    total = before.copy()
    for term in terms:
        total = total + term
    return total


def scene(device, rng, is_timed):
    """What kernels take of two pieces of lists of all these lengths, and terms(tile, list): what they count of g."""
    length = np.array([*LENGTHS, *rng.permutation(LENGTHS)])
    ptr = np.concatenate([[0], np.cumsum(length)])
    row = rng.integers(0, HELD_TICKS, ptr[-1], dtype=np.int32)
    g, ramp = (rng.normal(size=(TILES, HELD_TICKS, TILE)).astype(np.float32) for _ in range(2))
    share = rng.uniform(0.1, 1.0, (len(row) if is_timed else 0, 2)).astype(np.float32)
    given = {"n_in": len(LENGTHS), "held_ticks": HELD_TICKS, "is_timed": is_timed, "neuron_ptr": device.put(ptr),
             "row": device.put(row), "share": device.put(share), "g": device.put(g),
             "ramp": device.put(ramp if is_timed else ramp[:0])}

    def terms(tile, k, at_once):
        own = slice(ptr[k], ptr[k + 1])
        if not is_timed:
            return g[tile, row[own]]
        parts = share[own, :1] * g[tile, row[own]], share[own, 1:] * ramp[tile, row[own]]
        return parts[0] + parts[1] if at_once else np.stack(parts, 1).reshape(-1, TILE)
    return given, terms


@pytest.mark.parametrize("is_timed", [False, True])
def test_spikes_of_a_dense_layer_are_added_in_order_piece_by_piece(one_device, rng, is_timed):
    given, terms = scene(one_device, rng, is_timed)
    before = rng.normal(size=(TILES, len(LENGTHS), TILE)).astype(np.float32)
    gradient, nothing = one_device.put(before), one_device.empty((0, 0, TILE), np.float32)
    one_device.launch(
        "update_weights", n_rows=TILES * len(LENGTHS), piece_first=0, piece_last=PIECES, is_first=True, is_last=True,
        rule=ADD, settings=one_device.empty(0, np.float32), gradient=gradient, weight=nothing, mean=nothing,
        square=nothing, **given)
    got = gradient.get()
    for tile, j in np.ndindex(before.shape[:2]):
        want = before[tile, j]
        for piece in range(PIECES):
            want = want + in_order(terms(tile, piece * len(LENGTHS) + j, False), np.zeros(TILE, np.float32))
        np.testing.assert_array_equal(got[tile, j], want)


@pytest.mark.parametrize("is_timed", [False, True])
def test_spikes_of_a_convolution_go_on_from_what_their_groups_came_to(one_device, rng, is_timed):
    """Two pieces, which are of the second and third of four groups of samples."""
    given, terms = scene(one_device, rng, is_timed)
    n = len(LENGTHS)
    before = rng.normal(size=(4, TILES * n, TILE)).astype(np.float32)
    part = one_device.put(before)
    one_device.launch("collect", n_work=PIECES * TILES * n, n_rows=TILES * n, piece_first=0, group_first=1, part=part,
                      **given)
    want = before.copy()
    for piece, tile, j in np.ndindex(PIECES, TILES, n):
        own = 1 + piece, tile * n + j
        want[own] = in_order(terms(tile, piece * n + j, True), before[own])
    np.testing.assert_array_equal(part.get(), want)


@pytest.mark.parametrize("is_timed", [False, True])
@pytest.mark.parametrize("n_ticks", [0, 1, 2, 8, 9, 16, 20, 71])
def test_sums_over_time_are_added_sample_by_sample_to_their_groups(one_device, rng, n_ticks, is_timed):
    """The samples 2 to 10 of 12 are held, and are of three groups."""
    held, ends, integral = 9, np.array([0, 3, 4, 12]), rng.uniform(0.1, 1.0, 2).astype(np.float32)
    g, ramp = (rng.normal(size=(TILES * held, n_ticks, TILE)).astype(np.float32) for _ in range(2))
    part = one_device.empty((held, TILES, TILE), np.float32)
    one_device.launch("sum_over_time", n_items=TILES * held, n_tiles=TILES, n_ticks=n_ticks, is_timed=is_timed,
                      integral=one_device.put(integral), g=one_device.put(g), ramp=one_device.put(ramp), part=part)
    nothing, sums = np.zeros(TILE, np.float32), np.zeros((TILES, held, TILE), np.float32)
    for tile, sample in np.ndindex(TILES, held):
        own = tile * held + sample
        sums[tile, sample] = (
            integral[0] * in_order(g[own, 1:], nothing) + integral[1] * in_order(ramp[own, 1:], nothing)
            if is_timed else in_order(g[own], nothing))
    np.testing.assert_array_equal(part.get(), sums.transpose(1, 0, 2))
    before = rng.normal(size=(3, TILES, TILE)).astype(np.float32)
    total = one_device.put(before)
    one_device.launch("add_parts", n=total.size, n_rows=TILES, part_first=2, part_last=11,
                      group_first=one_device.put(ends), part=part, total=total)
    want = [[in_order(sums[tile, max(first - 2, 0) : min(last, 11) - 2], before[group, tile]) for tile in range(TILES)]
            for group, (first, last) in enumerate(itertools.pairwise(ends))]
    np.testing.assert_array_equal(total.get(), want)
