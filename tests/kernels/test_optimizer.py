"""Optimiser steps against their printed algorithm."""

import math

import numpy as np
import pytest
from naive import optimizer as naive

from eventsim.kernels import call, call_parts

TILE = 64


def arrays(rng, rows):
    weight = rng.normal(size=(rows, TILE)).astype(np.float32)
    return {"weight": weight, "mean": np.zeros_like(weight), "square": np.zeros_like(weight)}


def settings(rate, step):
    bias1, bias2 = 1 - 0.9**step, 1 - 0.999**step
    return np.array([rate / bias1, 0.9, 0.1, 0.999, 0.001, 1 / math.sqrt(bias2), 1e-8], np.float32)


@pytest.mark.parametrize("rate", [1e-3, 0.1])
def test_adam_is_algorithm_1(rng, rate):
    given = arrays(rng, 2)
    sizes = np.logspace(-6, 3, 2 * TILE).reshape(2, TILE)
    gradients = (rng.normal(size=(20, 2, TILE)) * sizes).astype(np.float32)
    gradients[:, 1, 7] = 0.0
    start = given["weight"].copy()
    want = naive.adam(start.astype(float), gradients.astype(float), rate, 0.9, 0.999, 1e-8)
    for step, g in enumerate(gradients, 1):
        gradient = g.copy()
        call("adam_step", first=0, last=2, settings=settings(rate, step), gradient=gradient, **given)
        assert not gradient.any()
    np.testing.assert_allclose(given["weight"] - start, want - start, rtol=2e-3, atol=1e-3 * rate)
    assert given["weight"][1, 7] == start[1, 7]


def test_chunks_are_the_whole_and_touch_nothing_else(rng):
    whole = arrays(rng, 90) | {"gradient": rng.normal(size=(90, TILE)).astype(np.float32)}
    parts, before = ({name: array.copy() for name, array in whole.items()} for _ in range(2))
    call("adam_step", first=10, last=80, settings=settings(0.01, 1), **whole)
    ranges = (10, 30), (30, 31), (31, 31), (31, 80)
    call_parts("adam_step", {"settings": settings(0.01, 1), **parts}, [{"first": a, "last": b} for a, b in ranges])
    for name, old in before.items():
        np.testing.assert_array_equal(whole[name], parts[name])
        np.testing.assert_array_equal(np.r_[whole[name][:10], whole[name][80:]], np.r_[old[:10], old[80:]])
        assert np.all(whole[name][10:80] != old[10:80])
