"""SLAYER's spike files."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes
from naive import slayer as naive

from eventsim.data import CODECS, read, read_target_counts
from eventsim.data.codecs import base
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

BS1, BS3 = CODECS["bs1"], CODECS["bs3"]
# Of t, x, y and p; with all 256 polarities the sensor would have too many addresses.
ENDS = {"bs1": (1 << 23, 1 << 16, 1, 2), "bs3": (1 << 24, 1 << 12, 1 << 12, 64)}
SIZES = {"bs1": 5, "bs3": 7}
BOTH = pytest.mark.parametrize("name", SIZES)


def rows(events):
    return list(zip(*(getattr(events, column).tolist() for column in "txyp"), strict=True))


def sensor_of(name):
    return Sensor(*ENDS[name][1:])


@st.composite
def some_events(draw, name):
    columns = st.tuples(*(st.integers(0, end - 1) for end in ENDS[name]))
    events = sorted(draw(st.lists(columns, min_size=1, max_size=40)), key=lambda row: row[0])
    return Events(*np.array(events).T, sensor_of(name))


def refusal(name, data, **options):
    with pytest.raises(FormatError) as refused:
        CODECS[name].decode(data, source=f"a.{name}", **options)
    return str(refused.value)


def test_the_one_dimensional_sample_has_the_known_events(shared):
    events = read(shared / "data/aer/slayer_io/NTIDIGITS_1.bs1")
    assert len(events) == events.p.sum() == 898
    assert events.sensor == Sensor(64, 1)  # 64 channels of a cochlea
    assert rows(events)[:3] == [(0, 63, 0, 1), (1024, 63, 0, 1), (2304, 63, 0, 1)]
    assert (events.t[-1], events.y.max(), events.skipped) == (1079040, 0, {})


def test_the_two_dimensional_sample_is_event_for_event_the_one_with_five_bytes(shared):
    folder = shared / "data/aer/slayer_io"
    events = read(folder / "1.bs3")
    assert events == read(folder / "1.bs2", sensor=Sensor(128, 128))
    assert len(events) == 63471 and events.sensor == Sensor(128, 128)


def test_samples_are_written_byte_for_byte(shared):
    for name, codec in (("NTIDIGITS_1.bs1", BS1), ("1.bs3", BS3)):
        data = (shared / "data/aer/slayer_io" / name).read_bytes()
        assert codec.encode(codec.decode(data)) == data


def test_the_bits_of_a_record_are_those_of_the_format():
    events = BS1.decode(bytes([0x12, 0x34, 0b1000_0001, 2, 3, 0, 5, 0b0111_1111, 255, 255]))
    assert rows(events) == [(0x010203, 0x1234, 0, 1), ((1 << 23) - 1, 5, 0, 0)]
    data = bytes([0x12, 0x34, 0x56, 0xF7, 1, 2, 3, 0, 0, 0, 0, 255, 255, 255])
    assert rows(BS3.decode(data, Sensor(300, 1200, 256))) == [(0x010203, 0x123, 0x456, 0xF7), ((1 << 24) - 1, 0, 0, 0)]


@BOTH
def test_any_bytes_decode_like_the_slow_twin_wherever_blocks_end(name, rng, monkeypatch):
    record = rng.integers(0, 256, (300, SIZES[name]), np.uint8)
    if name == "bs3":
        record[:, 3] &= 0x3F
    wanted = getattr(naive, name)(record.tobytes())
    order = np.argsort([row[0] for row in wanted], kind="stable")
    for block in (base.BLOCK, 64, 13):
        monkeypatch.setattr(base, "BLOCK", block)
        events = CODECS[name].decode(record[order].tobytes(), sensor_of(name))
        assert rows(events) == [wanted[i] for i in order]


@BOTH
@settings(deadline=None, derandomize=True)
@given(data=st.data(), cut=st.integers(0, 40))
def test_what_is_written_comes_back_in_however_many_parts(name, data, cut):
    events, codec = data.draw(some_events(name)), CODECS[name]
    encoded = codec.encode(events)
    assert len(encoded) == SIZES[name] * len(events)
    assert codec.decode(encoded, events.sensor) == events
    assert rows(events) == getattr(naive, name)(encoded)
    out = io.BytesIO()
    writer = codec.writer(out, events.sensor)
    for part in (slice(0, cut), slice(cut, cut), slice(cut, None)):
        writer.write(events[part])
    assert out.getvalue() == encoded


@BOTH
def test_a_recording_that_nobody_named_a_sensor_for_has_the_smallest(name):
    x, y = 70, 0 if name == "bs1" else 9
    events = CODECS[name].decode(CODECS[name].encode(Events([1, 2], [3, x], [0, y], [1, 0], sensor_of(name))))
    assert events.sensor == Sensor(71, y + 1, 2)


@pytest.mark.parametrize(("name", "row", "got"), [
    ("bs1", (1 << 23, 0, 0, 0), r"t = 8388608; recordings of one dimension \(.bs1\) hold t in 0..8388607, "),
    ("bs1", (-1, 0, 0, 0), "t = -1; "), ("bs1", (0, 0, 1, 0), "y = 1; "), ("bs1", (0, 0, 0, 2), "p = 2; "),
    ("bs3", (1 << 24, 0, 0, 0), "t = 16777216; SLAYER's .bs3 recordings hold t in 0..16777215, x in 0..4095, y in "),
    ("bs3", (0, 4096, 0, 0), "x = 4096; "), ("bs3", (0, 0, 4096, 0), "y = 4096; "),
])
def test_events_that_the_format_cannot_hold_are_not_written(name, row, got):
    with pytest.raises(ConfigError, match=f"^event 0 has {got}"):
        CODECS[name].encode(Events(*np.array([row]).T, Sensor(5000, 5000, 3)))


@BOTH
def test_damage_is_told_with_the_byte_in_the_file(name, monkeypatch):
    monkeypatch.setattr(base, "BLOCK", 8)
    size = SIZES[name]
    early, late, far = (CODECS[name].encode(Events([t], [x], [0], [1], sensor_of(name)))
                        for t, x in ((5, 0), (9, 0), (9, 200)))
    assert refusal(name, b"") == f"a.{name}: is empty; a recording has at least one event; copy or download it again"
    assert refusal(name, early + late[:3]) == (
        f"a.{name}: ends inside a record, 3 bytes are left at byte {size} of {size + 3}; the format is whole records "
        f"of {size} bytes; copy or download it again, or keep what is whole with `eventsim convert --repair`"
    )
    assert refusal(name, late + late + early).startswith(f"a.{name}: event 2 at byte {2 * size} is at 5 us, before ")
    assert refusal(name, early + far, sensor=Sensor(64, 1)).startswith(f"a.{name}: event 1 at byte {size} has x = 200,")


@BOTH
def test_a_damaged_recording_decodes_or_is_refused(name, rng):
    events = Events(np.arange(40) * 1000, rng.integers(0, 200, 40), np.zeros(40, int), rng.integers(0, 2, 40),
                    sensor_of(name))
    codec = CODECS[name]
    assert outcomes(codec.decode, mutated(rng, codec.encode(events), 3000))[0] > 50


class TestTargetCounts:
    def test_of_the_sample_are_sixty_spikes_for_one_neuron_and_ten_for_the_others(self, shared):
        table = read_target_counts(shared / "data/aer/slayer_io/0.bsn")
        assert len(table) == 10
        assert table.neuron.tolist() == list(range(10))
        assert table.begin.tolist() == [0] * 10 and table.end.tolist() == [300_000] * 10
        assert table.count.tolist() == [60] + [10] * 9

    def test_of_any_bytes_are_those_of_the_slow_twin(self, tmp_path, rng):
        record = rng.integers(0, 256, (200, 10), np.uint8)
        record[:, 2] &= 0x7F
        record[:, 5] |= 0x80  # so that no region ends before it begins
        (tmp_path / "a.bsn").write_bytes(record.tobytes())
        table = read_target_counts(str(tmp_path / "a.bsn"))
        got = np.stack([table.neuron, table.begin, table.end, table.count], axis=1)
        assert got.tolist() == naive.bsn(record.tobytes())

    @pytest.mark.parametrize(("data", "got"), [
        (b"", "has 0 bytes, expected a whole number of 10-byte records, at least one; copy or download it again"),
        (b"1234567890123", "has 13 bytes, expected a whole number of 10-byte records, at least one; "),
        (bytes(10) + bytes([0, 1, 0, 0, 9, 0, 0, 8, 0, 1]),
         "the region at byte 10 begins at 9 us and ends at 8 us; a region ends when it begins or later; correct it"),
    ])
    def test_of_a_damaged_file_are_refused(self, tmp_path, data, got):
        (tmp_path / "a.bsn").write_bytes(data)
        with pytest.raises(FormatError) as refused:
            read_target_counts(tmp_path / "a.bsn")
        assert str(refused.value).startswith(f"{tmp_path}/a.bsn: {got}")

    def test_of_no_file_are_refused(self, tmp_path):
        with pytest.raises(FormatError, match="no such file"):
            read_target_counts(tmp_path / "none.bsn")
        with pytest.raises(ConfigError, match="expected a path"):
            read_target_counts(None)

    def test_are_no_recording(self, tmp_path):
        (tmp_path / "a.bsn").write_bytes(bytes(10))
        with pytest.raises(FormatError) as refused:
            read(tmp_path / "a.bsn")
        assert str(refused.value) == (
            f"{tmp_path}/a.bsn: holds how many spikes neurons ought to fire, no events; name a recording, or read it "
            "with eventsim.data.read_target_counts"
        )
