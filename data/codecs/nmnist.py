"""N-MNIST ``.bin``, which is also SLAYER's ``.bs2``: five bytes an event.

    byte     0          1          2          3          4
          xxxxxxxx   yyyyyyyy   pttttttt   tttttttt   tttttttt

p is the polarity (1: ON), t a 23-bit big-endian time in microseconds. A record with y = 240 is no event but marks an
overflow of the clock: it is dropped, and all that follow are 8192 us later. So no event of this format has y = 240.

An endless stream passes the end of the 23 bits every 8.39 s. There a time that jumps back by more than half of the
range has passed it once more, and one that jumps ahead by all but the last second of it, when it was passed before, is
one from before that comes out of order. So a silence of more than 7.3 s is not told from a shorter one.

Source: https://www.garrickorchard.com/datasets/n-mnist; overflow records as in gorchard/event-Python.
"""

import numpy as np

from eventsim import kernels
from eventsim.data.codecs.base import Codec, Decoder, RecordReader, Writer, empty_columns, named
from eventsim.errors import ConfigError
from eventsim.events import Arrivals
from eventsim.sensor import Sensor

SENSOR = Sensor(34, 34, 2)
RECORD = 5  # bytes
OVERFLOW_Y = 240
OVERFLOW_US = 8192
_TIME_END = 1 << 23  # us
_MOST_DISORDER = 1 << 20  # us that an event may come late from before a wrap
_LIMITS = {"t": (0, _TIME_END - 1), "x": (0, 255), "y": (0, 255), "p": (0, 1)}


class NMNISTReader(RecordReader):
    """Reads records; overflow records are counted as ``overflow``. The sensor is N-MNIST's unless named."""

    record = event_bytes = RECORD

    def __init__(self, file, source):
        super().__init__(file, source)
        self.sensor = SENSOR

    def blocks(self):
        for data in self.records():
            self._data, n = data, len(data) // RECORD
            columns, events = empty_columns(n), np.empty(1, np.int64)
            kernels.call("decode_nmnist", data=data, base=OVERFLOW_US * self.skipped["overflow"],
                         overflow_y=OVERFLOW_Y, overflow_us=OVERFLOW_US, **named(columns), count=events)
            n_events = int(events[0])
            self.skipped["overflow"] += n - n_events
            yield tuple(column[:n_events] for column in columns)

    def place(self, i):
        is_event = self._data.reshape(-1, RECORD)[:, 1] != OVERFLOW_Y
        return self.byte_of(np.flatnonzero(is_event)[i])


class NMNISTWriter(Writer):
    """Writes records."""

    def encode(self, events):
        self.check(events, _LIMITS, "N-MNIST recordings", "cut or crop the recording, or write another format")
        if (events.y == OVERFLOW_Y).any():
            i = int(np.argmax(events.y == OVERFLOW_Y))
            raise ConfigError(f"event {self.written + i} has y = {OVERFLOW_Y}, which marks an overflow in N-MNIST "
                              "recordings; crop the recording, or write another format")
        record = np.empty((len(events), RECORD), np.uint8)
        record[:, 0], record[:, 1] = events.x, events.y
        record[:, 2] = events.p << 7 | (events.t >> 16).astype(np.uint8)
        record[:, 3] = events.t >> 8 & 0xFF
        record[:, 4] = events.t & 0xFF
        return record.tobytes()


class NMNISTDecoder(Decoder):
    """A stream of records; also counts ``overflow`` records and how often the 23 bits of the time were passed."""

    def __init__(self, sensor, *tell):
        super().__init__(sensor, *tell)
        self.counts |= {"overflow": 0, "wraps": 0}
        self._rest = b""
        self._last = 0  # us, the 23 bits of the last event

    def feed(self, data) -> Arrivals:
        data = self._rest + data
        size = len(data) - len(data) % RECORD
        self._rest = data[size:]
        return self._decode(data[:size])

    def datagrams(self, pieces) -> Arrivals:
        broken = [piece for piece in pieces if len(piece) % RECORD]
        if broken:
            self.fault("cut", len(broken), f"a datagram has {len(broken[0])} bytes, which is no whole number of "
                                           f"{RECORD}-byte events")
        return self._decode(b"".join(piece for piece in pieces if len(piece) % RECORD == 0))

    def end(self, lost=False) -> Arrivals:
        if self._rest:
            self.fault("cut", 1, f"the stream ends inside an event, {len(self._rest)} bytes are left")
        self._rest = b""
        return self._decode(b"")

    def records(self, data) -> int:
        return len(data) // RECORD

    def _decode(self, data):
        x, y, p, t, overflows = _columns(np.frombuffer(data, np.uint8).reshape(-1, RECORD))
        is_event = y != OVERFLOW_Y
        is_event[is_event] = self.inside(x[is_event], y[is_event], p[is_event])
        x, y, p, t = x[is_event], y[is_event], p[is_event], t[is_event]
        step = np.diff(t, prepend=self._last)
        turns = self.counts["wraps"] + np.cumsum(
            (step < -_TIME_END // 2).astype(np.int64) - (step > _TIME_END - _MOST_DISORDER)
        )
        if len(t):
            # Before the first time round there is no earlier one: so it is a silence, and nothing is out of order.
            turns -= np.minimum(np.minimum.accumulate(turns), 0)
            self._last, self.counts["wraps"] = int(t[-1]), int(turns[-1])
        t += _TIME_END * turns + OVERFLOW_US * (self.counts["overflow"] + overflows[is_event])
        self.counts["overflow"] += int(overflows[-1]) if len(overflows) else 0
        return Arrivals(t, x, y, p, self.sensor)


def _columns(record):
    """x, y, p and 23-bit times int64[R] of records uint8[R, 5], and the overflow records up to every one, int64[R]."""
    high = record[:, 2:5].astype(np.int64)
    t = (high[:, 0] & 0x7F) << 16 | high[:, 1] << 8 | high[:, 2]
    return record[:, 0], record[:, 1], record[:, 2] >> 7, t, np.cumsum(record[:, 1] == OVERFLOW_Y)


CODEC = Codec("nmnist", "N-MNIST", (".bin", ".bs2"), NMNISTReader, writer=NMNISTWriter, decoder=NMNISTDecoder)
decode, encode = CODEC.decode, CODEC.encode
