"""Event Stream 2, ``.es``, of change detections (DVS): a header of 20 bytes, then five bytes an event.

    bytes 0..11 "Event Stream"   12..14 version   15 kind of events, 1: DVS   16..17 width   18..19 height
    bytes of an event: 0 time since the one before (bits 7..1) and polarity (bit 0, 1: ON), 1..2 x, 3..4 y

Numbers of two bytes are little-endian. The time is in microseconds, from 0 at the start, and at most 126 of them in an
event: a byte 255 ahead of it adds 127. A byte 254 is a reset, which helps a reader that lost its place in a stream; it
means nothing here, and is counted and skipped.

The pixel (0, 0) is the lower left. y is as stored, as other readers of the format give it, so that a picture of it is
upside down next to those of formats that count from the top.

Other kinds of events (generic, ATIS, colour) are refused.

Source: sepia.hpp in https://github.com/neuromorphicsystems/event_stream, which writes these files, and
https://github.com/neuromorphic-paris/event_stream.
"""

import struct

import numpy as np

from eventsim import kernels
from eventsim.data.codecs.base import Codec, Writer, empty_columns, named, told_sensor
from eventsim.data.codecs.carried import StateReader
from eventsim.errors import ConfigError, FormatError

_MAGIC = b"Event Stream"
_HEADER = struct.Struct("<12s3BB2H")
_KINDS = {0: "generic events", 1: "change detections", 2: "ATIS events", 3: "display events", 4: "colour events"}
_DVS, _ATIS = 1, 2
_EVENT = 5  # bytes
_STEP = 127  # us that an overflow stands for
_OVERFLOW = 255
_TIME_END = 1 << 36  # us, 19 hours: as a silence it takes 541 MB of overflows


class ESReader(StateReader):
    """Reads change detections; bytes that mark a reset are counted as ``reset``."""

    unit = "an event"
    event_bytes = _EVENT

    def __init__(self, file, source):
        super().__init__(file, source)
        self.state = np.zeros(1, np.int64)
        head = self.read(_HEADER.size)
        if self.is_empty:
            return
        if not head.startswith(_MAGIC):
            raise FormatError(f"{source}: begins with {head[:12]!r}, expected {_MAGIC!r}; name the format that it has")
        kind = head[15] if len(head) > 15 else _DVS
        if kind != _DVS:
            cure = "convert its changes to .csv (t,x,y,p) with the package event_stream" if kind == _ATIS else \
                "name a recording that has such, these cannot be converted to them"
            raise FormatError(f"{source}: holds {_KINDS.get(kind, f'events of kind {kind}')}, read are "
                              f"{_KINDS[_DVS]} (DVS) alone; {cure}")
        if len(head) < _HEADER.size:
            raise FormatError(f"{source}: ends inside the header, at byte {len(head)} of {_HEADER.size}; copy or "
                              "download it again")
        _, *version, _, width, height = _HEADER.unpack(head)
        self.about["version"] = ".".join(map(str, version))
        if version[0] != 2:
            raise FormatError(f"{source}: is of the version {self.about['version']} of Event Stream, read is 2; "
                              "write it anew with a program that writes version 2")
        if not (width and height):
            raise FormatError(f"{source}: is of a sensor of {width}x{height} pixels by bytes 16 to 19; copy or "
                              "download it again")
        self.sensor = told_sensor(f"{source}: bytes 16 to 19", width, height)
        self.start = _HEADER.size

    def decode(self, data, state):
        out, facts = empty_columns(len(data) // _EVENT), np.empty(3, np.int64)
        kernels.call("decode_es", data=data, **named(out), state=state, facts=facts)
        return out, facts

    def count(self, at, facts):
        self.skipped["reset"] += int(facts[2])


class ESWriter(Writer):
    """Writes the version 2.0.0."""

    def __init__(self, file, sensor):
        super().__init__(file, sensor)
        self._last = 0  # us
        most = np.iinfo(np.uint16).max
        if max(sensor.width, sensor.height) > most:
            raise ConfigError(f"Event Stream holds sensors of up to {most}x{most} pixels, got {sensor}; crop the "
                              "recording, or write another format")
        self._limits = {"t": (0, _TIME_END - 1), "x": (0, sensor.width - 1), "y": (0, sensor.height - 1), "p": (0, 1)}
        file.write(_HEADER.pack(_MAGIC, 2, 0, 0, _DVS, sensor.width, sensor.height))

    def encode(self, events):
        self.check(events, self._limits, "Event Stream recordings", "shift the time or crop the recording, or write "
                                                                     "another format")
        if not len(events):
            return b""
        overflows, time = np.divmod(np.diff(events.t, prepend=self._last), _STEP)
        self._last = int(events.t[-1])
        at = np.cumsum(overflows + _EVENT) - _EVENT
        out = np.full(int(at[-1]) + _EVENT, _OVERFLOW, np.uint8)
        out[at] = time << 1 | events.p
        out[at + 1], out[at + 2] = events.x & 0xFF, events.x >> 8
        out[at + 3], out[at + 4] = events.y & 0xFF, events.y >> 8
        return out.tobytes()


def _matches(head):
    return head.startswith(_MAGIC)


CODEC = Codec("es", "Event Stream", (".es",), ESReader, _matches, writer=ESWriter)
decode, encode = CODEC.decode, CODEC.encode
