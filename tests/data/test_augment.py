"""Augmentation: a similarity transform of pixels, drawn from a generator, that loses no spike uncounted."""

import numpy as np
import pytest

from eventsim.data import Augment, Dataset, Loader
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


@pytest.mark.parametrize("keep_repeats", [False, True])
def test_spikes_are_moved_sorted_merged_and_counted(rng, keep_repeats):
    """Against a loop over spikes."""
    tick = np.sort(rng.integers(0, 20, 500)).astype(np.int32)
    address = rng.integers(0, SENSOR.n_addresses, 500).astype(np.int32)
    augment = Augment(shift=4, rotate=30, scale=0.3)
    seed = int(rng.integers(1 << 30))
    table = augment.table(SENSOR, np.random.default_rng(seed))
    moved = [(int(t), int(table[a])) for t, a in zip(tick, address, strict=True) if table[a] >= 0]
    wanted = sorted(moved if keep_repeats else set(moved))
    got_tick, got_address, (merged, left) = augment(tick, address, SENSOR, np.random.default_rng(seed), keep_repeats)
    assert list(zip(got_tick.tolist(), got_address.tolist(), strict=True)) == wanted
    assert (merged, left) == (len(moved) - len(wanted), 500 - len(moved))
    assert left > 0


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


def test_loader_draws_by_key_and_sample_whatever_the_order():
    loader = Loader(Dots(), batch_size=1, augment=Augment(shift=5))
    passes = {}
    for key, order in (((7, 0), [0, 1]), ((7, 0), [1, 0]), ((7, 1), [0, 1])):
        for spikes, _, (i,) in loader.with_indices(order, key):
            passes.setdefault((key, int(i)), []).append(spikes)
    for first, *others in passes.values():
        assert all(other == first for other in others)
    assert passes[(7, 0), 0][0] != passes[(7, 1), 0][0]


def test_report_accounts_for_every_event():
    loader = Loader(Dots(), augment=Augment(shift=8, scale=0.5), augment_key=(1,))
    batches = list(loader)
    report = loader.report
    assert report.events == 600
    assert report.spikes == sum(len(spikes) for spikes, _, _ in batches)
    assert report.events == report.spikes + report.merged + report.before + report.after + report.left
    assert report.left > 0


@pytest.mark.parametrize("arguments", [{"shift": -1}, {"rotate": 181}, {"scale": 1}, {"shift": "3"}, {"scale": True},
                                       {"rotate": float("nan")}])
def test_nonsense_is_refused(arguments):
    with pytest.raises(ConfigError, match=next(iter(arguments))):
        Augment(**arguments)


def test_the_exact_clock_has_no_augmentation():
    with pytest.raises(ConfigError, match="grid"):
        Loader(Dots(), clock="exact", augment=Augment(shift=1))
