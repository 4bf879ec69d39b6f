"""AEDAT 4.0, ``.aedat4`` of iniVation's DV: a line of text, a header, and packets of one stream each.

    bytes 0..13     "#!AER-DAT4.0" and a line end
          14..17    length of the header
          18..      header, a FlatBuffer "IOHE": how packets are compressed, the byte at which they end (or -1: at
                    the end of the file), and a description of the streams in XML
    packet          number of its stream and length, 4 bytes each, then a compressed FlatBuffer

All numbers are little-endian. Packets are decoded by the package ``aedat`` (MIT), the extra ``eventsim[aedat]``. It
takes a path, so that what is no file on disk is copied into a temporary one; and it trusts the header, so that this is
checked here before, as is the length of every packet.

The events are those of the first stream of events; those of others, which are of another camera or changed by a
filter, are counted as ``other stream``, and what is no event as ``frame``, ``imu`` and ``trigger``. Times are
microseconds since 1970. The pixel (0, 0) is the upper left.

Sources: https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-4.0.html and
https://github.com/neuromorphicsystems/aedat.
"""

import contextlib
import io
import os
import pathlib
import re
import struct
import tempfile

from eventsim import files
from eventsim.data.codecs.base import BLOCK, CUT_CURE, Codec, Reader, told_sensor
from eventsim.errors import ConfigError, FormatError

_MAGIC = b"#!AER-DAT4.0\r\n"
_PREFIX = len(_MAGIC) + 4  # bytes ahead of the header
_PACKET = struct.Struct("<2I")
_COMPRESSIONS = ("none", "LZ4", "LZ4 high", "Zstandard", "Zstandard high")
_KINDS = {"imus": "imu", "triggers": "trigger"}  # of the package's packets, beside events and frames
_CURE = "copy or download it again"


class AEDAT4Reader(Reader):
    """Reads packets; needs a file that it can move about in."""

    def __init__(self, file, source):
        super().__init__(file, source)
        self._aedat = _package(source)
        self._start = file.tell()
        self._size = file.seek(0, io.SEEK_END) - self._start
        file.seek(self._start)
        head = self.read(_PREFIX)
        if self.is_empty:
            return
        if not head.startswith(_MAGIC):
            raise FormatError(f"{source}: begins with {head[:14]!r}, expected {_MAGIC!r}; name the format that it has")
        length = int.from_bytes(head[len(_MAGIC) :], "little")
        self._first = _PREFIX + length
        if len(head) < _PREFIX or self._first > self._size:
            raise FormatError(f"{source}: says that its header has {length} bytes, {self._size - len(head)} are left "
                              f"at byte {len(head)}; {_CURE}")
        header = self.read(length)
        compression, end, text = self._header(header)
        self._end = self._size if end == -1 else end
        if self._end < self._first:
            raise FormatError(f"{self._said_end()}; {_CURE}")
        self.about["compression"] = _COMPRESSIONS[compression]
        if camera := re.search(r'key="source"[^>]*>([^<]+)<', text):
            self.about["camera"] = camera[1]
        self._streams = self._described(head + header)
        self._choose()

    def _said_end(self):
        return (f"{self.source}: says that its packets stand in the bytes {self._first}..{self._end}, it has "
                f"{self._size}")

    def _header(self, data):
        """The compression's number, where packets end, and the description of the streams."""
        try:
            if data[4:8] != b"IOHE":
                raise ValueError(f"its kind is {data[4:8]!r}, not b'IOHE'")
            place = [_field(data, number) for number in range(3)]
            compression = _number(data, "<i", place[0]) if place[0] else 0
            end = _number(data, "<q", place[1]) if place[1] else -1
            at = place[2] + _number(data, "<I", place[2]) if place[2] else 0
            size = _number(data, "<I", at)
            if not place[2] or at + 4 + size > len(data):
                raise ValueError("its description is cut")
            if not 0 <= compression < len(_COMPRESSIONS):
                raise ValueError(f"its compression is {compression}, not 0..{len(_COMPRESSIONS) - 1}")
            return compression, end, data[at + 4 : at + 4 + size].decode()
        except (ValueError, struct.error) as error:
            raise FormatError(f"{self.source}: has a damaged header at byte {_PREFIX} ({error}); {_CURE}") from None

    def _described(self, head):
        """The streams by number, as the package gives them."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = pathlib.Path(folder) / "header.aedat4"
            path.write_bytes(head)
            with self._decoding(f"the header at byte {_PREFIX}"):
                return self._aedat.Decoder(str(path)).id_to_stream()

    def _choose(self):
        """The stream to read, and its sensor."""
        numbers = [number for number, stream in self._streams.items() if stream["type"] == "events"]
        if not numbers:
            kinds = ", ".join(sorted({stream["type"] for stream in self._streams.values()}))
            raise FormatError(f"{self.source}: has no stream of events, only of {kinds}; record events, too")
        self._stream = min(numbers)
        width, height = (self._streams[self._stream][name] for name in ("width", "height"))
        if not (width and height):
            raise FormatError(f"{self.source}: says that stream {self._stream} is of {width}x{height} pixels; {_CURE}")
        self.sensor = told_sensor(f"{self.source}: stream {self._stream}", width, height)

    def blocks(self):
        if self.is_empty:
            return
        if self._end > self._size and not self.repairs:
            raise FormatError(f"{self._said_end()}; {CUT_CURE}")
        with self._path() as path:
            with self._decoding(f"the header at byte {_PREFIX}"):
                decoder = self._aedat.Decoder(path)
            at = self._first
            while at < self._end and (packet := self._packet(at)):
                number, length = packet
                with self._decoding(f"the packet at byte {at}"):
                    packet = next(decoder)
                if number == self._stream:
                    self._at, events = at, packet["events"]
                    yield events["t"], events["x"], events["y"], events["on"]
                elif "events" in packet:
                    self.skipped["other stream"] += len(packet["events"])
                elif "frame" in packet:
                    self.skipped["frame"] += 1
                else:
                    for key in _KINDS.keys() & packet.keys():
                        self.skipped[_KINDS[key]] += len(packet[key])
                at += _PACKET.size + length

    def place(self, i):
        return f"byte {self._at} (its packet)"

    def _packet(self, at):
        """The number of the stream of the packet at a byte, and its length; None where it is cut, see `cut`."""
        self.file.seek(self._start + at)
        end = min(self._end, self._size)
        left = end - at - _PACKET.size
        if left < 0:
            return self.cut(f"ends inside a packet, at byte {end}")
        number, length = _PACKET.unpack(self.read(_PACKET.size))
        if length > left:
            return self.cut(f"the packet at byte {at} says that it has {length} bytes, {left} are left")
        if number not in self._streams:
            raise FormatError(f"{self.source}: the packet at byte {at} is of stream {number}, there are "
                              f"{', '.join(map(str, sorted(self._streams)))}; {_CURE}")
        return number, length

    @contextlib.contextmanager
    def _path(self):
        """A path of the recording: its own, or that of a copy."""
        if self._start == 0 and _is_on_disk(self.file):
            yield self.file.name
            return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = pathlib.Path(folder) / "recording.aedat4"
            self.file.seek(self._start)
            with files.reading(self.source), path.open("wb") as copy:
                while data := self.read(BLOCK):
                    copy.write(data)
            yield str(path)

    @contextlib.contextmanager
    def _decoding(self, what):
        """Turn whatever the package raises into a `FormatError`."""
        try:
            yield
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # of Rust
                raise
            words = str(error).partition("\n")[0][:200] or type(error).__name__
            raise FormatError(f"{self.source}: {what} cannot be decoded ({words}); {_CURE}") from None


def _package(source):
    try:
        import aedat
    except ImportError:
        raise ConfigError(f"{source}: AEDAT 4 is read by the package aedat, which is not installed; install it, e.g. "
                          "pip install 'eventsim[aedat]'") from None
    return aedat


def _number(data, kind, at):
    """One number; raises ValueError or struct.error where it does not lie in ``data``."""
    if at < 0:
        raise ValueError("it points ahead of itself")
    return struct.unpack_from(kind, data, at)[0]


def _field(data, number):
    """Where a field of the root of a FlatBuffer stands, 0 where it is left out; raises as `_number` does."""
    root = _number(data, "<I", 0)
    table = root - _number(data, "<i", root)
    entry = 4 + 2 * number
    offset = _number(data, "<H", table + entry) if entry < _number(data, "<H", table) else 0
    return root + offset if offset else 0


def _is_on_disk(file):
    """Whether a file object gives the bytes of the file that its name names."""
    if not (isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO) and isinstance(file.name, str)):
        return False
    try:
        return os.path.samestat(os.stat(file.name), os.fstat(file.fileno()))
    except OSError:
        return False


def _matches(head):
    return head.startswith(b"#!AER-DAT4.")


CODEC = Codec("aedat4", "AEDAT 4.0", (".aedat4",), AEDAT4Reader, _matches, seeks=True)
decode = CODEC.decode
