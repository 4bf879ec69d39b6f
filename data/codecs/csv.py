"""Text, ``.csv`` or ``.txt``: a line ``t,x,y,p`` an event, t in microseconds, p = 1 is ON.

The first line may name the columns, in another order if need be: t (or ts, timestamp), x, y, p (or on, polarity). Empty
lines mean nothing. The format says nothing of the sensor.
"""

import io
import re

import numpy as np

from eventsim.data.codecs.base import BLOCK, Codec, Decoder, Reader, Writer
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Arrivals

_COLUMNS = "txyp"
_ALIASES = {"ts": "t", "timestamp": "t", "on": "p", "polarity": "p"}
_MARK = b"\xef\xbb\xbf"  # with which some programs begin a text
_LINE = re.compile(rb"[ \t]*" + rb"[ \t]*,[ \t]*".join([rb"(-?[0-9]+)"] * 4) + rb"[ \t]*")
_PLAIN = b"0123456789-, \n"  # what ordinary lines are made of
_LONGEST_LINE = 1000  # bytes
_TIME_END = 1 << 51  # us, 71 years: later than any clock counts that is not broken


class CSVReader(Reader):
    """Reads lines. The format says nothing of the sensor."""

    def blocks(self):
        rest, line, order = b"", 1, None
        while True:
            data = self.read(BLOCK)
            is_last = not data
            data = _whole_lines(rest) if is_last else rest + data
            size = data.rfind(b"\n") + 1
            data, rest = data[:size], data[size:]
            if not is_last and len(rest) > _LONGEST_LINE:
                raise self._bad(line + data.count(b"\n"), rest)
            if order is None and data:
                order, used = _header(data, self.source)
                data, line = data[used:], line + bool(data[:used].count(b"\n"))
            values, self._lines, bad = _table(data, order)
            if is_last and (bad or (self.repairs and data and order[3] != 3)):
                # Of a line without an end a number may be cut, too, but for a polarity.
                self.cut(f"line {line} is {_shown(data[:-1])}, without an end, and no event t,x,y,p")
                values = values[:0]
            elif bad:
                raise self._bad(line + bad[0][0], bad[0][1])
            self._first = line
            yield tuple(values.T)
            if is_last:
                return
            line += data.count(b"\n")

    def place(self, i):
        return f"line {self._first + self._lines[i]}"

    def _bad(self, number, text):
        return FormatError(f"{self.source}: line {number} is {_shown(text)}, expected t,x,y,p as whole numbers, t in "
                           f"microseconds below {_TIME_END}; correct it")


class CSVWriter(Writer):
    """Writes lines, behind a first one that names the columns."""

    def encode(self, events):
        if len(events) and max(-int(events.t[0]), int(events.t[-1])) >= _TIME_END:
            raise ConfigError(f"times must lie within {_TIME_END} us of zero, got {events.t[0]}..{events.t[-1]} us")
        rows = zip(*(getattr(events, name).tolist() for name in _COLUMNS), strict=True)
        head = b"" if self.written else b"t,x,y,p\n"
        return head + "".join(f"{t},{x},{y},{p}\n" for t, x, y, p in rows).encode()


class CSVDecoder(Decoder):
    """A stream of lines."""

    def __init__(self, sensor, *tell):
        super().__init__(sensor, *tell)
        self._rest = b""
        self._order, self._lines = None, 0  # until the first line was seen; lines so far
        self._is_first = True  # of those who send: what the next ones name their columns must not end the stream

    def feed(self, data) -> Arrivals:
        data = self._rest + data
        size = data.rfind(b"\n") + 1
        # A line that does not end is cut where it is too long already, so that it takes no more memory.
        self._rest = data[size : size + _LONGEST_LINE + 1]
        return self._decode(data[:size])

    def datagrams(self, pieces) -> Arrivals:
        self._is_first = False
        return self._decode(b"".join(map(_whole_lines, pieces)))

    def end(self, lost=False) -> Arrivals:
        rest, self._rest = self._rest, b""
        if lost and rest:
            self.fault("cut", 1, f"somebody went away in the middle of a line, {_shown(rest)}")
            rest = b""
        out = self._decode(_whole_lines(rest))
        self._order, self._is_first = None, False
        return out

    def records(self, data) -> int:
        return _whole_lines(data).count(b"\n")

    def _decode(self, data):
        used = 0
        if self._order is None and data:
            self._order, used = self._columns(data)
        values, _, bad = _table(data[used:], self._order)
        if bad:
            number, text = bad[0]
            line = self._lines + data[:used].count(b"\n") + number + 1
            self.fault("bad", len(bad), f"line {line} is {_shown(text)}, which is no event t,x,y,p")
        self._lines += data.count(b"\n")
        t, x, y, p = values.T
        inside = self.inside(x, y, p)
        return Arrivals(*(column[inside] for column in (t, x, y, p)), self.sensor)

    def _columns(self, data):
        try:
            return _header(data, "stream")
        except FormatError:
            if self._is_first:
                raise
            return list(range(4)), 0  # a line that is no event


def _whole_lines(data):
    return data if not data or data.endswith(b"\n") else data + b"\n"


def _header(data, source):
    """Places of t, x, y and p in a line, and how many bytes the first line takes if it is that which names them.

    Raises `FormatError` for a first line that names something else: then nobody knows which column is which.
    """
    line, _, _ = data.partition(b"\n")
    marked = len(_MARK) if line.startswith(_MARK) else 0
    names = [name.strip() for name in line[marked:_LONGEST_LINE].decode("latin-1").lower().split(",")]
    names = [_ALIASES.get(name, name) for name in names]
    if sorted(names) == sorted(_COLUMNS):
        return [names.index(name) for name in _COLUMNS], len(line) + 1
    if len(names) > 1 and all(name.replace("_", "").isalpha() for name in names):
        raise FormatError(f"{source}: line 1 names the columns {_shown(line)}, expected t, x, y and p in any order, t "
                          "in microseconds; rename them, or leave the line out where that is their order")
    return list(range(4)), marked


def _table(data, order):
    """Events int64[E, 4] as t, x, y, p, the number of the line of each, and the (number, text) of lines that are none.

    data : whole lines; order : places of t, x, y and p in a line
    """
    data = data.replace(b"\r\n", b"\n")
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    lengths = np.diff(ends, prepend=-1) - 1
    if len(ends) and lengths.max() <= _LONGEST_LINE and not data.translate(None, _PLAIN) and data.strip():
        try:
            values = np.loadtxt(io.BytesIO(data), np.int64, comments=None, delimiter=",", ndmin=2)
            numbers = np.flatnonzero(lengths)
            in_reach = np.all((values > -_TIME_END) & (values < _TIME_END))
            if values.shape == (len(numbers), 4) and in_reach:
                return values[:, order], numbers, []
        except ValueError:  # some line is none: look at them one by one
            pass
    return _line_by_line(data, order)


def _line_by_line(data, order):
    """The same, slowly, for lines of any kind."""
    values, numbers, bad = [], [], []
    for number, text in enumerate(data.split(b"\n")[:-1]):
        found = _LINE.fullmatch(text) if len(text) <= _LONGEST_LINE else None
        row = [int(found[1 + place]) for place in order] if found else []
        if row and max(map(abs, row)) < _TIME_END:
            values.append(row)
            numbers.append(number)
        elif text.strip():
            bad.append((number, text))
    return np.array(values, np.int64).reshape(-1, 4), np.array(numbers, np.int64), bad


def _shown(text):
    text = text.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 40 else text[:37] + "...")


CODEC = Codec("csv", "text", (".csv", ".txt"), CSVReader, writer=CSVWriter, decoder=CSVDecoder)
decode, encode = CODEC.decode, CODEC.encode
