"""Data sets of artificial cochleas: SHD, SSC and N-TIDIGITS, small files in their layout."""

import h5py
import numpy as np
import pytest

from eventsim.data import open_dataset
from eventsim.errors import FormatError

SECONDS = ([0.25, 0.000001, 0.5], [], [0.1])
CHANNELS = ([3, 699, 0], [], [7])


def write_shd(path, seconds=SECONDS, channels=CHANNELS, labels=(4, 0, 19)):
    with h5py.File(path, "w") as file:
        for name, values, dtype in (("times", seconds, np.float64), ("units", channels, np.int64)):
            data = file.create_dataset(f"spikes/{name}", (len(values),), h5py.vlen_dtype(dtype))
            for i, value in enumerate(values):
                data[i] = value
        file["labels"] = np.array(labels, np.int64)
    return path


def write_ntidigits(path, names=("woman-ac-a-3", "man-x-o", "man-x-12", "boy-y-z"), channel=63):
    with h5py.File(path, "w") as file:
        for split, some in (("train", names[:-1]), ("test", names[-1:])):
            file[f"{split}_labels"] = np.array([name.encode() for name in some])
            for name in some:
                file[f"{split}_addresses/{name}"] = np.array([channel, 0])
                file[f"{split}_timestamps/{name}"] = np.array([0.5, 0.25])
    return path


def test_a_sample_of_shd_is_sorted_and_in_microseconds(tmp_path):
    train = open_dataset(write_shd(tmp_path / "shd_test.h5")).validation
    events = train.events(0)
    assert (events.t.tolist(), events.x.tolist()) == ([1, 250_000, 500_000], [699, 3, 0])
    assert str(train.sensor) == "700x1x1" and train.n_classes == 20 and train.labels.tolist() == [4, 0, 19]
    assert len(train.events(1)) == 0 and train.sample_name(2) == "shd_test.h5:2"


def test_files_beside_each_other_are_one_data_set(tmp_path):
    for split in ("train", "test", "valid"):
        write_shd(tmp_path / f"ssc_{split}.h5", labels=(34, 0, 1))
    splits = open_dataset(tmp_path)
    assert splits.train.n_classes == 35 and splits.validation.sample_name(0) == "ssc_valid.h5:0"
    assert "left alone: 3 samples of test" in splits.note
    (tmp_path / "ssc_valid.h5").unlink()
    assert open_dataset(tmp_path).validation.sample_name(0) == "ssc_test.h5:0"


def test_files_of_two_data_sets_are_not_taken_for_one(tmp_path):
    for name in ("ssc_test", "shd_train", "shd_test"):
        write_shd(tmp_path / f"{name}.h5")
    with pytest.raises(FormatError) as refused:
        open_dataset(tmp_path)
    assert str(refused.value) == (f"{tmp_path}: has files of SHD (shd_test.h5, shd_train.h5) and of SSC (ssc_test.h5); "
                                  "name one of them, or give each data set a folder of its own")
    assert len(open_dataset(tmp_path / "ssc_test.h5").validation) == 3


def test_a_training_file_that_is_alone_holds_out_a_tenth(tmp_path):
    path = write_shd(tmp_path / "shd_train.h5", [[0.1]] * 20, [[1]] * 20, [3] * 20)
    splits = open_dataset(path)
    assert (len(splits.train), len(splits.validation)) == (18, 2)


@pytest.mark.parametrize(("change", "sentence"), [
    ({"labels": (1, 2)}, "has 2 labels for 3 times and 3 units"), ({"labels": (1, 2, 20)}, "labels must lie in 0..19"),
    ({"channels": ([3, 700, 0], [], [7])}, "event 1 has the channel 700, expected 0..699"),
    ({"channels": ([3, -1, 0], [], [7])}, "event 1 has the channel -1"),
    ({"channels": ([3, 1], [], [7])}, r"has times of the shape \(3,\) for channels of \(2,\)"),
    ({"seconds": ([0.1, np.nan, 0.2], [], [1])}, "event 1 is at nan s, which is no time"),
    ({"seconds": ([0.1, 0.3, 1e300], [], [1])}, "event 2 is at 1e[+]300 s"),
])
def test_a_damaged_file_of_shd_is_a_sentence(tmp_path, change, sentence):
    path = write_shd(tmp_path / "shd_test.h5", **change)
    with pytest.raises(FormatError, match=sentence):
        open_dataset(path).validation.events(0)
    path.write_bytes(b"noise")
    with pytest.raises(FormatError, match=r"shd_test\.h5: is damaged or no file of SHD or SSC \("):
        open_dataset(path)


def test_samples_of_one_digit_are_ntidigits(tmp_path):
    splits = open_dataset(write_ntidigits(tmp_path / "n-tidigits.hdf5"))
    assert splits.train.labels.tolist() == [3, 0] and splits.validation.labels.tolist() == [10]
    assert splits.train.n_classes == 11 and str(splits.train.sensor) == "64x1x1"
    assert splits.train.sample_name(0) == "train/woman-ac-a-3" and "left out: 1 sample of several digits" in splits.note
    events = splits.train.events(0)
    assert (events.t.tolist(), events.x.tolist()) == ([250_000, 500_000], [0, 63])


def test_a_damaged_file_of_ntidigits_is_a_sentence(tmp_path):
    path = write_ntidigits(tmp_path / "n.hdf5", channel=64)
    with pytest.raises(FormatError, match=r"train/woman-ac-a-3: event 0 has the channel 64, expected 0\.\.63"):
        open_dataset(path).train.events(0)
    with h5py.File(path, "r+") as file:
        del file["train_timestamps/man-x-o"]
    with pytest.raises(FormatError, match="no file of N-TIDIGITS, at man-x-o"):
        open_dataset(path).train.events(1)
    write_ntidigits(path, names=("a-12", "b-34"))
    with pytest.raises(FormatError, match="has no sample of one digit"):
        open_dataset(path)
