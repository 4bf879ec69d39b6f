"""Transforms of recordings: pure functions from `Events` to `Events`.

What a transform leaves out it counts in `Events.skipped`, under its own name in `TRANSFORMS`. Times are ms, as all over
the package, and are rounded to microseconds. What is random draws from ``seed``, a whole number or a NumPy generator.
"""

import math

import numpy as np

from eventsim import checks, kernels
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.sensor import Sensor
from eventsim.wording import tally

_FARTHEST = 1e12  # ms from zero, thirty years; times in us stay exact in float64
_AXES = ("x", "y", "p")


def crop(events, x, y, width, height) -> Events:
    """The events of a window, which becomes the sensor.

    x, y : its first pixel; width, height : its size in pixels, within the sensor
    """
    sensor = _sensor(events)
    x, y = checks.whole_number("x", x, 0, sensor.width - 1), checks.whole_number("y", y, 0, sensor.height - 1)
    width = checks.whole_number("width", width, 1, sensor.width - x)
    height = checks.whole_number("height", height, 1, sensor.height - y)
    inside = (events.x >= x) & (events.x < x + width) & (events.y >= y) & (events.y < y + height)
    kept = _kept(events, inside, "crop")
    return Events(kept.t, kept.x - x, kept.y - y, kept.p, Sensor(width, height, sensor.polarities), kept.skipped)


def pool(events, factor) -> Events:
    """The events of ``factor`` by ``factor`` pixels at one pixel each; where they do not divide the sensor, of fewer.

    No event is left out: for a dead time, which the larger pixel would have, see `refractory_filter`.
    """
    sensor = _sensor(events)
    factor = checks.whole_number("factor", factor, 1, max(sensor.width, sensor.height))
    small = Sensor(math.ceil(sensor.width / factor), math.ceil(sensor.height / factor), sensor.polarities)
    return Events(events.t, events.x // factor, events.y // factor, events.p, small, events.skipped)


def flip(events, axis) -> Events:
    """The events mirrored in ``"x"`` or ``"y"``, or with the polarities, ``"p"``, the other way round."""
    sensor = _sensor(events)
    checks.choice("axis", axis, _AXES)
    most = dict(zip(_AXES, (sensor.width, sensor.height, sensor.polarities), strict=True))[axis] - 1
    columns = {name: getattr(events, name) for name in ("t", *_AXES)}
    columns[axis] = most - columns[axis]
    return Events(**columns, sensor=sensor, skipped=events.skipped)


def merge_polarity(events) -> Events:
    """The events without their polarity, of a sensor that has one."""
    sensor = _sensor(events)
    return Events(events.t, events.x, events.y, np.zeros_like(events.p), Sensor(sensor.width, sensor.height, 1),
                  events.skipped)


def time_window(events, start=0.0, stop=None, from_start=True) -> Events:
    """The events from ``start`` to before ``stop``, ms; None: to the end.

    from_start : times count from ``start``; without it they stay what they are
    """
    _sensor(events)
    from_start = checks.truth("from_start", from_start)
    first = _microseconds("start", start, -_FARTHEST)
    last = math.inf if stop is None else _microseconds("stop", stop, -_FARTHEST)
    if last < first:
        raise ConfigError(f"stop must not be before start, got {stop!r} and {start!r} ms")
    kept = _kept(events, (events.t >= first) & (events.t < last), "time_window")
    return Events(kept.t - first if from_start else kept.t, kept.x, kept.y, kept.p, kept.sensor, kept.skipped)


def denoise(events, window=10.0) -> Events:
    """The events that have support: one of the four neighbouring pixels had an event less than ``window`` ms before.

    All events give support, those that are left out too, and so does time 0 at every pixel: what happens in the first
    ``window`` of a recording is kept. A background activity filter (Delbruck 2008, "Frame-free dynamic digital vision")
    with tonic's neighbours and start.
    """
    sensor = _sensor(events)
    keep = np.empty(len(events), bool)
    kernels.call("denoise_events", t=events.t, x=events.x, y=events.y, width=sensor.width, height=sensor.height,
                 window=_microseconds("window", window), last=(sensor.width * sensor.height,), keep=keep)
    return _kept(events, keep, "denoise")


def refractory_filter(events, period) -> Events:
    """The events without those that come less than ``period`` ms after the last one kept of their address."""
    sensor = _sensor(events)
    keep = np.empty(len(events), bool)
    kernels.call("refract_events", t=events.t, address=events.address, period=_microseconds("period", period),
                 ready=(sensor.n_addresses,), keep=keep)
    return _kept(events, keep, "refractory_filter")


def hot_pixel_filter(events, *, rate=None, factor=None) -> Events:
    """The events without those of addresses that have too many, which one alone never is. Give one limit:

    rate : events a second, over the time from the first to the last event
    factor : how many times as many as the median of all addresses that have any
    """
    sensor = _sensor(events)
    if (rate is None) == (factor is None):
        raise ConfigError("a hot pixel has more events than a rate or than a factor of the median; give one of the two")
    counts = np.bincount(events.address, minlength=sensor.n_addresses)
    if factor is not None:
        most = checks.number("factor", factor) * (np.median(counts[counts > 0]) if len(events) else 0)
    else:
        most = checks.number("rate", rate) * (int(events.t[-1]) - int(events.t[0]) if len(events) else 0) / 1e6
    return _kept(events, (counts <= max(most, 1))[events.address], "hot_pixel_filter")


def drop_events(events, probability, seed) -> Events:
    """The events without those that are lost at random, every one with the same probability, below 1."""
    _sensor(events)
    rng, probability = checks.generator(seed), checks.number("probability", probability, below=1.0)
    return _kept(events, rng.random(len(events)) >= probability, "drop_events")


def jitter(events, seed, *, time=0.0, space=0.0) -> Events:
    """The events moved at random, in the order of time again; those that leave the sensor are left out.

    time : ms; space : pixels, along x and along y: standard deviations of normal distributions
    """
    sensor = _sensor(events)
    rng = checks.generator(seed)
    time, space = checks.number("time", time, below=_FARTHEST), checks.number("space", space, below=_FARTHEST)
    n = len(events)
    t = events.t + np.rint(1000 * time * rng.standard_normal(n)).astype(np.int64)
    x, y = (column + np.rint(space * rng.standard_normal(n)).astype(np.int64) for column in (events.x, events.y))
    inside = (x >= 0) & (x < sensor.width) & (y >= 0) & (y < sensor.height)
    order = np.flatnonzero(inside)
    order = order[np.argsort(t[order], kind="stable")]
    return Events(t[order], x[order], y[order], events.p[order], sensor, _counted(events, n - len(order), "jitter"))


def _sensor(events):
    if not isinstance(events, Events):
        raise ConfigError(f"expected Events, got {type(events).__name__}")
    return events.sensor


def _microseconds(name, value, least=0.0):
    return round(1000 * checks.number(name, value, least, _FARTHEST))


def _kept(events, mask, name):
    """The events of a mask, the others counted."""
    out = events[mask]
    out.skipped = _counted(events, len(events) - len(out), name)
    return out


def _counted(events, n, name):
    return events.skipped | ({name: events.skipped.get(name, 0) + n} if n else {})


TRANSFORMS = {
    transform.__name__: transform
    for transform in (crop, pool, flip, merge_polarity, time_window, denoise, refractory_filter, hot_pixel_filter,
                      drop_events, jitter)
}


def left_out(skipped) -> str:
    """What `Events.skipped` counts, in words: 1,200 outside, 3 by crop."""
    return tally({f"by {name}" if name in TRANSFORMS else name: n for name, n in skipped.items()})
