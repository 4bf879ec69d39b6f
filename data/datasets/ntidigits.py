"""N-TIDIGITS18: spoken digits before a cochlea of 64 channels, one HDF5 file.

Anumula et al. 2018, "Feature Representations for Neuromorphic Audio Spike Streams", doi:10.3389/fnins.2018.00023.
``{train,test}_labels`` names the samples, whose channels and times (in seconds) are the data sets
``{train,test}_addresses/<name>`` and ``{train,test}_timestamps/<name>``. What was said follows the last ``-`` of a
name, a letter a digit: ``o`` and ``z`` (both are zero) and ``1`` to ``9``. Samples of one digit are the data set, of 11
classes; those of several are counted in its note.
"""

from eventsim import files
from eventsim.data.datasets.base import Dataset, Splits
from eventsim.data.hdf5 import channel_events, check_file, readable
from eventsim.errors import FormatError
from eventsim.sensor import Sensor
from eventsim.wording import several

SENSOR = Sensor(64, 1, 1)
CLASSES = "o123456789z"
_WHAT = "file of N-TIDIGITS"


class NTIDIGITS(Dataset):
    """Samples of one digit; a channel is x."""

    def __init__(self, path, file, split, names):
        self._path, self._split, self._names = path, split, names
        with readable(path, _WHAT):
            self._channels, self._times = file[f"{split}_addresses"], file[f"{split}_timestamps"]
            super().__init__(name="ntidigits", sensor=SENSOR, n_classes=len(CLASSES),
                             labels=[CLASSES.index(name[-1]) for name in names])

    def events(self, i):
        name = self._names[self.check_index(i)]
        with readable(self._path, f"{_WHAT}, at {name}"):
            return channel_events(self._times[name][:], self._channels[name][:], SENSOR, self.sample_name(i))

    def sample_name(self, i):
        return f"{self._split}/{self._names[self.check_index(i)]}"

    def sample_size(self, i):
        """That of the file: to know a sample's own it would have to be read."""
        self.check_index(i)
        return self._path.stat().st_size


def find_ntidigits(path):
    """The file of N-TIDIGITS at a path: itself, or the one in a folder; None where there is none."""
    for one in sorted(path.glob("*.hdf5")) if path.is_dir() else [path]:
        if one.suffix in (".h5", ".hdf5"):
            import h5py  # takes long to load, and most data sets need none of it

            try:
                with h5py.File(one, "r") as file:
                    if {"train_labels", "test_labels"} <= set(file):
                        return one
            except (OSError, RuntimeError, LookupError):
                pass
    return None


def open_ntidigits(path, seed=0) -> Splits:
    """The samples of one digit in the file at ``path``, none of them read yet; validation samples are those of test.

    Raises `FormatError` where the file cannot be read or has no such samples.
    """
    import h5py

    path = files.as_path(path)
    path = find_ntidigits(path) or path
    check_file(path)
    parts, n_longer = {}, 0
    with readable(path, _WHAT):
        file = h5py.File(path, "r")
        for split in ("train", "test"):
            names = [label.decode() if isinstance(label, bytes) else str(label) for label in file[f"{split}_labels"][:]]
            said = {name: name.rpartition("-")[2] for name in names}
            single = [name for name in names if len(said[name]) == 1 and said[name] in CLASSES]
            parts[split] = NTIDIGITS(path, file, split, single) if single else None
            n_longer += len(names) - len(single)
    if not any(parts.values()):
        raise FormatError(f"{path}: has no sample of one digit; download it again")
    return Splits(parts["train"], parts["test"],
                  f"validation is test; left out: {several(n_longer, 'sample')} of several digits")
