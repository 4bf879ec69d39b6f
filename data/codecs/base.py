"""What a recording format is to the readers and writers, and to streams of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eventsim.events import Arrivals, Events


def _silent(sentence):
    """Tells nobody."""


class Decoder:
    """Decodes a recording that comes in pieces; what is no event of the sensor is counted and skipped.

    A format's decoder gives `feed`, `datagrams`, `end` and `records`. ``tell`` is called with a sentence at the first
    of every kind of fault.

    Attributes
    ----------
    counts : dict of str to int: ``outside`` events outside the sensor, ``bad`` records that are no event, ``cut``
        records or datagrams that end too early, and what else the format counts
    """

    def __init__(self, sensor, tell=_silent):
        self.sensor, self._tell = sensor, tell
        self.counts = {"outside": 0, "bad": 0, "cut": 0}

    def feed(self, data) -> Arrivals:
        """The events that the bytes ``data`` complete, in the order in which they stand there."""
        raise NotImplementedError

    def datagrams(self, pieces) -> Arrivals:
        """The events of several datagrams, each of which holds whole records."""
        raise NotImplementedError

    def end(self, lost=False) -> Arrivals:
        """The events of what is left where the bytes end; what is fed afterwards starts with a record of its own.

        lost : the bytes end because somebody went away, so that what is left may be half a record
        """
        raise NotImplementedError

    def records(self, data) -> int:
        """How many events ``data`` holds at most, without decoding it."""
        raise NotImplementedError

    def fault(self, kind, n, sentence):
        """Count ``n`` faults of a kind, of which the first in this stream is told."""
        if n and not self.counts[kind]:
            self._tell(f"{sentence}; it is skipped, and so are others like it")
        self.counts[kind] += n

    def inside(self, x, y, p):
        """Mask of the pixels on the sensor, bool[E]; the others are counted."""
        sensor = self.sensor
        found = (x >= 0) & (x < sensor.width) & (y >= 0) & (y < sensor.height) & (p >= 0) & (p < sensor.polarities)
        outside = len(found) - int(np.count_nonzero(found))
        if outside:
            i = int(np.argmin(found))
            self.fault("outside", outside,
                       f"an event has x = {x[i]}, y = {y[i]}, p = {p[i]}, outside the {sensor} sensor")
        return found


@dataclass(frozen=True)
class Codec:
    """One recording format.

    ``decode(data, sensor=None, source="recording")`` takes all bytes of a recording; ``sensor`` overrides what the
    format says or assumes, ``source`` is the file's name in messages; raises `FormatError`.
    ``encode(events)`` gives the bytes back; raises `ConfigError` for events that the format cannot hold.
    ``decoder(sensor, tell)`` makes a `Decoder` for a stream.
    """

    name: str
    suffixes: tuple[str, ...]
    decode: Callable[..., Events]
    encode: Callable[[Events], bytes]
    decoder: Callable[..., Decoder]
