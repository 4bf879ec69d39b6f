"""Synthetic digits against real N-MNIST: the table in `eventsim.data.synthetic`, within a factor of 1.3."""

import itertools

import numpy as np
import pytest

from eventsim.data import open_dataset
from eventsim.data.synthetic import SyntheticDigits

FACTOR = 1.3
SACCADES = (0, 100_000, 215_000, 400_000)  # us


def lead(events):
    """Where OFF events lie relative to ON events in each saccade: float64[3,2], pixels along x and y."""
    out = np.empty((3, 2))
    for k, (begin, end) in enumerate(itertools.pairwise(SACCADES)):
        now = (events.t >= begin) & (events.t < end)
        off, on = now & (events.p == 0), now & (events.p == 1)
        out[k] = [c[off].mean() - c[on].mean() for c in (events.x.astype(float), events.y.astype(float))]
    return out


def intervals(events):
    """Times between one event of a pixel and its next, us."""
    order = np.lexsort((events.t, events.x, events.y))
    t, x, y = events.t[order], events.x[order], events.y[order]
    return np.diff(t)[(np.diff(x) == 0) & (np.diff(y) == 0)]


def isolated(events):
    """Share of events without another in the 3x3 pixels around them within 10 ms before or after."""
    t, x, y = events.t, events.x.astype(int), events.y.astype(int)
    first, last = np.searchsorted(t, t - 10_000), np.searchsorted(t, t + 10_000, side="right")
    alone = 0
    for i in range(0, len(t), 10):
        near = slice(first[i], last[i])
        alone += np.sum((abs(x[near] - x[i]) <= 1) & (abs(y[near] - y[i]) <= 1)) == 1
    return alone / len(range(0, len(t), 10))


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
        self.interval = np.median(np.concatenate([intervals(e) for e in samples]))
        self.isolated = np.mean([isolated(e) for e in samples[:150]])
        self.lead = np.tensordot(weight, [lead(e) for e in samples], 1)
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
    for name in ("events", "on", "saccades", "pixels", "busy", "interval", "isolated"):
        assert np.all(_within(getattr(real, name), getattr(made, name))), name
    for q in (5, 50, 95):
        assert _within(np.percentile(real.counts, q), np.percentile(made.counts, q)), q
    np.testing.assert_allclose(made.lead, real.lead, rtol=0, atol=0.8)  # pixels
    matters = real.time >= 0.01 * real.events
    assert matters.sum() > 20
    assert np.all(_within(real.time, made.time)[matters])
    dense = real.map > real.map.mean()
    assert dense.sum() > 80
    assert _within(real.map, made.map)[dense].mean() >= 0.95
