"""Streams through convolutions, pools and stages: the spikes of a simulation, however a stream is cut."""

import numpy as np
import pytest
from spatial_scenes import spatial_network

import eventsim as es

SENSOR = es.Sensor(6, 5, 2)
NETWORKS = {
    "convolution": "6x5x2-8c3p1-4", "spiking pool": "6x5x2-6c3p1-2a-4", "stages": "6x5x2-6c3p1-2p-bn-8c2-do0.2-4",
    "stages first": "6x5x2-2p-bn-8c2-4", "recurrence behind a convolution": "6x5x2-2p-bn-6c2-8r-4",
    "delays behind a convolution": "6x5x2-6c3p1-2a-8@d2-4",
}


def recording(rng, n=200, last=150_000):
    """A recording in which times repeat."""
    t = np.sort(rng.integers(0, last // 100, n) * 100)
    return es.Events(t, *np.array([SENSOR.pixel(i) for i in rng.integers(0, SENSOR.n_addresses, n)]).T, SENSOR)


def outcome(network, events, bounds):
    """Spikes and report of a stream that gets a recording in pieces."""
    stream = es.Stream(network)
    for first, last in zip([0, *bounds], [*bounds, len(events)], strict=True):
        stream.push(es.Arrivals(*(getattr(events, name)[first:last] for name in "txyp"), SENSOR))
    stream.finish()
    return stream.spikes(), stream.report


def assert_same_spikes(a, b):
    """Every neuron's spikes agree, their times but for rounding."""
    assert np.array_equal(np.sort(a.address), np.sort(b.address))
    when = [s.time[np.lexsort((s.time, s.address))] for s in (a, b)]
    np.testing.assert_allclose(*when, rtol=0, atol=1e-9)


@pytest.mark.parametrize("notation", NETWORKS.values(), ids=NETWORKS)
def test_a_stream_gives_the_spikes_of_the_simulation(notation, rng):
    network, events = spatial_network(rng, notation, n_ticks=200, offset=0.03), recording(rng)
    trace = network.simulate(events, clock="exact")
    assert len(trace.output) > 10
    for bounds in ([], range(1, 200), np.sort(rng.integers(0, 201, 20))):
        spikes, report = outcome(network, events, bounds)
        inside = spikes.time < 200
        assert_same_spikes(type(spikes)(spikes.time[inside], spikes.address[inside]), trace.output)
        assert report.processed == 200
        assert all(n >= len(done.spikes) for n, done in zip(report.spikes, trace.layers, strict=True))
        if all(n == len(done.spikes) for n, done in zip(report.spikes, trace.layers, strict=True)):
            assert report.synops == tuple(done.synops for done in trace.layers)
        assert report.synops[0] == trace.layers[0].synops


def test_synops_of_a_stream_are_those_that_the_spikes_cross(rng):
    """Nothing fires on after the end, so that a stream and a simulation see the same."""
    network, events = spatial_network(rng, "6x5x2-6c3p1-2p-5", n_ticks=1000), recording(rng)
    trace = network.simulate(events, clock="exact")
    _, report = outcome(network, events, [50, 120])
    assert report.spikes == tuple(len(done.spikes) for done in trace.layers)
    assert report.synops == tuple(done.synops for done in trace.layers) and min(report.synops) > 0


def driven(arch):
    """A network whose constant input alone makes neurons fire."""
    network = es.Network(arch, es.SRM(tau_syn=4.0), n_ticks=200, seed=None)
    for layer in network.layers:
        layer.weight = np.full(layer.weight_shape, 3.0)
    norm = network.layers[0].norm
    norm.beta = np.full(norm.given.channels, 0.1)
    return network


@pytest.mark.parametrize("arch", ["6x5x2-2p-bn-4c2-2", "6x5x2-bn-4-2", "6x5x2-bn-4c3-2r"])
def test_what_fires_without_input_is_run_as_time_is_said_to_pass(arch):
    """And at the end to where the sample is over, since it would never stop."""
    network = driven(arch)
    stream, seen = es.Stream(network), 0
    for t in (30.0, 60.0, 90.0):
        stream.advance(t)
        spikes = stream.spikes()
        assert len(spikes.time) > seen and spikes.time.max() < t
    stream.finish()
    rest = stream.spikes()
    assert 190 < rest.time.max() < 200 and stream.report.certain_ms == stream.scores().time == 200
    nothing = es.Events([], [], [], [], SENSOR)
    whole = network.simulate(nothing, clock="exact").output
    assert len(whole) > 20 and set(whole.address) == {0, 1}
    assert stream.scores().counts.tolist() == whole.counts()[0].tolist()


@pytest.mark.parametrize("arch", ["6x5x2-2p-bn-4c2-2", "6x5x2-bn-4c3-2r"])
def test_what_fires_without_input_ends_with_the_input(arch, rng):
    """Or the last window would hold the response to silence; what it holds is what a longer simulation says."""
    network, events = driven(arch), recording(rng, last=350_000)
    stream = es.Stream(network)
    stream.push(events)
    stream.finish()
    spikes, scores = stream.spikes(), stream.scores()
    assert scores.time == stream.report.certain_ms == (events.t[-1] + 1) / 1000 and spikes.time.max() < scores.time
    network.n_ticks = 400
    whole = network.simulate(events, clock="exact").output
    inside = (whole.time >= scores.time - 200) & (whole.time < scores.time)
    assert scores.counts.tolist() == np.bincount(whole.address[inside], minlength=2).tolist() and scores.counts.any()
