"""Synthetic digits against real N-MNIST: the table in `eventsim.data.synthetic`, within a factor of 1.3."""

import numpy as np
import pytest

from eventsim.data import open_dataset
from eventsim.data.synthetic import SyntheticDigits

FACTOR = 1.3
SACCADES = (0, 100_000, 215_000, 400_000)  # us


class Statistics:
    """Means over samples, every class with the same weight."""

    def __init__(self, dataset, indices):
        labels = dataset.labels[indices]
        weight = 1 / np.bincount(labels, minlength=10)[labels]
        weight /= weight.sum()
        samples = [dataset.events(i) for i in indices.tolist()]
        self.counts = np.array([len(e) for e in samples])
        self.events = weight @ self.counts
        self.on = weight @ [e.p.sum() for e in samples] / self.events
        self.saccades = weight @ [np.histogram(e.t, SACCADES)[0] for e in samples]
        self.time = weight @ [np.bincount(np.minimum(e.t // 10_000, 32), minlength=33) for e in samples]
        pixels = np.array([np.bincount(e.y.astype(int) * 34 + e.x, minlength=34 * 34) for e in samples])
        self.pixels = weight @ (pixels > 0).sum(axis=1)
        self.busy = np.median(pixels[pixels > 0])
        self.map = (weight @ pixels).reshape(17, 2, 17, 2).sum(axis=(1, 3))


@pytest.fixture
def pair(shared):
    """Statistics of 400 real training samples and of 400 synthetic ones."""
    real = open_dataset(shared / "data" / "nmnist_raw").train
    chosen = np.random.default_rng(0).permutation(len(real))[:400]
    return Statistics(real, chosen), Statistics(SyntheticDigits(400, seed=0), np.arange(400))


def _within(a, b):
    return (b < FACTOR * a) & (a < FACTOR * b)


def test_synthetic_digits_have_the_statistics_of_real_ones(pair):
    real, made = pair
    for name in ("events", "on", "saccades", "pixels", "busy"):
        assert np.all(_within(getattr(real, name), getattr(made, name))), name
    for q in (5, 50, 95):
        assert _within(np.percentile(real.counts, q), np.percentile(made.counts, q)), q
    matters = real.time >= 0.01 * real.events
    assert matters.sum() > 20
    assert np.all(_within(real.time, made.time)[matters])
    dense = real.map > real.map.mean()
    assert dense.sum() > 80
    assert _within(real.map, made.map)[dense].mean() >= 0.95
