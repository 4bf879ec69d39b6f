"""Recordings to spikes on a device, against Python's sort and the CPU."""

import numpy as np
import pytest
from naive import bin as naive

from eventsim.data.encoders import bin_events
from eventsim.engine.gpu import binning
from eventsim.engine.gpu.spikes import uploaded
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.sensor import Sensor


def recording(rng, n, span=40_000, first=-3_000):
    x, y, p = rng.integers(0, 9, n), rng.integers(0, 5, n), rng.integers(0, 2, n)
    return Events(np.sort(rng.integers(first, first + span, n)), x, y, p, Sensor(9, 5, 2))


@pytest.mark.parametrize("mode", ["or", "count"])
@pytest.mark.parametrize("dt, n_ticks", [(1.0, 30), (0.3, 50), (7.0, None), (1 / 3, 40), (1.0, 0)])
@pytest.mark.parametrize("n", [0, 1, 3000])
def test_events_become_the_spikes_that_the_cpu_makes(device, rng, mode, dt, n_ticks, n):
    events = recording(rng, n)
    want, report = bin_events(events, dt, n_ticks, mode)
    got, ours = binning.bin_events(device, events, dt, n_ticks, mode)
    assert got == want and ours == report
    want = uploaded(device, want).runs
    for ours, theirs in zip(got.runs, want, strict=True):
        assert ours.dtype == theirs.dtype


def test_a_burst_in_one_tick_is_sorted(device, rng):
    events = recording(rng, 5000, span=900, first=0)
    got, _ = binning.bin_events(device, events, 1.0, 1, "count")
    assert got.address.tolist() == sorted(events.address.tolist())
    assert naive.bin_events(events.t.tolist(), events.address.tolist(), 1000, 1, keep_repeats=True)[0]


def test_modes_are_those_of_the_cpu(device, rng):
    with pytest.raises(ConfigError, match="mode"):
        binning.bin_events(device, recording(rng, 3), 1.0, None, "sum")
