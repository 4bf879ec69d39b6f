"""Prophesee EVT 2.0."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from codec_laws import comes_back_in_two_parts, some_events, unchecked
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from naive import prophesee as naive

from eventsim.data import read, write
from eventsim.data.codecs import base, evt2, prophesee
from eventsim.data.codecs.evt2 import EVT2Reader, decode, encode
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

HEADER = b"% evt 2.0\n% geometry 640x480\n% end\n"
SENSOR = Sensor(2048, 2048)
END = 1 << 34


def raw(*words, header=HEADER):
    return header + np.array(words, "<u4").tobytes()


def event(low, x=0, y=0, p=0):
    return p << 28 | low << 22 | x << 11 | y


def high(value):
    return 8 << 28 | value


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a.raw", **options)
    return str(refused.value)


def test_the_sample_has_the_published_events(shared):
    events = read(shared / "data/aer/evt2.raw")
    hashes = {name: hashlib.sha3_224(getattr(events, name).astype(dtype).tobytes()).hexdigest()
              for name, dtype in (("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("p", "?"))}
    assert (len(events), events.p.sum(), events.t[0], events.t[-1]) == (521_252, 185_861, 913_716_224, 913_812_095)
    assert hashes == {
        "t": "9855ba39c1baea316ae623b72466e420df60a7510248391856eb4eaf",
        "x": "93fc6cff19b483fd48ca53345c6c1cf05123681d7b7272a1717e9303",
        "y": "07cfaef58e5fa71ce9910ed5b88fb7e9fcf71e4a8654cc2c4666f1ae",
        "p": "d2b5e9c4047f4c431937b24cd46c8b504e055372b0ded1df77f0ffa1",
    }
    assert events.sensor == Sensor(640, 480)
    assert events.skipped == {}


def test_the_bits_of_a_word_are_those_of_the_format():
    data = HEADER + bytes([0x01, 0, 0, 0x80, 0b00010010, 0b00010000, 0b11000000, 0b00011111, 0xFF, 0x0F, 0xC0, 0x0F])
    events = decode(data, SENSOR)
    assert events == Events([64 + 63, 64 + 63], [2, 1], [18, 2047], [1, 0], SENSOR)
    assert decode(raw(high(1), event(63, 1, 2, 1))).sensor == Sensor(640, 480)


def test_the_clock_is_passed_where_time_high_falls_by_half_of_it():
    most = 2**28 - 1
    events = decode(raw(high(most), event(63), high(0), event(0), high(2**27), event(1), high(0), event(2)))
    assert events.t.tolist() == [END - 1, END, END + END // 2 + 1, 2 * END + 2]
    assert "is at 64 us, before the" in refusal(raw(high(2**27), event(0), high(1), event(0)))


def test_events_before_their_time_and_words_of_other_types_are_counted():
    others = [kind << 28 for kind in (10, 10, 14, 15, 15, 15, 2, 13)]
    events = decode(raw(event(3), *others[:4], event(4, p=1), high(2), event(5), *others[4:]))
    assert events.t.tolist() == [133]
    assert events.skipped == {"early": 2, "trigger": 2, "other": 1, "continued": 3, "unknown": 2}


def test_a_recording_of_other_words_alone_is_refused():
    assert refusal(raw(10 << 28, high(1))) == (
        "a.raw: holds no event (1 trigger); a recording has at least one event; copy or download it again"
    )


@pytest.mark.parametrize(("block", "room"), [(1 << 18, 1 << 15), (4, 1), (20, 1), (1000, 7)])
def test_random_words_are_those_of_a_slow_decoder_however_they_are_cut(rng, monkeypatch, block, room):
    monkeypatch.setattr(base, "BLOCK", block)
    monkeypatch.setattr(prophesee, "_ROOM", room)
    for _ in range(20):
        words = rng.integers(0, 2**28, 400) | rng.choice([0, 1, 8, 8, 10, 12], 400) << 28
        assert unchecked(EVT2Reader, raw(*words)) == naive.evt2(words.tolist())


def test_an_event_is_found_where_it_stands(monkeypatch):
    words = [event(9), high(1), event(1), 10 << 28, event(2, x=640), event(3)]
    for block in (1 << 18, 8):
        monkeypatch.setattr(base, "BLOCK", block)
        assert refusal(raw(*words)).startswith(f"a.raw: event 1 at byte {len(HEADER) + 16} has x = 640, y = 0, p = 0, ")
        assert refusal(raw(*words, event(2)), sensor=SENSOR).startswith(
            f"a.raw: event 3 at byte {len(HEADER) + 24} is at 66 us, before the 67 us of the event ahead of it"
        )


def test_a_cut_recording_is_refused_with_the_byte_in_the_file():
    at = len(HEADER) + 8
    assert refusal(raw(high(1), event(1)) + b"abc") == (
        f"a.raw: ends inside a record, 3 bytes are left at byte {at} of {at + 3}; the format is whole records of 4 "
        "bytes; copy or download it again, or keep what is whole with `eventsim convert --repair`"
    )


@settings(deadline=None, derandomize=True)
@given(some_events(END - 1, SENSOR), st.integers(0, 40))
def test_what_is_written_comes_back_in_however_many_parts(events, cut):
    comes_back_in_two_parts(evt2.CODEC, events, cut)


def test_a_written_header_has_what_other_programs_ask_for(tmp_path):
    write(tmp_path / "a.raw", Events([70, 71], [1, 2], [3, 4], [0, 1], Sensor(640, 480)))
    assert (tmp_path / "a.raw").read_bytes() == (
        b"% camera_integrator_name Prophesee\n% evt 2.0\n% format EVT2;height=480;width=640\n% geometry 640x480\n"
        b"% integrator_name Prophesee\n% plugin_integrator_name Prophesee\n% plugin_name hal_plugin_prophesee\n% end\n"
        + raw(high(1), event(6, 1, 3, 0), event(7, 2, 4, 1), header=b"")
    )


@pytest.mark.parametrize(("row", "got"), [
    ((END, 0, 0, 0), f"t = {END}; EVT2 recordings hold t in 0..{END - 1}, x in 0..2047, y in 0..2047, p in 0..1; cut "),
    ((-1, 0, 0, 0), "t = -1; "), ((0, 2048, 0, 0), "x = 2048; "), ((0, 0, 2048, 0), "y = 2048; "),
    ((0, 0, 0, 2), "p = 2; "),
])
def test_events_that_the_format_cannot_hold_are_not_written(row, got):
    with pytest.raises(ConfigError, match=f"^event 0 has {got}"):
        encode(Events(*np.array([row]).T, Sensor(3000, 3000, 3)))


def test_a_damaged_recording_decodes_or_is_refused(rng):
    data = raw(high(1), *(event(low, low, low, low % 2) for low in range(40)), 10 << 28, high(2), event(3))
    assert outcomes(decode, mutated(rng, data, 3000))[0] > 100


def test_nothing_is_skipped_in_silence(rng):
    words = rng.integers(0, 2**32, 5000)
    events, skipped = unchecked(EVT2Reader, raw(*words))
    kinds = Counter((words >> 28).tolist())
    assert len(events) + sum(skipped.values()) + kinds[8] == len(words)
