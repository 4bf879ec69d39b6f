"""Fixtures of the reading tests: recordings made up here."""

import numpy as np
import pytest

from eventsim.data.codecs.nmnist import SENSOR, encode
from eventsim.events import Events


@pytest.fixture
def recording():
    """A function of a seed: a random N-MNIST recording of 200 events in 310 ms, some of them at the same time."""

    def make(seed, n=200):
        rng = np.random.default_rng(seed)
        t = np.sort(rng.integers(0, 310_000, n))
        t[n // 2] = t[n // 2 - 1]
        return Events(t, rng.integers(0, 34, n), rng.integers(0, 34, n), rng.integers(0, 2, n), SENSOR)

    return make


@pytest.fixture
def tree(tmp_path, recording):
    """A function that writes ``<split>/<digit>/<id>.bin`` for ``{split: {digit: ids}}`` and returns the folder."""

    def make(splits, root="nmnist"):
        for split, digits in splits.items():
            for digit, ids in digits.items():
                folder = tmp_path / root / split / str(digit)
                folder.mkdir(parents=True)
                for i in ids:
                    (folder / f"{i:05d}.bin").write_bytes(encode(recording(1000 * digit + i)))
        return tmp_path / root

    return make
