"""N-MNIST ``.bin``, which is also SLAYER's ``.bs2``: five bytes an event.

    byte     0          1          2          3          4
          xxxxxxxx   yyyyyyyy   pttttttt   tttttttt   tttttttt

p is the polarity (1: ON), t a 23-bit big-endian time in microseconds. A record with y = 240 is no event but marks an
overflow of the clock: it is dropped, and all that follow are 8192 us later. So no event of this format has y = 240.

Source: https://www.garrickorchard.com/datasets/n-mnist; overflow records as in gorchard/event-Python.
"""

import numpy as np

from eventsim import checks
from eventsim.data.codecs.base import Codec
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor

SENSOR = Sensor(34, 34, 2)
RECORD = 5  # bytes
OVERFLOW_Y = 240
OVERFLOW_US = 8192
_TIME_END = 1 << 23  # us


def decode(data, sensor=None, source="recording") -> Events:
    """Events of the bytes ``data``; overflow records are counted in ``skipped["overflow"]``.

    ``sensor`` is the 34x34x2 of N-MNIST unless given. Raises `FormatError`, with ``source`` and the byte, where the
    recording is empty or truncated, or an event lies outside the sensor or before the event ahead of it.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ConfigError(f"expected the bytes of a recording, got {type(data).__name__}")
    sensor = SENSOR if sensor is None else checks.sensor(sensor)
    record = _records(data, source)
    x, y, p = record[:, 0], record[:, 1], record[:, 2] >> 7
    high = record[:, 2:5].astype(np.int64)
    t = (high[:, 0] & 0x7F) << 16 | high[:, 1] << 8 | high[:, 2]
    is_event = y != OVERFLOW_Y
    t += OVERFLOW_US * np.cumsum(~is_event)
    _check_pixels(record, is_event, sensor, source)
    row = np.flatnonzero(is_event)
    t, skipped = t[row], len(record) - len(row)
    _check_order(t, row, source)
    return Events(t, x[row], y[row], p[row], sensor, {"overflow": skipped} if skipped else None)


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


CODEC = Codec("nmnist", (".bin", ".bs2"), decode, encode)
