"""Recordings to spikes: floored to ticks for the grid clock, to the microsecond for the exact clock."""

import math
from dataclasses import dataclass, fields

import numpy as np

from eventsim import checks, kernels
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.spikes import Spikes

MODES = ("or", "count")
_MAX_TICKS = np.iinfo(np.int32).max


@dataclass(frozen=True)
class BinningReport:
    """Where the events of a recording went: ``events`` is the sum of all the other counts. Reports add up."""

    events: int = 0
    spikes: int = 0
    merged: int = 0  # shared their tick and address with an earlier event
    before: int = 0  # earlier than the window, that is, at a negative time
    after: int = 0  # later than the window
    left: int = 0  # moved off the sensor by augmentation
    dropped: int = 0  # at random, by augmentation

    @property
    def out_of_window(self) -> int:
        """Events before or after the window."""
        return self.before + self.after

    def __add__(self, other):
        if not isinstance(other, BinningReport):
            return NotImplemented
        return BinningReport(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def bin_events(events, dt=1.0, n_ticks=None, mode="or") -> tuple[Spikes, BinningReport]:
    """Spikes of one recording on a grid of ticks: ``tick = floor(t / dt)``, with t = 0 the recording's zero.

    events : Events; dt : ms
    n_ticks : events outside 0..n_ticks - 1 are left out and counted; None takes in the last event
    mode : ``"or"`` keeps one spike a tick and address, ``"count"`` keeps one for every event

    Where dt is a whole number of microseconds the division is exact, else it is that of float64. (slayerPytorch rounds
    to the nearest tick instead; SLAYER's published N-MNIST input is floored.) Raises `ConfigError`.
    """
    _check_events(events)
    dt = checks.milliseconds("dt", dt)
    n_ticks = None if n_ticks is None else checks.whole_number("n_ticks", n_ticks, 0)
    checks.choice("mode", mode, MODES)
    t, step = on_grid(events, dt)
    if n_ticks is None:
        n_ticks = ticks_to_last(t, step, dt)
    tick, address = np.empty(len(events), np.int32), np.empty(len(events), np.int32)
    counts = np.empty(3, np.int64)
    sensor = events.sensor
    kernels.call("bin_events", t=t, x=events.x, y=events.y, p=events.p, width=sensor.width, height=sensor.height,
                 step=step, n_ticks=n_ticks, keep_repeats=mode == "count", tick=tick, address=address, counts=counts)
    spikes, before, after = (int(count) for count in counts)
    report = BinningReport(len(events), spikes, len(events) - spikes - before - after, before, after)
    return Spikes([0, spikes], address[:spikes], tick=tick[:spikes], n_neurons=sensor.n_addresses, n_ticks=n_ticks,
                  dt=dt, check=False), report


def exact_times(events, duration=None, dt=1.0) -> tuple[Spikes, BinningReport]:
    """Spikes of one recording for the exact clock: every event keeps its microsecond, as ``time`` in ms.

    events : Events
    duration : ms, events outside [0, duration) are left out and counted; None takes in the last event
    dt : ms, in which the spikes state the window's length (``n_ticks``)

    Spikes are sorted by (time, address); raises `ConfigError`.
    """
    _check_events(events)
    dt = checks.milliseconds("dt", dt)
    time = events.t / 1000.0
    if duration is None:
        n_ticks = ticks_to_last(*on_grid(events, dt), dt)
        n_ticks += len(time) > 0 and n_ticks * dt <= time[-1]  # where rounding puts the last event on the end
        duration = math.inf
    else:
        duration = checks.milliseconds("duration", duration)
        n_ticks = ticks_of(duration, dt)
    first, last = (int(i) for i in np.searchsorted(time, [0.0, duration]))
    time, address = time[first:last], events.address[first:last]
    report = BinningReport(len(events), last - first, before=first, after=len(events) - last)
    n_neurons = events.sensor.n_addresses
    order = _by_time(events.t[first:last], address, n_neurons)
    return Spikes([0, last - first], address[order], time=time, n_neurons=n_neurons, n_ticks=n_ticks, dt=dt,
                  check=False), report


def _by_time(t, address, n_neurons):
    """The order of events by (time, address), which differs from theirs only among events of one time."""
    if len(t) and (int(t[-1] - t[0]) + 1) * n_neurons < 2**63:
        return np.argsort((t - t[0]) * n_neurons + address, kind="stable")  # nearly sorted: fast
    return np.lexsort((address, t))


def ticks_of(duration, dt) -> int:
    """The least number of ticks of ``dt`` ms that cover ``duration`` ms."""
    ticks = math.ceil(duration / dt)
    ticks += ticks * dt < duration  # the quotient may have been rounded down
    return _as_n_ticks(ticks, dt)


def _check_events(events):
    if not isinstance(events, Events):
        raise ConfigError(f"expected Events, got {type(events).__name__}")


def on_grid(events, dt):
    """Times int64[E] and the length of a tick in their unit, such that ``tick = time // length``."""
    step = round(dt * 1000)
    if step / 1000 == dt:
        return events.t, step
    with np.errstate(over="ignore"):  # an infinite quotient is beyond the last tick too
        ticks = np.floor(np.clip(events.t / (dt * 1000), -1, _MAX_TICKS)).astype(np.int64)
    ticks.flags.writeable = False  # like the columns of events: one type, so the kernel is compiled once
    return ticks, 1


def ticks_to_last(t, step, dt):
    """The least number of ticks that hold the last event; t and step as `on_grid` gives them."""
    return _as_n_ticks(max(int(t[-1]) // step + 1, 0) if len(t) else 0, dt)


def _as_n_ticks(ticks, dt):
    if ticks > _MAX_TICKS:
        raise ConfigError(f"dt = {dt:g} ms is too short for this window, it takes more than {_MAX_TICKS} ticks; "
                          "choose a longer dt or fewer ticks, and subtract the first time of a recording that does not "
                          "start near 0")
    return ticks
