"""N-MNIST: the folders of its zip, the zip itself, or its two zips side by side.

Orchard et al. 2015, "Converting static image datasets to spiking neuromorphic datasets using saccades",
doi:10.3389/fnins.2015.00437. Three saccades of 100 ms on a 34x34 sensor; a few events lie beyond 300 ms.
"""

import re
from typing import NamedTuple

from eventsim import files
from eventsim.data.codecs import nmnist
from eventsim.data.datasets.archive import Folder, Zip
from eventsim.data.datasets.base import Dataset, Splits, hold_out
from eventsim.errors import FormatError
from eventsim.wording import several

DURATION = 300.0  # ms
_IN_ZIP = re.compile(r"(?:^|/)(?:(train|test)/)?([0-9])/([0-9]+\.bin)$", re.IGNORECASE)
_IN_FOLDER = re.compile(r"[0-9]+\.bin", re.IGNORECASE)


class _Sample(NamedTuple):
    """One recording: which it is, and where it lies."""

    split: str  # train or test
    label: int
    file: str  # <id>.bin
    archive: Folder | Zip
    path: str  # in the archive


class NMNIST(Dataset):
    """Some N-MNIST recordings, in the order of (label, id) whatever order the file system has; see `open_nmnist`."""

    def __init__(self, samples):
        self._samples = sorted(samples, key=lambda s: (s.label, int(s.file[:-4]), s.file))
        super().__init__(name="nmnist", sensor=nmnist.SENSOR, n_classes=10, duration=DURATION,
                         labels=[sample.label for sample in self._samples])

    def events(self, i):
        sample = self._samples[self.check_index(i)]
        return nmnist.decode(sample.archive.read(sample.path), source=sample.archive.where(sample.path))

    def sample_name(self, i):
        sample = self._samples[self.check_index(i)]
        return f"{sample.split.capitalize()}/{sample.label}/{sample.file}"

    def sample_size(self, i):
        sample = self._samples[self.check_index(i)]
        return sample.archive.size(sample.path)


def is_nmnist(path) -> bool:
    """Whether there are N-MNIST samples at a path, or a zip that may have some, or nothing at all."""
    if not path.is_dir():
        return True
    with files.reading(path):
        entries = {entry.name.lower(): entry for entry in path.iterdir()}
        if entries.keys() & {"train.zip", "test.zip"}:
            return bool(_scan_folder(path)[0])
        folders = (path, *(entries[split] for split in ("train", "test") if split in entries))
        digits = (folder / digit for folder in folders for digit in "0123456789")
        # One is enough: what there is besides is seen when the data set is opened.
        return any(_IN_FOLDER.fullmatch(entry.name) for digit in digits if digit.is_dir() for entry in digit.iterdir())


def open_nmnist(path, seed=0) -> Splits:
    """The N-MNIST samples at ``path``, none of them read yet.

    path : a folder with ``Train/<digit>/<id>.bin`` and ``Test/...`` or one of the two, a folder with the digits
        themselves, a zip of any of these, or a folder with ``Train.zip`` and ``Test.zip`` or one of the two
    seed : where there is no Test, a tenth of every digit is held out for validation, chosen by this seed

    Raises `FormatError` where there is no sample or a folder or zip cannot be read.
    """
    path = files.as_path(path)
    samples, ignored = _scan_folder(path) if path.is_dir() else _scan_zip(path, "train")
    if not samples:
        raise FormatError(f"{path}: has no N-MNIST sample ({several(ignored, 'other file')}); expected "
                          "Train/<digit>/<id>.bin and Test/<digit>/<id>.bin, or the zip of these; check the path")
    note = f"; ignored: {several(ignored, 'other file')}" if ignored else ""
    train = NMNIST(sample for sample in samples if sample.split == "train")
    test = NMNIST(sample for sample in samples if sample.split == "test")
    if not len(train):
        return Splits(None, test, f"{path} has only Test ({several(len(test), 'sample')}): nothing to train on{note}")
    if len(test):
        return Splits(train, test, f"validation is Test ({several(len(test), 'sample')}){note}")
    *parts, held = hold_out(train, seed)
    return Splits(*parts, f"{path} has no Test; {held}{note}")


def _scan_folder(path):
    """Samples below the folder ``path``, and the number of files among them that are none."""
    folder = Folder(path)
    entries = {name.lower(): name for name in folder.names()}
    samples, ignored = [], 0
    for split in ("train", "test"):
        if split in entries and folder.is_folder(entries[split]):  # an unpacked zip goes before the zip beside it
            found = _scan_digits(folder, split, entries[split] + "/")
        elif f"{split}.zip" in entries:
            found = _scan_zip(path / entries[f"{split}.zip"], split)
        else:
            continue
        samples += found[0]
        ignored += found[1]
    return (samples, ignored) if samples else _scan_digits(folder, "train", "")


def _scan_digits(folder, split, below):
    samples, ignored = [], 0
    for digit in folder.names(below):
        if not re.fullmatch("[0-9]", digit) or not folder.is_folder(below + digit):
            ignored += 1
            continue
        names = folder.names(below + digit)
        found = [name for name in names if _IN_FOLDER.fullmatch(name)]
        samples += [_Sample(split, int(digit), name, folder, f"{below}{digit}/{name}") for name in found]
        ignored += len(names) - len(found)
    return samples, ignored


def _scan_zip(path, default_split):
    archive = Zip(path)
    names = archive.names()
    samples = []
    for name in names:
        found = _IN_ZIP.search(name)
        if found:
            split, digit, file = found.groups()
            samples.append(_Sample((split or default_split).lower(), int(digit), file, archive, name))
    return samples, len(names) - len(samples)
