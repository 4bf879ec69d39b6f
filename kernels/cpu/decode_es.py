"""Bytes of Event Stream to events."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_EVENT = 5  # bytes
_STEP = 127  # us that an overflow stands for
_OVERFLOW = 255
_RESET = 254


@kernel
def decode_es(data, t, x, y, p, state, facts):
    """Change detections of Event Stream: the time since the one before and the polarity, then x and y, little-endian.

    data : uint8[B]
    t : int64[E], x, y : uint16[E], p : uint8[E], out, E = B / 5
    state : int64[1], in and out: us until the last byte
    facts : int64[3], out: events, bytes used, bytes that mark a reset
    """
    time = state[0]
    n = i = resets = 0
    while i < len(data):
        head = np.int64(data[i])
        if head == _OVERFLOW:
            time += _STEP
            i += 1
            continue
        if head == _RESET:
            resets += 1
            i += 1
            continue
        if i + _EVENT > len(data):
            break
        time += head >> 1
        t[n] = time
        x[n] = np.int64(data[i + 1]) | np.int64(data[i + 2]) << 8
        y[n] = np.int64(data[i + 3]) | np.int64(data[i + 4]) << 8
        p[n] = head & 1
        n += 1
        i += _EVENT
    state[0] = time
    facts[0], facts[1], facts[2] = n, i, resets
    return _OK
