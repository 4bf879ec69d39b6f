"""A recording that is followed from its first event to its last: of any format, in blocks."""

from eventsim.data.codecs import open_recording


class Recorded:
    """A recording as a source and decoder of a stream in one; iterating over it gives `Events`.

    What a stream counts of its source and decoder is nothing here: whoever reads a recording has it all, and a damaged
    one is refused.
    """

    backlog = capacity = dropped_datagrams = dropped_events = lost_datagrams = clients = 0

    def __init__(self, name, codec, sensor):
        self.name, self.counts = name, {"outside": 0, "bad": 0, "cut": 0}
        self._codec, self._sensor = codec, sensor

    def __iter__(self):
        with open_recording(self.name, codec=self._codec, sensor=self._sensor) as recording:
            yield from recording
