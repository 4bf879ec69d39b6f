"""Optimiser steps against their printed algorithm."""

import numpy as np
import pytest
from naive import optimizer as naive

from eventsim.kernels import call, call_parts


def arrays(rng, n):
    weight = rng.normal(size=n).astype(np.float32)
    return weight, np.zeros(n, np.float32), np.zeros(n, np.float32)


@pytest.mark.parametrize("rate", [1e-3, 0.1])
def test_adam_is_algorithm_1(rng, rate):
    weight, mean, square = arrays(rng, 100)
    gradients = rng.normal(size=(20, 100)).astype(np.float32) * np.logspace(-6, 3, 100).astype(np.float32)
    gradients[:, 7] = 0.0
    want = naive.adam(weight.astype(float), gradients.astype(float), rate, 0.9, 0.999, 1e-8)
    start = weight.copy()
    for step, g in enumerate(gradients, 1):
        gradient = g.copy()
        bias = 1 - 0.9**step, 1 - 0.999**step
        call("adam_step", 0, 100, rate, 0.9, 0.999, *bias, 1e-8, weight, gradient, mean, square)
        assert not gradient.any()
    np.testing.assert_allclose(weight - start, want - start, rtol=2e-3, atol=1e-3 * rate)
    assert weight[7] == start[7]


def test_chunks_are_the_whole_and_touch_nothing_else(rng):
    gradient = rng.normal(size=90).astype(np.float32)
    scalars = (0.01, 0.9, 0.999, 0.1, 0.001, 1e-8)
    whole, parts = (
        (weight.copy(), gradient.copy(), mean.copy(), square.copy()) for weight, mean, square in [arrays(rng, 90)] * 2
    )
    before = [array.copy() for array in whole]
    call("adam_step", 10, 80, *scalars, *whole)
    ranges = (10, 30), (30, 31), (31, 31), (31, 80)
    call_parts("adam_step", [(first, last, *scalars, *parts) for first, last in ranges])
    for a, b, old in zip(whole, parts, before, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(np.r_[a[:10], a[80:]], np.r_[old[:10], old[80:]])
        assert np.all(a[10:80] != old[10:80])
