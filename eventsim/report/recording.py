"""What a recording is, from a walk through its blocks: memory does not grow with it."""

import numpy as np

from eventsim.data.transforms import TRANSFORMS, left_out
from eventsim.report import numbers

_WINDOW = 10_000  # us, in which the peak rate is counted
_MOST_ADDRESSES = 1 << 26  # of a sensor whose pixels are counted


class _Survey:
    """Counts over events that come in blocks."""

    def __init__(self, sensor):
        self.sensor = sensor
        self.events = self.n_on = 0
        self.first = self.last = None
        self.peak = self._window = self._in_window = 0
        small = sensor.n_addresses <= _MOST_ADDRESSES
        self.by_address = np.zeros(sensor.n_addresses, np.int64) if small else None

    def add(self, events):
        if self.first is None:
            self.first = int(events.t[0])
        self.last = int(events.t[-1])
        self.events += len(events)
        self.n_on += int(np.count_nonzero(events.p == 1))
        if self.by_address is not None:
            self.by_address += np.bincount(events.address, minlength=len(self.by_address))
        windows, counts = np.unique((events.t - self.first) // _WINDOW, return_counts=True)
        if windows[0] == self._window:
            counts[0] += self._in_window
        self._window, self._in_window = int(windows[-1]), int(counts[-1])
        self.peak = max(self.peak, int(counts.max()))


def describe(recording) -> dict:
    """Format, sensor, counts, times, rates and what was skipped of a `Recording`.

    ``rate_hz`` is the mean from the first event to the last, ``peak_rate_hz`` that of the busiest 10 ms; ``pixels`` is
    the number of addresses with events and ``busiest`` the one with most, None where the sensor is too large to count.
    ``on_share`` is None of a sensor of one polarity.
    """
    survey = _Survey(recording.sensor)
    for events in recording:
        survey.add(events)
    span = survey.last - survey.first
    return {
        "kind": "recording", "source": recording.source, "format": recording.codec.name,
        "title": recording.codec.title, "about": recording.about, "sensor": str(recording.sensor),
        "sensor_is_said": recording.declared is not None, "events": survey.events, "first_us": survey.first,
        "last_us": survey.last, "on_share": survey.n_on / survey.events if survey.sensor.polarities > 1 else None,
        "rate_hz": 1e6 * survey.events / span if span else None,
        "peak_rate_hz": 1e6 * max(survey.peak / _WINDOW, survey.events / span) if span else None,
        **_pixels(survey), "skipped": recording.skipped,
    }


def _pixels(survey):
    if survey.by_address is None:
        return {"pixels": None, "busiest": None}
    address = int(np.argmax(survey.by_address))
    x, y, p = (int(value) for value in survey.sensor.pixel(address))
    busiest = {"x": x, "y": y, "p": p, "events": int(survey.by_address[address])}
    return {"pixels": int(np.count_nonzero(survey.by_address)), "busiest": busiest}


def screen(f) -> list:
    """The figures of `describe` as lines."""
    guess = "" if f["sensor_is_said"] else ", the smallest that holds all events: the recording does not say"
    rate = "" if f["rate_hz"] is None else (f", {numbers.large(f['rate_hz'])} a second, at most "
                                             f"{numbers.large(f['peak_rate_hz'])} (in {_WINDOW // 1000} ms)")
    skipped = left_out(f["skipped"]) or "none"
    skipped += "" if TRANSFORMS.keys() & f["skipped"].keys() else " (records that are no events)"
    header = [("Says", "; ".join(f"{name} {value}" for name, value in f["about"].items()))] if f["about"] else []
    facts = [
        ("Recording", f["source"]), ("Format", f["title"]), *header,
        ("Sensor", f["sensor"] + guess), ("Events", numbers.count(f["events"]) + rate),
        ("Time", f"{f['first_us'] / 1000:.3f} to {f['last_us'] / 1000:.3f} ms, "
                 f"{numbers.seconds((f['last_us'] - f['first_us']) / 1e6)}"),
    ]
    if f["on_share"] is not None:
        facts.append(("Polarity", f"{numbers.share(f['on_share'])} ON, {numbers.share(1 - f['on_share'])} OFF"))
    if f["busiest"]:
        one = f["busiest"]
        facts.append(("Pixels", f"{numbers.several(f['pixels'], 'address', 'addresses')} with events, at most "
                                f"{numbers.count(one['events'])}, at x = {one['x']}, y = {one['y']}, p = {one['p']}"))
    return [[*facts, ("Skipped", skipped)]]
