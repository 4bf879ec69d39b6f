"""AEDAT 3.1: packets of events, and of everything else."""

import io
import struct

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from naive import aedat as naive

from eventsim.data import read
from eventsim.data.codecs import aedat, aedat3, carried
from eventsim.data.codecs.aedat3 import decode
from eventsim.errors import FormatError
from eventsim.sensor import Sensor

SENSOR = Sensor(128, 128)


def header(*lines, source="DVS128"):
    lines = ("!AER-DAT3.1", "Format: RAW", f"Source 1: {source}", "Start-Time: 2020-11-20 18:06:50 (TZ+0300)", *lines)
    return b"".join(b"#" + line.encode() + b"\r\n" for line in (*lines, "!END-HEADER"))


def packet(*records, kind=1, source=1, size=8, offset=4, wraps=0, number=None, valid=None):
    """A packet of records of bytes; all valid unless said otherwise."""
    number = len(records) if number is None else number
    valid = number if valid is None else valid
    return struct.pack("<hh6i", kind, source, size, offset, wraps, number, number, valid) + b"".join(records)


def event(t, x, y, p, valid=1):
    return struct.pack("<II", x << 17 | y << 2 | p << 1 | valid, t)


def reader(data):
    return aedat3.CODEC.reader(io.BytesIO(data), "a.aedat")


def rows(found):
    return [row for block in found.blocks() for row in zip(*(column.tolist() for column in block), strict=True)]


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a.aedat", **options)
    return str(refused.value)


def test_the_gestures_have_the_published_events(shared):
    """A label's events are those from its start to its end; labels without any were left out of what is published."""
    folder = shared / "data/aer/dvs_gesture_aedat31"
    found = []
    for name in ("aedat1_for_testing", "aedat2_led", "aedat3_fluorescent"):
        events = read(folder / f"{name}.aedat")
        assert events.skipped == {}
        for label, start, end in np.loadtxt(folder / f"{name}_labels.csv", int, delimiter=",", skiprows=1, ndmin=2):
            part = events[(events.t >= start) & (events.t < end)]
            if len(part):
                found.append((label, part.t.tolist(), np.stack([part.x, part.y, part.p], axis=1).tolist()))
    with h5py.File(folder / "dvs_gestures_unittest.hdf5") as file:
        wanted = [(int(group["label"][()]), group["time"][:].tolist(), group["pos"][:].tolist())
                  for _, group in sorted(file["unit_test"].items())]
    assert found == wanted and len(wanted) == 7


def test_the_first_recording_has_the_published_start(shared):
    path = shared / "data/aer/dvs_gesture_aedat31/aedat1_for_testing.aedat"
    events = read(path)
    assert len(events) == 5 + 4 + 3
    assert (events.t[:3].tolist(), events.x[:3].tolist(), events.y[:3].tolist(), events.p[:3].tolist()) == (
        [10, 25, 38], [0, 10, 120], [0, 20, 59], [1, 0, 1])
    assert reader(path.read_bytes()).about == {"source": "Test", "start": "2020-11-20 18:06:50 (TZ+0300)"}


def test_the_bits_of_an_event_are_those_of_the_format():
    end = 1 << 31
    data = header() + packet(event(end - 1, 0x7FFF, 0, 0), wraps=2) + packet(event(1, 5, 0x7FFF, 1), wraps=3)
    assert rows(reader(data)) == [(3 * end - 1, 0x7FFF, 0, 0), (3 * end + 1, 5, 0x7FFF, 1)]


@pytest.mark.parametrize(("lines", "source", "sensor"), [
    ((), "DVS128", SENSOR), ((), "DAVIS240C", Sensor(240, 180)), ((), "Davis346B", Sensor(346, 260)),
    ((), "Test", None),
    (("Source 2: DVS128", "-Source 0: DAVIS240C"), "DVS128", SENSOR), (("Source 2: DAVIS240C",), "DVS128", None),
])
def test_the_sensor_is_that_of_the_source(lines, source, sensor):
    assert reader(header(*lines, source=source)).sensor == sensor


def test_events_of_which_the_header_counts_fewer_are_left_out_by_their_bit():
    data = header() + packet(event(1, 1, 1, 1), event(2, 2, 2, 0, valid=0), event(3, 3, 3, 1), valid=2)
    assert decode(data).t.tolist() == [1, 3] and decode(data).skipped == {"invalid": 1}
    assert refusal(header() + packet(event(1, 1, 1, 1, valid=0), valid=0)).startswith(
        "a.aedat: holds no event (1 invalid); ")


def test_events_that_the_header_counts_as_valid_are_kept_whatever_their_bit():
    events = decode(header() + packet(event(1, 1, 1, 1, valid=0), event(2, 2, 2, 0)))
    assert events.t.tolist() == [1, 2] and events.skipped == {}


def test_other_records_are_counted_by_type():
    kinds = [("special", 0), ("frame", 2), ("imu", 3), ("imu", 4), ("sample", 5), ("ear", 6), ("configuration", 7),
             ("point", 8), ("point", 11), ("spike", 12), ("matrix", 13), ("unknown", 14), ("unknown", 32767)]
    data = b"".join(packet(b"abc", b"def", kind=kind, size=3, offset=0, valid=1) + packet(event(kind, 0, 0, 0))
                    for _, kind in kinds)
    events = decode(header() + data)
    assert len(events) == len(kinds)
    assert events.skipped == {"special": 2, "frame": 2, "imu": 4, "sample": 2, "ear": 2, "configuration": 2, "point": 4,
                              "spike": 2, "matrix": 2, "unknown": 4}


def test_events_of_another_source_are_counted():
    data = packet(event(1, 1, 1, 1), source=7) + packet(event(0, 0, 0, 0), event(9, 9, 9, 0), source=1)
    events = decode(header() + data + packet(event(2, 2, 2, 0), source=7))
    assert events.t.tolist() == [1, 2] and events.skipped == {"other source": 2}


def test_packets_may_be_empty():
    data = packet() + packet(kind=2, size=40) + packet(event(1, 1, 1, 1)) + packet()
    assert decode(header() + data).t.tolist() == [1]


_EVENT = st.builds(event, st.integers(0, (1 << 31) - 1), st.integers(0, 0x7FFF), st.integers(0, 0x7FFF),
                   st.integers(0, 1), st.integers(0, 1))


@st.composite
def packets(draw):
    if draw(st.booleans()):
        records = draw(st.lists(_EVENT, max_size=9))
        return packet(*records, source=draw(st.integers(0, 2)), wraps=draw(st.integers(0, 3)),
                      valid=draw(st.integers(0, len(records))))
    size = draw(st.integers(1, 40))
    records = draw(st.lists(st.binary(min_size=size, max_size=size), max_size=4))
    return packet(*records, kind=draw(st.sampled_from([0, 2, 3, 6, 12, 200])), size=size)


@settings(deadline=None, derandomize=True)
@given(st.lists(packets(), min_size=1, max_size=12))
def test_any_packets_give_what_the_reference_gives(parts):
    data = b"".join(parts)
    wanted, others = naive.aedat3(data)
    found = reader(header() + data)
    assert rows(found) == wanted and found.skipped.total() == others


@pytest.mark.parametrize("size", [1, 2, 7, 8, 27, 28, 29, 100])
def test_a_recording_is_the_same_in_blocks_of_any_size(monkeypatch, size):
    data = header() + b"".join(
        packet(*(event(10 * i + j, i, j, j % 2, valid=j % 3 > 0) for j in range(i)), valid=i // 2) +
        packet(bytes(31), bytes(31), kind=2, size=31) for i in range(1, 9)
    )
    wanted = decode(data)
    monkeypatch.setattr(carried, "BLOCK", size)
    monkeypatch.setattr(aedat, "BLOCK", size)
    assert decode(data) == wanted and decode(data).skipped == wanted.skipped
    for left in (1, 31, 63):
        assert refusal(data[:-left]).startswith(
            f"a.aedat: ends inside a packet, at byte {len(data) - left}; copy or download it again, or keep what is "
        )


def test_of_a_packet_that_is_cut_the_whole_events_are_kept():
    data = header() + packet(event(1, 2, 3, 0)) + packet(event(2, 2, 3, 0), event(3, 2, 3, 0))
    for left, times in ((1, [1, 2]), (8, [1, 2]), (9, [1]), (40, [1])):
        events = read(io.BytesIO(data[:-left]), codec="aedat3", repair=True)
        assert events.t.tolist() == times and events.skipped == {"cut": 1}


@pytest.mark.parametrize("block", [1 << 18, 30])
def test_the_place_of_an_event_is_its_byte(monkeypatch, block):
    data = header() + packet(bytes(3), kind=0, size=3) + packet(event(7, 1, 1, 0), event(6, 1, 1, 0))
    monkeypatch.setattr(carried, "BLOCK", block)
    at = len(header()) + 31 + 28 + 8
    assert refusal(data).startswith(f"a.aedat: event 1 at byte {at} is at 6 us, before the 7 us of the event ahead")


@pytest.mark.parametrize("options", [
    {"kind": -1}, {"size": 0, "kind": 2}, {"size": -8}, {"size": 9}, {"size": -1, "kind": 2}, {"offset": 0},
    {"wraps": -1}, {"number": -1, "valid": 0}, {"valid": -1}, {"valid": 2},
])
def test_a_packet_whose_header_makes_no_sense_is_refused(options):
    first = header() + packet(event(1, 2, 3, 0))
    given = {"kind": 1, "size": 8, "offset": 4, "wraps": 0, "number": 1, "valid": 1} | options
    assert refusal(first + packet(event(4, 5, 6, 0), **options)) == (
        "a.aedat: the packet at byte {at} says that it holds {number} records of type {kind}, {valid} of them valid, "
        "of {size} bytes with the time in byte {offset}, which wrapped {wraps} times; no number may be below 0, and "
        "events (type 1) have 8 bytes with the time in byte 4; copy or download it again".format(at=len(first), **given)
    )


@pytest.mark.parametrize("kind", [1, 2])
def test_a_packet_that_is_longer_than_the_file_takes_no_memory(kind):
    most = (1 << 31) - 1
    size = 8 if kind == 1 else most
    data = header() + packet(event(1, 2, 3, 0)) + packet(event(2, 2, 3, 0), kind=kind, size=size, number=most)
    assert refusal(data).startswith(f"a.aedat: ends inside a packet, at byte {len(data)}; copy or download it again, ")


def test_damaged_headers_are_refused():
    assert refusal(b"").startswith("a.aedat: is empty; ")
    assert refusal(header()).startswith("a.aedat: holds no event; ")
    assert refusal(header("Format: Compressed")) == (
        "a.aedat: has the line '#Format: Compressed', read are packets of the format RAW alone; save it again without "
        "compression"
    )
    assert refusal(b"#!AER-DAT3.0\r\n") == (
        "a.aedat: begins with b'#!AER-DAT3.0\\r\\n', expected the line #!AER-DAT3.1; name the format that it has"
    )
    cut = header().replace(b"#!END-HEADER\r\n", b"")
    for rest in (b"", packet(event(1, 1, 1, 0)), b"#!END"):
        assert refusal(cut + rest) == (
            f"a.aedat: has no line #!END-HEADER ahead of byte {len(cut)}, where its text ends; copy or download it "
            "again"
        )


def test_hostile_files_are_events_or_a_sentence(rng):
    events = (packet(*(event(10 * i + j, i, j, j % 2) for j in range(6))) for i in range(6))
    data = header() + packet(bytes(9), kind=2, size=9).join(events)
    decoded, refused = outcomes(decode, mutated(rng, data, 3000, len(header()) + 28))
    assert decoded > 100 and refused > 100
