"""The five-byte records of N-MNIST."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import decode as naive

from eventsim.data.codecs.nmnist import decode, encode
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

WIDE = Sensor(256, 256, 2)
END = 2**23


def record(t, x, y, p):
    return bytes([x, y, p << 7 | t >> 16, t >> 8 & 0xFF, t & 0xFF])


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a/b.bin", **options)
    return str(refused.value)


@st.composite
def wide_events(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, END - 1), st.integers(0, 255),
                                   st.integers(0, 255).filter(lambda y: y != 240), st.integers(0, 1)), min_size=1))
    return Events(*np.array(sorted(rows, key=lambda row: row[0])).T, WIDE)


@settings(deadline=None, derandomize=True)
@given(wide_events())
def test_a_recording_comes_back_event_for_event(events):
    data = encode(events)
    assert len(data) == 5 * len(events)
    assert decode(data, WIDE) == events
    assert encode(decode(data, WIDE)) == data


def test_the_bits_of_a_record_are_those_of_the_format():
    events = decode(bytes([3, 4, 0b1000_0001, 0x02, 0x03, 33, 0, 0b0111_1111, 0xFF, 0xFF]))
    assert events == Events([0x010203, END - 1], [3, 33], [4, 0], [1, 0], Sensor(34, 34, 2))
    assert events.skipped == {}


def test_overflow_records_are_dropped_counted_and_add_up():
    data = b"".join([record(5, 1, 1, 0), record(0, 9, 240, 1), record(1, 2, 2, 1), record(7, 0, 240, 0),
                     record(0, 0, 240, 0), record(1, 3, 3, 0)])
    events = decode(data)
    assert events.t.tolist() == [5, 8192 + 1, 3 * 8192 + 1]
    assert events.x.tolist() == events.y.tolist() == [1, 2, 3]
    assert events.p.tolist() == [0, 1, 0]
    assert events.skipped == {"overflow": 3}


@pytest.mark.parametrize("n", [1, 2, 3, 500])
def test_random_records_are_those_of_a_slow_decoder(rng, n):
    data = rng.integers(0, 256, (n, 5), np.uint8)
    data[rng.random(n) < 0.1, 1] = 240
    data[:, 2:] = np.sort(rng.integers(0, END // 3, n))[:, None] >> (16, 8, 0) & 0xFF
    data[:, 2] |= rng.integers(0, 2, n).astype(np.uint8) << 7
    data[0, 1] = 0
    events = decode(data.tobytes(), WIDE)
    found = zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True)
    assert list(found) == naive.nmnist(data.tobytes())[0]


def test_an_overflow_before_the_first_event_shifts_all_of_them():
    assert decode(record(0, 0, 240, 0) + record(4, 1, 1, 0)).t.tolist() == [8196]


def test_an_empty_recording_is_refused():
    assert refusal(b"") == "a/b.bin: is empty; a recording has at least one event; copy or download it again"


def test_a_truncated_recording_is_refused_with_the_byte():
    assert refusal(record(1, 2, 3, 0) * 2 + b"abc") == (
        "a/b.bin: ends inside a record, 3 bytes are left at byte 10 of 13; the format is whole records of 5 bytes; "
        "copy or download it again, or keep what is whole with `eventsim convert --repair`"
    )


def test_a_recording_of_overflow_records_alone_is_refused():
    assert refusal(record(1, 2, 240, 0) * 2).startswith("a/b.bin: holds no event (2 overflow); ")


def test_an_event_outside_the_sensor_is_refused_with_the_sensor_that_would_do():
    data = record(1, 2, 240, 0) + record(1, 33, 33, 1) + record(2, 34, 5, 1) + record(3, 7, 127, 0)
    assert refusal(data) == (
        "a/b.bin: event 1 at byte 10 has x = 34, y = 5, p = 1, outside the 34x34x2 sensor (x 0..33, y 0..33, p 0..1); "
        "name the sensor that recorded it, here at least --sensor 35x128x2, or leave such events out with `eventsim "
        "convert --repair`"
    )
    assert len(decode(data, Sensor(35, 128))) == 3
    assert "event 0 at byte 0 has x = 1, y = 2, p = 1" in refusal(record(0, 1, 2, 1), sensor=Sensor(34, 34, 1))


def test_unsorted_events_are_refused_with_the_byte_in_the_file():
    data = record(7, 1, 1, 0) + record(0, 0, 240, 0) + record(9, 1, 1, 0) + record(8, 1, 1, 0)
    assert refusal(data) == (
        "a/b.bin: event 2 at byte 15 is at 8200 us, before the 8201 us of the event ahead of it; events must be in the "
        "order of time; download the recording again, or sort them with `eventsim convert --repair`"
    )


@pytest.mark.parametrize(("row", "got"), [
    ((0, 256, 0, 0), "x = 256; N-MNIST recordings hold t in 0"), ((0, 0, 256, 0), "y = 256; "),
    ((0, 0, 240, 0), "y = 240, which marks an overflow in N-MNIST recordings; "), ((0, 0, 0, 2), "p = 2; "),
    ((END, 0, 0, 0), "t = 8388608; "), ((-1, 0, 0, 0), "t = -1; "),
])
def test_events_that_the_format_cannot_hold_are_not_encoded(row, got):
    sensor = Sensor(300, 300, 3)
    good, bad = (5, 1, 1, 1), row
    events = Events(*np.array(sorted([good, bad])).T, sensor)
    i = sorted([good, bad]).index(bad)
    with pytest.raises(ConfigError, match=f"^event {i} has {got}"):
        encode(events)


def test_no_events_are_not_encoded():
    with pytest.raises(ConfigError, match="no event to write"):
        encode(Events([], [], [], [], WIDE))


@pytest.mark.parametrize("nonsense", [None, 3, "text", [1, 2, 3, 4, 5], np.zeros(5, np.uint8)])
def test_nonsense_is_refused(nonsense):
    with pytest.raises(ConfigError):
        decode(nonsense)
    with pytest.raises(ConfigError):
        encode(nonsense)
    if nonsense is not None:
        with pytest.raises(ConfigError, match="sensor must be a Sensor"):
            decode(record(1, 1, 1, 1), nonsense)


def test_a_file_of_noise_is_told_the_sensor_it_would_need():
    """The largest byte must not overflow into a sensor of no pixels."""
    with pytest.raises(FormatError, match="at least --sensor 256x256x2"):
        decode(record(0, 255, 255, 1))
