"""Prophesee EVT 3.0."""


import numpy as np
import pytest
from codec_laws import comes_back_in_two_parts, some_events, unchecked
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from naive import prophesee as naive

from eventsim.data import read, write
from eventsim.data.codecs import base, evt3, prophesee
from eventsim.data.codecs.evt3 import EVT3Reader, decode, encode
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

HEADER = b"% evt 3.0\n% format EVT3;height=480;width=640\n% end\n"
SENSOR = Sensor(2048, 2048)
END = 1 << 34
LOW, HIGH, ROW, X, BASE, VECT_12, VECT_8 = (kind << 12 for kind in (6, 8, 0, 2, 3, 4, 5))
ON = 1 << 11


def raw(*words, header=HEADER):
    return header + np.array(words, "<u2").tobytes()


def times(*words):
    return decode(raw(HIGH, ROW, *words)).t.tolist()


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a.raw", **options)
    return str(refused.value)


def test_the_sample_has_the_published_pixels_and_the_time_that_its_words_say(shared):
    """The published array takes every fall of TIME_LOW for 4096 us, even of few us or told by a TIME_HIGH as well."""
    events = read(shared / "data/aer/evt3_sample.raw")
    published = np.load(shared / "data/aer/evt3_sample.npy")
    assert (len(events), events.p.sum(), events.sensor) == (219_596, 115_532, Sensor(1280, 720))
    assert all(np.array_equal(getattr(events, name), published[name]) for name in "xyp")
    assert (events.t[0], events.t[-1]) == (11_718_656, 11_727_457)
    assert events.skipped == {}
    later = published["t"] - events.t
    assert set(np.diff(later).tolist()) == {0, 4096}
    assert (later[0], later[-1]) == (0, 11 * 4096)


def test_the_words_of_the_sample_bear_out_its_time(shared):
    """Cameras send TIME_HIGH every 16 us; and nine of the eleven falls of TIME_LOW are of 3 or 11 us."""
    data = (shared / "data/aer/evt3_sample.raw").read_bytes()
    words = np.frombuffer(data[data.index(b"system_ID 48\n") + 13 :], "<u2").astype(int)
    assert np.count_nonzero(words >> 12 == 8) * 16 == pytest.approx(11_727_457 - 11_718_656, abs=16)
    low = words[words >> 12 == 6] & 4095
    falls = np.flatnonzero(np.diff(low) < 0)
    assert sorted((low[falls] - low[falls + 1]).tolist()) == [3] * 4 + [11] * 5 + [4095] * 2


def test_the_bits_of_words_are_those_of_the_format():
    words = [HIGH | 1, LOW | 2, ROW | ON | 2047, X | 5, X | ON | 2047]
    assert decode(raw(*words), SENSOR) == Events([4098, 4098], [5, 2047], [2047] * 2, [0, 1], SENSOR)
    assert raw(HIGH | 0x123, header=b"") == b"\x23\x81"
    assert decode(raw(HIGH, ROW, X)).sensor == Sensor(640, 480)


def test_a_vector_is_its_bits_and_the_next_one_goes_on_behind_it():
    words = [HIGH, ROW | 3, BASE | ON | 10, VECT_12 | 0b1000_0000_0001, VECT_12 | 1, VECT_8 | 0b1111_1000_0010, X | 7,
             VECT_8 | 1]
    events = decode(raw(*words))
    assert events.x.tolist() == [10, 21, 22, 34 + 1, 34 + 7, 7, 42]
    assert events.p.tolist() == [1, 1, 1, 1, 1, 0, 1]
    assert set(events.y.tolist()) == {3}


def test_a_vector_that_never_ends_stays_outside_every_sensor():
    words = [HIGH, ROW, BASE | 2047, *[VECT_12] * 30_000, VECT_12 | 1]
    assert unchecked(EVT3Reader, raw(*words))[0] == [(0, 4095, 0, 0)]
    assert "has x = 4095, y = 0, p = 0, outside the 640x480x2 sensor" in refusal(raw(*words))


def test_a_time_high_begins_at_its_first_microsecond_and_repeated_changes_nothing():
    assert times(LOW | 7, X, HIGH, X, HIGH | 1, X, LOW | 3, X) == [7, 7, 4096, 4099]


def test_a_time_low_that_falls_by_half_is_ahead_of_its_time_high():
    assert times(LOW | 4095, X, LOW | 3, X, HIGH | 1, X, LOW | 4, X) == [4095, 4099, 4099, 4100]
    assert times(LOW | 2048, X, LOW, X) == [2048, 4096]
    assert times(LOW | 4095, X, HIGH | 1, LOW, X, LOW | 1, X) == [4095, 4096, 4097]


def test_a_time_low_that_falls_by_less_is_what_it_says():
    assert times(LOW | 799, X, LOW | 811, LOW | 800, X) == [799, 800]
    assert "is at 1 us, before the 2048 us of" in refusal(raw(HIGH, ROW, LOW | 2048, X, LOW | 1, X))


def test_the_clock_is_passed_where_time_high_falls_by_half_of_it():
    assert times(HIGH | 4095, LOW | 4095, X, HIGH, X, HIGH | 2048, X, HIGH, LOW | 1, X) == [
        2**24 - 1, 2**24, 2**24 + 2**23, 2**25 + 1
    ]
    assert "is at 4096 us, before the" in refusal(raw(HIGH | 2048, ROW, X, HIGH | 1, X))


def test_events_before_their_time_row_or_base_and_words_of_other_types_are_counted():
    others = [kind << 12 for kind in (7, 10, 10, 13, 14, 15, 15, 1, 12)]
    words = [X, ROW | 1, X, LOW | 5, VECT_8 | 0xFF, *others[:5], HIGH, VECT_12 | 7, X | 3, *others[5:]]
    events = decode(raw(*words))
    assert (events.t.tolist(), events.x.tolist(), events.y.tolist()) == ([0], [3], [1])
    assert events.skipped == {"early": 2 + 8 + 3, "continued": 3, "trigger": 2, "imu": 1, "other": 1, "unknown": 2}
    assert decode(raw(HIGH, X, BASE, VECT_8 | 1, ROW, X)).skipped == {"early": 2}


@pytest.mark.parametrize(("block", "room"), [(1 << 18, 1 << 15), (2, 1), (20, 1), (1000, 30)])
def test_random_words_are_those_of_a_slow_decoder_however_they_are_cut(rng, monkeypatch, block, room):
    monkeypatch.setattr(base, "BLOCK", block)
    monkeypatch.setattr(prophesee, "_ROOM", room)
    kinds = [0, 2, 2, 2, 3, 4, 5, 6, 6, 8, 10, 11, 15]
    for _ in range(20):
        words = rng.integers(0, 2**12, 400) | rng.choice(kinds, 400) << 12
        assert unchecked(EVT3Reader, raw(*words)) == naive.evt3(words.tolist())


def test_all_events_of_a_block_that_is_nothing_but_full_vectors_come():
    data = raw(HIGH, ROW, *[BASE, VECT_12 | 4095] * 70_000)
    events = decode(data)
    assert len(events) == 12 * 70_000
    assert np.array_equal(events.x, np.tile(np.arange(12), 70_000))


def test_an_event_is_found_where_it_stands(monkeypatch):
    words = [X, HIGH, ROW, LOW | 9, X, BASE | 636, VECT_8 | 0b10011, X | 1, LOW | 8, X]
    for block, room in ((1 << 18, 1 << 15), (4, 1), (1 << 18, 1)):
        monkeypatch.setattr(base, "BLOCK", block)
        monkeypatch.setattr(prophesee, "_ROOM", room)
        assert refusal(raw(*words[:-2])).startswith(
            f"a.raw: event 3 at byte {len(HEADER) + 12} has x = 640, y = 0, p = 0, outside the 640x480x2 sensor"
        )
        assert refusal(raw(*words), sensor=SENSOR).startswith(
            f"a.raw: event 5 at byte {len(HEADER) + 18} is at 8 us, before the 9 us of the event ahead of it"
        )


def test_an_event_of_a_vector_is_found_where_it_stands():
    """Of the words up to it, which are fewer than the events that they make."""
    vectors = [BASE | 628, VECT_12 | 4095] * 2
    assert refusal(raw(HIGH, ROW, *vectors, VECT_8 | 1, *[X] * 40)).startswith(
        f"a.raw: event 24 at byte {len(HEADER) + 12} has x = 640, y = 0"
    )


def test_a_cut_recording_is_refused_with_the_byte_in_the_file():
    at = len(HEADER) + 6
    assert f"1 bytes are left at byte {at} of {at + 1}; " in refusal(raw(HIGH, ROW, X) + b"a")


@settings(deadline=None, derandomize=True)
@given(some_events(50_000_000, SENSOR), st.integers(0, 40))
def test_what_is_written_comes_back_in_however_many_parts(events, cut):
    comes_back_in_two_parts(evt3.CODEC, events, cut)


def test_a_recording_that_begins_late_or_has_a_long_silence_comes_back():
    events = Events([END - 100_000_000, END - 1], [1, 2], [3, 3], [0, 1], SENSOR)
    assert decode(encode(events)) == events


def test_only_what_changes_is_written(tmp_path):
    t = [4095, 4095, 4096, 4096 + 5, 3 * 4096 + 5]
    events = Events(t, [1, 2, 3, 4, 5], [6, 6, 7, 7, 7], [0, 1, 0, 0, 0], Sensor(640, 480))
    write(tmp_path / "a.raw", events, codec="evt3")
    assert (tmp_path / "a.raw").read_bytes() == (
        b"% camera_integrator_name Prophesee\n% evt 3.0\n% format EVT3;height=480;width=640\n% geometry 640x480\n"
        b"% integrator_name Prophesee\n% plugin_integrator_name Prophesee\n% plugin_name hal_plugin_prophesee\n% end\n"
        + raw(HIGH, LOW | 4095, ROW | 6, X | 1, X | ON | 2, HIGH | 1, LOW, ROW | 7, X | 3, LOW | 5, X | 4,
              HIGH | 2, HIGH | 3, LOW | 5, X | 5, header=b"")
    )


@pytest.mark.parametrize(("row", "got"), [
    ((END, 0, 0, 0), f"t = {END}; EVT3 recordings hold t in 0..{END - 1}, x in 0..2047, y in 0..2047, p in 0..1; cut "),
    ((-1, 0, 0, 0), "t = -1; "), ((0, 2048, 0, 0), "x = 2048; "), ((0, 0, 2048, 0), "y = 2048; "),
    ((0, 0, 0, 2), "p = 2; "),
])
def test_events_that_the_format_cannot_hold_are_not_written(row, got):
    with pytest.raises(ConfigError, match=f"^event 0 has {got}"):
        encode(Events(*np.array([row]).T, Sensor(3000, 3000, 3)))


def test_a_damaged_recording_decodes_or_is_refused(rng):
    words = [HIGH, ROW | 1, 10 << 12, BASE | 9, VECT_12 | 0xF0F, VECT_12 | 3, VECT_8 | 9, HIGH | 1]
    for low in range(20):
        words += [LOW | low, ROW | low, X | low]
    assert outcomes(decode, mutated(rng, raw(*words), 3000))[0] > 100
