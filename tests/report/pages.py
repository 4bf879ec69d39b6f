"""Profiles to make pages of: a small network on random recordings."""

import numpy as np

from eventsim.engine import run
from eventsim.events import Events
from eventsim.model import Network
from eventsim.profile import Profile
from eventsim.report import profile as report
from eventsim.report.html import Subject

TICKS = 60


def subject(arch="12x9x2-40-10", *, clock="grid", n=900, name="a network", seed=0, silent=False, backward=None):
    """A `Subject` of one recording of ``n`` random events."""
    rng = np.random.default_rng(seed)
    network = Network(arch, n_ticks=TICKS, clock=clock, seed=seed)
    for layer in network.layers:
        if layer.n_weights:
            layer.weight = 0.0 * layer.weight if silent else 3.0 * np.abs(layer.weight)
    sensor = network.sensor
    events = Events(np.sort(rng.integers(0, 1000 * TICKS, n)), rng.integers(0, sensor.width, n),
                    rng.integers(0, sensor.height, n), rng.integers(0, sensor.polarities, n), sensor)
    trace = network.simulate(events)
    assert run(network, trace.input).output == trace.output
    profile = Profile(network)
    profile.add(trace, np.array([3]))
    figures = report.as_dict(profile, trace.binning)
    return Subject(name, [("Network", arch)], profile, figures, "sample.bin", events, trace, 3)
