"""What a MAT-file of version 5 is made of, read without trust: structs of vectors, and where their numbers stand.

    bytes 0..115    text, "MATLAB 5.0 MAT-file" and who wrote it
          124..127  version 0x0100 and "IM" where numbers are little-endian, "MI" where they are big-endian
          128..     a variable after the other

Everything is an element: 4 bytes type, 4 bytes length n, n bytes, padded to 8; or, where n <= 4, 2 bytes type, 2 bytes
n (in the order of a 32-bit number) and 4 bytes. A variable is a matrix, type 14, or type 15, a matrix deflated by zlib,
without padding. A matrix is made of elements, too: flags and class, sizes, name, and then numbers, which may be of a
smaller type than the class says; or, for a struct, the length of its field names, these names, and a matrix each.

The vectors of a struct stand one behind the other. So each is read by an inflation of its own, which goes on from where
it stood at the first number. MATLAB and Octave write such files unless they are told otherwise. SciPy reads them, too,
but by its documentation only those that one trusts.

Source: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf.
"""

import contextlib
import copy
import math
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from eventsim.errors import FormatError

HEADER = 128  # bytes
_MATRIX, _DEFLATED = 14, 15
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_STRUCT, _NUMBERS = 2, range(6, 16)  # classes
_COMPLEX = 0x08  # flag
_MOST_AXES = 64
_LONGEST_NAMES = 1 << 16  # bytes of the names of a struct's fields
_PIECE = 1 << 16  # bytes that are inflated, or left out, at a time


class _Stream:
    """The bytes of a variable from its start, inflated where they are deflated.

    read_at : gives so many bytes of the file from a place; start, size : of the variable's bytes in the file
    """

    def __init__(self, read_at, start, size, is_deflated):
        self._read_at, self._place, self._left = read_at, start, size
        self._inflate = zlib.decompressobj() if is_deflated else None
        self._rest = b""
        self.at = 0

    def copy(self):
        """Another stream that goes on from here."""
        out = copy.copy(self)
        out._inflate = self._inflate and self._inflate.copy()
        return out

    def read(self, n) -> bytes:
        """The next ``n`` bytes; raises `EOFError` where there are fewer, `zlib.error` where they are damaged."""
        parts, wanted = [], n
        while n > 0:
            part = self._next(min(n, _PIECE)) if self._inflate else self._raw(n)
            if not part:
                raise EOFError(f"ends {n} bytes early")
            parts.append(part)
            n -= len(part)
        self.at += wanted
        return b"".join(parts)

    def skip(self, n):
        """Leave out the next ``n`` bytes."""
        if self._inflate is None:
            n = min(n, self._left)
            self._place, self._left, self.at = self._place + n, self._left - n, self.at + n
            return
        while n > 0:
            n -= len(self.read(min(n, _PIECE)))

    def _raw(self, n):
        part = self._read_at(self._place, min(n, self._left))
        self._place, self._left = self._place + len(part), self._left - len(part)
        return part

    def _next(self, n):
        while not self._inflate.eof:
            data = self._rest or self._raw(_PIECE)
            part = self._inflate.decompress(data, n)
            self._rest = self._inflate.unconsumed_tail
            if part or not data:
                return part
        return b""


@dataclass(frozen=True)
class Column:
    """A vector of ``n`` numbers, at which ``stream`` stands; ``where`` is what messages call the variable."""

    n: int
    dtype: np.dtype
    stream: _Stream
    where: str

    def opened(self):
        """A function of n that gives the next n numbers; raises `FormatError` where they are damaged."""
        stream = self.stream.copy()

        def take(n):
            with _damage_told(self.where):
                return np.frombuffer(stream.read(n * self.dtype.itemsize), self.dtype)

        return take


@contextlib.contextmanager
def _damage_told(where):
    """Turn what damage raises into a `FormatError`."""
    try:
        yield
    except (EOFError, ValueError, zlib.error) as error:
        raise FormatError(f"{where} is damaged ({error}); copy or download it again") from None


class Variable:
    """One variable of the file; raises `FormatError` where it is damaged.

    Attributes
    ----------
    name : str; n_structs : int, of a struct array, else 0
    columns : {name: `Column`}, of those fields of a single struct that are wanted and vectors of real numbers; those of
        such a vector are itself under its own name
    others : names of the other fields
    """

    def __init__(self, read_at, at, size, is_deflated, order, source, wanted):
        self._where, self._order, self._wanted = f"{source}: the variable at byte {at}", order, wanted
        begin = at + 8 if is_deflated else at  # what is inflated is an element with a tag of its own
        stream = _Stream(read_at, begin, at + 8 + size - begin, is_deflated)
        self.columns, self.others, self.n_structs = {}, [], 0
        with _damage_told(self._where):
            self._tag(stream)
            kind, flags, sizes, self.name = self._matrix(stream)
            if kind == _STRUCT:
                self._walk_fields(stream, math.prod(sizes))
            else:
                self._add_column(stream, self.name, kind, flags, sizes)

    def _walk_fields(self, stream, n_structs):
        self.n_structs = n_structs
        width = int.from_bytes(self._value(stream, 4), "little" if self._order == "<" else "big")
        names = self._value(stream, _LONGEST_NAMES)
        if n_structs != 1 or not names:
            return
        if width < 1 or len(names) % width:
            raise ValueError(f"names of {len(names)} bytes in fields of {width}")
        end = stream.at
        for i in range(0, len(names), width):
            stream.skip(end - stream.at)
            name = _text(names[i : i + width])
            _, size, _ = self._tag(stream)
            end = stream.at + size
            if name not in self._wanted:
                self.others.append(name)
            elif size:  # else it is empty, of no class
                kind, flags, sizes, _ = self._matrix(stream)
                self._add_column(stream, name, kind, flags, sizes)
            if end < stream.at:
                raise ValueError(f"a field is longer than its {size} bytes")

    def _add_column(self, stream, name, kind, flags, sizes):
        n = math.prod(sizes)
        if name not in self._wanted or kind not in _NUMBERS or flags & _COMPLEX or n not in (0, max(sizes)):
            return
        if not n:  # nor need there be numbers
            self.columns[name] = Column(0, np.dtype("u1"), stream, self._where)
            return
        stored, size, _ = self._tag(stream)
        if stored not in _TYPES:
            raise ValueError(f"numbers of type {stored}")
        dtype = np.dtype(self._order + _TYPES[stored])
        if size != n * dtype.itemsize:
            raise ValueError(f"{n} numbers in {size} bytes")
        self.columns[name] = Column(n, dtype, stream.copy(), self._where)

    def _matrix(self, stream):
        """Class, flags, sizes and name at the head of a matrix."""
        flags = self._value(stream, 8)
        sizes = np.frombuffer(self._value(stream, _MOST_AXES * 4), self._order + "i4").tolist()
        if len(flags) != 8 or len(sizes) < 2 or min(sizes) < 0:
            raise ValueError(f"a matrix with {len(flags)} bytes of flags and {len(sizes)} sizes")
        kind, bits = (flags[0], flags[1]) if self._order == "<" else (flags[3], flags[2])
        return kind, bits, sizes, _text(self._value(stream, _LONGEST_NAMES))

    def _value(self, stream, most):
        """The bytes of a short element."""
        _, size, padding = self._tag(stream)
        if size > most:
            raise ValueError(f"{size} bytes where at most {most} can be")
        data = stream.read(size)
        stream.skip(padding)
        return data

    def _tag(self, stream):
        """Type, length and padding of the element whose bytes come next."""
        return tag(stream.read, self._order)


def tag(read, order):
    """Type and length of an element, and the bytes of padding behind it; ``read`` gives the next n bytes."""
    (word,) = struct.unpack(order + "I", read(4))
    if word >> 16:
        kind, size = word & 0xFFFF, word >> 16
        if size > 4:
            raise ValueError(f"{size} bytes in an element of 4")
        return kind, size, 4 - size
    (size,) = struct.unpack(order + "I", read(4))
    return word, size, -size % 8


def _text(data):
    return data.partition(b"\0")[0].decode("latin-1")


def variables(read_at, size, order, source, wanted):
    """Every `Variable` of a file of ``size`` bytes, one after the other.

    read_at : gives so many bytes of the file from a place; order : "<" or ">"; wanted : names of columns
    """
    at = HEADER
    while at < size:
        try:
            kind, length, padding = tag(_Stream(read_at, at, size - at, False).read, order)
            if kind not in (_MATRIX, _DEFLATED):
                raise ValueError(f"type {kind}")
        except (EOFError, ValueError) as error:
            raise FormatError(f"{source}: has no variable at byte {at} ({error}); copy or download it again") from None
        if at + 8 + length > size:
            raise FormatError(f"{source}: the variable at byte {at} ends {at + 8 + length - size} bytes behind the end "
                              "of the file; copy or download it again")
        yield Variable(read_at, at, length, kind == _DEFLATED, order, source, wanted)
        at += 8 + length + (0 if kind == _DEFLATED else padding)
