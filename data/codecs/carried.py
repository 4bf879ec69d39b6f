"""`StateReader`: reads a recording by a kernel that carries what it knows from one block to the next."""

import bisect

import numpy as np

from eventsim.data.codecs.base import BLOCK, Reader


class StateReader(Reader):
    """Reads a recording of which a record means what it does by those ahead of it.

    A format's reader gives ``state``, `decode` and `count`.

    Attributes
    ----------
    state : int64[S], what the kernel carries
    start : byte of the first record
    unit : what messages call that of which the recording is made
    event_bytes : from the first byte of an event to its end
    """

    state: np.ndarray
    start = 0
    unit = "a record"
    event_bytes = 8

    def decode(self, data, state):
        """(columns, facts, ...) of ``data``, uint8[B], by the kernel; facts begin with the events and the bytes used.

        The columns may be longer than there are events. ``state`` is changed.
        """
        raise NotImplementedError

    def count(self, at, facts, *more):
        """Count what was no event in a block that begins at byte ``at``; raise `FormatError` where it is damaged."""

    def is_open(self) -> bool:
        """Whether the recording must not end here."""
        return False

    def blocks(self):
        rest, at = b"", self.start
        while data := self.read(BLOCK):
            data = rest + data
            self._block, self._at, self._before = np.frombuffer(data, np.uint8), at, self.state.copy()
            columns, facts, *more = self.decode(self._block, self.state)
            n, used = int(facts[0]), int(facts[1])
            yield tuple(column[:n] for column in columns)
            self.count(at, facts, *more)
            rest, at = data[used:], at + used
        if rest or self.is_open():
            self.cut(f"ends inside {self.unit}, at byte {at + len(rest)}")

    def place(self, i):
        def events(size):
            return self.decode(self._block[:size], self._before.copy())[1][0]

        end = bisect.bisect_left(range(len(self._block) + 1), int(i) + 1, key=events)
        return f"byte {self._at + end - self.event_bytes}"
