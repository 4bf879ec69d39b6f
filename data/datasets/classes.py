"""A folder for every class, with recordings of any format in it; also N-Caltech101, which is one of these.

``<class>/<recording>``, or ``train/<class>/<recording>`` beside ``test/...`` or ``validation/...``. Classes are
numbered in the order of their names. N-Caltech101 (Orchard et al. 2015, doi:10.3389/fnins.2015.00437) has
``image_<n>.bin`` in 101 folders, five-byte records of a sensor of 240x180.
"""

import os
import re
from typing import NamedTuple

from eventsim import files
from eventsim.data.codecs import CODECS, open_recording, read
from eventsim.data.datasets.base import Dataset, Splits, hold_out
from eventsim.errors import FormatError
from eventsim.sensor import Sensor
from eventsim.wording import several

CALTECH101 = Sensor(240, 180, 2)
_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test", "valid": "validation",
           "val": "validation", "validation": "validation"}


class _Sample(NamedTuple):
    """One recording: its place below the folder, and its class."""

    split: str
    label: str
    path: str


class ClassFolders(Dataset):
    """Some recordings below a folder, in the order of (class, name); see `open_classes`."""

    def __init__(self, root, name, samples, classes, sensor, is_named):
        self._root, self._is_named = root, is_named
        self._samples = sorted(samples, key=lambda sample: (classes.index(sample.label), sample.path))
        super().__init__(name=name, sensor=sensor, n_classes=len(classes),
                         labels=[classes.index(sample.label) for sample in self._samples])

    def events(self, i):
        path = self._root / self._samples[self.check_index(i)].path
        with open_recording(path, sensor=self.sensor if self._is_named else None) as recording:
            if recording.declared is None:
                return read(path, self.sensor)
            if recording.declared != self.sensor:
                raise FormatError(f"{path}: is of a {recording.declared} sensor, the data set of {self.sensor}; "
                                  "move it elsewhere, or crop or pool it to that with `eventsim convert --apply`")
            return recording.events()

    def sample_name(self, i):
        return self._samples[self.check_index(i)].path

    def sample_size(self, i):
        path = self._root / self.sample_name(i)
        with files.reading(path):
            return os.path.getsize(path)


def open_classes(path, seed=0, sensor=None) -> Splits:
    """The recordings below the folder ``path``, none of them read yet.

    seed : where there are no test or validation samples, a tenth of every class is held out, chosen by this seed
    sensor : of all recordings; None: that of the first one, which must say it

    Raises `FormatError` where there is no recording or a folder cannot be read.
    """
    root = files.as_path(path)
    samples, ignored = _scan(root)
    if not samples:
        suffixes = " ".join(sorted({suffix for codec in CODECS.values() for suffix in codec.suffixes}))
        raise FormatError(f"{root}: has no recording ({several(ignored, 'other file')}); expected "
                          "<class>/<recording> or train/<class>/<recording>, or N-MNIST's Train/<digit>/<id>.bin, of "
                          f"files {suffixes}; check the path")
    classes = sorted({sample.label for sample in samples})
    name, sensor, is_named = _kind(root, samples, sensor)
    parts = {}
    for split in ("train", "validation", "test"):
        found = [sample for sample in samples if sample.split == split]
        if found:
            parts[split] = ClassFolders(root, name, found, classes, sensor, is_named)
    note = f"; ignored: {several(ignored, 'other file')}" if ignored else ""
    n_classes = several(len(classes), "class", "classes")
    held = parts.get("validation", parts.get("test"))
    train = parts.get("train")
    if train is None or held is not None:
        which = "validation" if "validation" in parts else "test"
        unused = f"; left alone: {several(len(parts['test']), 'sample')} of test" \
            if {"validation", "test"} <= set(parts) else ""
        return Splits(train, held, f"{n_classes}, validation is {which}{unused}{note}")
    *halves, said = hold_out(train, seed)
    return Splits(*halves, f"{n_classes}; {said}{note}")


def _kind(root, samples, sensor):
    """(name of the data set, its sensor, whether it goes before what recordings say)."""
    if sensor is not None:
        return "classes", sensor, True
    if all(re.fullmatch(r"image_\d+\.bin", os.path.basename(sample.path)) for sample in samples):
        return "ncaltech101", CALTECH101, True
    first = root / samples[0].path
    with open_recording(first) as recording:
        if recording.declared is None:
            raise FormatError(f"{first}: says nothing of the sensor; convert the folder to a store and name it, "
                              f"`eventsim convert {root} {root.resolve().name}.h5 --sensor 128x128`")
        return "classes", recording.declared, False


def _scan(root):
    """Samples below the folder, and the number of files that are none."""
    samples, ignored = [], 0
    suffixes = {suffix for codec in CODECS.values() for suffix in codec.suffixes}
    for entry in _entries(root):
        split = _SPLITS.get(entry.name.lower())
        below = [(split, one) for one in _entries(entry.path)] if split and entry.is_dir() else [("train", entry)]
        for split_name, folder in below:
            if not folder.is_dir():
                ignored += 1
                continue
            for file in _entries(folder.path):
                if file.is_file() and os.path.splitext(file.name)[1].lower() in suffixes:
                    samples.append(_Sample(split_name, folder.name, os.path.relpath(file.path, root)))
                else:
                    ignored += 1
    return samples, ignored


def _entries(path):
    with files.reading(path), os.scandir(path) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
