"""The pieces that the kernels of a tile share, called alone: psp and its adjoint, row sums, masks, the surrogate."""

import itertools
import math

import numba
import numpy as np
import pytest
from naive import srm32

from eventsim.kernels.cpu import active, short, srm, vector
from eventsim.kernels.cpu.dense_adjoint import adjoint_psp
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.layout import ALPHA_SYN, CUT_P, CUT_Q, GAIN_SYN, TILE
from eventsim.model import SRM

T = 24
ONE = np.float32(1.0)
# Few bits, so that float32 sums are exact in any order: decays 1/2, gain 2.
EXACT = np.array([0.5, 2.0, 0.5, 0.0, 1.0, 2.0 * 0.5**2, 2.0 * 0.5**2 * 2], np.float32)


def psp(x, constants, n_taps):
    """The psp's two-state system driven by x[T, 64], as the sweep steps it: in tick t one input with weights x[t]."""
    p, q = np.zeros((2, TILE), np.float32)
    out = np.empty_like(x)
    for t in range(len(x)):
        q = constants[ALPHA_SYN] * (q + p)
        p = constants[ALPHA_SYN] * p
        out[t] = q
        p = p + constants[GAIN_SYN] * x[t]
        ended = t - (n_taps - 1)
        if n_taps and ended >= 0:
            p = p - constants[CUT_P] * x[ended]
            q = q - constants[CUT_Q] * x[ended]
    return out


def adjoint(y, constants, n_taps, dt=ONE, chunk=None):
    """`adjoint_psp`, in one go or in chunks of ticks."""
    g, n = y.copy(), len(y)
    state = np.zeros((2, TILE), np.float32)
    kept = np.full((n if n_taps else 0, TILE), np.nan, np.float32)
    bounds = [*range(0, n, chunk or n), n]
    for first, last in reversed(list(itertools.pairwise(bounds))):
        adjoint_psp(first, last, n, n_taps, dt, constants, state, g, kept, np.empty((0, TILE), np.float32))
    return g


@pytest.mark.parametrize("n_taps", [0, 3, 9, 60])
@pytest.mark.parametrize("tau", [1.0, 4.0, 10.0])
def test_the_psp_is_the_convolution_with_its_alpha_kernel(rng, n_taps, tau):
    constants = SRM(tau_syn=tau).constants(1.0, n_taps)
    x = rng.normal(size=(T, TILE)).astype(np.float32)
    age = np.arange(T)
    kernel = np.where((age < n_taps) | (n_taps == 0), age / tau * np.exp(1 - age / tau), 0.0)
    for k in range(TILE):
        want = np.convolve(x[:, k].astype(float), kernel)[:T]
        np.testing.assert_allclose(psp(x, constants, n_taps)[:, k], want, atol=3e-6 * np.abs(x).max() * T)


@pytest.mark.parametrize("n_taps", [0, 2, 9, 60])
@pytest.mark.parametrize("tau", [1.0, 4.0, 10.0])
def test_adjoint_identity_of_the_psp(rng, n_taps, tau):
    constants = SRM(tau_syn=tau).constants(1.0, n_taps)
    x, y = rng.normal(size=(2, T, TILE)).astype(np.float32)
    forward = np.sum(psp(x, constants, n_taps).astype(float) * y, axis=0)
    back = np.sum(x.astype(float) * adjoint(y, constants, n_taps), axis=0)
    np.testing.assert_allclose(forward, back, rtol=0, atol=2e-6 * np.linalg.norm(x) * np.linalg.norm(y))


@pytest.mark.parametrize("n_taps", [0, 3])
@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_adjoint_identity_of_the_psp_is_exact_on_dyadic_numbers(rng, n_taps, dt):
    x, y = rng.integers(-4, 5, (2, 10, TILE)).astype(np.float32)
    forward = np.sum(psp(x, EXACT, n_taps) * y, axis=0)
    assert np.any(forward != 0)
    np.testing.assert_array_equal(dt * forward, np.sum(x * adjoint(y, EXACT, n_taps, np.float32(dt)), axis=0))


@pytest.mark.parametrize("n_taps", [0, 3, 9])
@pytest.mark.parametrize("chunk", [1, 5, 23])
def test_the_adjoint_goes_on_from_chunk_to_chunk(rng, n_taps, chunk):
    y = rng.normal(size=(T, TILE)).astype(np.float32)
    constants = SRM(tau_syn=2.0).constants(1.0, n_taps)
    np.testing.assert_array_equal(adjoint(y, constants, n_taps, chunk=chunk), adjoint(y, constants, n_taps))


@numba.njit
def summed(rows, address, first, last, out):
    vector.store(srm.sum_rows(rows, address, first, last), out, 0)


@pytest.mark.parametrize("n_rows", [0, 1, 2, 7, 300])
def test_rows_are_summed_one_after_the_other(rng, n_rows):
    rows = rng.normal(size=(12, TILE)).astype(np.float32)
    address = rng.integers(0, 12, n_rows + 2).astype(np.int32)
    out = np.full((1, TILE), np.nan, np.float32)
    summed(rows, address, 1, 1 + n_rows, out)
    np.testing.assert_array_equal(out[0], srm32.sum_rows(address[1 : 1 + n_rows], rows))


@pytest.mark.parametrize("n_rows", [0, 1, 255, 256, 257, 70_000])
def test_rows_of_bytes_are_summed_exactly(rng, n_rows):
    rows = rng.integers(-127, 128, (12, TILE)).astype(np.int8)
    rows[:, 0], rows[:, 1] = 127, -127
    address = rng.integers(0, 12, n_rows + 2).astype(np.int32)
    out = np.full((1, TILE), np.nan, np.float32)
    summed(rows, address, 1, 1 + n_rows, out)
    np.testing.assert_array_equal(out[0], rows[address[1 : 1 + n_rows]].sum(axis=0, dtype=np.int64))


@pytest.mark.parametrize("converts", [True, False], ids=["by the processor", "by hand"])
def test_rows_of_float16_are_their_float32(monkeypatch, converts):
    every = np.arange(2**16).astype(np.uint16)
    finite = every[np.isfinite(every.view(np.float16))]
    rows = np.resize(finite, (len(finite) // TILE + 1, TILE))
    monkeypatch.setattr(vector, "_CONVERTS_HALF", converts and vector._CONVERTS_HALF)

    @numba.njit
    def convert(rows, out):
        mode = vector.flush_subnormals()  # as the kernels do
        for i in range(len(rows)):
            vector.store(vector.load(rows, i), out, i)
        vector.restore_subnormals(mode)

    out = np.empty(rows.shape, np.float32)
    convert(rows, out)
    np.testing.assert_array_equal(out.view(np.uint32), rows.view(np.float16).astype(np.float32).view(np.uint32))


@numba.njit
def masked(u, bound, kick, out):
    mask = vector.at_least(vector.load(u, 0), vector.splat(bound))
    values = vector.load(out, 0)
    vector.store(vector.where(mask, values + vector.splat(kick), values), out, 0)
    return mask


@pytest.mark.parametrize("lanes", [(), (0,), (63,), (0, 31, 32, 63), tuple(range(64))])
def test_every_lane_at_or_above_a_bound_is_in_the_mask_and_no_other(lanes):
    u = np.full((1, TILE), np.nextafter(ONE, np.float32(0.0)), np.float32)
    u[0, list(lanes)] = 1.0
    out = np.zeros((1, TILE), np.float32)
    assert int(masked(u, ONE, np.float32(-3.0), out)) == sum(1 << lane for lane in lanes)
    want = np.zeros(TILE)
    want[list(lanes)] = -3.0
    np.testing.assert_array_equal(out[0], want)


def test_nan_is_at_least_nothing_and_infinity_is():
    u = np.zeros((1, TILE), np.float32)
    u[0, 3], u[0, 40], u[0, 50] = np.nan, np.inf, -np.inf
    assert int(masked(u, ONE, ONE, np.zeros((1, TILE), np.float32))) == 1 << 40


def test_a_dead_neuron_is_not_awake_until_it_is_ready(rng):
    ready = np.full(TILE, 7, np.int32)
    everyone = np.uint64(2**64 - 1)
    assert int(srm.awake(everyone, 6, ready)) == 0
    assert int(srm.awake(everyone, 7, ready)) == 2**64 - 1
    srm.put_to_rest(np.uint64(1 << 63 | 1 << 5), 9, ready)
    assert ready.tolist() == [9 if lane in (5, 63) else 7 for lane in range(TILE)]
    assert int(srm.awake(np.uint64(0b111 << 4), 8, ready)) == 0b101 << 4


@pytest.mark.parametrize("tau", [0.3, 1.0, 4.0, 50.0])
def test_no_psp_adds_more_than_its_reach(tau):
    alpha = np.float32(math.exp(-1 / tau))
    n = np.arange(1, 4000)
    most = (n * float(alpha) ** n).max()
    assert most <= srm.reach_of(alpha) * (1 + 1e-6)
    assert srm.reach_of(alpha) <= most * 1.3 or tau < 1


def test_bits_are_transposed(rng):
    words = rng.integers(0, 2**63, TILE, dtype=np.uint64) * np.uint64(2) + rng.integers(0, 2, TILE, dtype=np.uint64)
    bits = np.unpackbits(words.view(np.uint8), bitorder="little").reshape(TILE, TILE)
    active.transpose_bits(words)
    np.testing.assert_array_equal(np.unpackbits(words.view(np.uint8), bitorder="little").reshape(TILE, TILE), bits.T)


def test_products_are_folded_to_fours_and_sixteen_fours_to_their_sums(rng):
    @numba.njit
    def dots(a, b, fours, out):
        for k in range(16):
            short.store_few(short.folded_product(vector.load(a, k), vector.load(b, k)), fours, 4 * k + 2)
        short.store_few(short.sums_of_fours(fours, 2), out, 1)

    a, b = rng.integers(-9, 10, (2, 16, TILE)).astype(np.float32)
    fours, out = np.zeros(70, np.float32), np.zeros(18, np.float32)
    dots(a, b, fours, out)
    np.testing.assert_array_equal(out, [0, *np.sum(a * b, axis=1), 0])


def test_sixteen_products_are_added_to_sixteen_sums(rng):
    @numba.njit
    def add(values, x, out):
        none, three = short.splat_sixteen(np.float32(0.0)), short.splat_sixteen(x)
        total = short.add_product(none, three, short.load_sixteen(values, 1))
        short.store_few(short.add_product(total, short.load_sixteen(out, 1), three), out, 1)

    values, out = rng.integers(-9, 10, (2, 18)).astype(np.float32)
    want = np.where((np.arange(18) > 0) & (np.arange(18) < 17), 3 * values + 3 * out, out)
    add(values, np.float32(3.0), out)
    np.testing.assert_array_equal(out, want)


def test_subnormal_numbers_count_as_zero_only_between_the_two_calls():
    @numba.njit
    def products(tiny, out):
        mode = vector.flush_subnormals()
        out[0] = tiny[0] * np.float32(0.25)
        vector.restore_subnormals(mode)
        out[1] = tiny[0] * np.float32(0.25)

    tiny, out = np.array([np.finfo(np.float32).tiny], np.float32), np.empty(2, np.float32)
    products(tiny, out)
    assert out[0] in (0.0, tiny[0] / 4)  # only x86 flushes
    assert out[1] == tiny[0] / 4 > 0


def test_the_exponential_is_that_of_float64_to_3e_7():
    x = np.concatenate([np.linspace(-87, 0, 200_001), -np.logspace(-30, 1.9, 2001)]).astype(np.float32)
    got = x.copy()
    surrogate(got, np.float32(0.0), ONE, ONE)
    want = np.array([math.exp(v) for v in x.tolist()])
    error = np.abs(got / want - 1)
    assert error.max() < 3e-7
    above = -x
    surrogate(above, np.float32(0.0), ONE, ONE)
    np.testing.assert_array_equal(above, got)  # even in u - theta
    assert np.all(np.diff(got[:200_001]) >= 0)


def test_the_surrogate_has_its_peak_at_threshold_and_its_width():
    u = np.array([10.0, 15.0, 5.0, 20.0, -np.inf, np.inf], np.float32)
    surrogate(u, np.float32(10.0), np.float32(5.0), np.float32(0.25))
    np.testing.assert_allclose(u[:4], 0.25 * np.exp([0.0, -1.0, -1.0, -2.0]), rtol=3e-7)
    assert np.all((u[4:] >= 0) & (u[4:] < 1e-37))
