"""What AEDAT 2 and AEDAT 3 share: the text ahead of the records, and the sizes of iniVation's sensors.

The text is lines that begin with ``#`` and end with a line feed. It ends where a line does not, or holds what is no
text: the first byte of a record may be a ``#``, too.
"""

import re

from eventsim.data.codecs.base import BLOCK
from eventsim.data.codecs.carried import StateReader
from eventsim.errors import FormatError
from eventsim.sensor import Sensor

_TEXT = b"\t\r\n" + bytes(range(32, 127)) + bytes(range(128, 256))
_LONGEST_HEADER = 1 << 24  # bytes; with all preferences of the program that recorded they have some hundred thousand
_SIZES = {"128": (128, 128), "208": (208, 192), "240": (240, 180), "346": (346, 260), "640": (640, 480)}


class AEDATReader(StateReader):
    """Reads lines of text, then records."""

    version: str  # how its first line goes on behind "#!AER-DAT"

    def header(self, last):
        """Every line of the text, without its ``#``, up to one that begins with ``last``; sets ``start``.

        Raises `FormatError` where the first says another version, or there is no end to them.
        """
        data, at = b"", 0
        while data[at : at + 1] in (b"", b"#"):
            end = data.find(b"\n", at) + 1
            line = data[at : end or len(data)]
            if line.translate(None, _TEXT):
                break
            if not end:
                if not (more := self.read(BLOCK)):
                    break
                data, at, self.start = line + more, 0, self.start + at
                if self.start + len(data) > _LONGEST_HEADER:
                    raise FormatError(f"{self.source}: has a header of more than {_LONGEST_HEADER >> 20} MiB, which no "
                                      "AEDAT recording has; name the format that it has")
                continue
            text = line[1:].decode("utf-8", "replace").strip()
            if self.start + at == 0 and not text.startswith(f"!AER-DAT{self.version}"):
                break
            at = end
            yield text
            if text.startswith(last):
                break
        self.start += at
        self.unread(data[at:])
        if self.start == 0 and not self.is_empty:
            raise FormatError(f"{self.source}: begins with {data[:16]!r}, expected the line #!AER-DAT{self.version}; "
                              "name the format that it has")


def sensor_of(name):
    """The sensor of a camera or chip, by its name, or None."""
    found = re.match(r"(?:dvs(?=128)|davis)(128|208|240|346|640)", name.lower())
    return Sensor(*_SIZES[found[1]]) if found else None
