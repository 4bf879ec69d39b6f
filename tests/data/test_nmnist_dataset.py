"""N-MNIST in every shape it comes in."""

import errno
import os
import shutil
import threading
import zipfile

import pytest

from eventsim.data import open_dataset
from eventsim.errors import FormatError

SPLITS = {"Train": {0: range(1, 21), 3: [7, 100, 20], 9: [5]}, "Test": {3: [1, 2], 9: [4]}}


def zipped(folder, path, top=None):
    """The files of ``folder`` as a zip, named from ``top`` (``folder`` itself unless given)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(top or folder))
    return path


def refusal(path):
    with pytest.raises(FormatError) as refused:
        open_dataset(path)
    return str(refused.value)


def contents(dataset):
    return [(dataset.sample_name(i), int(dataset.labels[i]), dataset.events(i).to_structured().tolist())
            for i in range(len(dataset))]


def test_a_folder_tree_is_read_in_the_order_of_label_and_id(tree, recording):
    splits = open_dataset(tree(SPLITS))
    train = splits.train
    assert train.labels.tolist() == [0] * 20 + [3] * 3 + [9]
    assert [train.sample_name(i) for i in (19, 20, 21, 22, 23)] == [
        "Train/0/00020.bin", "Train/3/00007.bin", "Train/3/00020.bin", "Train/3/00100.bin", "Train/9/00005.bin"]
    assert train.events(22) == recording(3100)
    assert (train.name, train.n_classes, train.duration, str(train.sensor)) == ("nmnist", 10, 300.0, "34x34x2")
    assert splits.validation.labels.tolist() == [3, 3, 9]
    assert splits.note == "validation is Test (3 samples)"


def test_the_order_does_not_depend_on_the_file_system(tree, monkeypatch):
    folder = tree(SPLITS)
    names = contents(open_dataset(folder).train)
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: sorted(listdir(path), reverse=True))
    assert contents(open_dataset(folder).train) == names


def test_every_shape_gives_the_same_samples(tree, tmp_path):
    folder = tree(SPLITS)
    want = open_dataset(folder)
    beside = tmp_path / "beside"
    beside.mkdir()
    zipped(folder / "Train", beside / "Train.zip", folder)
    zipped(folder / "Test", beside / "test.zip")  # digits at its top
    shapes = [zipped(folder, tmp_path / "a.zip"), zipped(folder, tmp_path / "b.zip", tmp_path), beside]
    for shape in shapes:
        got = open_dataset(shape)
        assert contents(got.train) == contents(want.train)
        assert contents(got.validation) == contents(want.validation)
        assert got.train.fingerprint() == want.train.fingerprint()
        assert got.note == want.note


def test_an_unpacked_zip_goes_before_the_zip_beside_it(tree):
    folder = tree(SPLITS)
    (folder / "Train.zip").write_bytes(b"half a download")
    assert len(open_dataset(folder).train) == 24


def test_without_test_a_tenth_of_every_digit_is_held_out(tree):
    folder = tree({"Train": SPLITS["Train"]})
    for path in (folder, folder / "Train"):
        splits = open_dataset(path, seed=3)
        assert splits.validation.labels.tolist() == [0, 0, 3]  # the single 9 stays in training
        assert len(splits.train) == 21
        names = [part.sample_name(i) for part in (splits.train, splits.validation) for i in range(len(part))]
        assert len(set(names)) == 24
        assert splits.note == (f"{path} has no Test; held out for validation: 3 of 24 samples, a tenth of every class "
                               "chosen by seed 3")
        assert contents(open_dataset(path, seed=3).validation) == contents(splits.validation)
    others = {tuple(name for name, _, _ in contents(open_dataset(folder, seed=s).validation)) for s in range(5)}
    assert len(others) > 1


def test_a_single_sample_is_trained_on_and_nothing_is_held_out(tree):
    splits = open_dataset(tree({"Train": {4: [1]}}))
    assert (len(splits.train), splits.validation) == (1, None)


def test_only_test_means_nothing_to_train_on(tree):
    folder = tree({"Test": SPLITS["Test"]})
    splits = open_dataset(folder)
    assert splits.train is None
    assert len(splits.validation) == 3
    assert splits.note == f"{folder} has only Test (3 samples): nothing to train on"


def test_other_files_are_ignored_but_counted(tree, tmp_path):
    folder = tree(SPLITS)
    (folder / "README.txt").touch()  # beside the splits, so not among the samples
    (folder / "Train/.DS_Store").touch()
    (folder / "Train/3/.DS_Store").touch()
    (folder / "Train/3/._00007.bin").touch()
    (folder / "Test/10").mkdir()
    splits = open_dataset(folder)
    assert len(splits.train) == 24
    assert splits.note == "validation is Test (3 samples); ignored: 4 other files"
    assert open_dataset(zipped(folder, tmp_path / "a.zip")).note.endswith("; ignored: 4 other files")


def test_places_without_samples_are_refused(tmp_path):
    (tmp_path / "Train/3").mkdir(parents=True)
    (tmp_path / "Train/3/notes.md").touch()
    expected = "expected Train/<digit>/<id>.bin and Test/<digit>/<id>.bin, or the zip of these; check the path"
    assert refusal(tmp_path).startswith(f"{tmp_path}: has no recording (1 other file); expected <class>/<recording>")
    empty = zipped(tmp_path / "Train/3", tmp_path / "empty.zip")
    assert refusal(empty) == f"{empty}: has no N-MNIST sample (1 other file); {expected}"
    assert refusal(tmp_path / "none") == f"{tmp_path}/none: no such file or folder; check the path"


def test_corrupt_zips_are_refused(tree, tmp_path):
    path = zipped(tree(SPLITS), tmp_path / "a.zip")
    data = path.read_bytes()
    path.write_bytes(data[:-30])
    assert refusal(path) == (f"{path}: cannot be unpacked (File is not a zip file); expected a folder or an intact zip "
                             "without password; check the path or download it again")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:  # stored, so a flipped byte is a wrong CRC
        archive.writestr("Train/3/00001.bin", bytes(500))
    path = tmp_path / "b.zip"
    path.write_bytes(path.read_bytes().replace(bytes(500), bytes(499) + b"\1"))
    with pytest.raises(FormatError, match=r"b\.zip:Train/3/00001\.bin: cannot be unpacked \(Bad CRC-32"):
        open_dataset(path).train.events(0)


def test_bad_and_unreadable_samples_are_named(tree, monkeypatch):
    folder = tree({"Train": {2: [1, 2]}, "Test": {2: [3]}})
    (folder / "Train/2/00001.bin").write_bytes(bytes(7))
    (folder / "Train/2/00002.bin").write_bytes(b"")
    train = open_dataset(folder).train
    with pytest.raises(FormatError, match=r"Train/2/00001\.bin: ends inside a record, 2 bytes are left at byte 5 of 7"):
        train.events(0)
    with pytest.raises(FormatError, match=r"Train/2/00002\.bin: is empty"):
        train.events(1)
    shutil.rmtree(folder / "Train/2")
    with pytest.raises(FormatError, match=r"Train/2/00001\.bin: no such file or folder"):
        train.events(0)

    def forbidden(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "listdir", forbidden)
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    assert "may not be read (permission denied)" in refusal(folder)


def test_a_zip_may_be_read_from_many_threads(tree, tmp_path):
    train = open_dataset(zipped(tree(SPLITS), tmp_path / "a.zip")).train
    want, wrong = contents(train), []

    def read():
        if contents(train) != want:
            wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_shared_samples_are_all_found(shared):
    splits = open_dataset(shared / "data/nmnist_raw")
    assert (len(splits.train), len(splits.validation)) == (1000, 50)
    assert set(splits.train.labels) == set(range(10))
    assert 8 not in splits.validation.labels
    counts = [len(splits.train.events(i)) for i in range(0, 1000, 50)]
    assert 1069 <= min(counts) < max(counts) <= 7152
