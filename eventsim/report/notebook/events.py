"""`Events` and `Arrivals` in a notebook: figures, where the events were, and when."""

import numpy as np

from eventsim.data.transforms import left_out
from eventsim.report import numbers
from eventsim.report.notebook import pictures
from eventsim.report.notebook.markup import fragment

_FLAT = 8  # pixels of a side below which a sensor is a line: a cochlea's channels, say


def show(events) -> str:
    """HTML of a recording, however long it is."""
    n, sensor = len(events), events.sensor
    name = type(events).__name__
    if not n:
        return fragment(name, [("Events", "none"), ("Sensor", sensor), *_skipped(events)])
    first, last = int(events.t.min()), int(events.t.max())
    facts = [("Events", numbers.count(n)), ("Sensor", sensor),
             ("Time", f"{first / 1000:.3f} to {last / 1000:.3f} ms, {numbers.seconds((last - first) / 1e6)}")]
    if last > first:
        facts.append(("Rate", f"{numbers.large(1e6 * n / (last - first))} events a second"))
    if sensor.polarities == 2:
        on = int(np.count_nonzero(events.p)) / n
        facts.append(("Polarity", f"{numbers.share(on)} ON, {numbers.share(1 - on)} OFF"))
    return fragment(name, [*facts, *_skipped(events)], beside=_pictures(events, first, last))


def _skipped(events):
    if events.skipped:
        yield "Skipped", left_out(events.skipped)


def _pictures(events, first, last):
    n, sensor = len(events), events.sensor
    chosen = pictures.sampled(n)
    t = events.t[chosen]
    if min(sensor.width, sensor.height) < _FLAT:
        yield pictures.raster(t - first, sensor.address(events.x[chosen], events.y[chosen], events.p[chosen]),
                              last - first + 1, sensor.n_addresses,
                              f"{numbers.several(n, 'event')}: addresses from top to bottom, time to the right")
    else:
        is_on = events.p[chosen] == 1 if sensor.polarities == 2 else None
        yield pictures.of_pixels(events.x[chosen], events.y[chosen], is_on, sensor.width, sensor.height,
                                 f"where {numbers.several(n, 'event')} happened")
        if is_on is not None:
            yield pictures.legend(ON=pictures.ON, OFF=pictures.OFF, both=pictures.BOTH)
    if last > first:
        curve, most = pictures.over_time(t, first, last, "events over time")
        rate = most * n / len(t) * pictures.PARTS * 1e6 / (last - first)
        yield curve
        yield pictures.caption(f"over time, at most {numbers.large(rate)} a second")
    if len(t) < n:
        yield pictures.caption(f"drawn from {numbers.count(len(t))} of {numbers.count(n)} events")

