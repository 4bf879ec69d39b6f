"""The exact clock beside the grid."""

import numpy as np
import pytest
from queue_scenes import by_neuron

import eventsim as es
from eventsim.engine.queue import forward_exact
from eventsim.errors import ConfigError
from eventsim.spikes import Spikes


def test_grid_tends_to_the_exact_clock(rng):
    """With dt going to 0 and t_abs fixed, first spikes come closer, about a tick apart, and counts agree."""
    times, addresses = np.sort(rng.integers(0, 50_000, 300)), rng.integers(0, 20, 300)
    events = es.Events(times, addresses, np.zeros(300, int), np.zeros(300, int), es.Sensor(20, 1, 1))
    weight = rng.normal(0.5, 2.0, (20, 60))
    apart, counts = [], []
    for dt in (1.0, 0.1, 0.01):
        network = es.Network("20x1x1-60", es.SRM(t_abs=1.0), dt=dt, n_ticks=round(60 / dt), input_mode="count")
        network.layers[0].weight = weight
        exact, grid = network.simulate(events, clock="exact").output, network.simulate(events, clock="grid").output
        counts.append((len(grid), len(exact)))
        exact = by_neuron(exact.time, exact.address, 60)
        grid = by_neuron(grid.tick * dt, grid.address, 60)
        apart.append(np.median([abs(a[0] - b[0]) for a, b in zip(exact, grid, strict=True) if len(a) and len(b)]))
    assert counts[-1][1] > 200
    assert abs(counts[-1][0] - counts[-1][1]) <= 0.01 * counts[-1][1]
    for dt, distance in zip((1.0, 0.1, 0.01), apart, strict=True):
        assert 0 < distance <= 2 * dt


def test_exact_clock_refuses_ticks():
    network = es.Network("5-4", n_ticks=10)
    with pytest.raises(ConfigError, match="times"):
        forward_exact(network, Spikes([0, 0], [], tick=[], n_neurons=5, n_ticks=10))
