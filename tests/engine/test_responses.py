"""Sums of impulse responses: those of all pairs, at a cost that does not grow with their number."""

import time

import numpy as np
import pytest

from eventsim.engine.responses import summed


@pytest.mark.parametrize("lam", [0.0, 0.3, 40.0])
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_sum_of_all_pairs(rng, lam, side):
    when, weight = np.sort(rng.integers(0, 90, 60).astype(float)), rng.normal(0, 2, 60)
    at = np.concatenate((rng.uniform(-5, 200, 300), when))
    age = at[:, None] - when
    begun = age >= 0 if side == "right" else age > 0
    want = np.where(begun, (0.7 + 0.2 * age) * np.exp(-lam * np.maximum(age, 0)), 0.0) @ weight
    np.testing.assert_allclose(summed(at, when, weight, lam, 0.7, 0.2, side), want, rtol=1e-11, atol=1e-11)


def test_nothing():
    assert not summed(np.arange(3.0), np.empty(0), np.empty(0), 1.0, 1.0).any()
    assert len(summed(np.empty(0), np.zeros(1), np.ones(1), 1.0, 1.0)) == 0


def test_long_silence_and_many_spikes(rng):
    assert summed(np.array([1e9]), np.array([0.0, 1.0]), np.ones(2), 1.0, 1.0, 1.0) == 0.0
    when = np.sort(rng.uniform(0, 1e6, 200_000))
    started = time.perf_counter()
    assert np.isfinite(summed(np.linspace(0, 1e6, 200_000), when, np.ones(len(when)), 0.1, 0.0, 1.0)).all()
    assert time.perf_counter() - started < 3.0
