"""AEDAT 4: the packets of the package ``aedat``, and what it must not see."""

import gzip
import hashlib
import io
import os
import struct
import sys

import aedat4_files as made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated, outcomes

from eventsim.data import read
from eventsim.data.codecs import aedat4, open_recording
from eventsim.data.codecs.aedat4 import decode
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

pytest.importorskip("aedat", reason="the package aedat is not installed; pip install 'eventsim[aedat]'")

STREAMS = {0: (made.EVENTS, 320, 240), 1: (made.FRAME, 320, 240), 2: (made.IMUS, 0, 0), 3: (made.TRIGGERS, 0, 0)}
ROWS = [(5, 319, 0, 1), (5, 1, 239, 0), (1 << 50, 2, 3, 1)]
HASHES = {"t": "62babba75adb644c1a390a129f185ec7dd8e4b5ddf2445773e17b08b",
          "x": "d30db8c4094672ff5dff96b2190efe281c83b9a4ed72a6948b3e26b2",
          "y": "9a23d782312d57731e62ef555f6d3ab038500d486214a4decb724596",
          "p": "52d62ed5ceee1c03257a1ac4af726ddf0150dc726000a0d404ea01a2"}


def file(*packets, streams=STREAMS, **options):
    return made.head(made.described(streams), **options) + b"".join(packets)


def refusal(data, **options):
    with pytest.raises(FormatError) as refused:
        decode(data, source="a.aedat4", **options)
    return str(refused.value)


def test_the_recording_has_the_events_that_were_found_by_hand(shared):
    """That is, by the LZ4 and FlatBuffers of other programs."""
    path = shared / "data/aer/sample.aedat4"
    with open_recording(path) as recording:
        assert recording.about == {"compression": "LZ4", "camera": "DVXplorer_DXB00010"}
        events = recording.events()
    assert len(events) == 111954 and events.sensor == Sensor(320, 240) and events.skipped == {"imu": 475}
    assert (events.t[0], events.t[-1]) == (1605537493718345, 1605537494308262)
    for name, digest in HASHES.items():
        assert hashlib.sha3_224(getattr(events, name).tobytes()).hexdigest() == digest
    assert decode(path.read_bytes()) == events


def test_the_bits_of_an_event_are_those_of_the_format():
    data = file(made.packet(0, made.events(ROWS[:2])), made.packet(0, made.events(ROWS[2:])))
    assert decode(data) == Events([5, 5, 1 << 50], [319, 1, 2], [0, 239, 3], [1, 0, 1], Sensor(320, 240))


_ROW = st.tuples(st.integers(0, 1 << 60), st.integers(0, 319), st.integers(0, 239), st.integers(0, 1))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(st.lists(_ROW, max_size=9), min_size=1, max_size=5).filter(any))
def test_any_packets_give_their_events(parts):
    rows = sorted(row for part in parts for row in part)
    ends = np.cumsum([len(part) for part in parts])
    packets = (made.packet(0, made.events(rows[end - len(part) : end])) for part, end in zip(parts, ends, strict=True))
    assert decode(file(*packets)) == Events(*np.array(rows).T, Sensor(320, 240))


def test_what_is_no_event_is_counted():
    data = file(made.packet(3, made.tables(made.TRIGGERS, 3)), made.packet(0, made.events(ROWS)),
                made.packet(2, made.tables(made.IMUS, 2)), made.packet(1, made.frame()), made.packet(1, made.frame()))
    assert len(decode(data)) == 3
    assert decode(data).skipped == {"trigger": 3, "imu": 2, "frame": 2}


def test_the_first_stream_of_events_is_read_and_the_others_counted():
    streams = {7: (made.EVENTS, 640, 480), 2: (made.EVENTS, 320, 240), 5: (made.EVENTS, 9, 9)}
    data = file(made.packet(7, made.events(ROWS[:1])), made.packet(2, made.events(ROWS)),
                made.packet(5, made.events(ROWS[:2])), streams=streams)
    events = decode(data)
    assert (len(events), events.sensor, events.skipped) == (3, Sensor(320, 240), {"other stream": 3})


def test_packets_end_where_the_header_says():
    packets = made.packet(0, made.events(ROWS))
    end = len(file()) + len(packets)
    assert len(decode(file(packets, end=end) + b"a table of the packets")) == 3
    assert refusal(file(packets, end=-1) + b"a table of the packets").startswith(
        f"a.aedat4: the packet at byte {end} says that it has ")


def test_fields_that_the_header_leaves_out_have_their_defaults():
    """A FlatBuffer without a compression and an end has those of 0 and -1."""
    data = bytearray(file(made.packet(0, made.events(ROWS)), compression=1, end=3))
    at = 18 + 8 + 4  # of the table of fields
    assert struct.unpack_from("<3H", data, at) == (4, 8, 16)
    struct.pack_into("<2H", data, at, 0, 0)
    assert len(decode(bytes(data))) == 3


def test_files_and_streams_are_read_alike(tmp_path, monkeypatch):
    data = file(made.packet(0, made.events(ROWS)))
    path = tmp_path / "a.aedat4"
    path.write_bytes(data)
    wanted = decode(data)
    assert read(path) == wanted
    assert read(io.BytesIO(data)) == wanted
    with gzip.open(tmp_path / "a.gz", "wb") as out:
        out.write(data)
    with gzip.open(tmp_path / "a.gz") as unpacked:  # whose name is that of other bytes
        assert read(unpacked) == wanted
    with path.open("rb") as renamed:
        os.replace(path, tmp_path / "b.aedat4")
        path.write_bytes(b"something else")
        assert read(renamed) == wanted
    with (tmp_path / "c.aedat4").open("wb+") as both:
        both.write(data)
        both.seek(0)
        assert read(both) == wanted
    reading, writing = os.pipe()
    with open(writing, "wb") as into:
        into.write(data)
    with open(reading, "rb") as pipe:
        assert read(pipe) == wanted


def test_a_file_on_disk_is_not_copied(tmp_path, monkeypatch):
    path = tmp_path / "a.aedat4"
    path.write_bytes(file(made.packet(0, made.events(ROWS))))
    with path.open("rb") as found:
        reader = aedat4.CODEC.reader(found, "a")
        monkeypatch.setattr(aedat4.tempfile, "TemporaryDirectory", None)
        assert sum(len(block[0]) for block in reader.blocks()) == 3


def test_the_place_of_an_event_is_its_packet():
    first, second = made.packet(0, made.events(ROWS[2:])), made.packet(0, made.events(ROWS[:2]))
    assert refusal(file(first, second)).startswith(
        f"a.aedat4: event 1 at byte {len(file(first))} (its packet) is at 5 us, before the {1 << 50} us of the event"
    )
    outside = file(first, made.packet(0, made.events([(1 << 51, -1, 0, 0)])))
    assert f"event 1 at byte {len(file(first))} (its packet) has x = 65535, y = 0, p = 0, outside" in refusal(outside)


def test_without_the_package_a_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "aedat", None)
    with pytest.raises(ConfigError) as refused:
        decode(file(), source="a.aedat4")
    assert str(refused.value) == (
        "a.aedat4: AEDAT 4 is read by the package aedat, which is not installed; install it, e.g. pip install "
        "'eventsim[aedat]'"
    )


@pytest.mark.parametrize(("data", "got"), [
    (b"", "is empty; "), (file(), "holds no event; "),
    (file(made.packet(3, made.tables(made.TRIGGERS, 3))), "holds no event (3 trigger); "),
    (b"#!AER-DAT4.1\r\n" + bytes(9), "begins with b'#!AER-DAT4.1\\r\\n', expected b'#!AER-DAT4.0\\r\\n'; name the"),
    (made.MAGIC + b"\1", "says that its header has 1 bytes, 0 are left at byte 15; copy or download it again"),
    (made.MAGIC + b"\xff" * 4 + bytes(9), "says that its header has 4294967295 bytes, 9 are left at byte 18; copy"),
    (made.MAGIC + bytes(4), "has a damaged header at byte 18 (its kind is b'', not b'IOHE'); copy"),
    (file(kind=b"EVTS"), "has a damaged header at byte 18 (its kind is b'EVTS', not b'IOHE'); copy"),
    (file(compression=5), "has a damaged header at byte 18 (its compression is 5, not 0..4); copy"),
    (file(compression=-1), "has a damaged header at byte 18 (its compression is -1, not 0..4); copy"),
    (file(fields=2), "has a damaged header at byte 18 (its description is cut); copy"),
    (made.head(b"\xff\xfe"), "has a damaged header at byte 18 ('utf-8' codec can't decode"),
    (made.head(b"no XML"), "the header at byte 18 cannot be decoded (unknown token at 1:1); copy"),
    (file(streams={}), "the header at byte 18 cannot be decoded (no stream found in the description); copy"),
    (file(streams={0: (b"CALI", 1, 1)}), "the header at byte 18 cannot be decoded (unsupported stream type); copy"),
    (file(streams={2: STREAMS[2], 1: STREAMS[1]}), "has no stream of events, only of frame, imus; record events, too"),
    (file(streams={4: (made.EVENTS, 0, 5)}), "says that stream 4 is of 0x5 pixels; copy"),
    (file(streams={4: (made.EVENTS, 60_000, 60_000)}), "stream 4: sensor 60000x60000x2 has 7200000000 addresses, "),
    (file(end=9), f"says that its packets stand in the bytes {len(file())}..9, it has {len(file())}; copy"),
    (file(end=1 << 40), f"says that its packets stand in the bytes {len(file())}..{1 << 40}, it has {len(file())}; "),
    (file(end=-2), f"says that its packets stand in the bytes {len(file())}..-2, it has {len(file())}; "),
    (file(b"1234567"), f"ends inside a packet, at byte {len(file()) + 7}; copy"),
    (file(made.packet(9, b"")), f"the packet at byte {len(file())} is of stream 9, there are 0, 1, 2, 3; copy"),
    (file(struct.pack("<2I", 0, 0xFFFFFFFF)),
     f"the packet at byte {len(file())} says that it has 4294967295 bytes, 0 are left; copy"),
    (file(made.packet(0, made.frame())), f"the packet at byte {len(file())} cannot be decoded (the stream id and the"),
    (file(made.packet(0, b"abcdefgh" * 8), compression=1), f"the packet at byte {len(file())} cannot be decoded (LZ4 "),
    (file(made.packet(0, b"abcdefgh" * 8), compression=3), f"the packet at byte {len(file())} cannot be decoded ("),
])
def test_damaged_recordings_are_refused(data, got):
    assert refusal(data).startswith(f"a.aedat4: {got}")


def test_what_makes_the_package_panic_is_a_sentence(capfd):
    assert refusal(file(made.packet(0, b""))).startswith(
        f"a.aedat4: the packet at byte {len(file())} cannot be decoded (assertion failed")
    capfd.readouterr()  # in which it tells so itself


def test_an_interrupt_goes_through(monkeypatch):
    class Decoder:
        def __init__(self, path):
            raise KeyboardInterrupt

    monkeypatch.setattr("aedat.Decoder", Decoder)
    with pytest.raises(KeyboardInterrupt):
        decode(file())


def test_hostile_files_are_events_or_a_sentence(rng, capfd):
    rows = [(i, i, i, i % 2) for i in range(30)]
    data = file(made.packet(3, made.tables(made.TRIGGERS, 3)), made.packet(0, made.events(rows)),
                made.packet(1, made.frame()), made.packet(2, made.tables(made.IMUS, 2)))
    decoded, refused = outcomes(decode, mutated(rng, data, 3000, len(file())))
    assert decoded > 50 and refused > 100
    capfd.readouterr()
