"""What Prophesee's formats share: a header of text, and words whose meaning depends on those before them.

A header line is ``% key value`` and a line feed; the first line that is none, or the line ``% end``, ends the header.
Binary data may begin with the two bytes "% " as well, so only lines of printable text count. Of the sensor speak
``% geometry 640x480``, ``% format EVT3;height=480;width=640`` and the pair ``% Width 640``, ``% Height 480``; what
cannot be a sensor is passed over.

Source: https://docs.prophesee.ai/stable/data/file_formats/raw.html
"""

import bisect
import re

import numpy as np

from eventsim import kernels
from eventsim.data.codecs.base import RecordReader, Writer, empty_columns, named
from eventsim.errors import ConfigError, FormatError
from eventsim.sensor import Sensor

_LONGEST_HEADER = 1 << 16  # bytes
_LIMITS = {"t": (0, (1 << 34) - 1), "x": (0, 2047), "y": (0, 2047), "p": (0, 1)}  # of what is written
_ROOM = 1 << 15  # events that a kernel makes at a time, which stay in the second-level cache
_LINE = re.compile(r"(Data file containing|\S+)\s*(.*)")
_GEOMETRY = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")


def header_of(data):
    """What the header says, dict of str, its size in bytes, and whether its end was seen."""
    fields, at = {}, 0
    while data.startswith(b"% ", at):
        end = data.find(b"\n", at)
        if end < 0:
            return fields, at, False
        try:
            line = data[at + 2 : end].decode().replace("\t", " ").strip(" \r")
        except UnicodeDecodeError:
            break
        if not line.isprintable():
            break
        at = end + 1
        if line == "end":
            break
        if line:
            key, value = _LINE.fullmatch(line).groups()
            fields[key] = value
    return fields, at, at < len(data)


def encoding_of(fields) -> str:
    """The words that a header says the data are made of, such as "EVT3"; "" where it says nothing of them."""
    if "format" in fields:
        return fields["format"].partition(";")[0].strip()
    return "EVT" + fields["evt"].removesuffix(".0").replace(".", "") if "evt" in fields else ""


def is_of(encoding):
    """A function of a file's first bytes that tells whether their header names an encoding."""
    return lambda head: encoding_of(header_of(head)[0]) == encoding


def sensor_of(fields) -> Sensor | None:
    """The sensor that a header says, None where it says none that could be."""
    said = {key.lower(): value for key, value in fields.items()}
    said |= dict(option.partition("=")[::2] for option in said.get("format", "").split(";"))
    found = _GEOMETRY.fullmatch(said.get("geometry") or f"{said.get('width')}x{said.get('height')}")
    try:
        return Sensor(int(found[1]), int(found[2])) if found else None
    except ConfigError:
        return None


class HeaderReader(RecordReader):
    """Reads records behind a header.

    Attributes
    ----------
    encoding : str that the header must name, where it names one
    example : a line that messages show
    """

    encoding: str
    example: str

    def __init__(self, file, source):
        super().__init__(file, source)
        data = self.read(_LONGEST_HEADER)
        self.about, self.start, is_whole = header_of(data)
        self.unread(data[self.start :])
        self.sensor = sensor_of(self.about)
        encoding = encoding_of(self.about)
        if not is_whole and len(data) == _LONGEST_HEADER:
            raise FormatError(f"{source}: has a header that does not end within {_LONGEST_HEADER} bytes, expected few "
                              "lines '% key value' and then the data; copy or download it again")
        if data and not self.start:
            raise FormatError(f"{source}: begins with {data[:8]!r} at byte 0, expected a header of lines such as "
                              f"'{self.example}'; name its format, or write that line in front of the data")
        if encoding not in ("", self.encoding):
            raise FormatError(f"{source}: has data of the format {encoding[:20]} by its header, expected "
                              f"{self.encoding}; name its format, or convert it to {self.encoding}")


class WordReader(HeaderReader):
    """Reads words that a kernel turns into events, and counts those of other types.

    Attributes
    ----------
    word : dtype of a word; kernel : its name; n_state : numbers that it carries from word to word
    kinds : dict, of a type of word to what it is counted as
    """

    word: np.dtype
    kernel: str
    n_state: int
    kinds: dict[int, str]

    def __init__(self, file, source):
        self.record = self.word.itemsize
        super().__init__(file, source)

    def blocks(self):
        state = np.full(self.n_state, -1, np.int64)
        for data in self.records():
            words, self._first = words_of(data, self.word), 0
            while len(words):
                self._words, self._state = words, state.copy()
                self._room = min(len(words), _ROOM) + 12  # what one word makes at most
                columns, used, kinds = self._decode(words, state)
                for kind, name in self.kinds.items():
                    self.skipped[name] += int(kinds[kind])
                yield columns
                words, self._first = words[used:], self._first + used

    def place(self, i):
        def events(n):
            return len(self._decode(self._words[:n], self._state.copy())[0][0])

        # The word that makes event i is the last of the fewest words that make more than i events.
        n = bisect.bisect_right(range(len(self._words)), i, key=events)
        return self.byte_of(self._first + n - 1)

    def _decode(self, words, state):
        """Columns of the events of some words, from ``state`` on, which is moved on; words used; words by type."""
        columns = empty_columns(self._room)
        progress, kinds = np.empty(2, np.int64), np.zeros(16, np.int64)
        kernels.call(self.kernel, words=words, state=state, **named(columns),
                     progress=progress, kinds=kinds)
        used, n = progress.tolist()
        return tuple(column[:n] for column in columns), used, kinds


def words_of(data, dtype):
    """Bytes uint8[N] as words in the order of this machine."""
    return data.view(dtype).astype(dtype.newbyteorder("="), copy=False)


class WordWriter(Writer):
    """Writes words behind the header that Metavision's tools ask for; a format's writer gives `words`."""

    encoding: str

    def __init__(self, file, sensor):
        super().__init__(file, sensor)
        self._header = (
            "% camera_integrator_name Prophesee\n"
            f"% evt {self.encoding.removeprefix('EVT')}.0\n"
            f"% format {self.encoding};height={sensor.height};width={sensor.width}\n"
            f"% geometry {sensor.width}x{sensor.height}\n"
            "% integrator_name Prophesee\n"
            "% plugin_integrator_name Prophesee\n"
            "% plugin_name hal_plugin_prophesee\n"
            "% end\n"
        ).encode()

    def encode(self, events):
        self.check(events, _LIMITS, f"{self.encoding} recordings",
                   "cut or crop the recording, or write another format")
        header, self._header = self._header, b""
        return header + self.words(events).tobytes()

    def words(self, events) -> np.ndarray:
        """The words of some more events, each of which lies within the limits."""
        raise NotImplementedError
