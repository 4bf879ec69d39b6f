"""Prophesee DAT, versions 1 and 2."""

import io

import numpy as np
import pytest
from codec_laws import comes_back_in_two_parts, some_events
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from naive import prophesee as naive

from eventsim.data import read, write
from eventsim.data.codecs import base
from eventsim.data.codecs.dat import CODEC, DATReader, decode, encode
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

TEXT = b"% Data file containing CD events\n% Version 2\n% Width 640\n% Height 480\n"
HEADER = TEXT + bytes([12, 8])
SENSOR = Sensor(1 << 14, 1 << 14)
END = 1 << 32


def dat(*records, header=HEADER):
    return header + np.array(records, "<u4").tobytes()


def pixel(x=0, y=0, p=0):
    return p << 28 | y << 14 | x


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a.dat", **options)
    return str(refused.value)


def test_the_sample_has_the_published_events(shared):
    events = read(shared / "data/aer/sample_ncars.dat")
    first = list(zip(events.t.tolist(), events.x.tolist(), events.y.tolist(), events.p.tolist(), strict=True))[:3]
    assert (len(events), events.t[0], events.t[-1], events.p.sum()) == (2009, 0, 99_952, 1350)
    assert first == [(0, 25, 8, 0), (35, 67, 35, 0), (152, 56, 27, 1)]
    assert events.sensor == Sensor(78, 42)


def test_the_bits_of_a_record_are_those_of_the_version():
    record = bytes([1, 2, 3, 0x84, 0b0000_0011, 0b1010_0000, 0b0000_0010, 0b0001_0000])
    events = decode(HEADER + record, SENSOR)
    assert events == Events([0x84030201], [0b10_0000_0000_0011], [0b1010], [1], SENSOR)
    first = decode(HEADER.replace(b"Version 2", b"Version 1") + bytes([7, 0, 0, 0, 0b0000_0011, 0b0000_0101, 2, 0]))
    assert first == Events([7], [0b1_0000_0011], [0b0000_0010], [1], Sensor(640, 480))


def test_both_types_of_events_are_read_and_a_header_without_a_version_is_one_of_version_2():
    assert decode(TEXT + bytes([0, 8]) + dat([1, pixel(5, 6, 1)], header=b"")).y.tolist() == [6]
    assert decode(b"% Date 2017\n\0\x08" + dat([1, pixel(600, 6, 1)], header=b"")).sensor == Sensor(601, 7)


def test_the_clock_is_passed_where_the_time_falls_by_half_of_it():
    events = decode(dat([END - 1, 0], [0, 0], [END // 2, 0], [0, 0]))
    assert events.t.tolist() == [END - 1, END, END + END // 2, 2 * END]
    assert f"is at 1 us, before the {END // 2} us of" in refusal(dat([END // 2, 0], [1, 0]))


@pytest.mark.parametrize("block", [1 << 18, 8, 40])
@pytest.mark.parametrize(("version", "bits"), [(b"1", (9, 8)), (b"2", (14, 14))])
def test_random_records_are_those_of_a_slow_decoder_however_they_are_cut(rng, monkeypatch, block, version, bits):
    monkeypatch.setattr(base, "BLOCK", block)
    records = rng.integers(0, END, (300, 2))
    reader = DATReader(io.BytesIO(dat(*records, header=HEADER.replace(b"Version 2", b"Version " + version))), "a.dat")
    blocks = [np.stack([column.astype(np.int64) for column in block], 1) for block in reader.blocks()]
    assert [tuple(row) for block in blocks for row in block.tolist()] == naive.dat(records.tolist(), *bits)


def test_another_polarity_and_a_pixel_outside_are_refused_where_they_stand(monkeypatch):
    monkeypatch.setattr(base, "BLOCK", 8)
    at = len(HEADER) + 8
    for wrong in (pixel(1, 2, 3), pixel(640, 2, 1)):
        assert refusal(dat([5, 0], [6, wrong], [7, 0])).startswith(f"a.dat: event 1 at byte {at} has x = ")
    assert refusal(dat([5, 0], [4, 0])).startswith(f"a.dat: event 1 at byte {at} is at 4 us, before the 5 us of ")


@pytest.mark.parametrize(("kind", "size"), [(14, 8), (40, 28), (12, 9), (12, 0)])
def test_records_of_other_types_are_refused(kind, size):
    assert refusal(TEXT + bytes([kind, size]) + b"12345678") == (
        f"a.dat: holds records of type {kind} and {size} bytes by byte {len(TEXT)}, expected events of pixels, type 0 "
        "or 12 and 8 bytes; name the file of those events"
    )


def test_other_versions_are_refused():
    assert refusal(dat([5, 0], header=HEADER.replace(b"Version 2", b"Version 3"))) == (
        "a.dat: is of version 3 by its header, expected version 1 or 2; convert it to version 2"
    )


@pytest.mark.parametrize("data", [TEXT, TEXT + b"\x0c", HEADER])
def test_a_header_alone_holds_no_event(data):
    assert refusal(data).startswith("a.dat: holds no event; ")


def test_a_cut_recording_is_refused_with_the_byte_in_the_file():
    at = len(HEADER) + 8
    assert f"5 bytes are left at byte {at} of {at + 5}; " in refusal(dat([5, 0]) + b"12345")


@settings(deadline=None, derandomize=True)
@given(some_events(END - 1, SENSOR), st.integers(0, 40))
def test_what_is_written_comes_back_in_however_many_parts(events, cut):
    comes_back_in_two_parts(CODEC, events, cut)


def test_a_written_file_is_one_of_version_2(tmp_path):
    write(tmp_path / "a.dat", Events([70, 71], [1, 2], [3, 4], [0, 1], Sensor(640, 480)))
    assert (tmp_path / "a.dat").read_bytes() == dat([70, pixel(1, 3, 0)], [71, pixel(2, 4, 1)])


@pytest.mark.parametrize(("row", "got"), [
    ((END, 0, 0, 0), f"t = {END}; DAT recordings hold t in 0..{END - 1}, x in 0..16383, y in 0..16383, p in 0..1; "),
    ((-1, 0, 0, 0), "t = -1; "), ((0, 1 << 14, 0, 0), "x = 16384; "), ((0, 0, 1 << 14, 0), "y = 16384; "),
    ((0, 0, 0, 2), "p = 2; "),
])
def test_events_that_the_format_cannot_hold_are_not_written(row, got):
    with pytest.raises(ConfigError, match=f"^event 0 has {got}"):
        encode(Events(*np.array([row]).T, Sensor(20_000, 20_000, 3)))


def test_a_damaged_recording_decodes_or_is_refused(rng):
    assert outcomes(decode, mutated(rng, dat(*([t, pixel(t, t, t % 2)] for t in range(40))), 3000))[0] > 100
