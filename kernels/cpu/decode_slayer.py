"""Bytes of SLAYER's spike files to events."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


@kernel
def decode_bs1(data, t, x, y, p):
    """Events of five-byte records of a neuron's id, polarity and time, all of which are at y = 0.

    data : uint8[5 * E]; t : int64[E], us; x, y : uint16[E]; p : uint8[E], out
    """
    for i in range(len(t)):
        at = 5 * i
        high = np.int64(data[at + 2])
        t[i] = (high & 127) << 16 | np.int64(data[at + 3]) << 8 | np.int64(data[at + 4])
        x[i] = np.int64(data[at]) << 8 | np.int64(data[at + 1])
        y[i] = 0
        p[i] = high >> 7
    return _OK


@kernel
def decode_bs3(data, t, x, y, p):
    """Events of seven-byte records.

    data : uint8[7 * E]; t : int64[E], us; x, y : uint16[E]; p : uint8[E], out
    """
    for i in range(len(t)):
        at = 7 * i
        middle = np.int64(data[at + 1])
        t[i] = (np.int64(data[at + 4]) << 16 | np.int64(data[at + 5]) << 8
                | np.int64(data[at + 6]))
        x[i] = np.int64(data[at]) << 4 | middle >> 4
        y[i] = (middle & 15) << 8 | np.int64(data[at + 2])
        p[i] = data[at + 3]
    return _OK
