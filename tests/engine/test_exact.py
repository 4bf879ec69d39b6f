"""The exact clock: the event queue against a scan of the equations, and the crossings it predicts."""

from types import SimpleNamespace

import numpy as np
import pytest
from naive import exact as naive

import eventsim as es
from eventsim.engine.queue import forward_exact
from eventsim.errors import ConfigError
from eventsim.kernels.cpu import crossing
from eventsim.spikes import Spikes


def _parameters(neuron, dt):
    return SimpleNamespace(theta=neuron.theta, tau_syn=neuron.tau_syn, tau_ref=neuron.tau_ref,
                           scale_ref=neuron.scale_ref, t_abs=dt if neuron.t_abs is None else neuron.t_abs)


def _by_neuron(spikes, n):
    spikes = list(spikes)
    return [[t for t, j in spikes if j == i] for i in range(n)]


def _assert_same(found: Spikes, wanted, n):
    """Every neuron's spikes agree in number and, to 1e-9 ms, in time."""
    assert wanted, "a test on silence shows nothing"
    found = _by_neuron(zip(found.time.tolist(), found.address.tolist(), strict=True), n)
    for mine, naive_times in zip(found, _by_neuron(wanted, n), strict=True):
        assert len(mine) == len(naive_times)
        np.testing.assert_allclose(mine, naive_times, rtol=0, atol=1e-9)


@pytest.mark.parametrize("neuron", [
    es.SRM(), es.SRM(tau_syn=2, tau_ref=5), es.SRM(tau_syn=3, tau_ref=3), es.SRM(t_abs=4.0), es.SRM(scale_ref=0),
    es.SRM(tau_syn=1, tau_ref=8, scale_ref=6),
], ids=["default", "slow-refractory", "equal-taus", "dead-time", "no-refractory", "long-recovery"])
def test_queue_equals_scan_on_random_networks(neuron, rng):
    network = es.Network("12-7-3", neuron, n_ticks=60)
    for layer in network.layers:
        layer.weight = rng.normal(2.0, 6.0, (layer.n_in, layer.n_out)) * (4 if layer.n_out == 3 else 1)
    times, addresses = np.sort(rng.uniform(0, 55, 60)), rng.integers(0, 12, 60)
    trace = forward_exact(network, Spikes([0, 60], addresses, time=times, n_neurons=12, n_ticks=60))
    for layer, got in zip(network.layers, trace.layers, strict=True):
        wanted = naive.layer(times, addresses, layer.weight.astype(float), _parameters(neuron, 1.0), 60.0)
        _assert_same(got.spikes, wanted, layer.n_out)
        times, addresses = got.spikes.time, got.spikes.address


def test_queue_equals_scan_on_a_recording(shared):
    events = es.read(shared / "data" / "aer" / "sample_nmnist.bin")
    network = es.Network("34x34x2-96-10", n_ticks=300, seed=1)
    network.layers[0].weight *= 2
    network.layers[1].weight *= 4
    trace = network.simulate(events, clock="exact")
    assert (trace.binning.spikes, trace.binning.after) == (4302, 23)
    spikes = trace.input
    for layer, got in zip(network.layers, trace.layers, strict=True):
        wanted = naive.layer_by_state(
            spikes.time, spikes.address, layer.weight.astype(float), _parameters(network.neuron, 1.0), 300.0
        )
        _assert_same(got.spikes, wanted, layer.n_out)
        assert got.synops == len(spikes) * layer.n_out
        spikes = got.spikes


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
        exact = _by_neuron(zip(exact.time, exact.address, strict=True), 60)
        grid = _by_neuron(zip(grid.tick * dt, grid.address, strict=True), 60)
        apart.append(np.median([abs(a[0] - b[0]) for a, b in zip(exact, grid, strict=True) if a and b]))
    assert counts[-1][1] > 200
    assert abs(counts[-1][0] - counts[-1][1]) <= 0.01 * counts[-1][1]
    for dt, distance in zip((1.0, 0.1, 0.01), apart, strict=True):
        assert 0 < distance <= 2 * dt


def test_predicted_crossing_is_the_first_one(rng):
    """The closed form against a fine scan, over random states that a simulation can reach."""
    edges = np.empty(16)
    found = late = 0
    for _ in range(3000):
        tau_syn, tau_ref = rng.uniform(0.5, 12, 2)
        lam, mu = 1 / tau_syn, (1 / tau_syn if rng.random() < 0.1 else 1 / tau_ref)
        a, b = rng.normal(0, 15), rng.normal(0, 40) * lam
        c, d = -rng.exponential(10), -rng.exponential(60) * mu
        start = rng.choice([0.0, rng.uniform(0, 5)])
        s = crossing.first_crossing(start, a, b, c, d, lam, mu, 10.0, edges)
        grid = start + np.linspace(0, 25 * max(1 / lam, 1 / mu), 5001)
        u = (a + b * grid) * np.exp(-lam * grid) + (c + d * grid) * np.exp(-mu * grid)
        above = np.flatnonzero(u >= 10.0)
        if above.size:
            first = grid[above[0]]
            assert s <= first
            if s < first - (grid[1] - grid[0]):  # between two scan points u may touch the threshold and fall again
                late += 1
            found += 1
        if np.isfinite(s):
            value = (a + b * s) * np.exp(-lam * s) + (c + d * s) * np.exp(-mu * s)
            assert value >= 10.0 - 1e-9
        else:
            assert not above.size
    assert found > 300
    assert late <= 3


def test_output_buffers_grow_without_losing_spikes(monkeypatch, rng):
    from eventsim.engine import queue

    network = es.Network("5-4", n_ticks=200, seed=3)
    network.layers[0].weight = np.full((5, 4), 40.0)
    spikes = Spikes([0, 400], rng.integers(0, 5, 400), time=np.sort(rng.uniform(0, 190, 400)), n_neurons=5, n_ticks=200)
    whole = forward_exact(network, spikes).output
    monkeypatch.setattr(queue, "_FIRST_ROOM", 3)
    assert len(whole) > 100
    assert forward_exact(network, spikes).output == whole


def test_exact_clock_refuses_ticks():
    network = es.Network("5-4", n_ticks=10)
    with pytest.raises(ConfigError, match="times"):
        forward_exact(network, Spikes([0, 0], [], tick=[], n_neurons=5, n_ticks=10))
