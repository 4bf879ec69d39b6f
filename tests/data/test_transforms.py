"""Transforms of recordings: the slow twins, the published denoising, and laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import filters as naive

from eventsim.data import TRANSFORMS, read
from eventsim.data.transforms import (
    crop,
    denoise,
    drop_events,
    flip,
    hot_pixel_filter,
    jitter,
    merge_polarity,
    pool,
    refractory_filter,
    time_window,
)
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.sensor import Sensor

SENSOR = Sensor(7, 5, 2)
SOME = {  # arguments that leave something out
    "crop": (1, 1, 3, 2), "pool": (2,), "flip": ("x",), "merge_polarity": (), "time_window": (1.0, 20.0),
    "denoise": (1.0,), "refractory_filter": (5.0,), "drop_events": (0.5, 1), "jitter": (1,),
}
OPTIONS = {"hot_pixel_filter": {"factor": 1.1}, "jitter": {"time": 1.0, "space": 1.0}}


def made(rows, sensor=SENSOR):
    return Events(*np.array(sorted(rows, key=lambda row: row[0]), int).reshape(-1, 4).T, sensor, {"overflow": 2})


def rows(events):
    return list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))


recordings = st.lists(st.tuples(st.integers(-3000, 30_000), st.integers(0, 6), st.integers(0, 4), st.integers(0, 1)),
                      max_size=60).map(made)
law = settings(deadline=None, derandomize=True)


@pytest.fixture
def dense(rng):
    """A recording of 3000 events, many of every address, to change."""
    t = np.sort(rng.integers(0, 200_000, 3000))
    return Events(t, rng.integers(0, 7, 3000), rng.integers(0, 5, 3000), rng.integers(0, 2, 3000), SENSOR)


@pytest.mark.parametrize("name", TRANSFORMS)
@law
@given(recordings)
def test_what_is_left_out_is_counted_and_the_input_is_not_changed(name, events):
    before, skipped = rows(events), dict(events.skipped)
    out = TRANSFORMS[name](events, *SOME.get(name, ()), **OPTIONS.get(name, {}))
    assert (rows(events), events.skipped) == (before, skipped)
    assert len(out) + out.skipped.get(name, 0) == len(events)
    assert out.skipped == skipped | ({name: len(events) - len(out)} if len(out) < len(events) else {})
    again = TRANSFORMS[name](out, *SOME.get(name, ()), **OPTIONS.get(name, {})) if name != "crop" else out
    assert again.skipped.get(name, 0) == len(events) - len(again)  # counts of the same kind add up


@pytest.mark.parametrize("name", ["crop", "time_window", "denoise", "refractory_filter", "hot_pixel_filter",
                                  "drop_events", "jitter"])
def test_something_is_left_out_of_a_recording_and_something_is_not(name, dense):
    out = TRANSFORMS[name](dense, *SOME.get(name, ()), **OPTIONS.get(name, {}))
    assert 0 < len(out) < len(dense)


class TestDenoise:
    @law
    @given(recordings, st.sampled_from([0.001, 0.5, 3.0]))
    def test_is_that_of_the_slow_twin(self, events, window):
        assert rows(denoise(events, window)) == naive.denoise(rows(events), 7, 5, round(1000 * window))

    def test_gives_the_published_samples(self, shared):
        samples = np.load(shared / "golden/denoise/nmnist_denoised_1ms.npz")
        assert len(samples["id"]) == 60
        for i, (number, label) in enumerate(zip(samples["id"], samples["label"], strict=True)):
            events = denoise(read(shared / f"data/nmnist_raw/Train/{label}/{number:05d}.bin"), 10.0)
            tick, n = (events.t - events.t[0]) // 1000, (events.t[-1] - events.t[0] - 1000) // 1000 + 1
            cells = np.stack([tick, events.x, events.y, events.p], axis=1)[tick < n]
            cells, counts = np.unique(cells, axis=0, return_counts=True)
            of = slice(*samples["offset"][i : i + 2])
            want = np.stack([samples[name][of] for name in ("t_ms", "x", "y", "p")], axis=1).astype(int)
            order = np.lexsort(want.T[::-1])
            assert n == samples["n_bins"][i]
            assert np.array_equal(cells, want[order])
            assert np.array_equal(counts, samples["count"][of][order])

    @law
    @given(recordings)
    def test_looks_the_same_in_a_mirror_and_does_not_see_polarity(self, events):
        for change in (lambda e: flip(e, "x"), lambda e: flip(e, "y"), lambda e: flip(e, "p"), merge_polarity):
            assert denoise(change(events), 1.0) == change(denoise(events, 1.0))

    def test_support_comes_from_four_neighbours_and_from_events_that_are_left_out(self):
        lonely = made([(20_000, 3, 2, 0)])
        assert len(denoise(lonely, 10.0)) == 0
        for x, y, kept in ((2, 2, 1), (4, 2, 1), (3, 1, 1), (3, 3, 1), (4, 3, 0), (3, 2, 0), (5, 2, 0)):
            assert rows(denoise(made([(19_000, x, y, 1), (20_000, 3, 2, 0)]), 1.001)) == [(20_000, 3, 2, 0)] * kept
        assert len(denoise(made([(19_000, 2, 2, 1), (20_000, 3, 2, 0)]), 1.0)) == 0  # less than the window before
        assert len(denoise(made([(9_999, 3, 2, 0), (10_000, 0, 0, 0)]), 10.0)) == 1  # time 0 supports every pixel

    def test_rows_do_not_run_into_each_other(self):
        assert len(denoise(made([(19_999, 6, 1, 0), (20_000, 0, 2, 0)]), 1.0)) == 0


class TestRefractoryFilter:
    @law
    @given(recordings, st.sampled_from([0.001, 0.5, 3.0, 100.0]))
    def test_is_that_of_the_slow_twin(self, events, period):
        assert rows(refractory_filter(events, period)) == naive.refractory_filter(rows(events), round(1000 * period))

    @law
    @given(recordings, st.sampled_from([0.5, 3.0]))
    def test_applied_twice_is_applied_once_and_time_may_be_shifted(self, events, period):
        once = refractory_filter(events, period)
        assert refractory_filter(once, period) == once
        assert refractory_filter(time_window(events, -5.0), period) == time_window(once, -5.0)

    def test_a_dead_time_ends_at_its_end_and_is_that_of_one_polarity(self):
        events = made([(0, 1, 1, 0), (999, 1, 1, 0), (999, 1, 1, 1), (1000, 1, 1, 0), (1001, 1, 1, 0)])
        assert refractory_filter(events, 1.0).t.tolist() == [0, 999, 1000]
        assert refractory_filter(merge_polarity(events), 1.0).t.tolist() == [0, 1000]
        assert refractory_filter(events, 0.0) == events


class TestHotPixelFilter:
    @law
    @given(recordings, st.sampled_from([0.5, 1.0, 1.7, 3.0]))
    def test_is_that_of_the_slow_twin(self, events, factor):
        counts = sorted(np.unique(events.address, return_counts=True)[1])
        median = np.median(counts) if counts else 0
        assert rows(hot_pixel_filter(events, factor=factor)) == naive.hot_pixel_filter(rows(events),
                                                                                       max(factor * median, 1))
        if len(events) and events.t[-1] > events.t[0]:
            most = 100.0 * (events.t[-1] - events.t[0]) / 1e6
            assert rows(hot_pixel_filter(events, rate=100.0)) == naive.hot_pixel_filter(rows(events), max(most, 1))

    def test_finds_the_one_pixel_that_fires_all_the_time(self, dense):
        hot = Events(np.arange(0, 200_000, 500), *np.full((3, 400), [[3], [2], [1]]), SENSOR)
        both = made(rows(dense) + rows(hot))
        quiet = [row for row in rows(both) if row[1:] != (3, 2, 1)]
        assert rows(hot_pixel_filter(both, factor=3.0)) == rows(hot_pixel_filter(both, rate=1500.0)) == quiet
        assert hot_pixel_filter(both, rate=1e9) == both

    def test_one_event_is_not_too_many(self):
        events = made([(5, 1, 1, 0)])
        assert hot_pixel_filter(events, rate=0.0) == hot_pixel_filter(events, factor=0.0) == events


class TestGeometry:
    @law
    @given(recordings)
    def test_windows_of_windows_are_windows(self, events):
        assert crop(events, 0, 0, 7, 5) == events
        assert crop(crop(events, 1, 2, 5, 3), 2, 0, 2, 2) == crop(events, 3, 2, 2, 2)
        assert crop(events, 3, 2, 2, 2).sensor == Sensor(2, 2, 2)

    @law
    @given(recordings)
    def test_what_a_window_keeps_stands_where_it_stood(self, events):
        inside = [(t, x - 1, y - 2, p) for t, x, y, p in rows(events) if 1 <= x < 4 and 2 <= y < 4]
        assert rows(crop(events, 1, 2, 3, 2)) == inside

    @law
    @given(recordings)
    def test_pools_of_pools_are_pools(self, events):
        assert pool(events, 1) == events
        assert pool(pool(events, 2), 3) == pool(events, 6)
        assert rows(pool(events, 2)) == [(t, x // 2, y // 2, p) for t, x, y, p in rows(events)]
        assert pool(events, 2).sensor == Sensor(4, 3, 2)

    @law
    @given(recordings)
    def test_mirroring_twice_changes_nothing_and_the_order_does_not_matter(self, events):
        for axis in "xyp":
            assert flip(flip(events, axis), axis) == events
            for other in "xyp":
                assert flip(flip(events, axis), other) == flip(flip(events, other), axis)
        turned = flip(flip(flip(events, "x"), "y"), "p")
        assert rows(turned) == [(t, 6 - x, 4 - y, 1 - p) for t, x, y, p in rows(events)]

    @law
    @given(recordings)
    def test_polarities_are_merged_once_and_before_or_after(self, events):
        merged = merge_polarity(events)
        assert merged.sensor == Sensor(7, 5, 1) and not merged.p.any()
        assert merge_polarity(merged) == merged == merge_polarity(flip(events, "p"))
        assert flip(merged, "x") == merge_polarity(flip(events, "x"))
        assert pool(merged, 2) == merge_polarity(pool(events, 2))
        assert crop(merged, 1, 1, 3, 2) == merge_polarity(crop(events, 1, 1, 3, 2))


class TestTimeWindow:
    @law
    @given(recordings, st.integers(-3000, 30_000), st.integers(0, 20_000))
    def test_windows_side_by_side_hold_every_event_once(self, events, start, length):
        begin, end = start / 1000, (start + length) / 1000
        parts = [time_window(events, -100.0, begin, from_start=False),
                 time_window(events, begin, end, from_start=False), time_window(events, end, from_start=False)]
        assert [row for part in parts for row in rows(part)] == rows(events)
        assert parts[1] == time_window(parts[1], begin, end, from_start=False)
        assert rows(time_window(events, begin, end)) == [(t - start, *rest) for t, *rest in rows(parts[1])]

    def test_starts_at_zero_and_is_rounded_to_microseconds(self):
        events = made([(-1, 0, 0, 0), (0, 1, 0, 0), (290, 2, 0, 0), (291, 3, 0, 0)])
        assert time_window(events).t.tolist() == [0, 290, 291]
        assert time_window(events, 0.29, 0.291).t.tolist() == [0]


class TestRandom:
    @law
    @given(recordings, st.integers(0, 2**64 - 1))
    def test_a_seed_gives_the_same_events(self, events, seed):
        for transform in (lambda of, seed: drop_events(of, 0.5, seed),
                          lambda of, seed: jitter(of, seed, time=1.0, space=1.0)):
            assert transform(events, seed) == transform(events, seed)
            assert transform(events, seed) == transform(events, np.random.default_rng(seed))

    def test_seeds_differ_and_a_generator_goes_on(self, dense, rng):
        assert drop_events(dense, 0.5, 0) != drop_events(dense, 0.5, 1)
        assert drop_events(dense, 0.5, rng) != drop_events(dense, 0.5, rng)
        assert jitter(dense, 0, time=1.0) != jitter(dense, 1, time=1.0)

    @law
    @given(recordings)
    def test_without_chance_nothing_changes(self, events):
        assert jitter(events, 0) == drop_events(events, 0.0, 0) == events

    def test_the_share_that_is_lost_is_the_probability(self, dense):
        lost = 1 - len(drop_events(dense, 0.3, 0)) / len(dense)
        assert abs(lost - 0.3) < 5 * math.sqrt(0.3 * 0.7 / len(dense))

    def test_jitter_has_the_spread_that_was_asked_for(self):
        n = 20_000
        events = Events(np.arange(n) * 100_000, *np.full((2, n), 500), np.zeros(n, int), Sensor(1001, 1001))
        moved = jitter(events, 0, time=2.0, space=3.0)
        assert len(moved) == n
        x, y = moved.x.astype(int) - 500, moved.y.astype(int) - 500
        for values, spread in ((moved.t - events.t, 2000), (x, 3), (y, 3)):
            assert abs(values.mean()) < 5 * spread / math.sqrt(n)
            assert abs(values.std() / spread - 1) < 0.05
        assert abs(np.corrcoef(moved.x, moved.y)[0, 1]) < 0.05

    def test_jitter_moves_time_alone_or_pixels_alone(self, dense):
        late = jitter(dense, 0, time=5.0)
        assert len(late) == len(dense) and not np.array_equal(late.t, dense.t)
        assert np.array_equal(np.sort(late.address), np.sort(dense.address))
        moved = jitter(dense, 0, space=0.5)
        assert np.isin(moved.t, dense.t).all() and moved.skipped["jitter"] == len(dense) - len(moved) > 0


@pytest.mark.parametrize(("call", "got"), [
    (lambda e: crop(e, 7, 0, 1, 1), "x must be a whole number from 0 to 6, got 7"),
    (lambda e: crop(e, 0, -1, 1, 1), "y must be a whole number from 0 to 4, got -1"),
    (lambda e: crop(e, 3, 0, 5, 1), "width must be a whole number from 1 to 4, got 5"),
    (lambda e: crop(e, 0, 3, 1, 3), "height must be a whole number from 1 to 2, got 3"),
    (lambda e: pool(e, 0), "factor must be a whole number from 1 to 7, got 0"),
    (lambda e: pool(e, 1.5), "factor must be a whole number from 1 to 7, got 1.5"),
    (lambda e: flip(e, "t"), "axis must be x or y or p, got 't'"),
    (lambda e: time_window(e, 5, 4), "stop must not be before start, got 4 and 5 ms"),
    (lambda e: time_window(e, math.nan), "start must be a number of at least "),
    (lambda e: denoise(e, -1), "window must be a number of at least 0 and below 1e\\+12, got -1"),
    (lambda e: refractory_filter(e, math.inf), "period must be a number of at least 0 and below 1e\\+12, got inf"),
    (hot_pixel_filter, "give one of the two"),
    (lambda e: hot_pixel_filter(e, rate=1, factor=1), "give one of the two"),
    (lambda e: hot_pixel_filter(e, rate=-1), "rate must be a number of at least 0 and finite, got -1"),
    (lambda e: hot_pixel_filter(e, factor="2"), "factor must be a number of at least 0 and finite, got '2'"),
    (lambda e: drop_events(e, 1.0, 0), "probability must be a number of at least 0 and below 1, got 1.0"),
    (lambda e: drop_events(e, 0.5, -1), "seed must be a whole number from 0 to "),
    (lambda e: jitter(e, None), "seed must be a whole number from 0 to "),
    (lambda e: jitter(e, 0, time=-1), "time must be a number of at least 0 "),
    (lambda e: jitter(e, 0, space=math.nan), "space must be a number of at least 0 "),
])
def test_nonsense_is_refused(call, got):
    with pytest.raises(ConfigError, match=got):
        call(made([(1, 2, 3, 0)]))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_other_things_than_events_are_refused(name):
    with pytest.raises(ConfigError, match="expected Events, got list"):
        TRANSFORMS[name]([1, 2, 3], *SOME.get(name, ()), **OPTIONS.get(name, {}))
