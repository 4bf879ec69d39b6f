"""The data set that trainers are tried on, and what stops a run on it."""

import os
import signal

import h5py
import numpy as np
import pytest
from patches import Patches

from eventsim.trainer import Observer


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
