"""Bytes of recordings to events, and what is true of all of them."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE, _TWO, _THREE, _FOUR, _FIVE = (np.uint64(i) for i in range(1, 6))


@kernel
def survey_events(t, x, y, p, last, facts):
    """Find the extent of some events, and whether they ascend in time.

    t : int64[E]; x, y : uint16[E]; p : uint8[E]; last : time of the event before the first
    facts : int64[4], out: the largest x, y and p, and the first event that is earlier than the one before it, or -1
    """
    far_x = far_y = far_p = 0
    back = 0
    for i in range(len(t)):
        far_x = max(far_x, x[i])
        far_y = max(far_y, y[i])
        far_p = max(far_p, p[i])
    for i in range(1, len(t)):
        back += t[i] < t[i - 1]
    facts[0], facts[1], facts[2], facts[3] = far_x, far_y, far_p, -1
    if len(t) > 0 and t[0] < last:
        facts[3] = 0
    elif back > 0:
        i = 1
        while t[i] >= t[i - 1]:
            i += 1
        facts[3] = i
    return _OK


@kernel
def decode_nmnist(data, base, overflow_y, overflow_us, t, x, y, p, count):
    """Events of N-MNIST's five-byte records, without those that mark an overflow.

    data : uint8[5 * R], whole records; base : us that the records ahead of them overflowed by
    overflow_y : y of a record that marks an overflow; overflow_us : by how much
    t : int64[R], x, y : uint16[R], p : uint8[R], out; count : int64[1], out: of the events in them
    """
    n = np.uint64(0)
    for record in range(np.uint64(len(data) // 5)):
        at = record * _FIVE
        # The four bytes behind x as one number are a single load, as unsigned places need no look at their sign.
        word = (np.int64(data[at + _ONE]) << 24 | np.int64(data[at + _TWO]) << 16 | np.int64(data[at + _THREE]) << 8
                | np.int64(data[at + _FOUR]))
        row = word >> 24
        if row == overflow_y:
            base += overflow_us
            continue
        t[n] = base + (word & 0x7FFFFF)
        x[n] = data[at]
        y[n] = row
        p[n] = word >> 23 & 1
        n += _ONE
    count[0] = n
    return _OK
