"""Folders of classes: recordings of any format, sorted by class; N-Caltech101 is one of them."""

import pytest

from eventsim import Events, Sensor, open_dataset, write
from eventsim.errors import ConfigError, FormatError

WIDE = Sensor(240, 180)


def recording(k, sensor=WIDE):
    return Events([k, k + 5], [1, 2], [3, 4], [0, 1], sensor)


@pytest.fixture
def make(tmp_path):
    """A function of paths and a suffix that writes a recording to each; gives the folder."""
    def write_all(*names, sensor=WIDE):
        for k, name in enumerate(names):
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, recording(k, sensor))
        return tmp_path / "data"

    return write_all


def test_classes_are_numbered_by_name(make):
    splits = open_dataset(make("b/2.h5", "a/9.h5", "b/10.h5"), seed=1)
    assert splits.train.n_classes == 2 and splits.train.sensor == WIDE
    names = [part.sample_name(i) for part in (splits.train, splits.validation) for i in range(len(part))]
    assert sorted(names) == ["a/9.h5", "b/10.h5", "b/2.h5"] and splits.validation.labels.tolist() == [1]
    assert splits.train.events(0) == recording(1)


def test_splits_by_folder(make):
    splits = open_dataset(make("train/a/1.h5", "train/b/1.h5", "Test/b/1.h5", "val/c/1.h5", "train/a/note.md.txt"),
                          sensor=WIDE)
    assert splits.train.labels.tolist() == [0, 0, 1] and splits.validation.labels.tolist() == [2]
    assert splits.validation.sample_name(0) == "val/c/1.h5" and "left alone: 1 sample of test" in splits.note


def test_ncaltech101_has_its_sensor(make):
    data = make("accordion/image_0001.bin", "ant/image_0002.bin", "ant/image_0003.bin")
    train = open_dataset(data).train
    assert (train.name, train.sensor, train.n_classes) == ("ncaltech101", WIDE, 2)
    assert train.events(0) == recording(0)


def test_formats_may_be_mixed_and_other_files_are_counted(make):
    data = make("a/1.h5", "a/2.csv", "b/3.h5")
    (data / "a" / "README.md").touch()
    (data / "licence").touch()
    splits = open_dataset(data)
    assert len(splits.train) + len(splits.validation) == 3 and "ignored: 2 other files" in splits.note
    assert [splits.train.events(i).sensor for i in range(2)] == [WIDE, WIDE]


def test_a_sensor_that_nobody_says(make):
    data = make("a/1.csv", "b/2.csv")
    with pytest.raises(FormatError, match=r"1\.csv: says nothing of the sensor; convert the folder to a store"):
        open_dataset(data)
    train = open_dataset(data, sensor=WIDE).train
    assert train.sensor == WIDE and train.events(0) == recording(0)


def test_another_sensor_is_refused_where_it_is_read(make):
    data = make("a/1.h5", "a/2.h5")
    write(data / "b.h5", recording(2, Sensor(640, 480)))
    (data / "c").mkdir()
    (data / "b.h5").rename(data / "c" / "3.h5")
    splits = open_dataset(data)
    i = [splits.train.sample_name(i) for i in range(2)].index("c/3.h5")
    with pytest.raises(FormatError, match=r"3\.h5: is of a 640x480x2 sensor, the data set of 240x180x2"):
        splits.train.events(i)


def test_folders_without_recordings_are_refused(tmp_path, make):
    (tmp_path / "empty" / "a").mkdir(parents=True)
    (tmp_path / "empty" / "a" / "x.md").touch()
    with pytest.raises(FormatError, match=r"empty: has no recording \(1 other file\); expected <class>/<recording>"):
        open_dataset(tmp_path / "empty")
    with pytest.raises(ConfigError, match="whose sensor is known; leave --sensor out"):
        open_dataset(make("0/00001.bin", sensor=Sensor(34, 34)), sensor=WIDE)
