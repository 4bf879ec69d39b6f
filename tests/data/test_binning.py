"""Events to spikes, against the slow twin, the published binning, and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import bin as naive

from eventsim.data import ENCODERS, BinningReport, bin_events, exact_times
from eventsim.data.encoders.binning import MODES, ticks_of
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.sensor import Sensor
from eventsim.spikes import Spikes

SENSOR = Sensor(5, 4, 2)


def made(t, x=None, y=None, p=None, sensor=SENSOR):
    zeros = [0] * len(t)
    return Events(t, zeros if x is None else x, zeros if y is None else y, zeros if p is None else p, sensor)


@st.composite
def recordings(draw):
    rows = draw(st.lists(st.tuples(st.integers(-3000, 20_000), st.integers(0, 4), st.integers(0, 3),
                                   st.integers(0, 1)), max_size=60))
    t, x, y, p = np.array(sorted(rows, key=lambda row: row[0]), int).reshape(-1, 4).T
    return made(t, x, y, p)


@settings(deadline=None, derandomize=True)
@given(recordings(), st.sampled_from([(1.0, 1000), (0.3, 300), (2.5, 2500), (0.001, 1), (1 / 3, 1000 / 3),
                                      (0.0005, 0.5)]), st.integers(0, 30), st.sampled_from(MODES))
def test_binning_is_that_of_the_slow_twin(events, dt, n_ticks, mode):
    spikes, report = bin_events(events, dt[0], n_ticks, mode)
    want, counts = naive.bin_events(events.t, events.address, dt[1], n_ticks, mode == "count")
    spikes.check()
    assert list(zip(spikes.tick.tolist(), spikes.address.tolist(), strict=True)) == want
    assert (report.merged, report.before, report.after) == counts
    assert (report.events, report.spikes) == (len(events), len(want))
    assert report.events == report.spikes + report.merged + report.out_of_window
    assert (spikes.n_neurons, spikes.n_ticks, spikes.dt, spikes.n_samples) == (40, n_ticks, dt[0], 1)


@settings(deadline=None, derandomize=True)
@given(recordings(), st.sampled_from([1.0, 0.3, 1 / 3]))
def test_without_n_ticks_no_event_is_late_and_no_tick_is_spare(events, dt):
    spikes, report = bin_events(events, dt, mode="count")
    assert report.after == 0
    assert report.before == np.sum(events.t < 0)
    assert spikes.n_ticks == (spikes.tick[-1] + 1 if len(spikes) else 0)


@settings(deadline=None, derandomize=True)
@given(recordings(), st.one_of(st.none(), st.floats(0.1, 25)), st.sampled_from([1.0, 0.3, 1 / 3]))
def test_exact_times_keep_every_microsecond_in_the_window(events, duration, dt):
    spikes, report = exact_times(events, duration, dt)
    spikes.check()
    end = math.inf if duration is None else duration
    inside = (events.t >= 0) & (events.t / 1000 < end)
    want = sorted(zip((events.t[inside] / 1000).tolist(), events.address[inside].tolist(), strict=True))
    assert list(zip(spikes.time.tolist(), spikes.address.tolist(), strict=True)) == want
    assert report == BinningReport(len(events), len(want), 0, int(np.sum(events.t < 0)),
                                   int(np.sum(events.t / 1000 >= end)))
    if duration is not None:
        assert (spikes.n_ticks - 1) * dt < duration <= spikes.n_ticks * dt


def test_the_published_binning_is_reproduced(shared):
    folder = shared / "golden/slayer_input"
    x, y, p, t = np.loadtxt(folder / "1_raw_spikes.csv", delimiter=",", skiprows=1).astype(int).T
    spikes, report = bin_events(Events(t, x - 1, y - 1, p - 1, Sensor(34, 34)), dt=1.0, n_ticks=350)
    want = np.loadtxt(folder / "1_binned_spikes.csv", delimiter=",")
    got = np.zeros((2312, 350))
    got[spikes.address, spikes.tick] = 1
    assert np.array_equal(got, want)
    assert report == BinningReport(events=4681, spikes=4674, merged=7)


def test_repeats_are_merged_or_counted():
    events = made([0, 10, 10, 999, 1000], x=[3, 1, 3, 3, 3])
    spikes, report = bin_events(events)
    assert (spikes.tick.tolist(), spikes.address.tolist()) == ([0, 0, 1], [1, 3, 3])
    assert report == BinningReport(events=5, spikes=3, merged=2)
    spikes, report = bin_events(events, mode="count")
    assert (spikes.tick.tolist(), spikes.address.tolist()) == ([0, 0, 0, 0, 1], [1, 3, 3, 3, 3])
    assert report == BinningReport(events=5, spikes=5)


def test_a_tick_includes_its_first_microsecond_only():
    spikes, report = bin_events(made([-1, 0, 299_999, 300_000]), n_ticks=300)
    assert spikes.tick.tolist() == [0, 299]
    assert report == BinningReport(events=4, spikes=2, before=1, after=1)
    assert report.out_of_window == 2


def test_decimal_steps_are_divided_exactly():
    # 0.57 * 1000 and the like are not whole in float64; the last microsecond of each tick would slip
    for step in (290, 570, 1001, 1130):
        t = np.arange(0, 200 * step, step)
        spikes, _ = bin_events(made(np.sort(np.concatenate((t, t + step - 1)))), dt=step / 1000, mode="count")
        assert spikes.tick.tolist() == np.repeat(np.arange(200), 2).tolist()


def test_a_burst_within_one_tick_is_sorted():
    rng = np.random.default_rng(0)
    n = 20_000
    sensor = Sensor(640, 480)
    events = Events(np.zeros(n, int), rng.integers(0, 640, n), rng.integers(0, 480, n), rng.integers(0, 2, n), sensor)
    spikes, report = bin_events(events)
    assert np.array_equal(spikes.address, np.unique(events.address))
    assert report.merged == n - len(spikes) > 0


def test_no_events_give_no_spikes():
    for encoder in ENCODERS.values():
        spikes, report = encoder(made([]))
        spikes.check()
        assert (len(spikes), spikes.n_samples, spikes.n_ticks) == (0, 1, 0)
        assert report == BinningReport()


def test_simultaneous_events_are_ordered_by_address_on_the_exact_clock():
    spikes, _ = exact_times(made([5, 5, 6], x=[4, 2, 1]), duration=0.006)
    assert (spikes.time.tolist(), spikes.address.tolist()) == ([0.005, 0.005], [2, 4])


def test_a_window_is_covered_by_the_least_number_of_ticks():
    assert (ticks_of(300.0, 1.0), ticks_of(300.0, 0.7), ticks_of(0.3, 0.1), ticks_of(1.0, 3.0)) == (300, 429, 3, 1)


def test_reports_add_up():
    assert sum([BinningReport(5, 2, 1, 1, 1), BinningReport(3, 3)], BinningReport()) == BinningReport(8, 5, 1, 1, 1)
    with pytest.raises(TypeError):
        BinningReport() + 1


@pytest.mark.parametrize("dt", [0, -1, math.nan, math.inf, 1e10, None, "1", True, [1.0]])
def test_nonsense_steps_are_refused(dt):
    for encode in (lambda: bin_events(made([1]), dt), lambda: exact_times(made([1]), 1.0, dt)):
        with pytest.raises(ConfigError, match="dt must be a time in ms, above 0 and at most 1e"):
            encode()


def test_other_nonsense_is_refused():
    for n_ticks in (-1, 1.5, "3", True, 2**31):
        with pytest.raises(ConfigError, match="n_ticks must be a whole number from 0 to"):
            bin_events(made([1]), n_ticks=n_ticks)
    for mode in ("sum", None, 3):
        with pytest.raises(ConfigError, match="mode must be or or count"):
            bin_events(made([1]), mode=mode)
    for duration in (0, -1.0, math.nan, "1"):
        with pytest.raises(ConfigError, match="duration must be a time in ms"):
            exact_times(made([1]), duration)
    for events in (None, [1, 2], bin_events(made([1]))[0]):
        for encoder in ENCODERS.values():
            with pytest.raises(ConfigError, match="expected Events"):
                encoder(events)


def test_a_step_too_short_for_the_recording_is_refused():
    for dt in (0.001, 1e-4, 1e-300):
        with pytest.raises(ConfigError, match="too short for this window"):
            bin_events(made([2**40]), dt)
    with pytest.raises(ConfigError, match="too short for this window"):
        exact_times(made([1]), 1e9, 1e-3)


def test_the_kernel_is_compiled_for_one_set_of_types():
    from eventsim.kernels.cpu import bin as module

    for dt in (1.0, 1 / 3):
        assert isinstance(bin_events(made([1]), dt)[0], Spikes)
    assert len(getattr(module.bin_events, "signatures", [1])) == 1  # none where compilation is off
