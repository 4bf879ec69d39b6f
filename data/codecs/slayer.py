"""SLAYER's binary spike files, ``.bs1`` and ``.bs3``, and its tables of target counts, ``.bsn``.

All are records of one size without a header, big-endian, times in microseconds (slayerPytorch takes and gives
milliseconds). ``.bs2`` is N-MNIST's ``.bin``, see `eventsim.data.codecs.nmnist`.

    .bs1   5 bytes   16 bits neuron, 1 bit polarity, 23 bits time
    .bs3   7 bytes   12 bits x, 12 bits y, 8 bits polarity or channel, 24 bits time
    .bsn   10 bytes  16 bits neuron, 24 bits begin and 24 bits end of a time region, 16 bits number of spikes

The neurons of ``.bs1`` stand in one row: x is the neuron and y is 0. No file says how many neurons or pixels there
were. slayerPytorch writes 0 for the upper 8 bits of a ``.bs1`` neuron and for the upper 4 bits of a ``.bs3`` y, so that
its files of larger sensors are folded into 256 neurons or rows; nothing in them tells.

A ``.bsn`` says how many spikes a neuron ought to fire and when, so it is no recording: `read_target_counts` reads it.

Source: https://github.com/bamsumit/slayerPytorch, src/spikeFileIO.py.
"""

from dataclasses import dataclass

import numpy as np

from eventsim import files, kernels
from eventsim.data.codecs.base import Codec, RecordReader, Writer, empty_columns, named
from eventsim.errors import FormatError

BSN_SUFFIX = ".bsn"
_BSN_RECORD = 10  # bytes
_CURE = "cut or crop the recording, or write another format"


class _SlayerReader(RecordReader):
    """Reads records, all of which are events."""

    kernel: str

    def blocks(self):
        for data in self.records():
            columns = empty_columns(len(data) // self.record)
            kernels.call(self.kernel, data=data, **named(columns))
            yield columns

    def place(self, i):
        return self.byte_of(i)


class BS1Reader(_SlayerReader):
    """Reads a one-dimensional recording."""

    record, event_bytes, kernel = 5, 5, "decode_bs1"


class BS3Reader(_SlayerReader):
    """Reads a two-dimensional recording with up to 256 channels."""

    record, event_bytes, kernel = 7, 7, "decode_bs3"


class BS1Writer(Writer):
    """Writes a one-dimensional recording."""

    def encode(self, events):
        self.check(events, {"t": (0, (1 << 23) - 1), "x": (0, (1 << 16) - 1), "y": (0, 0), "p": (0, 1)},
                   "recordings of one dimension (.bs1)", _CURE)
        record = np.empty((len(events), BS1Reader.record), np.uint8)
        record[:, 0], record[:, 1] = events.x >> 8, events.x & 0xFF
        record[:, 2:] = _bytes(events.t)
        record[:, 2] |= events.p << 7
        return record.tobytes()


class BS3Writer(Writer):
    """Writes a two-dimensional recording with up to 256 channels."""

    def encode(self, events):
        self.check(events, {"t": (0, (1 << 24) - 1), "x": (0, (1 << 12) - 1), "y": (0, (1 << 12) - 1), "p": (0, 255)},
                   "SLAYER's .bs3 recordings", _CURE)
        record = np.empty((len(events), BS3Reader.record), np.uint8)
        record[:, 0] = events.x >> 4
        record[:, 1] = (events.x & 15) << 4 | events.y >> 8
        record[:, 2] = events.y & 0xFF
        record[:, 3] = events.p
        record[:, 4:] = _bytes(events.t)
        return record.tobytes()


def _bytes(t):
    """The three lower bytes of every number, uint8[E, 3], the highest first."""
    return t.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]


@dataclass(frozen=True)
class TargetCounts:
    """How many spikes neurons ought to fire within regions of time; row ``i`` is one region of one neuron.

    neuron, begin, end, count : int64[R]; begin and end in us
    """

    neuron: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    count: np.ndarray

    def __len__(self):
        return len(self.neuron)


def read_target_counts(path) -> TargetCounts:
    """The table of a ``.bsn`` file, for a loss that counts spikes.

    Raises `FormatError` where the file cannot be read, is empty or is no whole number of records, or where a region
    ends before it begins.
    """
    path = files.as_path(path)
    with files.reading(path):
        data = path.read_bytes()
    if not data or len(data) % _BSN_RECORD:
        raise FormatError(f"{path}: has {len(data)} bytes, expected a whole number of {_BSN_RECORD}-byte records, at "
                          "least one; copy or download it again")
    record = np.frombuffer(data, np.uint8).reshape(-1, _BSN_RECORD).astype(np.int64)
    neuron, begin, end, count = (_number(record[:, columns]) for columns in (slice(0, 2), slice(2, 5), slice(5, 8),
                                                                             slice(8, 10)))
    if (end < begin).any():
        i = int(np.argmax(end < begin))
        raise FormatError(f"{path}: the region at byte {_BSN_RECORD * i} begins at {begin[i]} us and ends at {end[i]} "
                          "us; a region ends when it begins or later; correct it")
    return TargetCounts(neuron, begin, end, count)


def _number(columns):
    """Numbers int64[R] of bytes int64[R, n], the highest first."""
    return np.bitwise_or.reduce(columns << 8 * np.arange(columns.shape[1])[::-1], axis=1)


BS1 = Codec("bs1", "SLAYER, one dimension", (".bs1",), BS1Reader, writer=BS1Writer)
BS3 = Codec("bs3", "SLAYER, two dimensions", (".bs3",), BS3Reader, writer=BS3Writer)
