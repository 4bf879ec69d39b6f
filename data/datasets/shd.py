"""Spiking Heidelberg Digits and Spiking Speech Commands: the HDF5 files of the download, beside each other or alone.

Cramer et al. 2020, "The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural Networks",
doi:10.1109/TNNLS.2020.3044364. 700 cochlea channels; ``spikes/times`` in seconds and ``spikes/units`` of every sample,
``labels``. 20 classes, or 35 of speech commands. Source of the layout: https://zenkelab.org/datasets.
"""

import re

from eventsim import files
from eventsim.data.datasets.base import Dataset, Splits, hold_out
from eventsim.data.hdf5 import channel_events, check_file, readable
from eventsim.errors import FormatError
from eventsim.sensor import Sensor
from eventsim.wording import several

SENSOR = Sensor(700, 1, 1)
CLASSES = {"shd": 20, "ssc": 35}
_FILE = re.compile(r"(shd|ssc)_(train|valid|test)\.h5", re.IGNORECASE)


class SHD(Dataset):
    """The samples of one file; a channel is x, and events are sorted by time."""

    def __init__(self, path, name):
        import h5py  # takes long to load

        self._path = path
        check_file(path)
        with readable(path, "file of SHD or SSC"):
            file = h5py.File(path, "r")
            labels = file["labels"][:]
            self._times, self._units = file["spikes/times"], file["spikes/units"]
            if not len(labels) == len(self._times) == len(self._units):
                raise FormatError(f"{path}: has {len(labels)} labels for {len(self._times)} times and "
                                  f"{len(self._units)} units; download it again")
            super().__init__(name=name, sensor=SENSOR, n_classes=CLASSES[name], labels=labels)

    def events(self, i):
        name = self.sample_name(i)
        with readable(self._path, f"file of SHD or SSC, at sample {i}"):
            return channel_events(self._times[i], self._units[i], SENSOR, name)

    def sample_name(self, i):
        return f"{self._path.name}:{self.check_index(i)}"

    def sample_size(self, i):
        """That of the file: to know a sample's own it would have to be read."""
        self.check_index(i)
        return self._path.stat().st_size


def find_files(path):
    """{name of a data set: {split: path}} of the files at ``path``."""
    found = {}
    with files.reading(path):
        for one in sorted(path.iterdir()) if path.is_dir() else [path]:
            if match := _FILE.fullmatch(one.name):
                found.setdefault(match[1].lower(), {})[match[2].lower()] = one
    return found


def open_shd(path, seed=0) -> Splits:
    """The samples of SHD or SSC at ``path``, a folder with its files or one of them; none of them read yet.

    Validation samples are those of ``valid``, where there is none of ``test``; of a training file that is alone a tenth
    of every class is held out, chosen by ``seed``. Raises `FormatError` where a file cannot be read, or there are files
    of both.
    """
    found = find_files(files.as_path(path))
    if len(found) > 1:
        listed = " and of ".join(f"{name.upper()} ({', '.join(one.name for one in parts.values())})"
                                 for name, parts in found.items())
        raise FormatError(f"{path}: has files of {listed}; name one of them, or give each data set a folder of its own")
    (name, parts), = found.items()
    parts = {split: SHD(one, name) for split, one in parts.items()}
    train, validation = parts.get("train"), parts.get("valid", parts.get("test"))
    note = f"validation is {'valid' if 'valid' in parts else 'test'}"
    if "valid" in parts and "test" in parts:
        note += f"; left alone: {several(len(parts['test']), 'sample')} of test, whose file is to be named to use it"
    if train is None:
        return Splits(None, validation, f"{path} has no training samples")
    if validation is None:
        *halves, held = hold_out(train, seed)
        return Splits(*halves, f"{path} is alone; {held}")
    return Splits(train, validation, note)
