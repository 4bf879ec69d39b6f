"""Recordings to spikes on a device, against Python's sort and the CPU."""

import numpy as np
import pytest
from naive import bin as naive

from eventsim.data.encoders import bin_events
from eventsim.engine.gpu import binning
from eventsim.engine.gpu.spikes import uploaded
from eventsim.engine.runs import by_tick
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.kernels.memory import on_host
from eventsim.sensor import Sensor


def recording(rng, n, span=40_000, first=-3_000):
    x, y, p = rng.integers(0, 9, n), rng.integers(0, 5, n), rng.integers(0, 2, n)
    return Events(np.sort(rng.integers(first, first + span, n)), x, y, p, Sensor(9, 5, 2))


def runs_of(runs):
    """The ticks of every sample that have spikes, and where these begin and end."""
    base, count, tick, start = map(on_host, runs)
    return [(tick[first : first + n].tolist(), start[first : first + n + 1].tolist())
            for first, n in zip(base, count, strict=True)]


@pytest.mark.parametrize("mode", ["or", "count"])
@pytest.mark.parametrize("dt, n_ticks", [(1.0, 30), (0.3, 50), (7.0, None), (1 / 3, 40), (1.0, 0)])
@pytest.mark.parametrize("n", [0, 1, 3000])
def test_events_become_the_spikes_that_the_cpu_makes(device, rng, mode, dt, n_ticks, n):
    events = recording(rng, n)
    want, report = bin_events(events, dt, n_ticks, mode)
    got, ours = binning.bin_events(device, events, dt, n_ticks, mode)
    assert got == want and ours == report
    assert runs_of(got.runs) == runs_of(uploaded(device, want).runs) == runs_of(by_tick(want))


@pytest.mark.parametrize("mode", ["or", "count"])
def test_bursts_are_sorted_as_the_naive_twin_does(device, rng, mode):
    events = recording(rng, 3000, span=2500, first=0)
    got, report = binning.bin_events(device, events, 1.0, 2, mode)
    spikes, (merged, before, after) = naive.bin_events(events.t, events.address, 1000, 2, mode == "count")
    assert list(zip(got.tick.tolist(), got.address.tolist(), strict=True)) == spikes
    assert (report.merged, report.before, report.after) == (merged, before, after)


@pytest.mark.parametrize("mode", ["or", "count"])
def test_keys_are_of_64_bits(one_device, rng, mode):
    """A tick times the addresses of a large sensor is beyond 32 bits; half of the events stand in one late tick."""
    n, sensor = 4000, Sensor(1280, 720, 2)
    t = np.sort(np.where(rng.random(n) < 0.5, 90_000_000, rng.integers(-5, 100_000_000, n)))
    x, y, p = rng.integers(1270, 1280, n), rng.integers(700, 720, n), rng.integers(0, 2, n)
    events = Events(t, x, y, p, sensor)
    want, report = bin_events(events, 1.0, 95_000, mode)
    assert int(want.tick[-1]) * sensor.n_addresses > 2**36 and (report.merged > 500) == (mode == "or")
    got, ours = binning.bin_events(one_device, events, 1.0, 95_000, mode)
    assert got == want and ours == report


def test_modes_are_those_of_the_cpu(device, rng):
    with pytest.raises(ConfigError, match="mode"):
        binning.bin_events(device, recording(rng, 3), 1.0, None, "sum")
