"""The tile's pieces, called alone: psp and its adjoint, thresholds on masks, the surrogate's exponential."""

import math

import numpy as np
import pytest
from naive import srm32

from eventsim.kernels.cpu import srm
from eventsim.kernels.cpu.dense_adjoint import adjoint_psp
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.layout import STATE_ROWS, TILE
from eventsim.model import SRM

T = 24
ONE = np.float32(1.0)
# Few bits, so that float32 sums are exact in any order: decays 1/2, gain 2.
EXACT = np.array([0.5, 2.0, 0.5, 0.0, 1.0, 2.0 * 0.5**2, 2.0 * 0.5**2 * 2], np.float32)


def psp(x, constants, n_taps):
    """The tile's psp of x[T, 64]: in tick t one input with the weights x[t]."""
    n_ticks = len(x)
    state = np.zeros((STATE_ROWS, TILE), np.float32)
    address = np.arange(n_ticks, dtype=np.int32)
    out = np.empty_like(x)
    for t in range(n_ticks):
        srm.step(state, constants[srm.ALPHA_SYN], constants[srm.ALPHA_REF])
        out[t] = state[srm.U]
        ended = t - (n_taps - 1)
        cut = (ended, ended + 1) if n_taps and ended >= 0 else (0, 0)
        srm.receive(x, address, t, t + 1, *cut, constants, state)
    return out


def adjoint(y, constants, n_taps, dt=ONE, n_driven=None):
    g = y.copy()
    state = np.empty((STATE_ROWS, TILE), np.float32)
    kept = np.empty((len(y) if n_taps else 0, TILE), np.float32)
    adjoint_psp(len(y) if n_driven is None else n_driven, n_taps, dt, constants, state, g, kept)
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


@pytest.mark.parametrize("n_taps", [0, 3])
def test_the_adjoint_leaves_ticks_after_the_last_driven_one_alone(rng, n_taps):
    y = rng.normal(size=(T, TILE)).astype(np.float32)
    got = adjoint(y, EXACT, n_taps, n_driven=10)
    np.testing.assert_array_equal(got[10:], y[10:])
    np.testing.assert_array_equal(got[:10], adjoint(y[:10], EXACT, n_taps))


@pytest.mark.parametrize("n_rows", range(10))
def test_rows_are_summed_whatever_their_number(rng, n_rows):
    rows = rng.integers(-9, 10, (7, TILE)).astype(np.float32)
    address = rng.integers(0, 7, n_rows + 2).astype(np.int32)
    out = np.full(TILE, np.nan, np.float32)
    srm.sum_rows(rows, address, 1, 1 + n_rows, out)
    np.testing.assert_array_equal(out, rows[address[1 : 1 + n_rows]].sum(axis=0))


@pytest.mark.parametrize("n_rows", [4, 5, 8, 11])
def test_rows_are_summed_four_at_a_time_in_a_fixed_order(rng, n_rows):
    rows = rng.normal(size=(12, TILE)).astype(np.float32)
    address = rng.permutation(12).astype(np.int32)
    out = np.empty(TILE, np.float32)
    srm.sum_rows(rows, address, 1, 1 + n_rows, out)
    np.testing.assert_array_equal(out, srm32.sum_rows(address[1 : 1 + n_rows], rows))


@pytest.mark.parametrize("lanes", [(), (0,), (63,), (0, 31, 32, 63), tuple(range(64))])
def test_every_lane_at_or_above_threshold_fires_and_no_other(lanes):
    state = np.zeros((STATE_ROWS, TILE), np.float32)
    constants = SRM(theta=2.0).constants(1.0)
    state[srm.U] = np.nextafter(np.float32(2.0), np.float32(0.0))
    state[srm.U, list(lanes)] = 2.0
    ready = np.zeros(TILE, np.int32)
    mask = int(srm.fire(state, 5, constants, 3, ready))
    assert mask == sum(1 << lane for lane in lanes)
    want = np.zeros(TILE)
    want[list(lanes)] = 1
    np.testing.assert_array_equal(state[srm.PR], want * constants[srm.GAIN_REF])
    np.testing.assert_array_equal(ready, want * 8)


def test_nan_does_not_fire_and_infinity_does():
    state = np.zeros((STATE_ROWS, TILE), np.float32)
    state[srm.U, 3], state[srm.U, 40], state[srm.U, 50] = np.nan, np.inf, -np.inf
    assert int(srm.fire(state, 0, SRM().constants(1.0), 1, np.zeros(TILE, np.int32))) == 1 << 40


def test_a_dead_neuron_does_not_fire_until_it_is_ready():
    state = np.full((STATE_ROWS, TILE), 100.0, np.float32)
    ready = np.full(TILE, 7, np.int32)
    constants = SRM().constants(1.0)
    assert int(srm.fire(state, 6, constants, 2, ready)) == 0
    assert np.all(state[srm.PR] == 100.0)
    assert int(srm.fire(state, 7, constants, 2, ready)) == 2**64 - 1
    assert np.all(ready == 9)


def test_a_run_of_equal_ticks_ends_where_the_next_begins():
    tick = np.array([1, 3, 3, 3, 8], np.int32)
    assert [srm.tick_end(tick, t, i, 5) for t, i in ((0, 0), (1, 0), (3, 1), (3, 2), (5, 4), (8, 4), (8, 5))] == [
        0, 1, 4, 4, 4, 5, 5,
    ]
    assert srm.tick_end(tick, 3, 1, 3) == 3  # the sample's end, not the list's


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
