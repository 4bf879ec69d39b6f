"""A small labelled data set, made up: four classes, each a patch of the sensor; and what stops a run on it."""

import os
import signal

import h5py
import numpy as np
import pytest

from eventsim.data import Dataset
from eventsim.events import Events
from eventsim.sensor import Sensor
from eventsim.trainer import Observer


class Patches(Dataset):
    """Events of class c lie mostly in quarter c of an 8x8 sensor."""

    def __init__(self, n, seed=0, sensor=None):
        self._seed = seed
        super().__init__(name="patches", sensor=sensor or Sensor(8, 8, 1), n_classes=4, labels=np.arange(n) % 4,
                         duration=40.0)

    def events(self, i):
        """120 events, five of six of them in the class's quarter."""
        rng = np.random.default_rng([self._seed, i])
        x, y = rng.integers(0, 4, (2, 120))
        quarter = np.where(rng.random(120) < 5 / 6, self.labels[i], rng.integers(0, 4, 120))
        t = np.sort(rng.integers(0, 40_000, 120))
        return Events(t, x + 4 * (quarter % 2), y + 4 * (quarter // 2), np.zeros(120, int), self.sensor)

    def sample_name(self, i):
        """A name for messages."""
        return f"patch {i} of seed {self._seed}"


@pytest.fixture
def patches():
    """The class itself: ``patches(n, seed)``."""
    return Patches


class StopAt(Observer):
    """Sends this process a SIGINT after so many batches, as Ctrl-C does."""

    def __init__(self, batches):
        self.left = batches

    def batch(self, trainer):
        """Count down."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


def assert_same_course(a, b):
    """Two trainers went the same way: their histories, but for the time they took, and their optimisers as saved."""
    timeless = [[{k: v for k, v in record.items() if k != "seconds"} for record in t.history] for t in (a, b)]
    assert timeless[0] == timeless[1]
    with h5py.File(a.out / "model.h5") as one, h5py.File(b.out / "model.h5") as other:
        for name in one["training/optimizer"]:
            np.testing.assert_array_equal(one["training/optimizer"][name], other["training/optimizer"][name])
