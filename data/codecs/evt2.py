"""Prophesee EVT 2.0 in a ``.raw`` file: a header of text, then little-endian words of 32 bits.

    type     bits 31-28    27-22          21-11   10-0
    0        CD_OFF        t, bits 5-0    x       y        an event with p = 0
    1        CD_ON         t, bits 5-0    x       y        an event with p = 1
    8        TIME_HIGH     t, bits 33-6 of the events behind it, in us
    10, 14, 15             EXT_TRIGGER, OTHERS and CONTINUED: skipped, counted by kind like words of reserved types

The time is that of the camera's clock, not of the recording. It begins at zero again every 4.8 hours: a TIME_HIGH that
falls by half of that or more has passed the end once more; one that falls by less is disorder, which readers refuse.
Events before the first TIME_HIGH have no time; they are skipped and counted as ``early``, as Prophesee's own decoder
skips them. A ``.raw`` file is written as EVT2 unless another format is named.

Source: https://docs.prophesee.ai/stable/data/encoding_formats/evt2.html; header and clock as in
https://github.com/prophesee-ai/openeb
"""

import numpy as np

from eventsim.data.codecs.base import Codec
from eventsim.data.codecs.prophesee import WordReader, WordWriter, is_of

_TIME_HIGH = 8


class EVT2Reader(WordReader):
    """Reads words."""

    encoding, example = "EVT2", "% evt 2.0"
    word, kernel, n_state = np.dtype("<u4"), "decode_evt2", 1
    event_bytes = word.itemsize
    kinds = dict.fromkeys((2, 3, 4, 5, 6, 7, 9, 11, 12, 13), "unknown") | {
        0: "early", 10: "trigger", 14: "other", 15: "continued"
    }


class EVT2Writer(WordWriter):
    """Writes events, and a TIME_HIGH where theirs changes."""

    encoding = "EVT2"

    def __init__(self, file, sensor):
        super().__init__(file, sensor)
        self._high = -1

    def words(self, events):
        high = events.t >> 6
        is_new = np.diff(high, prepend=self._high) != 0
        self._high = int(high[-1]) if len(high) else self._high
        at = np.arange(len(high)) + np.cumsum(is_new)
        words = np.empty(len(high) + np.count_nonzero(is_new), "<u4")
        p, x = events.p.astype(np.int64), events.x.astype(np.int64)
        words[at] = p << 28 | (events.t & 63) << 22 | x << 11 | events.y
        words[at[is_new] - 1] = _TIME_HIGH << 28 | high[is_new]
        return words


CODEC = Codec("evt2", "Prophesee EVT2", (".raw",), EVT2Reader, is_of(EVT2Reader.encoding), writer=EVT2Writer)
decode, encode = CODEC.decode, CODEC.encode
