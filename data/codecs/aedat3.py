"""AEDAT 3.1, ``.aedat`` of cAER and of the data set DVS128 Gesture: text up to ``#!END-HEADER``, then packets.

A packet is a header of 28 bytes and records of one type, all numbers little-endian and signed:

    bytes 0..1   type of the records            bytes 12..15   how often their 31-bit time has wrapped
          2..3   source                               16..19   records that there was room for
          4..7   bytes of a record                    20..23   records
          8..11  byte of the time in them             24..27   valid records

Records of the type 1 are events of eight bytes:

    bits 63..32 time (us)   31..17 x   16..2 y   1 polarity (1: ON)   0 valid

Records of other types are counted and skipped, and so are events of another source than that of the first: they are of
another camera. The pixel (0, 0) is the upper left.

An event that is not valid is one that a filter took out: it is counted and skipped. But where a packet's header says
that all of its events are valid, all are kept, whatever their bits: programs that write events of their own leave the
bit at 0 and count their events as valid, and a packet in which every valid event is marked as invalid makes no sense.

The header's text names the source, and so the sensor where it is a DVS128 or a DAVIS. AEDAT 3.0, whose pixels count
from the bottom, and compressed packets are refused.

Source: https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-3.1.html
"""

import re
import struct

import numpy as np

from eventsim import kernels
from eventsim.data.codecs.aedat import AEDATReader, sensor_of
from eventsim.data.codecs.base import Codec, empty_columns, named
from eventsim.errors import FormatError

_RECORD = 8  # bytes
_HEADER = struct.Struct("<2h6i")
_END = "!END-HEADER"
_KINDS = ("special", "", "frame", "imu", "imu", "sample", "ear", "configuration", "point", "point", "point", "point",
          "spike", "matrix", "unknown")  # of the types 0..13, and of others; type 1 are the events


class AEDAT3Reader(AEDATReader):
    """Reads packets; what is no event is counted as ``invalid``, ``other source``, or the type of the records."""

    version = "3.1"
    unit = "a packet"

    def __init__(self, file, source):
        super().__init__(file, source)
        self.state = np.array([0, 0, 0, 0, -1])
        line, names = "", {}
        for line in self.header(_END):
            if found := re.match(r"Source (\d+): *(.*)", line):
                names[found[1]] = found[2]
            elif line.startswith("Format:") and line != "Format: RAW":
                raise FormatError(f"{source}: has the line {'#' + line!r}, read are packets of the format RAW alone; "
                                  "save it again without compression")
            elif line.startswith("Start-Time:"):
                self.about["start"] = line.removeprefix("Start-Time:").strip()
        if line != _END and not self.is_empty:
            raise FormatError(f"{source}: has no line #{_END} ahead of byte {self.start}, where its text ends; copy or "
                              "download it again")
        if names:
            self.about["source"] = ", ".join(names.values())
            sensors = {sensor_of(name) for name in names.values()}
            self.sensor = sensors.pop() if len(sensors) == 1 else None

    def decode(self, data, state):
        out, facts = empty_columns(len(data) // _RECORD), np.empty(5, np.int64)
        skipped = np.empty(len(_KINDS), np.int64)
        kernels.call("decode_aedat3", data=data, **named(out), state=state, facts=facts,
                     skipped=skipped)
        return out, facts, skipped

    def count(self, at, facts, skipped):
        _, _, invalid, foreign, fault = facts.tolist()
        for kind, n in zip(_KINDS, skipped.tolist(), strict=True):
            self.skipped[kind] += n
        self.skipped["invalid"] += invalid
        self.skipped["other source"] += foreign
        if fault >= 0:
            kind, _, size, offset, wraps, _, number, valid = _HEADER.unpack_from(self._block, fault)
            raise FormatError(
                f"{self.source}: the packet at byte {at + fault} says that it holds {number} records of type {kind}, "
                f"{valid} of them valid, of {size} bytes with the time in byte {offset}, which wrapped {wraps} times; "
                "no number may be below 0, and events (type 1) have 8 bytes with the time in byte 4; copy or download "
                "it again"
            )

    def is_open(self):
        return bool(self.state[0])


def _matches(head):
    return head.startswith(b"#!AER-DAT3.")


CODEC = Codec("aedat3", "AEDAT 3.1", (".aedat",), AEDAT3Reader, _matches)
decode = CODEC.decode
