"""Reading with ``repair``: what is left out of a damaged recording, what is kept, and that both are counted."""

import io

import aedat4_files as made
import numpy as np
import pytest
from mutations import mutated, outcomes

from eventsim.data import CODECS, open_recording, read
from eventsim.errors import FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

SENSOR = Sensor(34, 1, 2)
WHOLE = ("npz", "store")  # formats of which nothing can be read where the end is missing
WRITTEN = [name for name, codec in CODECS.items() if codec.writer]


def some(n=12):
    t = np.arange(n) * 100
    return Events(t, np.arange(n) % 34, np.zeros(n, int), np.arange(n) % 2, SENSOR)


def repaired(data, codec, sensor=SENSOR):
    return read(io.BytesIO(data), codec=codec, sensor=sensor, repair=True)


@pytest.mark.parametrize("codec", WRITTEN)
def test_what_is_whole_is_as_it_is_without(codec):
    events = repaired(CODECS[codec].encode(some()), codec)
    assert events == some() and events.skipped == {}


@pytest.mark.parametrize("codec", sorted(set(WRITTEN) - set(WHOLE)))
def test_a_recording_may_end_anywhere(codec):
    data, kept = CODECS[codec].encode(some()), []
    for size in range(len(data)):
        try:
            events = repaired(data[:size], codec)
        except FormatError as error:
            assert not kept and "\n" not in str(error)  # inside the header, or the first event
            continue
        assert events == some()[:len(events)]
        n_cut = events.skipped.pop("cut", 0)
        assert not events.skipped and n_cut <= (12 - len(events) if codec == "npy" else 1)
        try:
            assert CODECS[codec].decode(data[:size], SENSOR) == events and n_cut == 0
        except FormatError as error:
            assert n_cut > 0 and str(error).endswith("or keep what is whole with `eventsim convert --repair`")
        kept.append(len(events))
    assert kept == sorted(kept) and set(kept) >= set(range(1, 12))


@pytest.mark.parametrize("codec", WHOLE)
def test_what_has_its_table_at_the_end_is_refused(codec):
    with pytest.raises(FormatError):
        repaired(CODECS[codec].encode(some())[:-30], codec)


def test_a_packet_that_is_cut_is_left_out():
    pytest.importorskip("aedat")
    first, second = (made.packet(0, made.events([(t, 1, 0, 1), (t + 1, 2, 0, 0)])) for t in (5, 9))
    data = made.head(made.described({0: (made.EVENTS, 34, 1)})) + first + second
    for end in (-1, len(data), len(data) + 1000):  # where its header says that the packets do
        data = made.head(made.described({0: (made.EVENTS, 34, 1)}), end=end) + first + second
        for cut in (1, len(second) - 3):
            events = repaired(data[:-cut], "aedat4")
            assert events.t.tolist() == [5, 6] and events.skipped == {"cut": 1}
    assert repaired(data, "aedat4").skipped == {"cut": 1}


def test_a_last_line_that_may_be_cut_is_left_out():
    for text, t, n_cut in (("1,2,0,0\n2,3,0", [1], 1), ("1,2,0,0\n2,3,0,1", [1, 2], 0), ("1,2,0,0\n\n", [1], 0),
                           ("x,y,p,t\n2,0,0,100\n3,0,0,10", [100], 1)):
        events = repaired(text.encode(), "csv")
        assert events.t.tolist() == t and events.skipped == ({"cut": n_cut} if n_cut else {})
    with pytest.raises(FormatError, match=r"line 1 is '1,2,x,0', expected t,x,y,p"):
        repaired(b"1,2,x,0\n2,3,0,1\n", "csv")


@pytest.mark.parametrize("block", [1, 7, 1 << 18])
def test_events_outside_and_out_of_order(monkeypatch, block):
    monkeypatch.setattr("eventsim.data.codecs.csv.BLOCK", block)
    monkeypatch.setattr("eventsim.data.codecs.recording.EVENTS_BLOCK", 2)
    text = b"5,1,0,0\n3,2,0,0\n99,40,0,0\n7,3,0,0\n5,4,0,1\n7,5,-1,0\n7,6,0,0\n6,7,0,99999\n"
    with open_recording(io.BytesIO(text), codec="csv", sensor=SENSOR, repair=True) as recording:
        events = recording.events()
        assert recording.reordered == 2 and events.skipped == {"outside": 3}
    assert list(zip(events.t.tolist(), events.x.tolist(), strict=True)) == [(3, 2), (5, 1), (5, 4), (7, 3), (7, 6)]


def test_without_a_sensor_outside_is_what_no_sensor_has():
    text = b"5,1,0,0\n3,70000,0,0\n6,9,-1,0\n7,4,0,0\n"
    with open_recording(io.BytesIO(text), codec="csv", repair=True) as recording:
        assert str(recording.sensor) == "5x1x2" and recording.events().t.tolist() == [5, 7]
        assert recording.skipped == {"outside": 2} and recording.reordered == 0


def test_times_that_no_clock_has_are_outside(tmp_path):
    array = np.array([(1, 0, 0, 0), (2**63, 0, 0, 0)], [("t", "<u8"), ("x", "u2"), ("y", "u2"), ("p", "u1")])
    np.save(tmp_path / "a.npy", array)
    events = read(tmp_path / "a.npy", repair=True)
    assert events.t.tolist() == [1] and events.skipped == {"outside": 1}


def test_memory_grows_with_a_recording_only_where_it_is_sorted(monkeypatch):
    """What is in the order of time is handed on in the reader's blocks."""
    monkeypatch.setattr("eventsim.data.codecs.base.BLOCK", 10)
    data = CODECS["nmnist"].encode(some())
    for change, most in ((data, 2), (data[5:] + data[:5], 12)):
        with open_recording(io.BytesIO(change + b"abc"), codec="nmnist", sensor=SENSOR, repair=True) as recording:
            assert max(map(len, recording)) == most and recording.skipped == {"cut": 1}


def test_where_nothing_is_left_it_is_refused():
    for data, got in ((b"abc", "1 cut"), (bytes([99, 0, 0, 0, 1]), "1 outside")):
        with pytest.raises(FormatError, match=rf"holds no event \({got}\)"):
            repaired(data, "nmnist")


@pytest.mark.parametrize("codec", WRITTEN)
def test_a_damaged_file_is_repaired_or_refused(codec, rng):
    files = list(mutated(rng, CODECS[codec].encode(some(100)), 200))
    n_decoded = outcomes(lambda data: repaired(data, codec), files)[0]
    assert n_decoded >= outcomes(lambda data: CODECS[codec].decode(data, SENSOR), files)[0] > 0
