"""Text recordings, a line an event."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsim.data import read, write
from eventsim.data.codecs.csv import CSVDecoder, decode, encode
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

SENSOR = Sensor(34, 34)


def refusal(text, sensor=SENSOR):
    with pytest.raises(FormatError) as refused:
        decode(text.encode(), sensor, "a/b.csv")
    return str(refused.value)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-10**12, 10**12), st.integers(0, 33), st.integers(0, 33), st.integers(0, 1)),
                min_size=1))
def test_a_recording_comes_back_event_for_event(rows):
    events = Events(*np.array(sorted(rows, key=lambda row: row[0])).T, SENSOR)
    data = encode(events)
    assert decode(data, SENSOR) == events and encode(decode(data, SENSOR)) == data


@pytest.mark.parametrize("text", [
    "5,1,2,0\n7,3,4,1\n", "t,x,y,p\n5,1,2,0\n7,3,4,1", "5, 1,2,0\r\n\r\n7 ,3,4,1\r\n", "\n5,1,2,0\n  \n7,3,\t4,1\n",
    "x, y, P, t\n1,2,0,5\n3,4,1,7\n", "\ufefft,x,y,p\n5,1,2,0\n7,3,4,1\n", "\ufeff5,1,2,0\n7,3,4,1\n",
    "x,y,timestamp,polarity\n1,2,5,0\n3,4,7,1\n",
], ids=["plain", "header", "windows", "blanks", "other-order", "marked", "marked-plain", "other-names"])
def test_ways_to_write_the_same(text):
    assert decode(text.encode(), SENSOR) == Events([5, 7], [1, 3], [2, 4], [0, 1], SENSOR)


def test_files_are_read_and_written_by_their_suffix(tmp_path, recording):
    for name in ("a.csv", "a.TXT"):
        write(tmp_path / name, recording(1))
        assert read(tmp_path / name, sensor=SENSOR) == recording(1)
        smallest = read(tmp_path / name)
        assert smallest.to_structured().tolist() == recording(1).to_structured().tolist()
        assert smallest.sensor == Sensor(recording(1).x.max() + 1, recording(1).y.max() + 1)
        assert read(tmp_path / name, default_sensor=SENSOR) == recording(1)


@pytest.mark.parametrize(("text", "line"), [
    ("1,2,3,0\nabc\n", 2), ("t,x,y,p\n1,2,3,0\n\n4,5,6\n", 4), ("1,2,3,0\n1.5,2,3,0\n", 2), ("1,2,3,0,9\n", 1),
    (f"1,2,3,0\n{1 << 51},2,3,0\n", 2), ("1,2,3,0\n1_0,2,3,0\n", 2), ("1,2,3,0\nt,x,y,p\n", 2),
    ("1,,3,0\n", 1), ("1 2 3 0\n", 1), (f"{'0' * 1000},2,3,0\n", 1), ("-9223372036854775808,1,1,0\n", 1),
])
def test_a_line_that_is_no_event_is_named(text, line):
    message = refusal(text)
    assert message.startswith(f"a/b.csv: line {line} is '")
    assert message.endswith(f"', expected t,x,y,p as whole numbers, t in microseconds below {1 << 51}; correct it")


def test_columns_that_nobody_knows_are_refused():
    for text in ("a,b,c,d\n1,2,3,0\n", "x,y,time,p\n1,2,3,0\n"):
        message = refusal(text)
        assert message.startswith("a/b.csv: line 1 names the columns '") and "expected t, x, y and p" in message
        with pytest.raises(FormatError, match=r"^stream: line 1 names the columns"):
            CSVDecoder(SENSOR).feed(text.encode())


def test_who_sends_later_does_not_end_the_stream():
    """A client that goes away within its header, or in the middle of a line, or a datagram that is none."""
    decoder = CSVDecoder(SENSOR)
    assert len(decoder.feed(b"t,x,y,p\n1,1,1,0\n2,1,1").t) == 1
    assert len(decoder.end(lost=True).t) == 0 and decoder.counts["cut"] == 1
    assert len(decoder.feed(b"a,b\n3,1,1,0\n").t) == 1 and decoder.counts["bad"] == 1
    decoder.end()
    assert decoder.feed(b"x,y,p,t\n1,2,0,7\n").t.tolist() == [7]
    datagrams = CSVDecoder(SENSOR)
    assert datagrams.datagrams([b"a,b", b"1,1,1,0"]).t.tolist() == [1] and datagrams.counts["bad"] == 1


def test_an_event_outside_the_sensor_is_named():
    assert refusal("t,x,y,p\n\n1,2,3,0\n2,34,3,0\n") == (
        "a/b.csv: event 1 at line 4 has x = 34, y = 3, p = 0, outside the 34x34x2 sensor (x 0..33, y 0..33, p 0..1); "
        "name the sensor that recorded it, here at least --sensor 35x4x1, or leave such events out with `eventsim "
        "convert --repair`"
    )
    assert "event 0 at line 1 has p = -1, which no sensor has (0..255)" in refusal("1,2,3,-1\n")
    assert "event 0 at line 1 has y = 70000, which no sensor has (0..65535)" in refusal("1,2,70000,0\n")


def test_unsorted_events_are_named():
    assert refusal("9,1,1,0\n\n8,1,1,0\n") == (
        "a/b.csv: event 1 at line 3 is at 8 us, before the 9 us of the event ahead of it; events must be in the order "
        "of time; download the recording again, or sort them with `eventsim convert --repair`"
    )


@pytest.mark.parametrize(("text", "what"), [("", "is empty"), ("\n\n", "holds no event"),
                                           ("t,x,y,p\n", "holds no event")])
def test_a_recording_without_events_is_refused(text, what):
    assert refusal(text).startswith(f"a/b.csv: {what}; ")


def test_nonsense_is_refused():
    for nonsense in (None, 3, "1,2,3,0\n", [1, 2]):
        with pytest.raises(ConfigError):
            decode(nonsense, SENSOR)
        with pytest.raises(ConfigError):
            encode(nonsense)
    with pytest.raises(ConfigError, match="sensor must be a Sensor"):
        decode(b"1,2,3,0\n", "34x34")
    with pytest.raises(ConfigError, match="times must lie within"):
        encode(Events([1 << 51], [0], [0], [0], SENSOR))
