"""Leaky neurons in continuous time on a device: spikes, active sets and gradients of the CPU, and of scanning."""

import numpy as np
import pytest
from exact_gradient_scenes import errors_for, random_times
from lif_scenes import NEURONS, network_of, parameters
from naive import exact_lif as naive
from queue_scenes import by_neuron
from spatial_scenes import random_times as times_for
from spatial_scenes import spatial_network

import eventsim as es
from eventsim.engine.exact import forward_exact
from eventsim.engine.gpu.devices import on_device
from eventsim.spikes import Spikes

from .test_exact import assert_same
from .test_exact_backward import assert_close, compare
from .test_whole import course

INF = np.inf


@pytest.mark.parametrize("name", NEURONS)
def test_spikes_active_sets_and_gradients_are_those_of_the_cpu(one_device, rng, name):
    network = network_of(rng, NEURONS[name], (12, 66, 6), 0.3, gain=0.5)
    spikes = random_times(rng, 12, 60, 70, 0.3, n_samples=3, empty=(1,))
    compare(one_device, network, spikes, (INF, 0.6), errors_for(network, spikes, rng))
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes),
                forward_exact(network, spikes))


@pytest.mark.parametrize("name", ["subtract", "current, hard", "as fast"])
def test_spikes_are_those_of_scanning(one_device, rng, name):
    neuron = NEURONS[name]
    network, p = network_of(rng, neuron, (20, 6)), parameters(neuron, 1.0)
    p.t_abs = neuron.dead_time(1.0)
    spikes = random_times(rng, 20, 60, 30, n_samples=1)
    got = forward_exact(on_device(network, one_device), spikes).output
    wanted = naive.layer(spikes.time, spikes.address, network.layers[0].weight.astype(float), p, 30.0)
    times, addresses = np.array(wanted).T
    for mine, other in zip(by_neuron(got.time, got.address, 6), by_neuron(times, addresses, 6), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["current", "as fast", "current, if"])
def test_a_potential_that_turns_in_a_silence_is_followed_to_its_peak(one_device, name):
    """One input spike, and weights of which some just reach the threshold by the current of its synapse."""
    network = es.Network("1-70", NEURONS[name], n_ticks=60, seed=None)
    network.layers[0].weight = NEURONS[name].theta * np.linspace(0.1, 8.0, 70)[None]
    spikes = Spikes([0, 1], [0], time=[1.25], n_neurons=1, n_ticks=60)
    want = forward_exact(network, spikes)
    fired = np.bincount(want.output.address, minlength=70)
    assert (fired == 0).any() and (fired == 1).any()
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes), want)


@pytest.mark.parametrize("name", ["hard", "current"])
def test_constant_inputs(one_device, rng, name):
    neuron = NEURONS[name]
    network = spatial_network(rng, "5x4x2-2p-bn-66-bn-9", neuron, offset=0.3)
    spikes = times_for(rng, network, 80, n_samples=3)
    compare(one_device, network, spikes, (0.8, 1.5), errors_for(network, spikes, rng), seed=5)
    biased = network_of(rng, neuron, (40, 70))
    biased.layers[0].bias = rng.normal(0.15, 0.1, 70) * neuron.theta
    spikes = random_times(rng, 40, 60, 40)
    assert_same(biased, one_device, forward_exact(on_device(biased, one_device), spikes), forward_exact(biased, spikes))


def test_training_takes_the_course_of_the_cpu(as_gpu):
    def mixed():
        network = es.Network("8x8x1-20-9-4", clock="exact", seed=1)
        for layer, neuron in zip(network.layers, (NEURONS["hard"], es.SRM(), NEURONS["current"]), strict=True):
            layer.neuron = neuron
        return network

    (gains, history, weights), (own_gains, own_history, own_weights) = (
        course(mixed(), place, epochs=2) for place in ("cpu", "gpu"))
    assert history[-1]["loss"] != history[0]["loss"]
    if as_gpu.name == "host":
        assert (own_gains, own_history) == (gains, history)
    assert own_history[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=1e-2)
    for ours, theirs in zip(own_weights, weights, strict=True):
        assert_close(as_gpu, ours, theirs, rounding=1e-2)
