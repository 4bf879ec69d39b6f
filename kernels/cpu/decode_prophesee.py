"""Words of Prophesee's formats to events; `eventsim.data.codecs.evt2`, ``evt3`` and ``dat`` say what is in them."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE = np.uint64(1)

_EVT2_TIME_HIGH = 8
_EVT2_CLOCK = 1 << 34  # us after which the time begins at zero again
_ADDR_X, _BASE_X, _VECT_12, _VECT_8, _TIME_LOW, _TIME_HIGH = 2, 3, 4, 5, 6, 8  # ADDR_Y is 0
_EVT3_LOW = 1 << 12  # us that TIME_LOW counts
_EVT3_CLOCK = 1 << 24
_EVT3_FAR = 4095  # where a vector that goes on and on stays: outside every sensor, and within 16 bits
_DAT_CLOCK = 1 << 32


@kernel
def decode_evt2(words, state, t, x, y, p, progress, kinds):
    """Events of EVT2's words; those before the first TIME_HIGH are left out.

    words : uint32[W]
    state : int64[1], in and out: us that TIME_HIGH words said last, -1 before the first of them
    t : int64[E], x, y : uint16[E], p : uint8[E], out
    progress : int64[2], out: words that were used, as far as there was room for what they make, and events
    kinds : int64[16], out, added to: words of every type but events; events that were left out count as type 0
    """
    base = state[0]
    n = at = np.uint64(0)
    n_words = np.uint64(len(words))
    if base < 0:
        while at < n_words and words[at] >> 28 != _EVT2_TIME_HIGH:
            kind = np.int64(words[at]) >> 28
            kinds[0 if kind == 1 else kind] += 1
            at += _ONE
    end = min(n_words, at + np.uint64(len(t)))
    for k in range(at, end):
        word = np.int64(words[k])
        kind = word >> 28
        if kind <= 1:
            t[n] = base + (word >> 22 & 63)
            x[n] = word >> 11 & 2047
            y[n] = word & 2047
            p[n] = kind
            n += _ONE
        elif kind == _EVT2_TIME_HIGH:
            high = max(base, 0) & -_EVT2_CLOCK | (word & 0xFFFFFFF) << 6
            base = high + _EVT2_CLOCK if high <= base - _EVT2_CLOCK // 2 else high
        else:
            kinds[kind] += 1
    state[0], progress[0], progress[1] = base, end, n
    return _OK


@kernel
def decode_evt3(words, state, t, x, y, p, progress, kinds):
    """Events of EVT3's words; those whose time, row or vector base was not said yet are left out.

    words : uint16[W]
    state : int64[4], in and out: time in us, y, x of the next vector, and its polarity; -1 before they are said
    t : int64[E], x, y : uint16[E], p : uint8[E], out
    progress : int64[2], out: words that were used, as far as there was room for 12 more events, and events
    kinds : int64[16], out, added to: words of types that make no event; events that were left out count as type 0
    """
    time, row, base, sign = state[0], state[1], state[2], state[3]
    seen = 0  # events, with those that are left out
    n = at = np.uint64(0)
    n_words, full = np.uint64(len(words)), np.uint64(len(t) - 12)
    while at < n_words and n <= full:
        word = np.int64(words[at])
        at += _ONE
        kind = word >> 12
        value = word & 2047
        if kind == 0 or kind == _ADDR_X:
            # Rows and events take turns as they please: a branch would be mispredicted at every fourth word, and took
            # 1.8 times as long. So a row is written like an event, which the next one overwrites.
            is_x = word >> 13
            row = row if is_x else value
            t[n] = time
            x[n] = value
            y[n] = row
            p[n] = word >> 11 & 1
            seen += is_x
            n += np.uint64(is_x & ((time | row) >= 0))
        elif kind in (_VECT_12, _VECT_8):
            is_known = (time | row | base) >= 0
            width = 12 if kind == _VECT_12 else 8
            for k in range(width):
                is_event = word >> k & 1
                t[n] = time
                x[n] = base + k
                y[n] = row
                p[n] = sign
                seen += is_event
                n += np.uint64(is_event & is_known)
            if base >= 0:
                base = min(base + width, _EVT3_FAR)
        elif kind == _BASE_X:
            base, sign = value, word >> 11 & 1
        elif kind == _TIME_LOW:
            if time >= 0:
                low = word & _EVT3_LOW - 1
                if low <= (time & _EVT3_LOW - 1) - _EVT3_LOW // 2:
                    time += _EVT3_LOW
                time = time & -_EVT3_LOW | low
        elif kind == _TIME_HIGH:
            here = max(time, 0) & -_EVT3_LOW
            high = here & -_EVT3_CLOCK | (word & 4095) * _EVT3_LOW
            if high <= here - _EVT3_CLOCK // 2:
                high += _EVT3_CLOCK
            if high != here or time < 0:
                time = high
        else:
            kinds[kind] += 1
    kinds[0] += seen - np.int64(n)
    state[0], state[1], state[2], state[3] = time, row, base, sign
    progress[0], progress[1] = at, n
    return _OK


@kernel
def decode_dat(words, x_bits, y_bits, state, t, x, y, p):
    """Events of DAT's records of two words, the time and the pixel.

    words : uint32[2 * E]; x_bits, y_bits : of a pixel's x and, above it, y; above them are 4 bits of polarity
    state : int64[1], in and out: time in us of the last event, 0 before the first
    t : int64[E], x, y : uint16[E], p : uint8[E], out
    """
    time = state[0]
    x_mask, y_mask = (1 << x_bits) - 1, (1 << y_bits) - 1
    for i in range(np.uint64(len(t))):
        low = np.int64(words[i + i])
        pixel = np.int64(words[i + i + _ONE])
        if low <= (time & _DAT_CLOCK - 1) - _DAT_CLOCK // 2:
            time += _DAT_CLOCK
        time = time & -_DAT_CLOCK | low
        t[i] = time
        x[i] = pixel & x_mask
        y[i] = pixel >> x_bits & y_mask
        p[i] = pixel >> x_bits + y_bits & 15
    state[0] = time
    return _OK
