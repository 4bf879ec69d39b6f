"""What every labelled data set offers, wherever its samples lie."""

import hashlib
from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.wording import several

SPLITS = ("train", "validation", "all")


class Dataset:
    """Labelled recordings of one sensor, read one at a time.

    A data set gives `events` and `sample_name`, and `sample_size` where samples are stored; all of them may be called
    from several threads at once.

    Attributes
    ----------
    name : str
    sensor : Sensor
    n_classes : int
    labels : int64[n], in 0..n_classes - 1, read-only
    duration : float, ms that every sample is shown for, or None where samples end with their last event
    """

    def __init__(self, *, name, sensor, n_classes, labels, duration=None):
        self.name = str(name)
        self.sensor = checks.sensor(sensor)
        self.n_classes = checks.whole_number("n_classes", n_classes, 1)
        self.labels = checks.indices("labels", labels, self.n_classes)
        self.labels.flags.writeable = False
        self.duration = None if duration is None else checks.milliseconds("duration", duration)

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return (f"{type(self).__name__}({self.name}: {several(len(self), 'sample')}, "
                f"{several(self.n_classes, 'class', 'classes')}, {self.sensor})")

    def events(self, i) -> Events:
        """The events of sample ``i``; raises `FormatError` where the sample cannot be read."""
        raise NotImplementedError

    def sample_name(self, i) -> str:
        """What messages call sample ``i``; unique in the data set."""
        raise NotImplementedError

    def sample_size(self, i) -> int:
        """Bytes that sample ``i`` takes where it is stored (0: it is not stored)."""
        self.check_index(i)
        return 0

    def check_index(self, i) -> int:
        """``i`` as an int; raises `ConfigError` unless it names a sample."""
        if not len(self):
            raise ConfigError(f"data set {self.name} has no samples, so there is no sample {i!r}")
        return checks.whole_number("sample", i, 0, len(self) - 1)

    def fingerprint(self) -> str:
        """16 hex digits over the names, sizes and labels of the samples; cheap, so contents are not read."""
        digest = hashlib.sha256(f"{self.name} {self.sensor} {self.n_classes} {self.duration}".encode())
        for i, label in enumerate(self.labels):
            digest.update(f"\n{self.sample_name(i)} {self.sample_size(i)} {label}".encode(errors="surrogateescape"))
        return digest.hexdigest()[:16]

    def subset(self, indices) -> "Dataset":
        """The samples at ``indices`` (int[n], repeats allowed), in that order."""
        return Subset(self, indices)


class Subset(Dataset):
    """Some samples of another data set, see `Dataset.subset`."""

    def __init__(self, whole: Dataset, indices):
        self._whole = whole
        self._indices = checks.indices("indices", indices, len(whole))
        super().__init__(name=whole.name, sensor=whole.sensor, n_classes=whole.n_classes,
                         labels=whole.labels[self._indices], duration=whole.duration)

    def events(self, i):
        return self._whole.events(self._indices[self.check_index(i)])

    def sample_name(self, i):
        return self._whole.sample_name(self._indices[self.check_index(i)])

    def sample_size(self, i):
        return self._whole.sample_size(self._indices[self.check_index(i)])


class Joined(Dataset):
    """The samples of one data set, and behind them those of another of the same kind."""

    def __init__(self, first: Dataset, second: Dataset):
        self._parts = (first, second)
        super().__init__(name=first.name, sensor=first.sensor, n_classes=first.n_classes,
                         labels=np.concatenate((first.labels, second.labels)), duration=first.duration)

    def _part(self, i):
        i, first = self.check_index(i), len(self._parts[0])
        return (self._parts[0], i) if i < first else (self._parts[1], i - first)

    def events(self, i):
        part, i = self._part(i)
        return part.events(i)

    def sample_name(self, i):
        part, i = self._part(i)
        return part.sample_name(i)

    def sample_size(self, i):
        part, i = self._part(i)
        return part.sample_size(i)


@dataclass(frozen=True)
class Splits:
    """A data set as training uses it: either part is None where there are no samples for it."""

    train: Dataset | None
    validation: Dataset | None
    note: str  # where the validation samples come from, and what was ignored

    def part(self, name) -> Dataset:
        """The samples called ``name``: "train", "validation" or "all"; raises `ConfigError` where there are none."""
        checks.choice("split", name, SPLITS)
        wanted = [getattr(self, part) for part in SPLITS[:2] if name in (part, "all")]
        found = [part for part in wanted if part is not None and len(part)]
        if not found:
            raise ConfigError(f"there are no {name} samples ({self.note}); choose another --split")
        return found[0] if len(found) == 1 else Joined(*found)


def hold_out(train, seed):
    """``(train, validation, note)``: a data set without about a tenth of every class, these, and that they are.

    The validation part is None where no class has two samples. See `stratified_tenth`.
    """
    kept, held_out = stratified_tenth(train.labels, seed)
    note = (f"held out for validation: {len(held_out):,} of {several(len(train), 'sample')}, a tenth of every class "
            f"chosen by seed {seed}")
    return train.subset(kept), train.subset(held_out) if len(held_out) else None, note


def stratified_tenth(labels, seed):
    """Choose about a tenth of every class at random, at least one sample of a class that has two.

    Returns ``(kept, held_out)``, ascending int64 indices. The same ``labels`` and ``seed`` give the same choice.
    """
    rng = np.random.default_rng(checks.whole_number("seed", seed, 0, 2**63 - 1))
    held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        size = max(round(len(members) / 10), 1) if len(members) > 1 else 0
        held_out[members[:size]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
