"""Data sets in an event store, see `eventsim.data.store`."""

from eventsim import files
from eventsim.data.datasets.base import Dataset, Splits, hold_out
from eventsim.data.hdf5 import attribute, check_file
from eventsim.data.store import FORMAT, Store
from eventsim.errors import FormatError


class StoreDataset(Dataset):
    """The recordings of one part of a store."""

    def __init__(self, store, part):
        self._store, self._part = store, part
        super().__init__(name=store.name, sensor=store.sensor, n_classes=store.n_classes, duration=store.duration,
                         labels=store.labels[part])

    def events(self, i):
        return self._store.events(self._part, self.check_index(i))

    def sample_name(self, i):
        return self._store.recording_name(self._part, self.check_index(i))

    def sample_size(self, i):
        return self._store.n_events(self._part, self.check_index(i))


def is_labelled(path) -> bool:
    """Whether a file is an event store with labels."""
    return attribute(path, "format") == FORMAT and bool(attribute(path, "n_classes"))


def open_store(path, seed=0) -> Splits:
    """The samples of an event store, none of them read yet.

    seed : where there are no validation samples, a tenth of every class is held out, chosen by this seed

    Raises `FormatError` where there are no labelled samples, or the store is damaged.
    """
    path = files.as_path(path)
    check_file(path)
    store = Store(path, str(path))
    if not store.n_classes:
        raise FormatError(f"{path}: holds recordings without labels, so it is no data set; convert a folder of classes")
    train, validation = (StoreDataset(store, part) if part in store.parts else None for part in ("train", "validation"))
    if train is None or validation is not None:
        return Splits(train, validation, store.note)
    return Splits(*hold_out(train, seed))
