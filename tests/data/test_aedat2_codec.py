"""AEDAT 2.0: addresses of three kinds of chips, and everything that is no event."""

import hashlib
import io
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from naive import aedat as naive

from eventsim.data import read
from eventsim.data.codecs import aedat, aedat2, carried
from eventsim.data.codecs.aedat2 import decode
from eventsim.errors import FormatError
from eventsim.sensor import Sensor

CHIPS = {"dvs128": "ch.unizh.ini.jaer.chip.retina.DVS128", "davis": "eu.seebetter.ini.chips.davis.DAVIS240C",
         "cochlea": "ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c"}
NAMES = {"dvs128": "sample", "davis": "frame sample", "cochlea": "ADC sample"}
WIDE = Sensor(1024, 512)


def header(*lines):
    return b"".join(b"#" + line.encode() + b"\r\n" for line in ("!AER-DAT2.0", " This is a raw AE data file", *lines))


def chip(name):
    return header(f" AEChip: {name}")


def records(*rows):
    """Bytes of (address, time)."""
    return b"".join(struct.pack(">II", *row) for row in rows)


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a.aedat", **options)
    return str(refused.value)


def rows(events):
    return list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))


def test_the_cochlea_recording_has_the_published_events(shared):
    events = read(shared / "data/aer/VowelSounds.aedat")
    assert (len(events), events.sensor, events.skipped) == (111318, Sensor(1024, 1, 1), {})
    assert (events.t[0], events.t[-1], events.x[0]) == (744094585, 780183740, 0x27)
    assert not events.y.any() and not events.p.any()


def test_the_davis_recording_has_the_published_events_beside_its_imu_values(shared):
    events = read(shared / "data/aer/IMU_translBoxes.aedat")
    assert events.skipped == {"imu": 33837} and len(events) == 196608 - 33837
    assert events.sensor == Sensor(240, 180)
    assert (events.t[0], events.t[-1]) == (294976755, 297049406)
    assert (events.x.max(), events.y.max(), events.p.sum()) == (239, 179, 82944)
    # As plain NumPy finds them.
    address, t = np.fromfile(shared / "data/aer/IMU_translBoxes.aedat", ">u4", offset=175268).reshape(-1, 2).T
    address, t = address[address < 1 << 31], t[address < 1 << 31]
    for found, wanted in ((events.t, t), (events.x, address >> 12 & 1023), (events.y, address >> 22), (
            events.p, address >> 11 & 1)):
        assert np.array_equal(found, wanted)
    digest = hashlib.sha3_224(events.x.tobytes() + events.y.tobytes() + events.p.tobytes()).hexdigest()
    assert digest == "69dff37edc683ed9edebb8fdaea3f73cc07b34ba8e0775de0626ea7b"


@pytest.mark.parametrize(("name", "address", "pixel"), [
    ("DVS128", 5 << 8 | 7 << 1, (7, 5, 1)), ("DVS128", 127 << 8 | 1, (0, 127, 0)),
    ("ch.unizh.ini.jaer.chip.retina.Tmpdiff128", 127 << 1, (127, 0, 1)),
    ("eu.seebetter.ini.chips.davis.DAVIS240C", 179 << 22 | 239 << 12 | 1 << 11, (239, 179, 1)),
    ("Davis346B", 259 << 22 | 345 << 12, (345, 259, 0)), ("x.Davis640", 479 << 22 | 639 << 12, (639, 479, 0)),
    ("ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1b", 0x3FF, (0x3FF, 0, 0)), ("Das1", 0x200, (0x200, 0, 0)),
])
def test_the_bits_of_an_address_are_those_of_the_chip(name, address, pixel):
    events = decode(chip(name) + records((address, 0x01020304)))
    assert rows(events) == [(0x01020304, *pixel)]


@pytest.mark.parametrize(("line", "sensor"), [
    ("AEChip: DVS128", Sensor(128, 128)), ("AEChip: Davis128", Sensor(128, 128)),
    ("AEChip: Davis208PixelParade", Sensor(208, 192)), ("AEChip: DAViS240", Sensor(240, 180)),
    ("AEChip: Davis346mini", Sensor(346, 260)), ("AEChip: Davis640Color", Sensor(640, 480)),
    ("AEChip: CochleaAMS1c", Sensor(1024, 1, 1)), ("HardwareInterface: DVS128 V1.0", Sensor(128, 128)),
])
def test_the_sensor_is_that_of_the_chip(line, sensor):
    assert decode(header(f" {line}") + records((0, 1))).sensor == sensor


def test_a_davis_of_unknown_size_is_measured():
    events = decode(header(" HardwareInterface: DAVIS FX2 84010032") + records((3 << 22 | 9 << 12, 1)))
    assert events.sensor == Sensor(10, 4)


def test_a_chip_goes_before_the_hardware_and_both_before_the_addresses():
    hardware, low, high = " HardwareInterface: DVS128", records((5, 1)), records((9 << 8 | 5 << 1, 1))
    assert rows(decode(header(hardware, " AEChip: CochleaAMS1c") + low)) == [(1, 5, 0, 0)]
    assert rows(decode(header(hardware) + low)) == [(1, 2, 0, 0)]
    assert rows(decode(header(" HardwareInterface: something") + high)) == [(1, 5, 9, 1)]


@pytest.mark.parametrize(("addresses", "found", "x"), [
    ([0x3FF, 0, 7], "cochlea", 0x3FF), ([0x3FF, 0x400], "DVS128", 0x7F), ([0x7F00, 1 << 31], "DVS128", 0),
    ([1 << 16 | 1 << 12, 5 << 22], "DAVIS", 17), ([], "DVS128", None),
])
def test_without_a_name_the_addresses_tell_the_chip(addresses, found, x):
    data = header() + records(*((address, 1) for address in addresses))
    reader = aedat2.CODEC.reader(io.BytesIO(data), "a")
    assert reader.about["chip"] == f"{found}, by its addresses"
    if addresses:
        assert decode(data).x[0] == x


def test_an_unknown_chip_is_refused():
    for name in ("net.sf.jaer.DVXplorer", "DVS128andCochleaAMS1b", "CDAVIS", ""):
        assert refusal(chip(name) + records((1, 2))) == (
            f"a.aedat: is of the chip {name.rpartition('.')[2]!r}, whose addresses are not known; known are DVS128, "
            "DAVIS and CochleaAMS; save its events in another format"
        )


@pytest.mark.parametrize(("name", "addresses", "skipped"), [
    ("DVS128", [0x8000, 1 << 31, 0x10000], {"special": 3}),
    ("DAVIS240C", [1 << 10, 3 << 10, 1 << 31, 1 << 31 | 1 << 10, 1 << 31 | 1 << 11, 1 << 31 | 3 << 10, 0xFFFFFFFF],
     {"special": 2, "frame sample": 3, "imu": 2}),
    ("CochleaAMS1c", [0x2000, 0x3FFF, 0x400, 1 << 31], {"ADC sample": 2, "special": 2}),
])
def test_what_is_no_event_is_counted(name, addresses, skipped):
    others = [(address, 5) for address in addresses]
    events = decode(chip(name) + records(*others, (0, 7), *others))
    assert (len(events), events.t[0]) == (1, 7)
    assert events.skipped == {kind: 2 * n for kind, n in skipped.items()}


def test_the_time_of_32_bits_goes_on():
    end = 1 << 32
    times = [end - 5, 3, 4, end // 2, end - 1, 0]
    assert decode(chip("DVS128") + records(*((0, t) for t in times))).t.tolist() == [
        end - 5, end + 3, end + 4, end + end // 2, 2 * end - 1, 2 * end]
    late = chip("DVS128") + records((0, end - 5), (0, 3), (0, end - 1))
    assert f"is at {end - 1} us, before the {end + 3} us" in refusal(late)  # not of the next time round


def test_what_is_no_event_has_no_part_in_the_time():
    data = chip("DAVIS240C") + records((0, 5), (1 << 31, 0xFFFFFFFF), (1 << 31, 0), (0, 6))
    assert decode(data).t.tolist() == [5, 6]


_ADDRESSES = st.one_of(st.integers(0, 1023), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))


@pytest.mark.parametrize("name", CHIPS)
@settings(deadline=None, derandomize=True, max_examples=60)
@example(found=[(0, 0)] * 200)
@given(found=st.lists(st.tuples(_ADDRESSES, st.integers(0, 0xFFFFFFFF)), min_size=1, max_size=60))
def test_any_records_give_what_the_reference_gives(name, found):
    data = records(*found)
    wanted, others = naive.aedat2(data, name)
    reader = aedat2.CODEC.reader(io.BytesIO(chip(CHIPS[name]) + data), "a")
    blocks = list(reader.blocks())
    events = [row for block in blocks for row in zip(*(column.tolist() for column in block), strict=True)]
    assert events == wanted
    others[NAMES[name]] = others.pop("sample")
    assert {kind: n for kind, n in reader.skipped.items() if n} == {kind: n for kind, n in others.items() if n}


@pytest.mark.parametrize("size", [1, 3, 8, 13, 50])
def test_a_recording_is_the_same_in_blocks_of_any_size(monkeypatch, rng, size):
    found = zip(rng.integers(0, 1 << 15, 100).tolist(), np.sort(rng.integers(0, 1 << 33, 100)).tolist(), strict=True)
    data = chip("DVS128") + records(*((address, t & 0xFFFFFFFF) for address, t in found))
    wanted = decode(data)
    monkeypatch.setattr(carried, "BLOCK", size)
    monkeypatch.setattr(aedat, "BLOCK", size)
    assert decode(data) == wanted
    assert "ends inside a record of 8 bytes, at byte " in refusal(data[:-1])


@pytest.mark.parametrize("first", [0x23000000, 0x23232000, 0x230D0800])
def test_a_record_that_begins_like_a_line_is_no_line(first):
    """y = 140 of a DAVIS is 0x23, which is ``#``."""
    data = chip("DAVIS640") + records((first, 0x0A000000), (0, 0x0A000001))
    assert decode(data).t.tolist() == [0x0A000000, 0x0A000001]
    plain = header(" AEChip: DAVIS640", "End Of ASCII Header") + b"#!!!" + b"AAAA" + records((0, 0x41414142))
    assert decode(plain, WIDE).t.tolist() == [0x41414141, 0x41414142]


def test_the_place_of_an_event_is_its_byte():
    start = len(chip("DAVIS240C"))
    data = chip("DAVIS240C") + records((0, 7), (1 << 31, 1), (0, 9), (0, 8))
    assert refusal(data) == (
        f"a.aedat: event 2 at byte {start + 24} is at 8 us, before the 9 us of the event ahead of it; events must be "
        "in the order of time; download the recording again, or sort them with `eventsim convert --repair`"
    )
    assert f"event 1 at byte {start + 16} has x = 240" in refusal(data[:-16] + records((240 << 12, 9)))


def test_damaged_recordings_are_refused():
    assert refusal(b"") == "a.aedat: is empty; a recording has at least one event; copy or download it again"
    assert refusal(header()).startswith("a.aedat: holds no event; ")
    assert refusal(chip("DVS128") + records((1 << 31, 1))).startswith("a.aedat: holds no event (1 special); ")
    data = chip("DVS128") + records((0, 1)) + b"1234567"
    assert refusal(data) == (
        f"a.aedat: ends inside a record of 8 bytes, at byte {len(data)}; copy or download it again, or keep what is "
        "whole with `eventsim convert --repair`"
    )


@pytest.mark.parametrize("data", [b"#!AER-DAT1.0\r\n", b"# no version\r\n#!AER-DAT2.0\r\n", records((1, 2)),
                                  b"#!AER-DAT2.0", b"#!AER-DAT3.1\r\n", b"#\0\r\n"])
def test_another_first_line_is_refused(data):
    assert refusal(data) == (
        f"a.aedat: begins with {data[:16]!r}, expected the line #!AER-DAT2.0; name the format that it has"
    )


def test_a_header_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(aedat, "_LONGEST_HEADER", 1 << 20)
    for data in (header() + b"# line\r\n" * 200_000, header() + b"#" + b"a" * 2_000_000):
        assert refusal(data) == ("a.aedat: has a header of more than 1 MiB, which no AEDAT recording has; name the "
                                 "format that it has")


def test_long_headers_are_read(monkeypatch):
    monkeypatch.setattr(aedat, "BLOCK", 100)
    data = header(" AEChip: DVS128", *(f"<entry key=\"{i}\"/>" for i in range(500)), "x" * 5000) + records((0, 1))
    assert decode(data).t.tolist() == [1]


def test_hostile_files_are_events_or_a_sentence(rng):
    data = chip("DAVIS240C") + records(*((int(a) << 12, t) for t, a in enumerate(rng.integers(0, 1 << 19, 60))))
    decoded, refused = outcomes(decode, mutated(rng, data, 3000, len(chip("DAVIS240C"))))
    assert decoded > 100 and refused > 100
