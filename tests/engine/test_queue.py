"""The event queue against a simulation by the equations, and what arrives when."""

import numpy as np
import pytest
from naive import exact as naive
from queue_scenes import (
    NEURONS,
    by_neuron,
    excused,
    naive_run,
    parameters,
    random_network,
    random_times,
)

from eventsim import read as read_events
from eventsim.data.encoders import exact_times
from eventsim.engine.queue import forward_queue
from eventsim.errors import ConfigError
from eventsim.model import SRM, Network
from eventsim.model.layers import Recurrent, Sparse
from eventsim.spikes import Spikes

# Pairs of a layer's delay and its own, which the layers of a chain have in turn.
WIRINGS = {
    "feed-forward": [("none", None)], "uniform": [("uniform", None)], "axonal": [("axonal", None)],
    "synaptic": [("synaptic", None)], "grouped": [("grouped", None)], "recurrent": [("none", "none")],
    "recurrent-zero": [("zero", "zero")], "recurrent-uniform": [("uniform", "uniform")],
    "recurrent-axonal": [("none", "axonal")], "recurrent-synaptic": [("synaptic", "synaptic")],
    "mixed": [("synaptic", "axonal"), ("none", "grouped"), ("uniform", None)],
}


@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
def test_spikes_are_those_of_the_equations(wiring, rng):
    excuses = n_hidden = n_output = 0
    for neuron in NEURONS.values():
        network = random_network(rng, (12, 7, 5, 3), neuron, wiring, n_ticks=30)
        spikes = random_times(rng, 12, 35, n_ticks=30)
        trace = forward_queue(network, spikes)
        excuses += excused(trace, naive_run(network, spikes))
        given = spikes
        for layer, got in zip(network.layers, trace.layers, strict=True):
            got.spikes.check()
            own = len(got.spikes) * layer.n_out if isinstance(layer, Recurrent) else 0
            assert got.synops == len(given) * layer.n_out + own
            given = got.spikes
        n_hidden += len(trace.layers[1].spikes)
        n_output += len(trace.output)
    assert n_hidden > 100 and n_output > 30
    assert excuses <= 1


@pytest.mark.parametrize("wiring", [("grouped", "uniform"), ("axonal", "grouped")], ids="-".join)
def test_layers_of_more_than_one_tile_fire_by_the_equations_too(wiring, rng):
    network = random_network(rng, (12, 80, 90), SRM(tau_syn=4.0), [wiring], n_ticks=15, gain=9.0)
    spikes = random_times(rng, 12, 20, n_ticks=15)
    trace = forward_queue(network, spikes)
    assert not excused(trace, naive_run(network, spikes))
    assert all(set(layer.spikes.address) & set(range(64, layer.spikes.n_neurons)) for layer in trace.layers)


def test_the_comparison_excuses_rounding_and_nothing_else(rng):
    network = random_network(rng, (12, 7, 3), SRM(), WIRINGS["recurrent"], n_ticks=30)
    spikes = random_times(rng, 12, 30, n_ticks=30)
    layers = naive_run(network, spikes)
    for n, change in ((0, 1e-7), (5, -1e-7), (3, np.nan)):
        trace = forward_queue(network, spikes)
        found = trace.layers[0].spikes.to_structured()
        found["time"][n] += change
        trace.layers[0].spikes = Spikes.from_structured(found[np.isfinite(found["time"])], n_samples=1, n_neurons=7,
                                                        n_ticks=30)
        with pytest.raises(AssertionError, match="layer 1"):
            excused(trace, layers)
    # A psp that just touches the threshold, as it does within a hair above and below it.
    touching, hair = chain(10.0, 50.0), 1e-12
    for theta, other in ((10 * (1 + hair), 10 * (1 - hair)), (10 * (1 - hair), 10 * (1 + hair))):
        touching.neuron = SRM(theta=theta)
        trace = forward_queue(touching, one_spike())
        touching.neuron = SRM(theta=other)
        layers = naive_run(touching, one_spike())
        assert len(trace.output) != len(layers[1].spikes)
        assert excused(trace, layers)


def test_naive_network_without_delays_is_layer_after_layer(rng):
    network = random_network(rng, (12, 7, 3), SRM(), WIRINGS["feed-forward"], n_ticks=30)
    spikes = random_times(rng, 12, 30, n_ticks=30)
    times, addresses = spikes.time, spikes.address
    for layer, found in zip(network.layers, naive_run(network, spikes), strict=True):
        wanted = naive.layer(times, addresses, layer.weight.astype(float), parameters(network.neuron, 1.0), 30.0)
        times, addresses = np.array(wanted).T[0], np.array(wanted).T[1].astype(int)
        assert len(found.spikes) == len(wanted) > 10
        for mine, other in zip(by_neuron(*np.array(found.spikes).T, 7), by_neuron(times, addresses, 7), strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


def test_a_recording_through_a_deep_network(shared):
    events = read_events(shared / "data" / "aer" / "sample_nmnist.bin")
    network = Network("34x34x2-96-70-10", n_ticks=300, seed=1)
    for layer, gain in zip(network.layers, (2, 3, 4), strict=True):
        layer.weight *= gain
    spikes, report = exact_times(events, 300.0)
    assert (report.spikes, report.after) == (4302, 23)
    trace = forward_queue(network, spikes)
    given = trace.input
    for layer, got in zip(network.layers, trace.layers, strict=True):
        wanted = naive.layer_by_state(
            given.time, given.address, layer.weight.astype(float), parameters(network.neuron, 1.0), 300.0
        )
        assert wanted
        found = by_neuron(got.spikes.time, got.spikes.address, layer.n_out)
        for mine, times in zip(found, by_neuron(*np.array(wanted).T, layer.n_out), strict=True):
            assert len(mine) == len(times)
            np.testing.assert_allclose(mine, times, rtol=0, atol=1e-9)
        assert got.synops == len(given) * layer.n_out
        given = got.spikes


def one_spike(n_neurons=1, n_ticks=100, time=0.0):
    return Spikes([0, 1], [0], time=[time], n_neurons=n_neurons, n_ticks=n_ticks)


def chain(*weights, neuron=None, n_ticks=100):
    """Layers of one neuron each, one after the other."""
    network = Network("-".join(["1"] * (len(weights) + 1)), neuron or SRM(t_abs=1000.0), n_ticks=n_ticks, seed=None)
    for layer, weight in zip(network.layers, weights, strict=True):
        layer.weight = [[weight]]
    return network


def test_a_spike_arrives_after_its_delay():
    network = chain(11.0, 11.0)
    (first,), (second,) = (layer.spikes.time for layer in forward_queue(network, one_spike()).layers)
    rise = first  # from the arrival of a spike to the crossing that it causes
    assert 0 < rise < 10 and second == pytest.approx(2 * rise, abs=1e-9)
    for delay in (0.0, 2.5, [2.5], [[2.5]]):
        network.layers[0].delay, network.layers[1].delay = 1.0, delay
        (first,), (second,) = (layer.spikes.time for layer in forward_queue(network, one_spike()).layers)
        assert first == pytest.approx(1.0 + rise, abs=1e-9)
        assert second == pytest.approx(1.0 + 2 * rise + np.max(delay), abs=1e-9)


@pytest.mark.parametrize("delay", [100.0, [100.0], [[100.0]]], ids=str)
def test_what_arrives_at_the_end_of_a_sample_or_later_has_no_effect_but_counts(delay):
    network = chain(50.0, 11.0)
    network.layers[0].delay = delay
    trace = forward_queue(network, one_spike())
    assert [(len(layer.spikes), layer.synops) for layer in trace.layers] == [(0, 1), (0, 0)]
    network.layers[0].delay, network.layers[1].delay = None, delay
    trace = forward_queue(network, one_spike())
    assert [(len(layer.spikes), layer.synops) for layer in trace.layers] == [(1, 1), (0, 1)]


def test_simultaneous_crossings_all_happen_and_the_lower_neuron_comes_first():
    """What the first one sends to the others at once does not act at that moment: eps(0) = 0."""
    network = Network("1-70-2", SRM(t_abs=50.0), n_ticks=20, seed=None)
    layer = network.layers[0] = Recurrent(1, 70)
    layer.weight, layer.recurrent.weight = np.full((1, 70), 20.0), np.full((70, 70), -1000.0)
    network.layers[1].weight = np.full((70, 2), 1.0)
    trace = forward_queue(network, one_spike(n_ticks=20))
    hidden, output = (layer.spikes for layer in trace.layers)
    assert hidden.address.tolist() == list(range(70)) and len(set(hidden.time)) == 1
    assert output.address.tolist() == [0, 1] and output.time[0] == output.time[1] > hidden.time[0]
    assert [layer.synops for layer in trace.layers] == [70 + 70 * 70, 70 * 2]


def test_excitation_without_delay_fires_as_often_as_the_dead_time_lets_it():
    """Each spike drives the next one; time passes between them whatever the weights."""
    network = Network("1-3", SRM(t_abs=0.5, scale_ref=0.0), n_ticks=20, seed=None)
    layer = network.layers[0] = Recurrent(1, 3)
    layer.weight, layer.recurrent.weight = np.full((1, 3), 1e6), np.full((3, 3), 1e6)
    got = forward_queue(network, one_spike(n_ticks=20)).output
    for times in by_neuron(got.time, got.address, 3):
        assert len(times) == 40
        np.testing.assert_allclose(np.diff(times), 0.5, rtol=0, atol=1e-12)


def test_targets_beyond_one_tile_have_their_own_delays():
    """130 targets in three tiles, each with its own delay in an order that is not theirs."""
    network = Network("2-130", SRM(t_abs=1000.0), n_ticks=400, seed=None)
    layer = network.layers[0]
    layer.weight = np.array([np.zeros(130), np.full(130, 11.0)])
    layer.delay = np.array([np.zeros(130), (37.0 * np.arange(130)) % 130 * 2])
    got = forward_queue(network, Spikes([0, 2], [0, 1], time=[0.0, 1.0], n_neurons=2, n_ticks=400)).output
    assert sorted(got.address) == list(range(130))
    rise = got.time.min() - 1.0
    np.testing.assert_allclose(got.time, 1.0 + rise + layer.delay[1, got.address], rtol=0, atol=1e-9)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_weights_of_fewer_bits_run_as_their_values(precision, rng):
    network = random_network(rng, (12, 30, 3), SRM(), WIRINGS["feed-forward"])
    spikes, small = random_times(rng, 12, 60), network.with_weights(precision)
    got = forward_queue(small, spikes)
    for layer, other in zip(network.layers, small.layers, strict=True):
        layer.weight = other.weight
    want = forward_queue(network, spikes)
    assert len(got.output) > 10
    assert all(a.spikes == b.spikes for a, b in zip(got.layers, want.layers, strict=True))


def test_seconds_are_shared_by_synops(rng):
    network, spikes = random_network(rng, (12, 7, 3), SRM(), WIRINGS["recurrent"]), random_times(rng, 12, 60)
    first, second = forward_queue(network, spikes).layers
    assert first.synops * second.seconds == pytest.approx(second.synops * first.seconds) and second.seconds > 0


def test_batches_without_samples_or_spikes_are_silent():
    network = chain(1.0)
    network.layers[0].delay = [[1.0]]
    for n_samples in (0, 2):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], time=[], n_neurons=1, n_ticks=5)
        trace = forward_queue(network, spikes)
        trace.output.check()
        assert (trace.output.n_samples, len(trace.output), trace.synops) == (n_samples, 0, 0)
        assert trace.layers[0].seconds == 0


def test_what_the_queue_cannot_run_is_refused(rng):
    with pytest.raises(ConfigError, match="times"):
        forward_queue(chain(1.0), Spikes([0, 0], [], tick=[], n_neurons=1, n_ticks=10))
    network = chain(1.0)
    network.layers[0] = Sparse.random(1, 1, 1, 9.0, rng)
    with pytest.raises(ConfigError, match=r"Sparse\(1, 1\)"):
        forward_queue(network, one_spike())
