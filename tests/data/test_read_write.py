"""`read` and `write`: paths, streams, suffixes, and what happens when the system says no."""

import contextlib
import errno
import gzip
import io
import os
import pathlib
import sys
import tracemalloc
from types import SimpleNamespace

import pytest

from eventsim.data import CODECS, read, write
from eventsim.data.codecs import Recording, base
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor


def refusal(*arguments, **options):
    with pytest.raises(FormatError) as refused:
        read(*arguments, **options)
    return str(refused.value)


def test_every_codec_is_listed_under_its_name():
    assert CODECS
    assert all(name == codec.name for name, codec in CODECS.items())


def test_the_sample_has_the_published_events(shared):
    events = read(shared / "data/aer/sample_nmnist.bin")
    first = list(zip(events.t.tolist(), events.x.tolist(), events.y.tolist(), events.p.tolist(), strict=True))[:3]
    assert len(events) == 4325
    assert (events.t[0], events.t[-1]) == (654, 311175)
    assert events.p.sum() == 2145
    assert first == [(654, 7, 15, 1), (2999, 19, 18, 0), (3017, 21, 17, 0)]


def test_a_slayer_bs2_file_needs_its_sensor_and_then_reads(shared):
    path = shared / "data/aer/slayer_io/1.bs2"
    assert "here at least --sensor 128x128" in refusal(path)
    events = read(path, sensor=Sensor(128, 128))
    assert len(events) == 63471
    assert events.p.sum() == 32164
    assert (events.t[0], events.t[-1]) == (28, 1449996)
    assert (events.x[0], events.y[0], events.p[0]) == (49, 82, 0)


def test_who_reads_all_at_once_reads_once_even_if_nobody_says_the_sensor():
    class Once(io.BytesIO):
        def seekable(self):
            return False

    assert CODECS["csv"].decode(b"5,9,3,0\n") == Events([5], [9], [3], [0], Sensor(10, 4))
    found = Recording(Once(b"5,9,3,0\n6,1,7,1\n"), CODECS["csv"])
    events = found.events()
    assert events == Events([5, 6], [9, 1], [3, 7], [0, 1], Sensor(10, 8))
    assert found.sensor == events.sensor
    with pytest.raises(ConfigError, match="can be read only once"):
        Recording(Once(b"5,9,3,0\n"), CODECS["csv"]).window()


def test_all_at_once_takes_little_more_memory_than_the_events():
    n = 2_000_000
    data = bytes(5 * n)
    CODECS["nmnist"].decode(data[:5])  # compiled before
    tracemalloc.start()
    try:
        assert len(CODECS["nmnist"].decode(data)) == n
        assert tracemalloc.get_traced_memory()[1] < 13 * n + (4 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("block", [5, 1000, 1 << 18])
def test_a_recording_may_be_longer_than_its_file(tmp_path, recording, monkeypatch, block):
    """As a compressed one is."""
    monkeypatch.setattr(base, "BLOCK", block)
    data = CODECS["nmnist"].encode(recording(1))
    path = tmp_path / "sample.bin.gz"
    path.write_bytes(gzip.compress(data))
    with gzip.open(path) as file:
        assert read(file, codec="nmnist") == recording(1)


@pytest.mark.parametrize("suffix", [".bin", ".bs2", ".BIN"])
def test_what_is_written_is_read_back(tmp_path, recording, suffix):
    path = tmp_path / f"sample{suffix}"
    write(path, recording(1))
    assert read(path) == read(str(path)) == recording(1)
    assert os.listdir(tmp_path) == [path.name]


def test_the_codec_can_be_named(tmp_path, recording):
    write(tmp_path / "sample.xyz", recording(1), codec="nmnist")
    assert read(tmp_path / "sample.xyz", codec="nmnist") == recording(1)


def test_standard_input_and_file_objects_are_read(tmp_path, recording, monkeypatch):
    write(tmp_path / "sample.bin", recording(1))
    data = (tmp_path / "sample.bin").read_bytes()
    assert read(io.BytesIO(data), codec="nmnist") == recording(1)
    with open(tmp_path / "sample.bin", "rb") as file:
        assert read(file) == recording(1)  # its name has a suffix
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert read("-", codec="nmnist") == recording(1)
    assert refusal("-") == "standard input: is empty; a recording has at least one event; copy or download it again"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert refusal("-").startswith("standard input: has no suffix, which names no known format, nor do its first")


def test_an_unknown_suffix_lists_what_is_supported(tmp_path):
    (tmp_path / "a.xyz").touch()
    supported = ", ".join(f"{codec.name} ({' '.join(codec.suffixes)})" for codec in CODECS.values())
    assert "nmnist (.bin .bs2), csv (.csv .txt)" in supported
    assert refusal(tmp_path / "a.xyz") == (
        f"{tmp_path}/a.xyz: has the suffix '.xyz', which names no known format, nor do its first bytes; supported are "
        f"{supported}; rename the file or name its format, e.g. --codec nmnist"
    )


def test_missing_folder_and_forbidden_are_sentences(tmp_path, monkeypatch):
    assert refusal(tmp_path / "none.bin") == f"{tmp_path}/none.bin: no such file or folder; check the path"
    assert refusal(tmp_path) == f"{tmp_path}: is a folder, expected a file; name a file in it"
    assert refusal("a" * 5000 + ".bin").endswith("cannot be read (File name too long); check the path and the disk")

    def forbidden(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "open", forbidden)
    assert refusal("x.bin") == "x.bin: may not be read (permission denied); change its access rights"


def test_bad_contents_are_refused_with_the_path(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"\1\2\3\4\5\6")
    assert refusal(path).startswith(f"{path}: ends inside a record, 1 bytes are left at byte 5 of 6; ")
    path.write_bytes(b"")
    assert refusal(path).startswith(f"{path}: is empty; ")


def test_a_failing_write_keeps_the_earlier_file_and_leaves_nothing_behind(tmp_path, recording, monkeypatch):
    path = tmp_path / "sample.bin"
    write(path, recording(1))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ConfigError, match=r"sample\.bin: cannot be written \(No space left on device\); choose"):
        write(path, recording(2))
    assert os.listdir(tmp_path) == ["sample.bin"]
    assert read(path) == recording(1)


def test_events_that_do_not_fit_the_format_leave_the_earlier_file_alone(tmp_path, recording):
    path = tmp_path / "sample.bin"
    write(path, recording(1))
    with pytest.raises(ConfigError, match="event 0 has t = 8388608"):
        write(path, Events([1 << 23], [0], [0], [0], Sensor(34, 34)))
    assert os.listdir(tmp_path) == ["sample.bin"]
    assert read(path) == recording(1)


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path, recording):
    (tmp_path / "file").touch()
    (tmp_path / "folder.bin").mkdir()
    for place in ("none/a.bin", "file/a.bin", "folder.bin"):
        with pytest.raises(ConfigError, match=f"{place}: cannot be written"):
            write(tmp_path / place, recording(1))
    with pytest.raises(ConfigError, match="is a folder"):
        write("/", recording(1), codec="nmnist")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.bin"]


class Pipe:
    """A stream that cannot be moved about in."""

    def __init__(self, data):
        self.read = io.BytesIO(data).read


@pytest.mark.parametrize(("codec", "sensor", "repair", "keeps"), [
    ("nmnist", None, False, False), ("es", None, False, False), ("es", None, True, True), ("csv", None, False, True),
    ("csv", Sensor(34, 34), False, False), ("npy", Sensor(34, 34), True, True), ("store", Sensor(34, 34), False, True),
])
def test_a_stream_is_kept_only_to_be_read_again(recording, monkeypatch, codec, sensor, repair, keeps):
    kept = io.BytesIO()
    monkeypatch.setattr("eventsim.data.codecs.tempfile.SpooledTemporaryFile", lambda size: contextlib.nullcontext(kept))
    monkeypatch.setattr("eventsim.data.codecs.base.BLOCK", 100)
    monkeypatch.setattr("eventsim.data.codecs.carried.BLOCK", 100)
    data = CODECS[codec].encode(recording(1))
    events = read(Pipe(data), codec=codec, sensor=sensor, repair=repair)
    assert events.t.tolist() == recording(1).t.tolist()
    assert len(kept.getvalue()) == len(data) if keeps else len(kept.getvalue()) < 100


@pytest.mark.parametrize("nonsense", [None, 3, 2.5, [], "a\0b.bin", object()])
def test_nonsense_paths_are_refused(nonsense, recording):
    with pytest.raises(ConfigError):
        read(nonsense)
    with pytest.raises(ConfigError):
        write(nonsense, recording(1))


def test_other_nonsense_is_refused(tmp_path, recording):
    path = tmp_path / "a.bin"
    write(path, recording(1))
    for sensor in (34, "34x34", (34, 34)):
        with pytest.raises(ConfigError, match="sensor must be a Sensor"):
            read(path, sensor=sensor)
    for codec in ("aedat9", 3, CODECS["nmnist"]):
        with pytest.raises(ConfigError, match=f"codec must be {' or '.join(CODECS)}, got"):
            read(path, codec=codec)
        with pytest.raises(ConfigError, match=f"codec must be {' or '.join(CODECS)}, got"):
            write(path, recording(1), codec=codec)
    with pytest.raises(ConfigError, match="expected Events"):
        write(path, [1, 2, 3])
    with pytest.raises(ConfigError, match="supported are nmnist"):
        write(tmp_path / "a.xyz", recording(1))
    with pytest.raises(ConfigError, match="binary mode"), open(path, encoding="latin-1") as text:
        read(text)
    with open(path, "rb") as closed:
        pass
    with pytest.raises(ConfigError, match="closed file"):
        read(closed)
    assert pathlib.Path(path).exists()


def test_a_file_object_is_read_from_where_it_stands(recording):
    """Also the second time, where the first finds the sensor."""
    file = io.BytesIO(b"header\n" + CODECS["csv"].encode(recording(1)))
    file.seek(7)
    assert read(file, codec="csv").t.tolist() == recording(1).t.tolist()


def test_a_stream_that_says_nothing_of_the_sensor_is_kept_until_it_is_known(tmp_path, recording):
    data = CODECS["csv"].encode(recording(1))
    assert read(Pipe(data), codec="csv").t.tolist() == recording(1).t.tolist()


def test_a_default_sensor_is_not_what_to_name(tmp_path):
    (tmp_path / "a.csv").write_text("1,100,0,0\n")
    said = r"csv: is of a 101x1x1 sensor or a larger one \(event 0 at line 1 has x = 100, .* takes events of a 34x34x2"
    with pytest.raises(FormatError, match=said):
        read(tmp_path / "a.csv", default_sensor=Sensor(34, 34))


def test_pixels_that_no_sensor_holds_are_a_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("1,65535,0,0\n2,0,65535,1\n")
    assert "a.csv: has events that need a sensor of 65536x65536x2, and sensor" in refusal(tmp_path / "a.csv")
