"""Prophesee EVT 3.0 in a ``.raw`` file: a header of text, then little-endian words of 16 bits that say what changes.

    type  bits 15-12    11     10-0
    0     ADDR_Y        -      y of the events behind it
    2     ADDR_X        p      x: an event
    3     VECT_BASE_X   p      x of the next vector
    4     VECT_12       12 bits: bit k is an event at x + k; then x is 12 further
    5     VECT_8        bits 7-0: the same for 8
    6     TIME_LOW      bits 11-0 of the time, in us
    8     TIME_HIGH     bits 23-12
    7, 10, 13, 14, 15   CONTINUED_4, EXT_TRIGGER, IMU, OTHERS, CONTINUED_12: skipped, counted by kind, as reserved types

The time is that of the camera's clock, not of the recording, and is what both words say:

- A TIME_HIGH of another value begins at its first microsecond; the same once more, which cameras send every 16 us,
  changes nothing. One that falls by half of the 24 bits or more has passed their end, which it does every 16.78 s.
- A TIME_LOW that falls by half of its 12 bits or more, with no new TIME_HIGH between, has passed their end ahead of its
  TIME_HIGH and is 4096 us later. One that falls by less is what it says: once in a millisecond a Gen4.1 camera sends a
  time that is 3 or 11 us ahead, without an event, and then goes on where it was.

expelliarmus counts every fall of TIME_LOW as 4096 us on top of TIME_HIGH. So the array that it publishes of its sample
file says 53.9 ms where 551 TIME_HIGH words, one every 16 us, say 8.8 ms.

Events before their time, row or vector base was said are skipped and counted as ``early``.

Source: https://docs.prophesee.ai/stable/data/encoding_formats/evt3.html; header and clock as in
https://github.com/prophesee-ai/openeb; on the published array https://github.com/open-neuromorphic/expelliarmus/issues/19
"""

import numpy as np

from eventsim.data.codecs.base import Codec
from eventsim.data.codecs.prophesee import WordReader, WordWriter, is_of

_ADDR_X, _TIME_LOW, _TIME_HIGH = (kind << 12 for kind in (2, 6, 8))


class EVT3Reader(WordReader):
    """Reads words."""

    encoding, example = "EVT3", "% evt 3.0"
    word, kernel, n_state = np.dtype("<u2"), "decode_evt3", 4
    kinds = dict.fromkeys((1, 9, 11, 12), "unknown") | {
        0: "early", 7: "continued", 10: "trigger", 13: "imu", 14: "other", 15: "continued"
    }


class EVT3Writer(WordWriter):
    """Writes single events, with what changes from one to the next ahead of them.

    Every TIME_HIGH that passes is written, so that no reader misses the end of the 24 bits in a silence: two bytes for
    4 ms. A recording that begins behind that end is led up to it in the same way.
    """

    encoding = "EVT3"

    def __init__(self, file, sensor):
        super().__init__(file, sensor)
        self._last = None  # t and y

    def words(self, events):
        if not len(events):
            return np.empty(0, "<u2")
        t, y = events.t, events.y.astype(np.int64)
        last_t, last_y = self._last or (min(int(t[0]), (1 << 24) - 1) - (1 << 12), -1)
        self._last = int(t[-1]), int(y[-1])
        high = t >> 12
        highs = np.diff(high, prepend=last_t >> 12)
        has_low = np.diff(t, prepend=last_t) != 0
        has_row = np.diff(y, prepend=last_y) != 0
        at = np.cumsum(highs + has_low + has_row + 1) - 1
        words = np.empty(at[-1] + 1, "<u2")
        words[at] = _ADDR_X | events.p.astype(np.int64) << 11 | events.x
        words[at[has_row] - 1] = y[has_row]
        low_at = at - has_row - 1
        words[low_at[has_low]] = _TIME_LOW | (t[has_low] & 4095)
        passed = np.arange(high[0] - highs[0] + 1, high[-1] + 1)
        owner = np.repeat(np.arange(len(t)), highs)
        words[low_at[owner] - (high[owner] - passed) - 1] = _TIME_HIGH | (passed & 4095)
        return words


CODEC = Codec("evt3", "Prophesee EVT3", (".raw",), EVT3Reader, is_of(EVT3Reader.encoding), writer=EVT3Writer)
decode, encode = CODEC.decode, CODEC.encode
