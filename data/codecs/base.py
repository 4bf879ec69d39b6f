"""What a recording format is to the readers and writers, and to streams of it."""

import contextlib
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eventsim import checks, files
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Arrivals, Events
from eventsim.sensor import Sensor

REPAIR = "`eventsim convert --repair`"  # as messages advise it
CUT_CURE = f"copy or download it again, or keep what is whole with {REPAIR}"
BLOCK = 1 << 18  # bytes that a reader takes at a time: what they become stays in the second-level cache
EVENTS_BLOCK = 1 << 16  # events of a recording in memory that are handed on at once


class Reader:
    """Decodes one recording block by block, so that memory does not grow with it.

    A format's reader gives `blocks` and `place`. Whoever takes its blocks checks that pixels lie on the sensor and that
    time ascends, see `eventsim.data.codecs.recording`.

    Attributes
    ----------
    sensor : Sensor that the recording says or its format implies; None where nothing is known of it
    about : dict of str, what else the recording says of itself, in the words of its format
    skipped : Counter, records that are no event so far, by kind
    repairs : whether what is cut off at the end is left out and counted, instead of refused
    event_bytes : that an event takes at least, 0 where that is not known
    """

    repairs = False
    event_bytes = 0

    def __init__(self, file, source):
        self.file, self.source = file, source
        self.sensor = None
        self.about = {}
        self.skipped = Counter()
        self.is_empty = True  # until a byte was read
        self._ahead = b""  # read already, to be read again

    def blocks(self):
        """Columns ``(t, x, y, p)`` of some events after the other; t in us, whole numbers of any type.

        Raises `FormatError`, with the source and the place, where the recording is damaged.
        """
        raise NotImplementedError

    def place(self, i) -> str:
        """Where event ``i`` of the last block stands, such as "byte 10"."""
        raise NotImplementedError

    def cut(self, problem, n=1):
        """The end cuts off ``n`` records, as ``problem`` says: count them as ``cut``, or raise `FormatError`."""
        if not self.repairs:
            raise FormatError(f"{self.source}: {problem}; {CUT_CURE}")
        self.skipped["cut"] += n

    def read(self, n) -> bytes:
        """The next ``n`` bytes, fewer only at the end."""
        parts, self._ahead = [self._ahead[:n]], self._ahead[n:]
        n -= len(parts[0])
        with files.reading(self.source):
            while n > 0:
                try:
                    part = self.file.read(n)
                except ValueError as error:  # closed, or text that does not decode
                    raise ConfigError(f"{self.source}: cannot be read ({error}); open the file in binary mode") \
                        from None
                if not isinstance(part, bytes):
                    raise ConfigError(f"{self.source}: read() gave {type(part).__name__}, not bytes; open the file in "
                                      "binary mode")
                if not part:
                    break
                parts.append(part)
                n -= len(part)
                self.is_empty = False
        return b"".join(parts)

    def unread(self, data):
        """Have ``data``, which was read last, read again."""
        self._ahead = data + self._ahead


def empty_columns(n):
    """Columns ``t, x, y, p`` of ``n`` events, for a kernel to fill; see `named`."""
    return np.empty(n, np.int64), np.empty(n, np.uint16), np.empty(n, np.uint16), np.empty(n, np.uint8)


def named(columns) -> dict:
    """Columns ``t, x, y, p`` by these names, as kernels take them."""
    return dict(zip("txyp", columns, strict=True))


class RecordReader(Reader):
    """Reads a recording that is nothing but records of one size, behind a header or not."""

    record: int  # bytes
    start = 0  # byte of the first record

    def records(self):
        """Blocks of whole records, uint8[n * record]; see `cut` for the last one."""
        at, size = self.start, max(BLOCK // self.record, 1) * self.record
        while data := self.read(size):
            whole = len(data) - len(data) % self.record
            if whole:
                self._block_start = at
                yield np.frombuffer(data, np.uint8, whole)
            at += len(data)
            if whole < len(data):
                left = len(data) - whole
                self.cut(f"ends inside a record, {left} bytes are left at byte {at - left} of {at}; the format is "
                         f"whole records of {self.record} bytes")

    def byte_of(self, record) -> str:
        """The place of a record of the last block."""
        return f"byte {self._block_start + self.record * int(record)}"


class Writer:
    """Writes one recording, some events after the other; a format's writer gives `encode`.

    file : binary file to write; sensor : that of all events
    """

    def __init__(self, file, sensor):
        self.file, self.sensor = file, sensor
        self.written = 0

    def write(self, events):
        """Add events, which must not be earlier than those before; raises `ConfigError` where they cannot be held."""
        self.file.write(self.encode(events))
        self.written += len(events)

    def encode(self, events) -> bytes:
        """The bytes of some more events."""
        raise NotImplementedError

    def finish(self, source="", skipped=None):
        """Write what stands behind the last event.

        source : what the events were read from; skipped : dict of what was left out of it, for formats that keep this
        """

    def close(self):
        """Let go of what the writer holds, whether the recording was finished or not."""

    def check(self, events, limits, format_, cure):
        """Raise `ConfigError` unless all events lie within limits, {column: (least, most)}."""
        for name, (least, most) in limits.items():
            column = getattr(events, name)
            if len(column) and (column.min() < least or column.max() > most):
                i = int(np.argmax((column < least) | (column > most)))
                allowed = ", ".join(f"{key} in {low}..{high}" for key, (low, high) in limits.items())
                raise ConfigError(f"event {self.written + i} has {name} = {column[i]}; {format_} hold {allowed}; "
                                  f"{cure}")


def _silent(sentence):
    """Tells nobody."""


class Decoder:
    """Decodes a recording that comes in pieces; what is no event of the sensor is counted and skipped.

    A format's decoder gives `feed`, `datagrams`, `end` and `records`. ``tell`` is called with a sentence at the first
    of every kind of fault.

    Attributes
    ----------
    counts : dict of str to int: ``outside`` events outside the sensor, ``bad`` records that are no event, ``cut``
        records or datagrams that end too early, and what else the format counts
    """

    def __init__(self, sensor, tell=_silent):
        self.sensor, self._tell = sensor, tell
        self.counts = {"outside": 0, "bad": 0, "cut": 0}

    def feed(self, data) -> Arrivals:
        """The events that the bytes ``data`` complete, in the order in which they stand there."""
        raise NotImplementedError

    def datagrams(self, pieces) -> Arrivals:
        """The events of several datagrams, each of which holds whole records."""
        raise NotImplementedError

    def end(self, lost=False) -> Arrivals:
        """The events of what is left where the bytes end; what is fed afterwards starts with a record of its own.

        lost : the bytes end because somebody went away, so that what is left may be half a record
        """
        raise NotImplementedError

    def records(self, data) -> int:
        """How many events ``data`` holds at most, without decoding it."""
        raise NotImplementedError

    def fault(self, kind, n, sentence):
        """Count ``n`` faults of a kind, of which the first in this stream is told."""
        if n and not self.counts[kind]:
            self._tell(f"{sentence}; it is skipped, and so are others like it")
        self.counts[kind] += n

    def inside(self, x, y, p):
        """Mask of the pixels on the sensor, bool[E]; the others are counted."""
        sensor = self.sensor
        found = (x >= 0) & (x < sensor.width) & (y >= 0) & (y < sensor.height) & (p >= 0) & (p < sensor.polarities)
        outside = len(found) - int(np.count_nonzero(found))
        if outside:
            i = int(np.argmin(found))
            self.fault("outside", outside,
                       f"an event has x = {x[i]}, y = {y[i]}, p = {p[i]}, outside the {sensor} sensor")
        return found


def _matches_nothing(head):
    return False


@dataclass(frozen=True)
class Codec:
    """One recording format.

    name : what options call it; title : what people call it; suffixes : of the names of its files
    reader : makes a `Reader` of a binary file at its start and the file's name in messages
    matches : whether the first kilobytes of a file are those of this format; False where nothing tells
    seeks : its reader needs a file that it can move about in
    writer : makes a `Writer` of a binary file and a sensor; None: the format is only read
    decoder : makes a `Decoder` of a sensor and a function to tell sentences; None: it cannot be followed
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    reader: Callable[..., Reader]
    matches: Callable[[bytes], bool] = _matches_nothing
    seeks: bool = False
    writer: Callable[..., Writer] | None = None
    decoder: Callable[..., Decoder] | None = None

    def decode(self, data, sensor=None, source="recording") -> Events:
        """The events of all bytes of a recording.

        sensor : overrides what the format says or implies; source : the file's name in messages

        Raises `FormatError` where the recording is damaged, `ConfigError` where an argument makes no sense.
        """
        from eventsim.data.codecs.recording import Recording  # which is made of what stands here

        if not isinstance(data, bytes | bytearray | memoryview):
            raise ConfigError(f"expected the bytes of a recording, got {type(data).__name__}")
        return Recording(io.BytesIO(data), self, source, sensor).events()

    def encode(self, events) -> bytes:
        """The bytes of a recording; raises `ConfigError` for events that the format cannot hold, or holds none of."""
        if not isinstance(events, Events):
            raise ConfigError(f"expected Events, got {type(events).__name__}")
        if self.writer is None:
            raise ConfigError(f"{self.title} is only read; write another format")
        if not len(events):
            raise ConfigError(f"there is no event to write; a recording ({self.title}) has at least one")
        out = io.BytesIO()
        with contextlib.closing(self.writer(out, events.sensor)) as writer:
            writer.write(events)
            writer.finish()
        return out.getvalue()


def told_sensor(where, *size) -> Sensor:
    """The sensor that a recording says; ``where`` it does so begins the `FormatError` for a size that none can have."""
    try:
        return Sensor(*size)
    except ConfigError as error:
        raise FormatError(f"{where}: {error}; correct it, or copy or download it again") from None


def sensor_or_none(sensor):
    """``sensor``, which must be a `Sensor` or None."""
    return None if sensor is None else checks.sensor(sensor)
