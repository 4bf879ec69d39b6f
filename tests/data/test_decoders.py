"""Decoders of streams: the same events wherever the bytes are cut, and a count of everything that is none."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import decode as naive

from eventsim.data import CODECS
from eventsim.data.codecs.nmnist import RECORD
from eventsim.events import Events
from eventsim.sensor import Sensor

SENSOR = Sensor(34, 34)
WRAP = 1 << 23
_PIECES = st.sampled_from([b"1,2,3,0", b"-5,33,0,1", b"12345678,0,33,1", b"abc", b"1,2,3", b" 7 , 1, 2,0", b"", b"  ",
                           b"1,34,0,0", b"2,0,0,-1", b"\xff\xfe", b"1.0,2,3,0", b"0" * 1200, b"2251799813685248,1,1,1",
                           b"-,1,1,1", b"5,5,5,1\r", b"0000000000000000000000009,1,1,0", b"x\r"])


def decoder(name, told=None):
    return CODECS[name].decoder(SENSOR, (told if told is not None else []).append)


def joined(parts):
    """Columns of several arrivals, one behind the other."""
    return [np.concatenate([getattr(part, name) for part in parts]).tolist() for name in "txyp"]


def fed(name, data, cuts=()):
    """Events and counts of bytes that are cut at places."""
    bounds = [0, *sorted(cuts), len(data)]
    told = []
    found = decoder(name, told)
    parts = [found.feed(data[a:b]) for a, b in itertools.pairwise(bounds)]
    return joined([*parts, found.end()]), found.counts, told


def record(t, x=1, y=1, p=0):
    return bytes([x, y, p << 7 | t >> 16, t >> 8 & 0xFF, t & 0xFF])


@pytest.mark.parametrize("name", [name for name, codec in CODECS.items() if codec.decoder])
@settings(deadline=None, derandomize=True, max_examples=40)
@given(data=st.data())
def test_a_recording_that_is_cut_anywhere_is_the_same_as_in_one_piece(name, data):
    rows = data.draw(st.lists(st.tuples(st.integers(0, 300_000), st.integers(0, 33), st.integers(0, 33),
                                        st.integers(0, 1)), min_size=1, max_size=30))
    events = Events(*np.array(sorted(rows, key=lambda row: row[0])).T, SENSOR)
    encoded = CODECS[name].encode(events)
    cuts = data.draw(st.lists(st.integers(0, len(encoded)), max_size=20))
    columns, counts, told = fed(name, encoded, cuts)
    assert columns == joined([events]) == joined([CODECS[name].decode(encoded, SENSOR)])
    assert not any(counts.values()) and told == []
    assert fed(name, encoded, range(len(encoded)))[0] == columns  # byte by byte


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=9))
def test_any_bytes_are_records_and_give_what_the_reference_gives(data, cuts):
    columns, counts, _ = fed("nmnist", data, [min(cut, len(data)) for cut in cuts])
    outside = [x >= 34 or (y >= 34 and y != 240) for x, y in zip(data[0::5], data[1::5], strict=False)]
    whole = len(data) // RECORD
    on_sensor = [data[5 * i : 5 * i + 5] for i in range(whole) if not outside[i] or data[5 * i + 1] == 240]
    wanted, turns = naive.nmnist(b"".join(on_sensor))
    assert list(zip(*columns, strict=True)) == wanted
    overflow = sum(one[1] == 240 for one in on_sensor)
    assert counts == {"outside": whole - len(on_sensor), "bad": 0, "cut": len(data) % RECORD > 0,
                      "overflow": overflow, "wraps": turns}


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(_PIECES, st.sampled_from([b"\n", b"\n", b"\r\n"])), max_size=25),
       st.lists(st.integers(0, 2000), max_size=9))
def test_any_lines_give_what_the_reference_gives(lines, cuts):
    data = b"".join(text + end for text, end in lines)
    columns, counts, told = fed("csv", data, [min(cut, len(data)) for cut in cuts])
    events, bad = naive.lines(data)
    inside = [(t, x, y, p) for t, x, y, p in events if 0 <= x < 34 and 0 <= y < 34 and 0 <= p < 2]
    assert list(zip(*columns, strict=True)) == inside
    assert counts == {"outside": len(events) - len(inside), "bad": bad, "cut": 0}
    assert len(told) == (bad > 0) + (len(events) > len(inside))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, WRAP - 1), min_size=1, max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_wrapped_times_are_those_of_the_reference(raw, cuts):
    data = b"".join(map(record, raw))
    columns, counts, _ = fed("nmnist", data, [min(RECORD * cut, len(data)) for cut in cuts])
    wanted, turns = naive.nmnist(data)
    assert (columns[0], counts["wraps"]) == ([t for t, *_ in wanted], turns)


def test_a_clock_of_23_bits_goes_on_for_ever():
    true = np.sort(np.random.default_rng(3).integers(0, 10 * WRAP, 2000))
    disorder = true.copy()
    disorder[1::2] -= np.random.default_rng(4).integers(0, 1 << 19, 1000)  # half a second late
    for t in (true, disorder[disorder >= 0]):
        columns, counts, _ = fed("nmnist", b"".join(record(int(one) % WRAP) for one in t))
        assert columns[0] == t.tolist() and counts["wraps"] == t[-1] // WRAP


def test_what_is_no_event_is_told_once():
    told = []
    found = decoder("nmnist", told)
    for _ in range(3):
        assert len(found.feed(record(5, x=99)).t) == 0
    assert len(found.datagrams([b"1234567"]).t) == 0
    found.feed(b"12")
    found.end()
    assert found.counts == {"outside": 3, "bad": 0, "cut": 2, "overflow": 0, "wraps": 0}
    assert told == [
        "an event has x = 99, y = 1, p = 0, outside the 34x34x2 sensor; it is skipped, and so are others like it",
        "a datagram has 7 bytes, which is no whole number of 5-byte events; it is skipped, and so are others like it",
    ]
    told.clear()
    found = decoder("csv", told)
    found.feed(b"t,x,y,p\n1,2,3,0\n\nnonsense\nmore\n")
    assert found.counts["bad"] == 2
    assert told == ["line 4 is 'nonsense', which is no event t,x,y,p; it is skipped, and so are others like it"]


@pytest.mark.parametrize(("begin", "line"), [(b"", 2), (b"\xef\xbb\xbf", 2), (b"\xef\xbb\xbft,x,y,p\n", 3)])
def test_a_bad_line_is_told_by_its_number(begin, line):
    told = []
    decoder("csv", told).feed(begin + b"1,2,3,0\nnonsense\n")
    assert told == [f"line {line} is 'nonsense', which is no event t,x,y,p; it is skipped, and so are others like it"]


def test_after_an_end_comes_a_beginning():
    """Another client starts with a record, and a header, of its own; the clock goes on."""
    found = decoder("csv")
    assert joined([found.feed(b"t,x,y,p\n1,2,3,0\n4,5,"), found.end(), found.feed(b"p,t,x,y\n1,7,8,9\n")]) == [
        [1, 7], [2, 8], [3, 9], [0, 1]
    ]
    assert found.counts["bad"] == 1
    found = decoder("nmnist")
    parts = [found.feed(record(WRAP - 1) + b"12"), found.end(), found.feed(record(3))]
    assert joined(parts)[0] == [WRAP - 1, WRAP + 3] and found.counts["cut"] == 1


def test_a_datagram_holds_whole_records():
    found = decoder("csv")
    assert joined([found.datagrams([b"t,x,y,p\n1,2,3,0", b"4,5,6,1\n7,8,9,1\n"]), found.datagrams([])])[0] == [1, 4, 7]
    assert [found.records(data) for data in (b"", b"1,2,3,0", b"1,2,3,0\n4,5,6,1\n")] == [0, 1, 2]
    found = decoder("nmnist")
    parts = [found.datagrams([record(WRAP - 5)]), found.datagrams([record(1) + record(2), b"no", record(3)])]
    assert joined(parts)[0] == [WRAP - 5, WRAP + 1, WRAP + 2, WRAP + 3] and found.counts["cut"] == 1
    assert [found.records(data) for data in (b"", b"1234", b"1234567890")] == [0, 0, 2]


def test_a_line_without_end_takes_no_memory():
    found = decoder("csv")
    for _ in range(50):
        found.feed(b"1" * 10_000)
        assert len(found._rest) <= 1001
    assert joined([found.feed(b"\n5,1,1,0\n")])[0] == [5] and found.counts["bad"] == 1
