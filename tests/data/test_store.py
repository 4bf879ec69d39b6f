"""The event store: recordings come back as they were, a crash costs what was not flushed, damage is a sentence."""

import errno
import gc
import io

import h5py
import numpy as np
import pytest
from mutations import mutated, outcomes

from eventsim import open_dataset
from eventsim.data import Splits, conversion, open_recording, read, write
from eventsim.data.codecs import CODECS
from eventsim.data.hdf5 import GuardedFile, written_hdf5
from eventsim.data.store import Store, StoreWriter
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor


@pytest.fixture
def splits(tree):
    """An N-MNIST folder of three digits."""
    return open_dataset(tree({"Train": {0: range(1, 9), 1: range(1, 7), 7: [1]}, "Test": {1: [3, 4]}}))


def test_a_recording_comes_back_in_blocks(tmp_path, recording, monkeypatch):
    monkeypatch.setattr("eventsim.data.store.BLOCK", 7)
    path = tmp_path / "a.h5"
    write(path, recording(3))
    assert read(path) == recording(3)
    with open_recording(path) as opened:
        parts = list(opened)
        assert opened.declared == recording(3).sensor and opened.codec.name == "store"
        assert max(map(len, parts)) == 7 and np.array_equal(np.concatenate([part.t for part in parts]), recording(3).t)


def test_a_store_is_known_by_its_first_bytes(tmp_path, recording):
    path = tmp_path / "a.bin"
    path.write_bytes(CODECS["store"].encode(recording(1)))
    assert read(path) == recording(1)


def test_what_was_skipped_is_still_said(tmp_path, recording):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes([0, 240, 0, 0, 0]) + CODECS["nmnist"].encode(recording(1)))
    with open_recording(path) as opened:
        conversion.convert_recording(opened, tmp_path / "a.h5", CODECS["store"])
    assert read(tmp_path / "a.h5").skipped == {"overflow": 1}


def same(one, other):
    assert len(one) == len(other) and np.array_equal(one.labels, other.labels)
    assert (one.sensor, one.n_classes, one.duration, one.name) == (other.sensor, other.n_classes, other.duration,
                                                                 other.name)
    for i in range(len(one)):
        assert one.events(i) == other.events(i) and one.sample_name(i) == other.sample_name(i)


def test_a_data_set_comes_back(tmp_path, splits):
    path, told = tmp_path / "all.h5", []
    done = conversion.convert_dataset(splits, path, advance=told.append)
    again = open_dataset(path)
    same(again.train, splits.train)
    same(again.validation, splits.validation)
    assert sum(told) == done.recordings == 17 and done.events == 17 * 200 and not done.skipped
    assert [p.name for p in tmp_path.glob("*.h5*")] == ["all.h5"] and not conversion.partial_of(path).exists()


def test_without_validation_samples_a_tenth_is_held_out(tmp_path, splits):
    conversion.convert_dataset(Splits(splits.train, None, "no test set"), tmp_path / "a.h5")
    again = open_dataset(tmp_path / "a.h5", seed=2)
    assert np.bincount(again.validation.labels, minlength=2).tolist() == [1, 1]
    names = [part.sample_name(i) for part in (again.train, again.validation) for i in range(len(part))]
    assert sorted(names) == sorted(splits.train.sample_name(i) for i in range(len(splits.train)))


@pytest.mark.parametrize("after", [1, 5, 16])
def test_a_stopped_conversion_goes_on(tmp_path, splits, after):
    path, asked, seen = tmp_path / "all.h5", [], []

    def is_stopped():
        asked.append(1)
        return len(asked) == after

    with pytest.raises(conversion.Stopped, match=r"stopped after \d+ of .* the same command goes on from there"):
        conversion.convert_dataset(splits, path, is_stopped=is_stopped)
    assert not path.exists() and conversion.partial_of(path).exists()
    done = conversion.convert_dataset(splits, path, advance=seen.append)
    assert seen[0] == min(after, 15) and sum(seen) == done.recordings == 17 and done.events == 17 * 200
    same(open_dataset(path).train, splits.train)
    same(open_dataset(path).validation, splits.validation)


def stop_after(n):
    """A function that says at its ``n``-th call that it is to stop."""
    calls = iter([False] * (n - 1) + [True])
    return lambda: next(calls)


def test_what_is_behind_the_last_whole_recording_is_cut(tmp_path, splits):
    """Columns may be longer than their offsets, and offsets than labels, where a conversion was stopped in between."""
    path = tmp_path / "all.h5"
    with pytest.raises(conversion.Stopped):
        conversion.convert_dataset(splits, path, is_stopped=stop_after(3))
    with h5py.File(conversion.partial_of(path), "r+") as file:
        for name in ("t", "offset"):
            file["train"][name].resize(len(file["train"][name]) + 5, 0)
    conversion.convert_dataset(splits, path)
    same(open_dataset(path).train, splits.train)


def test_what_a_crash_left_is_thrown_away(tmp_path, splits):
    path, seen = tmp_path / "all.h5", []
    conversion.partial_of(path).with_suffix(".writing").write_bytes(b"half a file")
    conversion.convert_dataset(splits, path, advance=seen.append)
    assert seen[0] == 0 and sum(seen) == 17
    same(open_dataset(path).train, splits.train)
    assert [one.name for one in tmp_path.glob(".*")] == []


class Full(io.BytesIO):
    """A disk of so many bytes."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, data):
        if self.tell() + len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("room", [0, 100, 3000, 9000])
def test_a_full_disk_is_said_once_and_closes_what_is_open(recording, room):
    with pytest.raises(OSError, match="No space left"), written_hdf5(Full(room), "w") as file:
        store = StoreWriter(file, recording(1).sensor)
        store.add("recordings", [recording(1)])
        store.flush()
    gc.collect()


def test_of_two_conversions_to_one_store_the_second_is_refused(tmp_path, splits):
    path, refused = tmp_path / "all.h5", []

    def is_stopped():
        with pytest.raises(ConfigError) as second:
            conversion.convert_dataset(splits, path)
        refused.append(str(second.value))
        return False

    conversion.convert_dataset(splits, path, is_stopped=is_stopped)
    assert set(refused) == {f"{path}: is being written by another process; wait for its end, or choose another name"}
    same(open_dataset(path).train, splits.train)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["all.h5", "nmnist"]


def test_a_lock_that_a_crash_left_is_none(tmp_path, splits):
    (tmp_path / ".all.h5.lock").touch()
    conversion.convert_dataset(splits, tmp_path / "all.h5")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["all.h5", "nmnist"]


def test_a_conversion_to_a_full_disk_leaves_nothing(tmp_path, splits, monkeypatch):
    def fail(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(GuardedFile, "_write", fail)
    with pytest.raises(ConfigError, match=r"all\.h5: cannot be written \(No space left on device\)"):
        conversion.convert_dataset(splits, tmp_path / "all.h5")
    assert [one.name for one in tmp_path.iterdir()] == ["nmnist"]


@pytest.mark.parametrize("leave", ["noise", "another"])
def test_what_is_no_part_of_this_conversion_is_replaced(tmp_path, splits, leave):
    path = tmp_path / "all.h5"
    if leave == "noise":
        conversion.partial_of(path).write_bytes(b"noise")
    else:
        with h5py.File(conversion.partial_of(path), "w") as file:
            file.attrs["source_fingerprint"] = "another"
    conversion.convert_dataset(splits, path)
    same(open_dataset(path).train, splits.train)


def test_several_recordings_become_one_store(tmp_path, recording):
    names = []
    for i in range(3):
        names.append(tmp_path / f"{i}.csv")
        write(names[-1], recording(i))
    sensor = recording(0).sensor
    opened = [lambda name=name: open_recording(name, sensor=sensor) for name in names]
    assert conversion.convert_recordings(opened, tmp_path / "all.h5").events == 600
    held = Store(tmp_path / "all.h5", "all.h5")
    assert [held.events("recordings", i) for i in range(3)] == [recording(i) for i in range(3)]
    assert held.recording_name("recordings", 1) == str(names[1])
    with pytest.raises(FormatError, match=r"holds 3 recordings, expected one; use it as a data set, or take"):
        read(tmp_path / "all.h5")
    with pytest.raises(FormatError, match="holds recordings without labels, so it is no data set"):
        open_dataset(tmp_path / "all.h5")


def test_recordings_of_several_sensors_do_not_go_together(tmp_path, recording):
    for i, sensor in enumerate((Sensor(34, 34), Sensor(40, 40))):
        write(tmp_path / f"{i}.h5", Events([1], [2], [3], [1], sensor))
    opened = [lambda i=i: open_recording(tmp_path / f"{i}.h5") for i in range(2)]
    with pytest.raises(ConfigError, match=r"1\.h5: is of a 40x40x2 sensor, those before of 34x34x2"):
        conversion.convert_recordings(opened, tmp_path / "all.h5")
    assert not (tmp_path / "all.h5").exists()


def test_other_files_and_versions_are_refused(tmp_path, recording):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = [1]
    with pytest.raises(FormatError, match=r"a\.h5: is an HDF5 file but no event store"):
        read(path)
    write(path, recording(1))
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 9
    with pytest.raises(FormatError, match="is an event store of version 9, this eventsim reads 1"):
        read(path)


def lose_chunks(group):
    """A column as long as before, of which nothing is stored."""
    n = len(group["y"])
    del group["y"]
    group.create_dataset("y", (n,), np.uint16, chunks=(100,))


@pytest.mark.parametrize("break_it", [
    lambda file: file.attrs.pop("sensor"), lambda file: file["recordings"].pop("t"),
    lambda file: file["recordings/offset"].__setitem__(1, 10**9), lambda file: file["recordings/offset"].resize(1, 0),
    lambda file: file["recordings/x"].__setitem__(0, 99), lambda file: file["recordings/t"].__setitem__(0, 10**9),
    lambda file: file["recordings/skipped"].__setitem__(0, '{"a": "b"}'), lambda file: file.pop("recordings"),
    lambda file: file.attrs.__setitem__("n_classes", 10),
    lambda file: file["recordings/skipped"].__setitem__(0, "{"), lambda file: lose_chunks(file["recordings"]),
    lambda file: file.attrs.__setitem__("sensor", (0, 1, 2)),
])
def test_a_damaged_store_is_a_sentence(tmp_path, recording, break_it):
    path = tmp_path / "a.h5"
    write(path, recording(1))
    with h5py.File(path, "r+") as file:
        break_it(file)
    with pytest.raises((FormatError, ConfigError)) as refused:
        read(path)
    assert str(refused.value).startswith((f"{path}: ", "sensor width"))


def test_a_damaged_file_decodes_or_is_refused(recording, rng):
    decoded, refused = outcomes(CODECS["store"].decode, mutated(rng, CODECS["store"].encode(recording(1)), 300))
    assert decoded > 10 and refused > 10
