"""The event store: recordings, labelled or not, in one HDF5 file, read by slices.

Layout, version 1: attributes ``format`` = "eventsim-events", ``version``, ``package``, ``sensor`` = (width, height,
polarities), ``name``, ``n_classes`` (0: no labels), ``duration`` (ms of every sample, NaN: to its last event) and
``note``; a group for each part, "train", "validation" or, of recordings without labels, "recordings", with the columns
``t`` int64 (us), ``x``, ``y`` uint16 and ``p`` uint8 of all its recordings one behind the other, ``offset``
int64[n + 1], ``label`` int64[n], ``name`` (text) and ``skipped`` (JSON) of each recording. Columns are chunked,
shuffled, deflated and checksummed.
"""

import contextlib
import json
import math
from collections import Counter
from importlib.metadata import version

import numpy as np

from eventsim.data.hdf5 import attribute, readable
from eventsim.errors import FormatError
from eventsim.events import Events
from eventsim.hdf5 import check_head
from eventsim.sensor import Sensor

FORMAT, VERSION = "eventsim-events", 1
PARTS = ("train", "validation", "recordings")
_COLUMNS = {"t": np.int64, "x": np.uint16, "y": np.uint16, "p": np.uint8}
_CHUNK = 1 << 16  # events
_PACKING = {"shuffle": True, "compression": "gzip", "compression_opts": 1, "fletcher32": True}
_GATHERED = 1 << 18  # events that are written at once
BLOCK = 1 << 16  # events that are read at once


class StoreWriter:
    """Adds recordings to an open HDF5 file, one after the other; what was added is in the file after `flush` only.

    file : h5py.File to write; sensor : of all recordings; the other arguments are attributes, see the layout

    A file that has recordings already is gone on with: `n_recordings` are in it.
    """

    def __init__(self, file, sensor, *, name="recordings", n_classes=0, duration=None, note=""):
        self._file = file
        file.attrs.update(
            format=FORMAT, version=VERSION, package=version("eventsim"), name=name, n_classes=n_classes, note=note,
            sensor=(sensor.width, sensor.height, sensor.polarities),
            duration=math.nan if duration is None else duration,
        )
        self._part = None  # of what waits to be written
        self._events, self._n_events = [], 0
        self._ended = []  # (offset, label, name, skipped) of recordings
        self._n_open = 0  # events of the recording that is not ended yet
        for part in PARTS:
            if part in file:
                self._cut(file[part])

    def _cut(self, group):
        """Take away what a crash left behind the last whole recording."""
        n = len(group["label"])
        group["offset"].resize(n + 1, 0)
        for name in ("name", "skipped"):
            group[name].resize(n, 0)
        for name in _COLUMNS:
            group[name].resize(int(group["offset"][-1]), 0)

    def n_recordings(self, part) -> int:
        """Recordings of a part that were added."""
        waiting = len(self._ended) if part == self._part else 0
        return waiting + (len(self._file[part]["label"]) if part in self._file else 0)

    def totals(self):
        """How many recordings and events there are, a Counter of what was left out, and how many have no event."""
        self.flush()
        n_events, skipped = [], Counter()
        for group in (self._file[part] for part in PARTS if part in self._file):
            n_events += np.diff(group["offset"][:]).tolist()
            for text in group["skipped"].asstr()[:]:
                skipped.update(json.loads(text))
        return len(n_events), sum(n_events), skipped, n_events.count(0)

    def add(self, part, blocks, **what):
        """Add a recording, `Events` in blocks; see `end` for what else is said of it."""
        for events in blocks:
            self.gather(part, events)
        self.end(part, **what)

    def gather(self, part, events):
        """Add events to the recording that is open; they wait until they are many, since small writes take long."""
        self._turn_to(part)
        self._events.append(events)
        self._n_events += len(events)
        self._n_open += len(events)
        if self._n_events >= _GATHERED:
            self._write()

    def end(self, part, label=-1, name="", skipped=None):
        """End the recording that is open. skipped : dict of what a reader left out of it"""
        self._turn_to(part)
        self._ended.append((self._n_open, label, name, json.dumps(skipped or {})))
        self._n_open = 0

    def flush(self):
        """Hand everything to the disk."""
        self._write()
        self._file.flush()

    def _turn_to(self, part):
        if part != self._part:
            self._write()
            self._part = part

    def _write(self):
        """Write what waits. Labels come last: a recording counts once its label is there."""
        if not self._events and not self._ended:
            return
        group = self._group(self._part)
        for column in _COLUMNS if self._events else ():
            _append(group[column], np.concatenate([getattr(events, column) for events in self._events]))
        if self._ended:
            sizes, labels, names, skipped = zip(*self._ended, strict=True)
            _append(group["offset"], group["offset"][-1] + np.cumsum(sizes))
            _append(group["name"], names)
            _append(group["skipped"], skipped)
            _append(group["label"], labels)
        self._events, self._n_events, self._ended = [], 0, []

    def _group(self, part):
        import h5py  # which takes long to load, and reading other formats needs none of it

        if part not in self._file:
            group = self._file.create_group(part)
            for name, dtype in _COLUMNS.items():
                group.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(_CHUNK,), **_PACKING)
            group.create_dataset("offset", data=np.zeros(1, np.int64), maxshape=(None,), chunks=(1024,))
            group.create_dataset("label", (0,), np.int64, maxshape=(None,), chunks=(1024,))
            for name in ("name", "skipped"):
                group.create_dataset(name, (0,), h5py.string_dtype(), maxshape=(None,), chunks=(1024,))
        return self._file[part]


def _append(data, values):
    data.resize(len(data) + len(values), 0)
    data[len(data) - len(values):] = values


class Store:
    """An open event store; its recordings may be read from several threads.

    sensor : Sensor; name : str; n_classes : int; duration : ms or None; note : str
    parts : names of the parts in it
    """

    def __init__(self, file, source):
        """``file`` is a path or a file object; raises `FormatError` where it holds no event store."""
        import h5py

        self.source = source
        with self._readable():
            with contextlib.nullcontext(file) if hasattr(file, "read") else open(file, "rb") as raw:
                check_head(raw)
            self._file = h5py.File(file, "r")
            attributes = self._file.attrs
            if attributes.get("format") != FORMAT:
                raise FormatError(f"{source}: is an HDF5 file but no event store; `eventsim convert` makes one")
            if attributes.get("version") != VERSION:
                raise FormatError(f"{source}: is an event store of version {attributes.get('version')}, this eventsim "
                                  f"reads {VERSION}; install the eventsim that wrote it "
                                  f"({attributes.get('package', 'unknown')}) or a newer one")
            self.sensor = Sensor(*(int(size) for size in attributes["sensor"]))
            self.name, self.note = str(attributes["name"]), str(attributes["note"])
            self.n_classes, duration = int(attributes["n_classes"]), float(attributes["duration"])
            self.duration = None if math.isnan(duration) else duration
            self.parts = [name for name in PARTS if name in self._file]
            self._offsets = {part: self._file[part]["offset"][:] for part in self.parts}
            self.labels = {part: self._file[part]["label"][:] for part in self.parts}
            self._check()

    def _check(self):
        labelled = [part for part in self.parts if part != "recordings"]
        if not self.parts or bool(labelled) != (self.n_classes > 0) or len(labelled) not in (0, len(self.parts)):
            raise FormatError(f"{self.source}: has the parts {', '.join(self.parts) or 'none'} and {self.n_classes} "
                              "classes, which do not go together; convert its source again")
        for part, offset in self._offsets.items():
            columns = [self._file[part][name] for name in _COLUMNS]
            wrong = [data for data, dtype in zip(columns, _COLUMNS.values(), strict=True) if data.dtype != dtype]
            if wrong:
                raise FormatError(f"{self.source}: {wrong[0].name} holds {wrong[0].dtype}, which it must not; convert "
                                  "its source again")
            n = min(map(len, columns))
            for data in columns:  # HDF5 reads zeros where a chunk is not stored
                if data.chunks is None or data.id.get_num_chunks() != -(-len(data) // data.chunks[0]):
                    raise FormatError(f"{self.source}: {data.name} is not stored whole; convert its source again")
            if len(offset) != len(self.labels[part]) + 1 or offset[0] != 0 or offset[-1] > n \
                    or (np.diff(offset) < 0).any():
                raise FormatError(f"{self.source}: the offsets of {part} do not fit its columns; convert its source "
                                  "again")

    def __len__(self):
        return sum(len(labels) for labels in self.labels.values())

    def n_events(self, part, i) -> int:
        """Events of recording ``i`` of a part."""
        return int(np.diff(self._offsets[part][i:i + 2])[0])

    def recording_name(self, part, i) -> str:
        """What recording ``i`` of a part is called."""
        with self._readable():
            return self._file[part]["name"].asstr()[i]

    def skipped(self, part, i) -> dict:
        """What was left out of recording ``i`` when it was read."""
        with self._readable():
            return {str(name): int(n) for name, n in json.loads(self._file[part]["skipped"].asstr()[i]).items()}

    def columns(self, part, i, start=0, stop=None):
        """``(t, x, y, p)`` of events ``start`` to ``stop`` of recording ``i``."""
        first, end = self._offsets[part][i:i + 2].tolist()
        rows = slice(first + start, end if stop is None else min(first + stop, end))
        with self._readable():
            return tuple(self._file[part][name][rows] for name in _COLUMNS)

    def blocks(self, part, i):
        """Pairs (number of its first event, columns) of recording ``i``, block after block."""
        for start in range(0, self.n_events(part, i), BLOCK):
            yield start, self.columns(part, i, start, start + BLOCK)

    def events(self, part, i) -> Events:
        """Recording ``i`` of a part."""
        return Events(*self.columns(part, i), self.sensor, self.skipped(part, i))

    def _readable(self):
        return readable(self.source, "event store", "convert its source again")


class StoredRecording:
    """One recording of a `Store`, read as a `Recording` is: iterating gives its `Events` in blocks."""

    reordered = 0

    def __init__(self, store, part, i):
        self._store, self._part, self._i = store, part, i
        self.sensor, self.source = store.sensor, store.recording_name(part, i)
        self.skipped = store.skipped(part, i)

    def events(self) -> Events:
        """All of them at once."""
        return self._store.events(self._part, self._i)

    def __iter__(self):
        for _, columns in self._store.blocks(self._part, self._i):
            yield Events(*columns, self.sensor)


def open_if_store(path) -> Store | None:
    """The `Store` at ``path``, None where another file lies there; raises `FormatError` for one that is damaged."""
    return Store(path, str(path)) if attribute(path, "format") == FORMAT else None
