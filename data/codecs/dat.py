"""Prophesee ``.dat``: a header of text, a byte of type and one of size, then little-endian records of 8 bytes.

    version 2    t, 32 bits     pixel, 32 bits: x 13-0, y 27-14, p 31-28
    version 1    t, 32 bits     pixel, 32 bits: x 8-0, y 16-9, p 20-17        (of ATIS cameras)

t is in microseconds and begins at zero again every 71.6 minutes: one that falls by half of that or more has passed the
end once more; one that falls by less is disorder, which readers refuse. p has four bits of which cameras use one; the
others are read too, so that an event with another p is refused as one that no camera makes.

The type is 0 (Event2D) or 12 (EventCD) with a size of 8; files of other types, such as triggers (14), hold no events of
pixels and are refused. A header that names no version is one of version 2. The format has an end of the clock but most
programs know nothing of it, so what is written ends there.

Source: https://docs.prophesee.ai/stable/data/file_formats/dat.html; version 1 as in https://github.com/aestream/faery
"""

import numpy as np

from eventsim import kernels
from eventsim.data.codecs.base import Codec, Writer, empty_columns, named
from eventsim.data.codecs.prophesee import HeaderReader, encoding_of, header_of, words_of
from eventsim.errors import FormatError

_WORD = np.dtype("<u4")
_TYPES = (0, 12)
_BITS = {"1": (9, 8), "2": (14, 14)}  # of x and y, by version
_LIMITS = {"t": (0, (1 << 32) - 1), "x": (0, (1 << 14) - 1), "y": (0, (1 << 14) - 1), "p": (0, 1)}


class DATReader(HeaderReader):
    """Reads records."""

    record = event_bytes = 8
    encoding, example = "DAT", "% Version 2"

    def __init__(self, file, source):
        super().__init__(file, source)
        self._bits = _BITS.get(self.about.get("Version", "2"))
        if self._bits is None:
            raise FormatError(f"{source}: is of version {self.about['Version'][:20]} by its header, expected version 1 "
                              "or 2; convert it to version 2")
        kind = self.read(2)
        if len(kind) == 2 and (kind[0] not in _TYPES or kind[1] != self.record):
            raise FormatError(f"{source}: holds records of type {kind[0]} and {kind[1]} bytes by byte {self.start}, "
                              "expected events of pixels, type 0 or 12 and 8 bytes; name the file of those events")
        self.start += len(kind)

    def blocks(self):
        state = np.zeros(1, np.int64)
        for data in self.records():
            columns = empty_columns(len(data) // self.record)
            kernels.call("decode_dat", words=words_of(data, _WORD), x_bits=self._bits[0], y_bits=self._bits[1],
                         state=state, **named(columns))
            yield columns

    def place(self, i):
        return self.byte_of(i)


class DATWriter(Writer):
    """Writes records of version 2."""

    def __init__(self, file, sensor):
        super().__init__(file, sensor)
        self._header = (f"% Data file containing CD events\n% Version 2\n% Width {sensor.width}\n"
                        f"% Height {sensor.height}\n").encode() + bytes([12, 8])

    def encode(self, events):
        self.check(events, _LIMITS, "DAT recordings", "cut or crop the recording, or write another format")
        header, self._header = self._header, b""
        words = np.empty((len(events), 2), _WORD)
        words[:, 0] = events.t
        words[:, 1] = events.p.astype(np.uint32) << 28 | events.y.astype(np.uint32) << 14 | events.x
        return header + words.tobytes()


def _matches(head):
    fields, size, _ = header_of(head)
    kind = head[size : size + 2]
    return bool(fields) and not encoding_of(fields) and len(kind) == 2 and kind[0] in (*_TYPES, 14) and kind[1] == 8


CODEC = Codec("dat", "Prophesee DAT", (".dat",), DATReader, _matches, writer=DATWriter)
decode, encode = CODEC.decode, CODEC.encode
