"""How neurons fire, against the definitions."""

import numpy as np
import pytest
from naive import statistics as naive
from scenes import random_spikes

from eventsim import kernels
from eventsim.profile.population import QUANTILES, Population
from eventsim.spikes import Spikes


def exact_spikes(rng, n_neurons=9, n_samples=3, n_ticks=40, n=300, dt=0.5):
    """Spikes at random times, of which many share a tick, and some a time."""
    time = np.sort(np.round(rng.uniform(0, n_ticks * dt, (n_samples, n)), 2) % (n_ticks * dt), axis=1)
    rows = [
        (b, *row) for b in range(n_samples)
        for row in sorted(zip(time[b].tolist(), rng.integers(0, n_neurons, n).tolist(), strict=True))
    ]
    sample, time, address = (np.array(column) for column in zip(*rows, strict=True))
    ptr = np.searchsorted(sample, np.arange(n_samples + 1))
    return Spikes(ptr, address, time=time, n_neurons=n_neurons, n_ticks=n_ticks, dt=dt)


BATCHES = {
    "grid": lambda rng: random_spikes(rng, 9, rate=0.2),
    "repeats": lambda rng: random_spikes(rng, 9, rate=0.3, repeats=True, empty=(1,)),
    "exact": exact_spikes,
}


def surveyed(batch, dead=(1.0, 1.0), fan_out=None, n_threads=1, repeats=False):
    population = Population(
        batch.n_neurons, np.ones((1, batch.n_neurons)) if fan_out is None else fan_out, dead, repeats
    )
    kernels.set_threads(n_threads)
    try:
        population.add(batch)
    finally:
        kernels.set_threads(None)
    return population


@pytest.mark.parametrize("kind", BATCHES)
def test_counts_are_those_of_the_definitions(kind, rng):
    batch = BATCHES[kind](rng)
    assert len(batch) > 100
    population = surveyed(batch, repeats=kind == "repeats")
    counts = batch.counts()
    np.testing.assert_array_equal(population.spikes, counts.sum(axis=0))
    np.testing.assert_array_equal(population.fired, (counts > 0).sum(axis=0))
    np.testing.assert_array_equal(population.saturated, (counts >= np.ceil(40 / 3)).sum(axis=0))
    np.testing.assert_array_equal(population.of_samples("fired"), (counts > 0).sum(axis=1))
    samples = range(batch.n_samples)
    np.testing.assert_array_equal(population.activity, sum(naive.rates(batch, b).sum(axis=0) for b in samples))
    gaps = np.concatenate([naive.intervals(batch, b) for b in samples])
    width = population.interval_ms / batch.dt
    assert width == (1.0 if batch.time is None else 1 / 16)
    bins = np.bincount(np.floor(gaps / width + 1e-9).astype(int), minlength=len(population.interval_bins))
    assert np.abs(population.interval_bins - bins).sum() <= (0 if batch.time is None else 0.1 * len(gaps))  # at edges
    figures = population.figures()
    assert figures["interval_ms"] == pytest.approx(gaps.mean() * batch.dt)
    tolerance = batch.dt * (1.0 if batch.time is None else 0.1)
    assert figures["median_interval_ms"] == pytest.approx(np.median(gaps) * batch.dt, abs=tolerance)
    spiking = sum(np.count_nonzero(naive.rates(batch, b)) for b in samples)
    assert population.pairs == spiking <= len(batch) and (spiking < len(batch)) == (kind != "grid")
    assert figures["density"] == pytest.approx(spiking / (batch.n_neurons * batch.n_ticks * batch.n_samples))
    assert figures["variation"] == pytest.approx(np.std(gaps) / np.mean(gaps))
    for b in samples:
        got = population.of_samples("synchrony")[b]
        if counts[b].any():
            assert got == pytest.approx(naive.synchrony(batch, b))
        else:
            assert np.isnan(got)


def test_figures_are_means_a_sample(rng):
    batch = random_spikes(rng, 9, n_samples=4, rate=0.05, empty=(2,))
    figures = surveyed(batch).figures()
    counts = batch.counts()
    assert figures["spikes"] == len(batch) / 4
    assert figures["spikes_per_neuron"] == pytest.approx(counts.mean())
    assert figures["rate_hz"] == pytest.approx(1000 * counts.mean() / 40)
    assert figures["density"] == pytest.approx(counts.mean() / 40)
    assert figures["silent"] == np.mean(counts.sum(axis=0) == 0)
    assert figures["silent_in_a_sample"] == pytest.approx(np.mean(counts == 0))
    assert list(figures["quantiles"].values()) == pytest.approx(np.quantile(counts.mean(axis=0), QUANTILES).tolist())


def test_all_at_once_is_in_synchrony_and_one_by_one_is_not(rng):
    together = Spikes([0, 40], np.tile(np.arange(10), 4), tick=np.repeat([2, 9, 11, 30], 10), n_neurons=10, n_ticks=40)
    assert surveyed(together).figures()["synchrony"] == pytest.approx(1.0)
    assert surveyed(random_spikes(rng, 400, n_ticks=200)).figures()["synchrony"] == pytest.approx(1 / 20, abs=0.02)


def test_dead_time_says_what_saturates():
    ticks, address = np.arange(0, 40, 4), np.zeros(10, int)
    batch = Spikes([0, 10], address, tick=ticks, n_neurons=2, n_ticks=40)
    timed = Spikes([0, 10], address, time=ticks * 1.0, n_neurons=2, n_ticks=40)
    for dead, on_grid, between in (((1.0, 1.0), 0, 0), ((2.0, 0.1), 0.5, 0), ((1.0, 2.0), 0, 0.5)):
        assert surveyed(batch, dead).figures()["saturated"] == on_grid
        assert surveyed(timed, dead).figures()["saturated"] == between


def test_batches_add_up_whatever_their_length_and_the_threads(rng):
    short, long = random_spikes(rng, 5, n_ticks=20), random_spikes(rng, 5, n_ticks=50)
    fan_out = rng.integers(0, 9, (2, 5))
    one = Population(5, fan_out)
    for batch in (short, long):
        one.add(batch)
    np.testing.assert_array_equal(one.activity[20:], surveyed(long).activity[20:])
    np.testing.assert_array_equal(one.activity[:20], surveyed(long).activity[:20] + surveyed(short).activity)
    wanted = [fan_out[:, batch.sample(b).address].sum(axis=1) for batch in (short, long) for b in range(3)]
    np.testing.assert_array_equal(one.of_samples("crossed").T, wanted)
    busy = random_spikes(rng, 300, n_samples=9, n_ticks=200, rate=0.3)
    assert len(busy) > 1 << 17  # enough for two threads
    assert surveyed(busy).figures() == surveyed(busy, n_threads=3).figures()


def test_nothing_at_all_has_figures():
    empty = Spikes([0, 0], np.empty(0, int), tick=np.empty(0, int), n_neurons=3, n_ticks=0)
    figures = surveyed(empty).figures()
    assert figures["spikes"] == 0 and figures["silent"] == 1.0
    assert figures["interval_ms"] is figures["variation"] is figures["synchrony"] is None


def test_long_samples_have_few_bins_of_time(rng):
    """And of batches of several lengths the coarser ones."""
    population = Population(3, np.ones((1, 3)))
    short, long = random_spikes(rng, 3, n_ticks=50), random_spikes(rng, 3, n_ticks=100_000, rate=0.001)
    for batch in (short, long, short):
        population.add(batch)
    assert population.bin_ms == 8.0 and len(population.activity) == 12_500
    wanted = np.bincount(np.concatenate((short.tick, long.tick, short.tick)) // 8, minlength=12_500)
    np.testing.assert_array_equal(population.activity, wanted)
