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

from eventsim import checks
from eventsim.data.codecs.base import Codec, Decoder
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Arrivals, Events
from eventsim.sensor import Sensor

SENSOR = Sensor(34, 34, 2)
RECORD = 5  # bytes
OVERFLOW_Y = 240
OVERFLOW_US = 8192
_TIME_END = 1 << 23  # us
_MOST_DISORDER = 1 << 20  # us that an event may come late from before a wrap


def decode(data, sensor=None, source="recording") -> Events:
    """Events of the bytes ``data``; overflow records are counted in ``skipped["overflow"]``.

    ``sensor`` is the 34x34x2 of N-MNIST unless given. Raises `FormatError`, with ``source`` and the byte, where the
    recording is empty or truncated, or an event lies outside the sensor or before the event ahead of it.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ConfigError(f"expected the bytes of a recording, got {type(data).__name__}")
    sensor = SENSOR if sensor is None else checks.sensor(sensor)
    record = _records(data, source)
    x, y, p, t, overflows = _columns(record)
    is_event = y != OVERFLOW_Y
    _check_pixels(record, is_event, sensor, source)
    row = np.flatnonzero(is_event)
    t = (t + OVERFLOW_US * overflows)[row]
    skipped = len(record) - len(row)
    _check_order(t, row, source)
    return Events(t, x[row], y[row], p[row], sensor, {"overflow": skipped} if skipped else None)


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


def encode(events) -> bytes:
    """The bytes of ``events``; raises `ConfigError` for events that the format cannot hold."""
    if not isinstance(events, Events):
        raise ConfigError(f"expected Events, got {type(events).__name__}")
    if not len(events):
        raise ConfigError("there is no event to write; an N-MNIST recording has at least one")
    for name, allowed in (("x", events.x <= 255), ("y", events.y <= 255), ("p", events.p <= 1),
                          ("t", (events.t >= 0) & (events.t < _TIME_END)), ("y", events.y != OVERFLOW_Y)):
        if not allowed.all():
            i = int(np.argmin(allowed))
            raise ConfigError(
                f"event {i} has {name} = {getattr(events, name)[i]}; N-MNIST recordings hold x and y in 0..255 "
                f"without y = {OVERFLOW_Y} (which marks an overflow), p in 0..1 and t in 0..{_TIME_END - 1} us; cut "
                "or crop the recording, or write another format"
            )
    record = np.empty((len(events), RECORD), np.uint8)
    record[:, 0], record[:, 1] = events.x, events.y
    record[:, 2] = events.p << 7 | (events.t >> 16).astype(np.uint8)
    record[:, 3] = events.t >> 8 & 0xFF
    record[:, 4] = events.t & 0xFF
    return record.tobytes()


def _columns(record):
    """x, y, p and 23-bit times int64[R] of records uint8[R, 5], and the overflow records up to every one, int64[R]."""
    high = record[:, 2:5].astype(np.int64)
    t = (high[:, 0] & 0x7F) << 16 | high[:, 1] << 8 | high[:, 2]
    return record[:, 0], record[:, 1], record[:, 2] >> 7, t, np.cumsum(record[:, 1] == OVERFLOW_Y)


def _records(data, source):
    size = len(data)
    if size == 0:
        raise FormatError(f"{source}: is empty, it ends at byte 0; a recording has at least one {RECORD}-byte event; "
                          "copy or download it again")
    if size % RECORD:
        raise FormatError(
            f"{source}: ends inside an event, {size % RECORD} bytes are left at byte {size - size % RECORD} of {size}; "
            f"an N-MNIST recording is a whole number of {RECORD}-byte events; copy or download it again"
        )
    record = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    if (record[:, 1] == OVERFLOW_Y).all():
        raise FormatError(f"{source}: holds no event, all {len(record)} records from byte 0 on mark an overflow "
                          f"(y = {OVERFLOW_Y}); a recording has at least one event; copy or download it again")
    return record


def _check_pixels(record, is_event, sensor, source):
    x, y, p = record[:, 0], record[:, 1], record[:, 2] >> 7
    outside = is_event & ((x >= sensor.width) | (y >= sensor.height) | (p >= sensor.polarities))
    if not outside.any():
        return
    i = int(np.argmax(outside))
    reach = "x".join(str(int(column[is_event].max()) + 1) for column in (x, y, p))
    raise FormatError(
        f"{source}: event {i} at byte {i * RECORD} has x = {x[i]}, y = {y[i]}, p = {p[i]}, outside the {sensor} sensor "
        f"(x 0..{sensor.width - 1}, y 0..{sensor.height - 1}, p 0..{sensor.polarities - 1}); name the sensor that "
        f"recorded it, here at least --sensor {reach}"
    )


def _check_order(t, row, source):
    back = np.flatnonzero(t[1:] < t[:-1])
    if back.size:
        k = int(back[0]) + 1
        raise FormatError(
            f"{source}: event {row[k]} at byte {row[k] * RECORD} is at {t[k]} us, before the {t[k - 1]} us of the "
            "event ahead of it; events must be in the order of time; sort them or download the recording again"
        )


CODEC = Codec("nmnist", (".bin", ".bs2"), decode, encode, NMNISTDecoder)
