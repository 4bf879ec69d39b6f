"""A recording that is followed from its first event to its last: of any format, in blocks."""

from eventsim.data.codecs import open_for


class Recorded:
    """A recording as a source and decoder of a stream in one; iterating over it gives `Events`.

    What a stream counts of its source and decoder is nothing here: whoever reads a recording has it all, and one that
    is damaged or has events outside its sensor is refused.

    wanted : Sensor of the network; sensor : that of the recording, where somebody named it
    """

    backlog = capacity = dropped_datagrams = dropped_events = lost_datagrams = clients = 0

    def __init__(self, name, codec, wanted, sensor=None):
        self.name, self.counts = name, {"outside": 0, "bad": 0, "cut": 0}
        self._codec, self._wanted, self._sensor = codec, wanted, sensor

    def __iter__(self):
        with open_for(self._wanted, self.name, self._sensor, self._codec) as recording:
            yield from recording
