"""Leaky integrate-and-fire neurons on a device: the bits of the CPU."""

import numpy as np
import pytest
from conv_scenes import random_conv_network, random_errors
from lif_scenes import NEURONS, network_of, strength
from scenes import random_spikes, some_but_not_all

from eventsim.engine import forward
from eventsim.engine.gpu.devices import on_device

from .test_backward import assert_same as assert_same_gradients
from .test_backward import gradients
from .test_forward import assert_same
from .test_spatial import training

INF = np.inf


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize("supports", [None, (0.3, INF), (INF, 1.5)])
def test_every_neuron_has_the_bits_of_the_cpu(one_device, rng, name, supports):
    rate = 0.1 if supports else 0.01
    network = network_of(rng, NEURONS[name], (30, 70, 9), gain=0.35 if supports else 1.5)
    spikes = random_spikes(rng, 30, 3, 150 if supports is None else 70, rate, repeats=True, empty=(1,))
    ours, want = on_device(network, one_device), forward(network, spikes, supports=supports)
    assert some_but_not_all(want.output)
    assert_same(forward(ours, spikes, supports=supports), want)
    if supports is not None:
        errors = random_errors(rng, network, spikes)
        assert_same_gradients(gradients(ours, spikes, supports, errors), gradients(network, spikes, supports, errors))


@pytest.mark.parametrize("name", ["hard", "dead", "current, hard"])
@pytest.mark.parametrize("supports", [(0.5, INF, 0.5), (INF, 0.5, INF)])
def test_training_behind_stages_has_the_bits_of_the_cpu(one_device, rng, by_patches, little_room, name, supports):
    if name == "hard":
        little_room(one_device)
    notation = "8x7x2-12c3-2p-bn-20c2p1-do0.2-5"
    spikes = random_spikes(rng, 112, 3, 70, 0.1, empty=(1,))
    network = random_conv_network(rng, notation, spikes, NEURONS[name])
    ours, errors = on_device(network, one_device), random_errors(rng, network, spikes)
    want, arrays = training(network, spikes, supports, errors)
    got, own_arrays = training(ours, spikes, supports, errors)
    assert_same(got, want)
    assert_same_gradients(own_arrays, arrays)


@pytest.mark.parametrize("name", ["subtract", "current", "late"])
def test_a_bias_comes_in_every_tick(one_device, rng, name):
    network = network_of(rng, NEURONS[name])
    for layer in network.layers:
        layer.bias = rng.uniform(0.0, 0.2, layer.n_out) * strength(network.neuron)
    spikes = random_spikes(rng, 30, 3, 60, 0.05, empty=(1,))
    want = forward(network, spikes)
    assert want.output.counts()[1].any()
    assert_same(forward(on_device(network, one_device), spikes), want)
