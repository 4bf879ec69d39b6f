"""DVS128 Gesture: AEDAT 3.1 recordings, each with a table of the gestures in it.

Amir et al. 2017, "A Low Power, Fully Event-Based Gesture Recognition System", doi:10.1109/CVPR.2017.781. Beside
``user01_led.aedat`` lies ``user01_led_labels.csv``, lines ``class,startTime_usec,endTime_usec`` of classes 1 to 11;
``trials_to_train.txt`` and ``trials_to_test.txt`` name the recordings of either part. A sample is a gesture: the events
from its start until before its end, their times from its start on; its label is the class less one.
"""

import bisect
import collections
import re
import threading
from typing import NamedTuple

from eventsim import files
from eventsim.data.codecs import read
from eventsim.data.datasets.base import Dataset, Splits, hold_out
from eventsim.errors import FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor
from eventsim.wording import several

SENSOR = Sensor(128, 128, 2)
N_CLASSES = 11
_LISTS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
_FIRST_TEST_USER = 24  # of the 29, where no list is there
_COLUMNS = "class,startTime_usec,endTime_usec"
_TIME_END = 1 << 63  # us
_KEPT = 2  # recordings whose events are kept: neighbouring samples are of the same one


class _Sample(NamedTuple):
    """One gesture: its recording, and the times in it, us."""

    path: str
    label: int
    start: int
    stop: int


class DVSGesture(Dataset):
    """Gestures in the order of their recordings."""

    def __init__(self, root, samples):
        self._root, self._samples = root, samples
        self._events, self._lock = collections.OrderedDict(), threading.Lock()
        super().__init__(name="dvsgesture", sensor=SENSOR, n_classes=N_CLASSES,
                         labels=[sample.label for sample in samples])

    def events(self, i):
        sample = self._samples[self.check_index(i)]
        whole = self._recording(sample.path)
        first, end = (bisect.bisect_left(whole.t, time) for time in (sample.start, sample.stop))
        return Events(whole.t[first:end] - sample.start, *(column[first:end] for column in (whole.x, whole.y, whole.p)),
                      SENSOR, whole.skipped)

    def _recording(self, path):
        with self._lock:  # who waits for it wants the same recording, most likely
            if path not in self._events:
                self._events[path] = read(self._root / path, sensor=SENSOR)
            self._events.move_to_end(path)
            while len(self._events) > _KEPT:
                self._events.popitem(last=False)
            return self._events[path]

    def sample_name(self, i):
        sample = self._samples[self.check_index(i)]
        return f"{sample.path}@{sample.start}"

    def sample_size(self, i):
        sample = self._samples[self.check_index(i)]
        return sample.stop - sample.start


def is_dvsgesture(path) -> bool:
    """Whether a folder has recordings with tables of gestures."""
    return path.is_dir() and any(path.glob("*_labels.csv")) and any(path.glob("*.aedat"))


def open_dvsgesture(path, seed=0) -> Splits:
    """The gestures below the folder ``path``; the tables are read now, recordings later.

    seed : where there is nothing to test on, a tenth of every class is held out, chosen by this seed

    Raises `FormatError` where a list or table cannot be read, or names what is not there.
    """
    root = files.as_path(path)
    names = _names(root)
    parts = {split: [sample for name in some for sample in _gestures(root, name)] for split, some in names.items()}
    train, test = (DVSGesture(root, parts[split]) if parts[split] else None for split in ("train", "test"))
    listed = "" if (root / _LISTS["train"]).is_file() else f", users from {_FIRST_TEST_USER} on"
    if test is not None or train is None:
        n = 0 if test is None else len(test)
        return Splits(train, test, f"validation is test ({several(n, 'gesture')}{listed})")
    *halves, held = hold_out(train, seed)
    return Splits(*halves, f"no recordings to test on; {held}")


def _names(root):
    """Names of the recordings to train on and to test on."""
    with files.reading(root):
        there = sorted(one.name for one in root.glob("*.aedat") if (root / _table_of(one.name)).is_file())
    if not (root / _LISTS["train"]).is_file():
        users = {name: int(found[1]) if (found := re.match(r"user(\d+)_", name)) else 0 for name in there}
        return {"train": [name for name in there if users[name] < _FIRST_TEST_USER],
                "test": [name for name in there if users[name] >= _FIRST_TEST_USER]}
    out = {}
    for split, file in _LISTS.items():
        lines = _text(root / file).splitlines() if (root / file).is_file() else []
        out[split] = [line.strip() for line in lines if line.strip()]
        missing = next((name for name in out[split] if name not in there), None)
        if missing is not None:
            raise FormatError(f"{root / file}: names {missing}, which is not there together with its table; download "
                              "it again")
    return out


def _table_of(name):
    return name.removesuffix(".aedat") + "_labels.csv"


def _gestures(root, name):
    path = root / _table_of(name)
    lines = _text(path).splitlines()
    if not lines or lines[0].strip() != _COLUMNS:
        raise FormatError(f"{path}: begins with {lines[0] if lines else ''!r}, expected {_COLUMNS}; download it again")
    samples = []
    for i, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            label, start, stop = (int(cell) for cell in line.split(","))
        except ValueError:
            label = start = stop = -1
        if not (1 <= label <= N_CLASSES and 0 <= start <= stop < _TIME_END):
            raise FormatError(f"{path}: line {i} is {line!r}, expected a class of 1 to {N_CLASSES} and two ascending "
                              "times in us; download it again")
        samples.append(_Sample(name, label - 1, start, stop))
    return samples


def _text(path):
    with files.reading(path):
        return path.read_text("utf-8", "replace")
