"""Vectors of float64, for a tile and for the segments of a window, against NumPy."""

from fractions import Fraction

import numba
import numpy as np
import pytest

from eventsim.kernels.cpu import vector, wide
from eventsim.kernels.layout import SEGMENTS, TILE

ODD = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -1e300]


@numba.njit
def elementwise(x, y, z, out, masks):
    a, b = vector.load(x, 1), vector.load(y, 0)
    vector.store(a + b, out, 0)
    vector.store(a - b, out, 1)
    vector.store(a * b, out, 2)
    vector.store(wide.larger(a, b), out, 3)
    vector.store(wide.size(a), out, 4)
    vector.store(wide.fused(a, b, vector.load(z, 0)), out, 5)
    vector.store(wide.wide_splat(x[0, 0]), out, 6)
    vector.store(wide.wide_zeros(), out, 7)
    masks[0] = vector.at_least(a, b)


def exactly_fused(a, b, c):
    """a b + c, rounded once."""
    return np.array([float(Fraction(x) * Fraction(y) + Fraction(z)) for x, y, z in
                     zip(a.tolist(), b.tolist(), c.tolist(), strict=True)])


def test_lanes_are_computed_as_numpy_does(rng):
    x, y = rng.normal(size=(2, TILE)), rng.normal(size=(1, TILE))
    x[1, : len(ODD)], y[0, 3] = ODD, np.nan
    x[1, 20:30] = y[0, 20:30]
    z = -x[1:] * y * (1 + 2.0**-50 * rng.integers(-2, 3, TILE))  # what is left is the rounding of the product
    out, masks = np.full((8, TILE), np.nan), np.zeros(1, np.uint64)
    elementwise(x, y, z, out, masks)
    a, b, finite = x[1], y[0], np.isfinite(x[1] * y[0])
    with np.errstate(invalid="ignore"):
        want = [a + b, a - b, a * b, np.where(a > b, a, b), np.abs(a)]
    for got, wanted in zip(out, want, strict=False):
        np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(out[5][finite], exactly_fused(a[finite], b[finite], z[0][finite]))
    assert np.any(out[5][finite] != a[finite] * b[finite] + z[0][finite])
    assert np.all(out[6] == x[0, 0]) and not out[7].any()
    assert int(masks[0]) == sum(1 << int(k) for k in np.flatnonzero(a >= b))


def test_fused_float32_is_rounded_once(rng):
    @numba.njit
    def fuse(x, out):
        vector.store(wide.fused(vector.load(x, 0), vector.load(x, 1), vector.load(x, 2)), out, 0)
        vector.store(wide.larger(vector.load(x, 0), vector.load(x, 1)), out, 1)
        vector.store(wide.size(vector.load(x, 0)), out, 2)

    x = rng.normal(size=(3, TILE)).astype(np.float32)
    x[2] = -x[0] * x[1]
    out = np.empty((3, TILE), np.float32)
    fuse(x, out)
    np.testing.assert_array_equal(out[0], exactly_fused(*x).astype(np.float32))
    assert np.any(out[0] != 0)
    np.testing.assert_array_equal(out[1:], [np.maximum(x[0], x[1]), np.abs(x[0])])


def test_float32_is_widened_exactly_and_float64_narrowed_to_the_nearest(rng):
    @numba.njit
    def convert(narrow, rows, out, back):
        vector.store(wide.widened(vector.load(narrow, 1)), out, 0)
        vector.store(wide.narrowed(vector.load(rows, 0)), back, 0)

    narrow = rng.normal(size=(2, TILE)).astype(np.float32)
    rows = 10.0 ** rng.uniform(-50, 50, (1, TILE)) * rng.choice([-1, 1], TILE)
    out, back = np.empty((1, TILE)), np.empty((1, TILE), np.float32)
    convert(narrow, rows, out, back)
    np.testing.assert_array_equal(out[0], narrow[1].astype(np.float64))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(back, rows.astype(np.float32))


@pytest.mark.parametrize("lane", [0, 17, 63])
def test_eight_numbers_are_gathered_summed_and_compared(rng, lane):
    @numba.njit
    def segments(rows, address, lane, given, out, masks):
        kick = wide.gather_eight(rows, address, lane)
        wide.store_eight(kick, out, 1)
        wide.store_eight(wide.running_sums(kick), out, 9)
        wide.store_eight(wide.fused(wide.load_eight(given, 2), wide.eight(given[0]), kick), out, 17)
        wide.store_eight(wide.larger(wide.size(kick), wide.eight(given[0])), out, 25)
        masks[0] = vector.at_least(wide.load_eight(given, 2), wide.eight(given[0]))

    rows = rng.integers(-9, 10, (30, TILE)).astype(np.float32)  # whole numbers: sums are exact in any order
    address = rng.integers(0, 30, SEGMENTS).astype(np.int32)
    given, out, masks = np.round(rng.normal(0, 4, 10)), np.full(34, np.nan), np.zeros(1, np.uint64)
    given[:3] = 1.0, np.nan, 1.0
    segments(rows, address, lane, given, out, masks)
    kick = rows[address, lane].astype(np.float64)
    want = np.concatenate((kick, np.cumsum(kick), given[2:] * given[0] + kick, np.maximum(np.abs(kick), given[0])))
    np.testing.assert_array_equal(out, [np.nan, *want, np.nan])
    assert int(masks[0]) == sum(1 << k for k in range(SEGMENTS) if given[2 + k] >= given[0])
