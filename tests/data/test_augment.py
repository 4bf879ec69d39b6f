"""Augmentation: pixels and times moved, spikes dropped, all drawn from a generator; no spike is lost uncounted."""

import numpy as np
import pytest
from naive import augment as naive

from eventsim.data import Augment, BinningReport, Dataset, Loader
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.sensor import Sensor

SENSOR = Sensor(34, 34, 2)


class Fixed:
    """A generator that draws the given numbers."""

    def __init__(self, *values):
        self.values = np.array(values, float)

    def uniform(self, low, high, n):
        """The numbers, whatever is asked for."""
        return self.values


def test_a_shift_moves_every_pixel_and_drops_those_that_leave():
    table = Augment(shift=3).table(SENSOR, Fixed(1, -1, 0, 0))  # 3 to the right, 3 up
    x, y, p = SENSOR.pixel(np.arange(SENSOR.n_addresses))
    stays = (x + 3 < 34) & (y >= 3)
    np.testing.assert_array_equal(table[stays], SENSOR.address(x + 3, y - 3, p)[stays])
    assert (table[~stays] == -1).all()


def test_a_quarter_turn_is_a_permutation_and_four_are_none():
    table = Augment(rotate=90).table(SENSOR, Fixed(0, 0, 1, 0))
    assert sorted(table) == list(range(SENSOR.n_addresses))
    np.testing.assert_array_equal(table[table[table[table]]], np.arange(SENSOR.n_addresses))
    assert not np.array_equal(table, np.arange(SENSOR.n_addresses))


def test_scaling_keeps_the_middle_and_spreads_the_rest():
    sensor = Sensor(5, 5, 1)
    table = Augment(scale=0.9).table(sensor, Fixed(0, 0, 0, 1))
    assert table[sensor.address(2, 2, 0)] == sensor.address(2, 2, 0)
    assert table[sensor.address(3, 2, 0)] == sensor.address(4, 2, 0)
    assert table[sensor.address(4, 2, 0)] == -1


KINDS = [{"shift": 4, "rotate": 30, "scale": 0.3}, {"jitter": 3.0}, {"drop": 0.3},
         {"shift": 4, "scale": 0.3, "jitter": 1.5, "drop": 0.3}]


def draws(augment, n, seed):
    """The numbers that are drawn for a sample of n spikes: its table, ms to move, and which spikes stay."""
    rng = np.random.default_rng(seed)
    table = augment.table(SENSOR, rng)
    stays = rng.random(n) >= augment.drop if augment.drop else np.ones(n, bool)
    moves = np.zeros(n)
    if augment.jitter:
        moves[stays] = augment.jitter * rng.standard_normal(stays.sum())
    return table, moves, stays


def check(got, wanted, counts, n):
    """Results of an augmentation against those of the naive one."""
    *columns, report = got
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == wanted
    assert report == BinningReport(spikes=len(wanted) - n, **counts)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("keep_repeats", [False, True])
@pytest.mark.parametrize("dt", [1.0, 0.7])
def test_spikes_are_moved_sorted_merged_and_counted(rng, kind, keep_repeats, dt):
    tick = np.sort(rng.integers(0, 20, 500)).astype(np.int32)
    address = rng.integers(0, 300, 500).astype(np.int32)
    augment, seed = Augment(**kind), int(rng.integers(1 << 30))
    table, moves, stays = draws(augment, 500, seed)
    moves = [round(move / dt) for move in moves]
    wanted, counts = naive.augmented(tick.tolist(), address, table.tolist(), moves, stays, 20, keep_repeats)
    got = augment.on_grid(tick, address, SENSOR, 20, dt, np.random.default_rng(seed), keep_repeats)
    assert got[0].dtype == got[1].dtype == np.int32
    check(got, wanted, counts, 500)
    assert (counts["merged"] == 0) == keep_repeats or "drop" in kind
    assert counts["before"] > 0 < counts["after"] or not augment.jitter
    assert counts["left"] > 0 or not augment.shift


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_times_of_the_exact_clock_are_moved_sorted_and_counted(rng, kind):
    time = np.sort(rng.integers(0, 14_000, 500)) / 1000
    address = rng.integers(0, 300, 500).astype(np.int32)
    augment, seed = Augment(**kind), int(rng.integers(1 << 30))
    table, moves, stays = draws(augment, 500, seed)
    wanted, counts = naive.augmented(time.tolist(), address, table.tolist(), moves.tolist(), stays, 14.0, True)
    got = augment.on_times(time, address, SENSOR, 14.0, np.random.default_rng(seed))
    assert got[0].dtype == np.float64 and got[1].dtype == np.int32
    check(got, wanted, counts, 500)


def test_jitter_and_drop_are_as_strong_as_they_say():
    n = 40_000
    tick, address = np.full(n, 500, np.int32), np.arange(n, dtype=np.int32)
    sensor = Sensor(200, 200, 1)
    moved, _, report = Augment(jitter=4.0).on_grid(tick, address, sensor, 1000, 0.5, np.random.default_rng(0))
    assert report == BinningReport()
    assert abs(moved.mean() - 500) < 0.2 and abs(moved.std() - 8) < 0.1
    _, kept, report = Augment(drop=0.2).on_grid(tick, address, sensor, 1000, 0.5, np.random.default_rng(0))
    assert abs(report.dropped / n - 0.2) < 0.01 and len(kept) + report.dropped == n
    assert abs(kept.mean() - n / 2) < 0.01 * n  # wherever they are


def test_what_is_drawn_for_the_pixels_does_not_depend_on_jitter_and_drop():
    alone, thinned = Augment(shift=5), Augment(shift=5, drop=0.5)
    tick, address = np.zeros(300, np.int32), np.arange(300, dtype=np.int32)
    all_of, some = (augment.on_grid(tick, address, SENSOR, 1, 1.0, np.random.default_rng(3))[1] for augment in
                    (alone, thinned))
    assert 0 < len(some) < len(all_of) and set(some) <= set(all_of)


def test_a_jitter_beyond_any_tick_leaves_the_window():
    tick, address = np.zeros(4, np.int32), np.arange(4, dtype=np.int32)
    *_, report = Augment(jitter=1e6).on_grid(tick, address, SENSOR, 9, 1e-6, np.random.default_rng(0))
    assert report.before + report.after == 4 and report.before > 0 < report.after


class Dots(Dataset):
    """Two samples of 300 random events."""

    def __init__(self):
        super().__init__(name="dots", sensor=SENSOR, n_classes=2, labels=[0, 1], duration=20.0)

    def events(self, i):
        """Sample ``i``."""
        rng = np.random.default_rng(i)
        return Events(np.sort(rng.integers(0, 20_000, 300)), *rng.integers(0, 34, (2, 300)), rng.integers(0, 2, 300),
                      SENSOR)

    def sample_name(self, i):
        """A name for messages."""
        return f"dots {i}"


@pytest.mark.parametrize("clock", ["grid", "exact"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_loader_draws_by_key_and_sample_whatever_the_order(kind, clock):
    loader = Loader(Dots(), batch_size=1, augment=Augment(**kind), clock=clock)
    passes = {}
    for key, order in (((7, 0), [0, 1]), ((7, 0), [1, 0]), ((7, 1), [0, 1])):
        for spikes, _, (i,) in loader.with_indices(order, key):
            passes.setdefault((key, int(i)), []).append(spikes)
    for first, *others in passes.values():
        assert all(other == first for other in others)
    assert passes[(7, 0), 0][0] != passes[(7, 1), 0][0]


@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_report_accounts_for_every_event(clock):
    loader = Loader(Dots(), augment=Augment(shift=8, scale=0.5, jitter=2.0, drop=0.1), augment_key=(1,), clock=clock)
    batches = list(loader)
    for spikes, _, _ in batches:
        spikes.check()
    report = loader.report
    assert report.events == 600
    assert report.spikes == sum(len(spikes) for spikes, _, _ in batches)
    lost = {name: getattr(report, name) for name in ("merged", "before", "after", "left", "dropped")}
    assert report.events == report.spikes + sum(lost.values())
    assert all(n > 0 or (name, clock) == ("merged", "exact") for name, n in lost.items())


@pytest.mark.parametrize("arguments", [{"shift": -1}, {"rotate": 181}, {"scale": 1}, {"shift": "3"}, {"scale": True},
                                       {"rotate": float("nan")}, {"jitter": -1}, {"drop": 1.0}])
def test_nonsense_is_refused(arguments):
    with pytest.raises(ConfigError, match=next(iter(arguments))):
        Augment(**arguments)
