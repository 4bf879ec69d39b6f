"""NumPy's ``.npy``: a structured array of one axis, a record an event.

Fields are found by name, in any order: t (or ts, timestamp) in microseconds, x, y, and p (or on, polarity). Numbers are
of any type, but whole. Other fields are left alone, and named in `Reader.about`. Nothing is said of the sensor. Arrays
of Python objects are refused, so that nothing in a file is ever run.

Sources: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html and, of names in use, the arrays of
tonic and aedat.
"""

import io
import warnings

import numpy as np
from numpy.lib import format as npy

from eventsim.data.codecs import base
from eventsim.data.codecs.base import Codec, Reader, Writer
from eventsim.errors import ConfigError, FormatError
from eventsim.events import column_names

TYPES = {"t": "<i8", "x": "<u2", "y": "<u2", "p": "|u1"}  # of what is written
_RECORD = np.dtype(list(TYPES.items()))
PREFIX = len(npy.MAGIC_PREFIX) + 2  # bytes of what says the format and its version
_LONGEST_HEADER = 10_000  # bytes, NumPy's own limit: more take Python long to make sense of
_LONGEST_RECORD = 1 << 16  # bytes
_MOST_RECORDS = 1 << 60
_EXACT = 1 << 53  # float64 holds all whole numbers up to it
_CURE = "copy or download it again"
_SAVE = "save events as a structured array with the fields t, x, y and p"


class Array:
    """An array in ``.npy`` format, read from front to back.

    prefix : its first bytes; read : gives the next ones, so many or fewer at the end; where : messages call it so
    cut : told where it ends too early, see `Reader.cut`; None: that is refused
    """

    def __init__(self, prefix, read, where, cut=None):
        self._read, self.where, self._cut = read, where, cut or self._refuse
        if prefix[: len(npy.MAGIC_PREFIX)] != npy.MAGIC_PREFIX or len(prefix) < PREFIX:
            raise FormatError(f"{where}: begins with {prefix!r}, expected {npy.MAGIC_PREFIX!r} and a version; name the "
                              "format that it has")
        self.dtype, self.shape, size = self._header(tuple(prefix[-2:]))
        self.start = PREFIX + size  # byte of the first record
        self.left = self.shape[0] if len(self.shape) == 1 else 0

    def _header(self, version):
        """The type and shape that the header says, and its length in bytes."""
        if version not in ((1, 0), (2, 0)):
            raise FormatError(f"{self.where}: is of version {version[0]}.{version[1]}, expected 1.0 or 2.0; save it "
                              "again, with names of plain letters")
        size = self._read(2 if version == (1, 0) else 4)
        length = int.from_bytes(size, "little")
        if length > _LONGEST_HEADER:
            raise FormatError(f"{self.where}: says by byte {PREFIX} that its header has {length} bytes, expected at "
                              f"most {_LONGEST_HEADER}; {_CURE}")
        text = size + self._read(length)
        parse = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        try:
            with warnings.catch_warnings():  # of text that Python finds odd
                warnings.simplefilter("ignore")
                shape, _, dtype = parse(io.BytesIO(text), max_header_size=_LONGEST_HEADER)
        except Exception as error:  # NumPy lets through whatever Python's parser says of damaged text
            raise FormatError(f"{self.where}: has a header by byte {PREFIX} that tells of no array "
                              f"({short(ascii(str(error)))}); {_CURE}") from None
        return dtype, shape, len(text)

    def check(self):
        """Raise `FormatError` unless it is a list of records of which nobody has to be afraid."""
        if len(self.shape) != 1 or not 0 <= self.shape[0] < _MOST_RECORDS:
            raise FormatError(f"{self.where}: has the shape {short(str(self.shape))}, expected one axis; {_SAVE}")
        if self.dtype.hasobject or self.dtype.itemsize > _LONGEST_RECORD:
            what = "Python objects" if self.dtype.hasobject else f"records of {self.dtype.itemsize} bytes"
            raise FormatError(f"{self.where}: holds {what}, expected numbers; {_SAVE}")

    def take(self, n):
        """The next ``n`` records, fewer at the end; raises `FormatError` where they are not there."""
        n = min(n, self.left)
        size = n * self.dtype.itemsize
        data = self._read(size)
        if len(data) < size:
            whole, missing = len(data) // self.dtype.itemsize, self.left * self.dtype.itemsize - len(data)
            self._cut(f"ends {missing} bytes before the end of the {self.shape[0]} records that its header says",
                      self.left - whole)
            self.left = 0
            return np.frombuffer(data, self.dtype, whole)
        self.left -= n
        if not self.left and self._read(1):
            raise FormatError(f"{self.where}: goes on behind the {self.shape[0]} records that its header says; {_CURE}")
        return np.frombuffer(data, self.dtype)

    def _refuse(self, problem, n):
        raise FormatError(f"{self.where}: {problem}; {_CURE}")


def fields_of(array):
    """{column: field} of a structured array; raises `FormatError` where it has none for a column, or no numbers."""
    array.check()
    names = array.dtype.names
    if not names:
        raise FormatError(f"{array.where}: holds plain values ({array.dtype.str}), which do not say what they are; "
                          f"{_SAVE}")
    found = column_names(names)
    if None in found.values():
        raise FormatError(f"{array.where}: has the fields {listed(names)}, expected t (or ts, timestamp), x, y and p "
                          "(or on, polarity) among them; rename them")
    for name in found.values():
        check_numbers(f"{array.where}: field {name}", array.dtype[name])
    return found


def check_numbers(where, dtype):
    """Raise `FormatError` unless a type is one of numbers."""
    if dtype.kind not in "biuf":
        raise FormatError(f"{where} is of type {dtype.str}, expected whole numbers; save it so")


def listed(names):
    """Names of whatever a file holds, on one line."""
    return short(", ".join(name if name.isprintable() else ascii(name) for name in names))


def short(text):
    """Text that a file gave, in a length that a message bears."""
    return text if len(text) <= 100 else text[:97] + "..."


class ArrayReader(Reader):
    """Reads arrays in blocks; a format gives `_columns`, {column: array} of one block after the other."""

    _row = _n = 0  # the first row of the last block, and the first of the next

    def blocks(self):
        for columns in self._columns():
            self._row, self._n = self._n, self._n + len(columns["t"])
            yield tuple(self._whole(name, columns[name]) for name in TYPES)

    def place(self, i):
        return f"row {self._row + int(i)}"

    def _whole(self, name, values):
        if values.dtype.kind != "f":
            return values
        values = values.astype(np.float64)
        whole = (np.abs(values) <= _EXACT) & (values == np.floor(values))
        if not whole.all():
            i = int(np.argmin(whole))
            raise FormatError(f"{self.source}: event {self._row + i} at {self.place(i)} has {name} = {values[i]}, "
                              "expected a whole number, of microseconds where it is a time; save it so")
        return values.astype(np.int64)

    def records(self, array, fields):
        """The columns of a structured array, in blocks."""
        n = max(base.BLOCK // array.dtype.itemsize, 1)
        while array.left:
            block = array.take(n)
            yield {column: block[name] for column, name in fields.items()}

    def tell_fields(self, array, fields):
        """Name the fields that are not read."""
        if others := sorted(set(array.dtype.names) - set(fields.values())):
            self.about["other fields"] = listed(others)


class NPYReader(ArrayReader):
    """Reads a structured array, which says nothing of the sensor."""

    def __init__(self, file, source):
        super().__init__(file, source)
        prefix = self.read(PREFIX)
        if not self.is_empty:
            self._array = Array(prefix, self.read, source, self.cut)
            self._found = fields_of(self._array)
            self.tell_fields(self._array, self._found)

    def _columns(self):
        return () if self.is_empty else self.records(self._array, self._found)

    def place(self, i):
        return f"byte {self._array.start + self._array.dtype.itemsize * (self._row + int(i))}"


class NPYWriter(Writer):
    """Writes a structured array; needs a file that it can move about in, as the number of events stands ahead."""

    def __init__(self, file, sensor):
        super().__init__(file, sensor)
        if not file.seekable():
            raise ConfigError("a .npy recording says at its start how many events it holds; write it to a file")
        self._start = file.tell()
        file.write(header(_RECORD, 0))

    def encode(self, events):
        return events.to_structured().astype(_RECORD, copy=False).tobytes()

    def finish(self, source="", skipped=None):
        self.file.seek(self._start)
        self.file.write(header(_RECORD, self.written))
        self.file.seek(0, io.SEEK_END)


def header(dtype, n):
    """What stands ahead of ``n`` records. It has the same length for every n, since NumPy leaves room for more."""
    out = io.BytesIO()
    descr = npy.dtype_to_descr(np.dtype(dtype))
    npy.write_array_header_1_0(out, {"descr": descr, "fortran_order": False, "shape": (n,)})
    return out.getvalue()


CODEC = Codec("npy", "NumPy array", (".npy",), NPYReader, writer=NPYWriter,
              matches=lambda head: head.startswith(npy.MAGIC_PREFIX))
