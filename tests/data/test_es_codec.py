"""Event Stream: change detections, read and written."""

import hashlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from naive import aedat as naive

from eventsim.data import read, write
from eventsim.data.codecs import carried, es
from eventsim.data.codecs.es import decode, encode
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

SENSOR = Sensor(320, 240)
HASHES = {"t": "6f3f9af2e99d83707fd74fef3486abdd9f2f81680d3c4fcc306b1965",
          "x": "976eab4dc499e350481c3f568f71b2713e3ffa944bc1866f31448460",
          "y": "6aa82f1dfddd6948a7359816ad62f7fb2c59d00f803e4128868db87b",
          "p": "6f3c58f949e7c11c55707d11f739d98669882d551403c79482ab81f9"}


def header(kind=1, width=320, height=240, version=(2, 0, 0)):
    return b"Event Stream" + bytes([*version, kind]) + width.to_bytes(2, "little") + height.to_bytes(2, "little")


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a.es", **options)
    return str(refused.value)


def test_the_recording_has_the_published_events(shared, tmp_path):
    path = shared / "data/aer/dvs.es"
    events = read(path)
    assert len(events) == 473225 and events.sensor == SENSOR and events.skipped == {}
    assert (events.t[0], events.t[-1]) == (0, 999000)
    for name, digest in HASHES.items():
        column = getattr(events, name).astype("<u8") if name == "t" else getattr(events, name)
        assert hashlib.sha3_224(column.tobytes()).hexdigest() == digest
    write(tmp_path / "copy.es", events)
    assert (tmp_path / "copy.es").read_bytes() == path.read_bytes()


def test_other_kinds_of_events_are_refused(shared):
    with pytest.raises(FormatError, match="holds generic events, read are change detections"):
        read(shared / "data/aer/generic.es")
    for kind, name in ((0, "generic events"), (2, "ATIS events"), (3, "display events"), (4, "colour events"),
                       (9, "events of kind 9")):
        cure = "convert its changes to .csv (t,x,y,p) with the package event_stream" if kind == 2 else \
            "name a recording that has such, these cannot be converted to them"
        assert refusal(header(kind) + bytes(5)) == (
            f"a.es: holds {name}, read are change detections (DVS) alone; {cure}")


def test_the_bits_of_an_event_are_those_of_the_format():
    data = bytes([3 << 1 | 1, 0x3F, 0x01, 0xEF, 0x00, 255, 255, 126 << 1, 1, 0, 2, 0, 254, 1, 0, 0, 0, 0])
    assert decode(header() + data) == Events([3, 3 + 2 * 127 + 126, 3 + 2 * 127 + 126], [319, 1, 0], [239, 2, 0],
                                             [1, 0, 1], SENSOR)
    assert decode(header() + data).skipped == {"reset": 1}


def test_the_header_says_version_and_sensor():
    found = es.CODEC.reader(io.BytesIO(header(version=(2, 3, 1), width=65535, height=258)), "a")
    assert (found.about, found.sensor) == ({"version": "2.3.1"}, Sensor(65535, 258))


@st.composite
def any_events(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, 70_000), st.integers(0, 319), st.integers(0, 239), st.integers(0, 1)),
                         min_size=1, max_size=80))
    return Events(*np.array(sorted(rows, key=lambda row: row[0])).T, SENSOR)


@settings(deadline=None, derandomize=True)
@given(any_events())
def test_a_recording_comes_back_event_for_event(events):
    data = encode(events)
    assert decode(data) == events
    assert encode(decode(data)) == data


@settings(deadline=None, derandomize=True)
@given(any_events(), st.lists(st.integers(0, 80), max_size=4))
def test_events_may_be_written_in_parts(events, cuts):
    out = io.BytesIO()
    writer = es.CODEC.writer(out, SENSOR)
    for part in np.split(np.arange(len(events)), sorted(cuts)):
        writer.write(events[np.isin(np.arange(len(events)), part)])
    writer.finish()
    assert out.getvalue() == encode(events)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.just(b"\xff"), st.just(b"\xfe"), st.binary(min_size=5, max_size=5).filter(
    lambda one: one[0] < 254)), min_size=1, max_size=60))
def test_any_bytes_give_what_the_reference_gives(parts):
    data = b"".join(parts)
    wanted, resets = naive.es(data)
    reader = es.CODEC.reader(io.BytesIO(header() + data), "a")
    events = [row for block in reader.blocks() for row in zip(*(column.tolist() for column in block), strict=True)]
    assert events == wanted and reader.skipped["reset"] == resets


@pytest.mark.parametrize("size", [1, 2, 4, 5, 6, 17])
def test_a_recording_is_the_same_in_blocks_of_any_size(monkeypatch, rng, size):
    events = Events(np.sort(rng.integers(0, 20_000, 100)), rng.integers(0, 320, 100), rng.integers(0, 240, 100),
                    rng.integers(0, 2, 100), SENSOR)
    data = encode(events)
    monkeypatch.setattr(carried, "BLOCK", size)
    assert decode(data) == events
    assert refusal(data[:-1]).startswith(
        f"a.es: ends inside an event, at byte {len(data) - 1}; copy or download it again, or keep what is whole with "
    )


def test_the_place_of_an_event_is_its_first_byte(monkeypatch):
    outside = header() + bytes([0, 0, 0, 0, 0, 255, 254, 0, 0x40, 1, 0, 0])
    for block in (carried.BLOCK, 3):
        monkeypatch.setattr(carried, "BLOCK", block)
        assert refusal(outside).startswith(
            "a.es: event 1 at byte 27 has x = 320, y = 0, p = 0, outside the 320x240x2 sensor (x 0..319, y 0..239, "
            "p 0..1); name the sensor that recorded it, here at least --sensor 321x1x1"
        )


@pytest.mark.parametrize(("data", "got"), [
    (b"", "is empty; "), (header(), "holds no event; "), (header() + b"\xfe\xff", "holds no event (1 reset); "),
    (b"event stream" + bytes(30), "begins with b'event stream', expected b'Event Stream'; name the format that it has"),
    (b"Event", "begins with b'Event', expected b'Event Stream'; "),
    (header()[:17], "ends inside the header, at byte 17 of 20; copy or download it again"),
    (header()[:12], "ends inside the header, at byte 12 of 20; "),
    (header(version=(1, 9, 2)), "is of the version 1.9.2 of Event Stream, read is 2; write it anew with a program that "
     "writes version 2"),
    (header(width=0), "is of a sensor of 0x240 pixels by bytes 16 to 19; copy or download it again"),
    (header(height=0), "is of a sensor of 320x0 pixels by bytes 16 to 19; "),
    (header(width=60_000, height=60_000), "bytes 16 to 19: sensor 60000x60000x2 has 7200000000 addresses, more "),
])
def test_damaged_recordings_are_refused(data, got):
    assert refusal(data).startswith(f"a.es: {got}")


@pytest.mark.parametrize(("row", "got"), [
    ((-1, 0, 0, 0), "event 0 has t = -1; Event Stream recordings hold t in 0..68719476735, x in 0..319, y in 0..239, p "
                    "in 0..1; shift the time or crop the recording, or write another format"),
    ((1 << 36, 0, 0, 0), "event 0 has t = 68719476736; "), ((0, 0, 0, 2), "event 0 has p = 2; "),
])
def test_events_that_the_format_cannot_hold_are_not_encoded(row, got):
    with pytest.raises(ConfigError) as refused:
        encode(Events(*np.array([row]).T, Sensor(320, 240, 3)))
    assert str(refused.value).startswith(got)


def test_a_sensor_that_the_format_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="holds sensors of up to 65535x65535 pixels, got 65536x1x2; crop"):
        encode(Events([0], [0], [0], [0], Sensor(65536, 1)))


def test_hostile_files_are_events_or_a_sentence(rng):
    data = encode(Events(np.sort(rng.integers(0, 20_000, 60)), rng.integers(0, 320, 60), rng.integers(0, 240, 60),
                         rng.integers(0, 2, 60), SENSOR))
    decoded, refused = outcomes(decode, mutated(rng, data, 3000, len(header())))
    assert decoded > 100 and refused > 100
