"""Optimiser steps in parts: what they touch."""

import numpy as np
import pytest

from eventsim.kernels import call, call_parts
from eventsim.kernels.spec import KERNELS

TILE = 64
SETTINGS = {
    "adam_step": [0.1, 0.9, 0.1, 0.999, 0.001, 31.6, 1e-8, 0.9, 0.1, 1e-3],
    "sgd_step": [0.01, 0.9],
}


@pytest.mark.parametrize("kernel", SETTINGS)
def test_chunks_are_the_whole_and_touch_nothing_else(rng, kernel):
    settings = np.array(SETTINGS[kernel], np.float32)
    names = [argument.name for argument in KERNELS[kernel].arguments if argument.role == "out"]
    assert names[:2] == ["weight", "gradient"]
    whole = {name: np.square(rng.normal(size=(90, TILE))).astype(np.float32) for name in names}
    parts, before = ({name: array.copy() for name, array in whole.items()} for _ in range(2))
    call(kernel, first=10, last=80, settings=settings, **whole)
    ranges = (10, 30), (30, 31), (31, 31), (31, 80)
    call_parts(kernel, {"settings": settings, **parts}, [{"first": a, "last": b} for a, b in ranges])
    for name, old in before.items():
        np.testing.assert_array_equal(whole[name], parts[name])
        np.testing.assert_array_equal(np.r_[whole[name][:10], whole[name][80:]], np.r_[old[:10], old[80:]])
        assert np.all(whole[name][10:80] != old[10:80])
