"""`Recording`: a file of events of any format, read in blocks; what every format promises is checked here."""

import contextlib
import functools
import io
import os

import numpy as np

from eventsim import kernels
from eventsim.data.codecs.base import EVENTS_BLOCK, REPAIR, named, sensor_or_none
from eventsim.data.transforms import left_out
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor, mismatch

_MOST_ROOM = 1 << 27  # events that memory is asked for before they are read, 1.7 GB
_NAMES = "xyp"
_TYPES = {"t": np.int64, "x": np.uint16, "y": np.uint16, "p": np.uint8}


class Recording:
    """One recording; iterating over it gives its `Events` in blocks, in the order of time.

    Where a recording of a format that says nothing of the sensor is read and nobody named one, it is the smallest that
    holds all events. To know it before the first block, the recording is read twice.

    With ``repair`` what can be read of a damaged recording is kept: a record that its end cuts off is left out and
    counted as ``cut``, events outside the sensor as ``outside``, and the others are brought into the order of time. It
    is read once more, first, to see whether they are: only where they are not it has to be held in memory.

    Attributes
    ----------
    codec : Codec; source : what messages call the file
    declared : Sensor that was named, or that the recording says or its format implies, or the default; None where
        nobody said one
    about : dict of str, what the recording says of itself
    skipped : dict of str to int, records that are no event, of what was read so far
    reordered : events that came after a later one, where they were sorted
    """

    def __init__(self, file, codec, source="recording", sensor=None, default_sensor=None, repair=False):
        self.codec, self.source, self.repair, self.reordered = codec, source, repair, 0
        self._file, self._named, self._default = file, sensor_or_none(sensor), default_sensor
        self._start = file.tell() if file.seekable() else 0
        self._reader = self._opened()
        self._is_fresh = True
        self._measured = None

    def _opened(self):
        reader = self.codec.reader(self._file, self.source)
        reader.repairs = self.repair
        return reader

    @property
    def declared(self) -> Sensor | None:
        return self._named or self._reader.sensor or self._default

    @property
    def sensor(self) -> Sensor:
        """`declared`, else the smallest sensor of two polarities that holds all events."""
        if self.declared is None and self._measured is None:
            self._measured = self._smallest(facts for _, facts in self._blocks())
        return self.declared or self._measured

    def _smallest(self, facts):
        """The sensor that holds the events of all blocks, of which these are the facts."""
        width, height, polarities = (int(most) + 1 for most in functools.reduce(np.maximum, facts)[:3])
        try:
            return Sensor(width, height, max(2, polarities))
        except ConfigError as error:
            raise FormatError(f"{self.source}: has events that need a sensor of {width}x{height}x{polarities}, and "
                              f"{error}; name the one that recorded it, e.g. --sensor 640x480, and leave the others "
                              f"out with {REPAIR}") from None

    @property
    def about(self) -> dict:
        return self._reader.about

    @property
    def skipped(self) -> dict:
        return {name: n for name, n in self._reader.skipped.items() if n}

    def __iter__(self):
        sensor = self.sensor
        is_sorted = not self.repair or all(facts[3] < 0 for _, facts in self._blocks(sensor))
        blocks = (columns for columns, _ in self._blocks(sensor))
        for columns in blocks if is_sorted else self._sorted(_joined(blocks, self._room())):
            yield Events(*columns, sensor)

    def _sorted(self, columns):
        """Columns in the order of time, in blocks; equal times stay in that of the file."""
        order = self._order(columns["t"])
        for start in range(0, len(order), EVENTS_BLOCK):
            yield [column[order[start:start + EVENTS_BLOCK]] for column in columns.values()]

    def _order(self, t):
        """Places of the events in the order of time."""
        self.reordered = int(np.count_nonzero(t < np.maximum.accumulate(t)))
        return np.argsort(t, kind="stable")

    def events(self) -> Events:
        """All of them at once."""
        facts = []

        def blocks():
            for columns, of_block in self._blocks(self.declared or self._measured):
                facts.append(of_block)
                yield columns

        columns = _joined(blocks(), self._room())
        if any(of_block[3] >= 0 for of_block in facts):
            order = self._order(columns["t"])
            columns = {name: column[order] for name, column in columns.items()}
        if self.declared is None and self._measured is None:
            self._measured = self._smallest(facts)
        return Events(**columns, sensor=self.sensor, skipped=self.skipped)

    def window(self, start=0, length=None):
        """Events of some of the time, in memory that grows with these alone.

        start : us where it begins, None: at the first event; length : us, None: to the last event

        Returns ``(events, before, after)``: `Events` whose times count from ``start``, and how many others there are.
        """
        sensor, parts, before, after = self.sensor, [], 0, 0
        for events in self:
            start = int(events.t[0]) if start is None else start
            first = int(np.searchsorted(events.t, start))
            end = len(events) if length is None else int(np.searchsorted(events.t, start + length))
            before, after = before + first, after + len(events) - end
            if first < end:
                parts.append(tuple(getattr(events, name)[first:end] for name in _TYPES))
        columns = _joined(parts)
        columns["t"] = columns["t"] - start
        return Events(**columns, sensor=sensor, skipped=self.skipped), before, after

    def _room(self):
        """Events that there are at most, 0 where that is not known."""
        room = _size(self._file) // self._reader.event_bytes if self._reader.event_bytes else 0
        return room if room <= _MOST_ROOM else 0

    def _blocks(self, sensor=None):
        """(columns, facts) of every block, see `survey_events`; pixels are checked where the sensor is known."""
        reader, n, last = self._begin(), 0, np.iinfo(np.int64).min
        for block in reader.blocks():
            if self.repair:
                block = _inside(reader, block, sensor)
            if not len(block[0]):
                continue
            columns = [_column(name, values, reader, n, self.source)
                       for name, values in zip(_TYPES, block, strict=True)]
            facts = np.empty(4, np.int64)
            kernels.call("survey_events", **named(columns), last=last, facts=facts)
            if facts[3] >= 0 and not self.repair:
                raise _unsorted(reader, columns[0], int(facts[3]), n, last, self.source)
            if sensor is not None and (facts[:3] >= (sensor.width, sensor.height, sensor.polarities)).any():
                raise _outside(reader, columns[1:], n, sensor, facts, self.source, sensor is self._default)
            n, last = n + len(columns[0]), int(columns[0][-1])
            yield columns, facts
        if not n:
            kinds = f" ({left_out(self.skipped)})" if self.skipped else ""
            what = "is empty" if reader.is_empty else f"holds no event{kinds}"
            raise FormatError(f"{self.source}: {what}; a recording has at least one event; copy or download it again")

    def _begin(self):
        """A reader at the start."""
        if not self._is_fresh:
            if not self._file.seekable():
                raise ConfigError(f"{self.source}: can be read only once, and says nothing of the sensor; name it, "
                                  "e.g. --sensor 640x480")
            self._file.seek(self._start)
            self._reader = self._opened()
        self._is_fresh = False
        return self._reader


def _inside(reader, block, sensor):
    """The events of a block that lie on the sensor, None: on one that could be; the reader counts the others."""
    limits = {name: (np.iinfo(dtype).min, np.iinfo(dtype).max) for name, dtype in _TYPES.items()}
    if sensor is not None:
        limits |= {"x": (0, sensor.width - 1), "y": (0, sensor.height - 1), "p": (0, sensor.polarities - 1)}
    inside = np.ones(len(block[0]), bool)
    for values, (least, most) in zip(block, limits.values(), strict=True):
        inside &= (values >= least) & (values <= most)
    reader.skipped["outside"] += len(inside) - int(np.count_nonzero(inside))
    return tuple(values[inside] for values in block)


def _joined(blocks, room=0):
    """Columns t, x, y, p of several blocks, one behind the other, by name.

    What ``room`` events hold is written where it stays: memory is touched once, which takes longer than decoding.
    """
    whole, n, rest = [np.empty(room, dtype) for dtype in _TYPES.values()], 0, []
    for block in blocks:
        end = n + len(block[0])
        if rest or end > room:
            rest.append(block)
            continue
        for column, values in zip(whole, block, strict=True):
            column[n:end] = values
        n = end
    parts = [tuple(column[:n] for column in whole), *rest] if n or not rest else rest
    if len(parts) == 1:  # as they are
        return dict(zip(_TYPES, parts[0], strict=True))
    return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(_TYPES)}


def _size(file):
    """Bytes of a file, 0 where that is not known."""
    if isinstance(file, io.BytesIO):
        at, size = file.tell(), file.seek(0, io.SEEK_END)
        file.seek(at)
        return size
    try:
        return os.fstat(file.fileno()).st_size
    except (AttributeError, OSError, ValueError):
        return 0


def _column(name, values, reader, n, source):
    """A column in the type that `Events` has; raises `FormatError` for what that cannot hold."""
    dtype = _TYPES[name]
    if values.dtype != dtype:
        limits = np.iinfo(dtype)
        bad = (values < limits.min) | (values > limits.max)
        if bad.any():
            i = int(np.argmax(bad))
            raise FormatError(f"{source}: event {n + i} at {reader.place(i)} has {name} = {values[i]}, which no sensor "
                              f"has ({limits.min}..{limits.max}); copy or download it again, or leave such events "
                              f"out with {REPAIR}")
    return np.ascontiguousarray(values, dtype)


def _unsorted(reader, t, i, n, last, source):
    before = t[i - 1] if i else last
    return FormatError(f"{source}: event {n + i} at {reader.place(i)} is at {t[i]} us, before the {before} us of the "
                       "event ahead of it; events must be in the order of time; download the recording again, or "
                       f"sort them with {REPAIR}")


def _outside(reader, pixel, n, sensor, facts, source, is_default):
    limits = (sensor.width, sensor.height, sensor.polarities)
    i = int(np.argmax(np.any([column >= limit for column, limit in zip(pixel, limits, strict=True)], axis=0)))
    got = ", ".join(f"{name} = {column[i]}" for name, column in zip(_NAMES, pixel, strict=True))
    allowed = ", ".join(f"{name} 0..{limit - 1}" for name, limit in zip(_NAMES, limits, strict=True))
    reach = "x".join(str(most + 1) for most in facts[:3])
    if is_default:  # a network's: another one would not make them fit
        with contextlib.suppress(ConfigError):  # for a size that no sensor has
            return FormatError(mismatch(f"{source}:", Sensor(*(int(most) + 1 for most in facts[:3])), sensor,
                                        f"event {n + i} at {reader.place(i)} has {got}"))
    return FormatError(f"{source}: event {n + i} at {reader.place(i)} has {got}, outside the {sensor} sensor "
                       f"({allowed}); name the sensor that recorded it, here at least --sensor {reach}, or leave such "
                       f"events out with {REPAIR}")
