"""Records of AEDAT 2.0 and packets of AEDAT 3.1 to events."""

import numpy as np

from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_POLARITY = 1  # type of the packets that hold events of pixels
_EVENT = 8  # bytes of such an event
_HEADER = 28  # bytes
_MOST = (1 << 31) - 1  # of a number in a header, which is signed
_LAST_KIND = (1 << 15) - 1


@inlined
def _big_endian(data, i):
    """The unsigned 32-bit number at byte i."""
    return (np.int64(data[i]) << 24 | np.int64(data[i + 1]) << 16 | np.int64(data[i + 2]) << 8
            | np.int64(data[i + 3]))


@inlined
def _little_endian(data, i):
    """The unsigned 32-bit number at byte i."""
    return (np.int64(data[i]) | np.int64(data[i + 1]) << 8 | np.int64(data[i + 2]) << 16
            | np.int64(data[i + 3]) << 24)


@kernel
def decode_aedat2(data, layout, t, x, y, p, state, facts):
    """Events of AEDAT 2.0's eight-byte records: an address and a time, big-endian.

    data : uint8[B]
    layout : int64[10], of an address: the bits any of which marks a record that is no event, the bit that marks a
        sample among those, the bits that together mark one of the IMU; shift and mask of x, of y and of p, and what p
        is XORed with
    t : int64[E], x, y : uint16[E], p : uint8[E], out, E = B / 8
    state : int64[2], in and out: us that the 32 bits of the time passed, and those bits of the last event
    facts : int64[5], out: events, bytes used, special records, samples, records of the IMU
    """
    no_event, sample, imu = layout[0], layout[1], layout[2]
    x_shift, x_mask, y_shift, y_mask = layout[3], layout[4], layout[5], layout[6]
    p_shift, p_mask, p_flip = layout[7], layout[8], layout[9]
    base, last = state[0], state[1]
    n = specials = samples = imus = 0
    used = len(data) - len(data) % 8
    for i in range(0, used, 8):
        address = _big_endian(data, i)
        if address & no_event:
            if not address & sample:
                specials += 1
            elif address & imu == imu:
                imus += 1
            else:
                samples += 1
            continue
        time = _big_endian(data, i + 4)
        if time < last - (1 << 31):
            base += 1 << 32
        elif time > last + (1 << 31) and base > 0:  # one from before the wrap that comes late
            base -= 1 << 32
        last = time
        t[n] = base + time
        x[n] = address >> x_shift & x_mask
        y[n] = address >> y_shift & y_mask
        p[n] = address >> p_shift & p_mask ^ p_flip
        n += 1
    state[0], state[1] = base, last
    facts[0], facts[1], facts[2], facts[3], facts[4] = n, used, specials, samples, imus
    return _OK


@kernel
def decode_aedat3(data, t, x, y, p, state, facts, skipped):
    """Events of AEDAT 3.1's packets, each of which is a header of 28 bytes and records of one type, little-endian.

    data : uint8[B]
    t : int64[E], x, y : uint16[E], p : uint8[E], out, E = B / 8
    state : int64[5], in and out: events or else bytes that are left of the packet; whether they are events, and whether
        those marked as invalid are, too; us that the 31 bits of the time passed; source of the events, or -1
    facts : int64[5], out: events, bytes used, events marked as invalid, events of another source, and the byte of the
        first header that makes no sense, or -1
    skipped : int64[15], out: records of the other types 0..13 by type, and of all others
    """
    left, is_event, keeps_all, base, source = state[0], state[1], state[2], state[3], state[4]
    n = i = invalid = foreign = 0
    fault = -1
    skipped[:] = 0
    while True:
        if is_event:
            here = min(left, (len(data) - i) // _EVENT)
            first = n
            for _ in range(here):
                bits = _little_endian(data, i)
                t[n] = base + _little_endian(data, i + 4)
                x[n] = bits >> 17
                y[n] = bits >> 2 & 0x7FFF
                p[n] = bits >> 1 & 1
                n += keeps_all | bits & 1
                i += _EVENT
            invalid += here - (n - first)
        else:
            here = min(left, len(data) - i)
            i += here
        left -= here
        if left > 0 or len(data) - i < _HEADER:
            break
        kind = np.int64(data[i]) | np.int64(data[i + 1]) << 8
        origin = np.int64(data[i + 2]) | np.int64(data[i + 3]) << 8
        size, offset, wraps = _little_endian(data, i + 4), _little_endian(data, i + 8), _little_endian(data, i + 12)
        number, valid = _little_endian(data, i + 20), _little_endian(data, i + 24)
        is_event = 1 if kind == _POLARITY else 0
        is_sane = (size == _EVENT and offset == 4) if is_event else (size > 0 and size <= _MOST)
        if not is_sane or kind > _LAST_KIND or wraps > _MOST or number > _MOST or valid > number:
            fault = i
            break
        i += _HEADER
        if is_event and (source < 0 or source == origin):
            left, source, base = number, origin, wraps << 31
            keeps_all = 1 if valid == number else 0
            continue
        left = number * size
        if is_event:
            foreign += number
        else:
            skipped[min(kind, len(skipped) - 1)] += number
        is_event = 0
    state[0], state[1], state[2], state[3], state[4] = left, is_event, keeps_all, base, source
    facts[0], facts[1], facts[2], facts[3], facts[4] = n, i, invalid, foreign, fault
    return _OK
