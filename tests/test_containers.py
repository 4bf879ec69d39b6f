"""Sensor, Events and Spikes: what they hold, and the sentence for what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import random_spikes

from eventsim.errors import ConfigError, EventsimError
from eventsim.events import Events
from eventsim.sensor import Sensor
from eventsim.spikes import Spikes

SENSOR = Sensor(5, 4, 2)
NOT_COUNTS = [0, -1, 2.0, 1.5, "3", None, True, np.nan, np.inf, [3], 2**40]
NOT_COLUMNS = [None, 3, "abc", [[1]], [1.5], ["a"], [[1], [2, 3]], [None], [np.nan], np.zeros(()), {"a": 1}, [2**70]]


def refuses(make, *words):
    """``make()`` raises a ConfigError whose text is a sentence of some length that holds ``words``."""
    with pytest.raises(ConfigError) as caught:
        make()
    text = str(caught.value)
    assert len(text.split()) >= 4 and "\n" not in text
    for word in words:
        assert word in text, text


def test_errors_are_one_family():
    assert issubclass(ConfigError, EventsimError) and issubclass(ConfigError, ValueError)


# Sensor


@pytest.mark.parametrize("name", ["width", "height", "polarities"])
@pytest.mark.parametrize("value", NOT_COUNTS, ids=repr)
def test_a_sensor_has_whole_positive_sizes(name, value):
    refuses(lambda: Sensor(**({"width": 3, "height": 3, "polarities": 2} | {name: value})), f"sensor {name}", "got")


def test_a_sensor_has_no_more_addresses_than_int32_names():
    refuses(lambda: Sensor(65536, 65536, 1), "int32")
    assert Sensor(65536, 32767, 1).n_addresses < 2**31


def test_sizes_become_plain_ints():
    sensor = Sensor(np.uint16(34), np.int64(30))
    assert (type(sensor.width), type(sensor.height), str(sensor)) == (int, int, "34x30x2")
    assert sensor == Sensor(34, 30, 2) and hash(sensor) == hash(Sensor(34, 30, 2))


def test_addresses_number_the_pixels_plane_by_plane_and_row_by_row():
    p, y, x = np.indices((2, 4, 5)).reshape(3, -1)
    address = SENSOR.address(x.astype(np.uint16), y.astype(np.uint16), p.astype(np.uint8))
    assert address.dtype == np.int32
    np.testing.assert_array_equal(address, np.arange(40))
    for got, want in zip(SENSOR.pixel(address), (x, y, p), strict=True):
        np.testing.assert_array_equal(got, want)


def test_the_highest_address_of_a_wide_sensor_does_not_wrap():
    sensor = Sensor(65536, 100, 256)
    assert sensor.address(np.uint16(65535), np.uint16(99), np.uint8(255)) == sensor.n_addresses - 1


# Events


def events(**changed):
    return Events(**({"t": [1, 1, 9], "x": [4, 0, 2], "y": [3, 1, 0], "p": [1, 0, 1], "sensor": SENSOR} | changed))


@pytest.mark.parametrize("name", "txyp")
@pytest.mark.parametrize("value", NOT_COLUMNS, ids=repr)
def test_an_event_column_is_a_list_of_whole_numbers(name, value):
    refuses(lambda: events(**{name: value}), f"events.{name}")


@pytest.mark.parametrize("name, value, words", [
    ("t", [1, 0, 2], ("event 1", "order of time", "sort")), ("t", [1, 2], ("one length",)),
    ("x", [0, 5, 0], ("event 1", "x = 5", "5x4x2")), ("y", [4, 0, 0], ("event 0", "y = 4")),
    ("p", [0, 0, 2], ("event 2", "p = 2")), ("x", [0, -1, 0], ("0..65535", "-1")), ("p", [0, 300, 0], ("0..255",)),
    ("y", [0, 70000, 0], ("70000",)),
])
def test_events_lie_on_the_sensor_in_the_order_of_time(name, value, words):
    refuses(lambda: events(**{name: value}), *words)


@pytest.mark.parametrize("sensor", [None, (5, 4, 2), "5x4x2", 7])
def test_events_need_a_sensor(sensor):
    refuses(lambda: events(sensor=sensor), "Sensor")
    refuses(lambda: Events.from_structured(events().to_structured(), sensor), "Sensor")


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.int32, bool, ">i8"])
def test_columns_take_any_integers_and_cannot_be_written(dtype):
    e = events(t=np.array([0, 0, 1], dtype), x=np.array([1, 0, 1], dtype))
    assert [getattr(e, n).dtype for n in "txyp"] == [np.int64, np.uint16, np.uint16, np.uint8]
    for n in "txyp":
        column = getattr(e, n)
        assert column.flags.c_contiguous and column.flags.aligned
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0


def test_a_caller_may_still_write_its_own_array():
    t = np.arange(3)
    events(t=t)
    t[0] = 0


def test_columns_from_a_packed_buffer_are_aligned():
    packed = np.frombuffer(bytes(1) + np.arange(3, dtype=np.int64).tobytes(), np.uint8)[1:].view(np.int64)
    assert events(t=packed).t.flags.aligned
    assert Spikes([0, 3], packed, tick=packed, n_neurons=3, n_ticks=3).tick.flags.aligned


def test_duration_length_address_and_equality():
    e = events(t=[-5, 0, 2500])
    assert (len(e), e.duration) == (3, 2.5)
    np.testing.assert_array_equal(e.address, [39, 5, 22])
    assert e == events(t=[-5, 0, 2500]) and e != events() and e != "events"
    assert e != events(t=[-5, 0, 2500], sensor=Sensor(5, 5, 2))
    empty = Events([], [], [], [], SENSOR)
    assert (len(empty), empty.duration, len(empty.address)) == (0, 0.0, 0)
    assert "3 events" in repr(e) and "0 events" in repr(empty)


def test_events_are_chosen_by_slice_or_mask():
    e = events()
    assert e[1:] == events(t=[1, 9], x=[0, 2], y=[1, 0], p=[0, 1])
    assert e[np.array([True, False, True])] == events(t=[1, 9], x=[4, 2], y=[3, 0], p=[1, 1])
    assert len(e[:0]) == 0
    for index in (0, [0, 1], "t", None, np.array([0, 1]), np.array([True, False]), (slice(1), slice(1))):
        refuses(lambda index=index: e[index], "mask")
    refuses(lambda: e[::-1], "order of time")


FIELDS = {"t": ("t", "ts", "timestamp"), "x": ("x",), "y": ("y",), "p": ("p", "on", "polarity")}


@pytest.mark.parametrize("order", ["txyp", "xytp", "pyxt", "ypxt"])
@pytest.mark.parametrize("alias", [0, 1, 2])
def test_structured_arrays_are_read_by_field_name(order, alias):
    names = {n: FIELDS[n][min(alias, len(FIELDS[n]) - 1)] for n in order}
    array = np.zeros(3, [(names[n], np.int64) for n in order])
    for n in order:
        array[names[n]] = getattr(events(), n)
    assert Events.from_structured(array, SENSOR) == events()


def test_structured_round_trip():
    array = events().to_structured()
    assert array.dtype.names == ("t", "x", "y", "p")
    assert Events.from_structured(array, SENSOR) == events()
    assert len(Events.from_structured(array[:0], SENSOR)) == 0


@pytest.mark.parametrize("array", [None, 3, [1, 2], np.zeros(3), "txyp", [[1], [2, 3]]], ids=repr)
def test_a_plain_array_is_not_structured(array):
    refuses(lambda: Events.from_structured(array, SENSOR), "structured")


@pytest.mark.parametrize("missing", "txyp")
def test_a_missing_field_is_named(missing):
    array = np.zeros(3, [(n, np.int64) for n in "txyp" if n != missing])
    refuses(lambda: Events.from_structured(array, SENSOR), f"no field {missing!r}")


# Spikes

GOOD = {"sample_ptr": [0, 2, 2, 4], "address": [1, 0, 2, 1], "tick": [0, 3, 1, 1], "n_neurons": 3, "n_ticks": 5}


def spikes(**changed):
    return Spikes(**({"sample_ptr": [0, 2, 2, 4], "address": [1, 0, 1, 2], "tick": [0, 3, 1, 1], "n_neurons": 3,
                      "n_ticks": 5} | changed))


@pytest.mark.parametrize("name", ["sample_ptr", "address", "tick"])
@pytest.mark.parametrize("value", [v for v in NOT_COLUMNS if v is not None], ids=repr)
def test_a_spike_column_is_a_list_of_whole_numbers(name, value):
    refuses(lambda: spikes(**{name: value}), "spikes")


@pytest.mark.parametrize("value", [3, "abc", [[0.5] * 4], ["a"] * 4, [[1], [2, 3]], [None] * 4, [0j] * 4,
                                   [np.nan, 1, 2, 3], [0, 1, 2, np.inf], [0, 1, 2, -1.0]], ids=repr)
def test_spike_times_are_a_list_of_numbers(value):
    refuses(lambda: spikes(tick=None, time=value), "spike")


@pytest.mark.parametrize("name, value, word", [
    ("sample_ptr", [], "sample_ptr"), ("sample_ptr", [1, 4], "sample_ptr"), ("sample_ptr", [0, 3], "sample_ptr"),
    ("sample_ptr", [0, 3, 2, 4], "sample_ptr"), ("sample_ptr", [-1, 4], "sample_ptr"),
    ("address", [1, 0, 1, 3], "0..2"), ("address", [1, 0, -1, 2], "0..2"), ("address", [1, 0, 1, 2**31], "int32"),
    ("address", [1, 0, 2, 1], "sorted"), ("tick", [0, 3, 1, 5], "[0, 5)"), ("tick", [-1, 3, 1, 1], "[0, 5)"),
    ("tick", [3, 0, 1, 1], "sorted"), ("tick", [0, 3, 1], "as many"), ("tick", [0, 3, 1, 2**40], "int32"),
    ("tick", None, "either"), ("time", [0.0, 3, 1, 1], "either"),
])
def test_spikes_are_sorted_and_in_range(name, value, word):
    refuses(lambda: spikes(**{name: value}), word)


@pytest.mark.parametrize("name", ["n_neurons", "n_ticks"])
@pytest.mark.parametrize("value", [-1, 2.5, "3", None, True, np.nan, np.inf, [3], 2**40], ids=repr)
def test_sizes_of_spikes_are_whole_numbers(name, value):
    refuses(lambda: Spikes([0], [], tick=[], **({"n_neurons": 3, "n_ticks": 5} | {name: value})), name)


@pytest.mark.parametrize("dt", [0, -1.0, np.nan, np.inf, "1", None, [1.0], True], ids=repr)
def test_the_tick_of_spikes_is_a_time(dt):
    refuses(lambda: spikes(dt=dt), "dt")


def test_spikes_of_a_tick_may_repeat_and_samples_may_be_empty():
    s = spikes(address=[1, 1, 0, 0], tick=[2, 2, 4, 4])
    assert (len(s), s.n_samples) == (4, 3)
    assert [len(s.sample(b)) for b in range(3)] == [2, 0, 2]
    assert Spikes([0], [], tick=[], n_neurons=1, n_ticks=0).n_samples == 0


def test_order_is_checked_within_samples_only():
    spikes(sample_ptr=[0, 0, 1, 1, 2, 2, 3, 4], address=[2, 2, 1, 0], tick=[4, 3, 3, 0])


def test_exact_times_have_the_same_invariants():
    s = spikes(tick=None, time=[0.0, 2.25, 1.0, 1.0], dt=0.5)
    assert s.tick is None and s.time.dtype == np.float64
    refuses(lambda: spikes(tick=None, time=[0.0, 2.5, 1.0, 1.0], dt=0.5), "ms")
    refuses(lambda: spikes(tick=None, time=[2.0, 1.5, 1.0, 1.0], dt=0.5), "sorted")
    refuses(lambda: spikes(tick=None, time=[0.0, 2.0, 1.0, 1.0], address=[0, 0, 2, 1], dt=0.5), "sorted")


def test_columns_of_spikes_have_their_types_and_cannot_be_written():
    s = spikes()
    assert (s.sample_ptr.dtype, s.address.dtype, s.tick.dtype) == (np.int64, np.int32, np.int32)
    for column in (s.sample_ptr, s.address, s.tick):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0


def test_times_are_in_ms_on_either_clock():
    size = {"n_neurons": 2, "n_ticks": 9, "dt": 0.5}
    np.testing.assert_array_equal(Spikes([0, 2], [0, 1], tick=[3, 8], **size).times, [1.5, 4.0])
    np.testing.assert_array_equal(Spikes([0, 2], [0, 1], time=[1.25, 4.0], **size).times, [1.25, 4.0])


def test_counts_and_samples_and_equality():
    s = spikes()
    np.testing.assert_array_equal(s.counts(), [[1, 1, 0], [0, 0, 0], [0, 1, 1]])
    assert s.sample(2) == Spikes([0, 2], [1, 2], tick=[1, 1], n_neurons=3, n_ticks=5)
    assert s.samples(1, 3) == Spikes([0, 0, 2], [1, 2], tick=[1, 1], n_neurons=3, n_ticks=5)
    assert s == spikes() and s != spikes(n_ticks=6) and s != spikes(dt=2.0) and s != spikes(n_neurons=4)
    assert s != spikes(tick=None, time=[0.0, 3.0, 1.0, 1.0]) and s != 3
    assert "4 spikes" in repr(s) and "3 samples" in repr(s)


@pytest.mark.parametrize("b", [-1, 3, 0.5, "0", None, [0]], ids=repr)
def test_a_sample_that_is_not_there_is_refused(b):
    refuses(lambda: spikes().sample(b), "sample")


def test_ranges_of_samples_lie_in_the_batch():
    for first, last in ((0, 4), (2, 2), (2, 1), (-1, 1), ("0", 1), (0, None)):
        refuses(lambda first=first, last=last: spikes().samples(first, last), "samples")


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.booleans())
def test_a_batch_is_the_concatenation_of_its_samples(seed, n_samples, exact):
    s = random_spikes(np.random.default_rng(seed), 7, n_samples, 6, 0.2, repeats=True, dt=0.5)
    if exact:
        s = Spikes(s.sample_ptr, s.address, time=s.tick * 0.5, n_neurons=7, n_ticks=6, dt=0.5)
    whole = Spikes.concatenate(s.sample(b) for b in range(n_samples))
    whole.check()
    assert whole == s
    shuffled = np.random.default_rng(seed).permutation(s.to_structured())
    sizes = {"n_samples": n_samples, "n_neurons": 7, "n_ticks": 6, "dt": 0.5}
    assert Spikes.from_structured(shuffled, **sizes) == s
    names = shuffled.dtype.names[::-1]
    other = np.empty(len(shuffled), [(n, shuffled.dtype[n]) for n in names])
    for n in names:
        other[n] = shuffled[n]
    assert Spikes.from_structured(other, **sizes) == s


def test_only_like_spikes_are_concatenated():
    for other in (spikes(n_neurons=4), spikes(n_ticks=6), spikes(dt=0.5),
                  spikes(tick=None, time=[0.0, 3.0, 1.0, 1.0])):
        refuses(lambda other=other: Spikes.concatenate([spikes(), other]), "share")
    for nothing in ([], (), [3], None, 3, "ab", spikes()):
        refuses(lambda nothing=nothing: Spikes.concatenate(nothing), "concatenate")


def structured(**columns):
    columns = {"sample": [0, 0], "tick": [1, 2], "address": [0, 1]} | columns
    columns = {k: np.asarray(v) for k, v in columns.items() if v is not None}
    out = np.empty(2, [(k, v.dtype) for k, v in columns.items()])
    for k, v in columns.items():
        out[k] = v
    return out


@pytest.mark.parametrize("array, word", [
    (structured(sample=[0, 2]), "0..1"), (structured(sample=[-1, 0]), "0..1"), (structured(sample=[0.0, 1.0]), "whole"),
    (structured(tick=[0.5, 1.0]), "whole"), (structured(address=[0.5, 1.0]), "whole"), (structured(tick=None), "tick"),
    (structured(sample=None), "sample"), (structured(address=None), "address"), (structured(address=[0, 9]), "0..2"),
    (np.zeros(3), "structured"), (None, "structured"), ([[1], [2, 3]], "structured"),
], ids=repr)
def test_structured_spikes_need_their_fields(array, word):
    refuses(lambda: Spikes.from_structured(array, n_samples=2, n_neurons=3, n_ticks=5), word)


@pytest.mark.parametrize("n_samples", [-1, 1.5, "2", None], ids=repr)
def test_structured_spikes_need_the_number_of_samples(n_samples):
    refuses(lambda: Spikes.from_structured(structured(), n_samples=n_samples, n_neurons=3, n_ticks=5), "samples")


def test_structured_samples_may_be_unsigned():
    array = structured(sample=np.array([0, 1], np.uint64))
    assert Spikes.from_structured(array, n_samples=2, n_neurons=3, n_ticks=5).sample_ptr.tolist() == [0, 1, 2]
