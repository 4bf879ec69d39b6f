"""What holds of every format that decodes words or records, and how to look at one before it is checked."""

import io
import tracemalloc

import numpy as np
from hypothesis import strategies as st

from eventsim.data import open_recording
from eventsim.events import Events
from eventsim.sensor import Sensor


def unchecked(reader, data):
    """Events, and what was skipped, before anybody looks at their order and pixels."""
    reader = reader(io.BytesIO(data), "a.raw")
    blocks = [np.stack([column.astype(np.int64) for column in block], 1) for block in reader.blocks()]
    return [tuple(row) for block in blocks for row in block.tolist()], +reader.skipped


@st.composite
def some_events(draw, last, sensor):
    """Up to 40 events until ``last`` us, some of them close together."""
    rows = draw(st.lists(st.tuples(st.integers(0, last) | st.integers(0, 300), st.integers(0, sensor.width - 1),
                                   st.integers(0, sensor.height - 1), st.integers(0, 1)), min_size=1, max_size=40))
    return Events(*np.array(sorted(rows, key=lambda row: row[0])).T, sensor)


def comes_back_in_two_parts(codec, events, cut):
    """A recording comes back, and is the same written at once and in parts, one of them empty."""
    assert codec.decode(codec.encode(events)) == events
    out = io.BytesIO()
    writer = codec.writer(out, events.sensor)
    for part in (slice(0, cut), slice(cut, cut), slice(cut, None)):
        writer.write(Events(*(getattr(events, name)[part] for name in "txyp"), events.sensor))
    assert out.getvalue() == codec.encode(events)


def takes_no_memory(data, n):
    """A recording of ``n`` events is read in less than 3 MiB."""
    with open_recording(io.BytesIO(data), Sensor(1, 1)) as recording:
        tracemalloc.start()
        try:
            assert sum(map(len, recording)) == n
            assert tracemalloc.get_traced_memory()[1] < 3 << 20
        finally:
            tracemalloc.stop()
