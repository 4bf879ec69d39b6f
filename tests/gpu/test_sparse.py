"""Sparse layers on a device: the bits of the CPU, and the dense layer with most weights zero."""

import numpy as np
import pytest
from lif_scenes import NEURONS as LEAKY
from scenes import Dyadic, random_spikes, some_but_not_all

from eventsim import Network
from eventsim.engine import forward
from eventsim.engine.forward import forward_layer
from eventsim.engine.gpu.devices import on_device
from eventsim.engine.gpu.sparse import _windows
from eventsim.errors import ConfigError
from eventsim.model import SRM
from eventsim.model.layers import Dense, Sparse
from eventsim.spikes import Spikes

from .test_forward import assert_same

NEURONS = {"plain": SRM(tau_syn=4.0), "dead": SRM(tau_syn=3.0, t_abs=4.0), "slow": SRM(tau_syn=10.0, scale_ref=0.1)}


def compare(layer, neuron, spikes, device):
    """The run of a layer on the CPU; that on the device is the same."""
    want = forward_layer(layer, neuron, spikes)
    got = forward_layer(layer.on_device(device), neuron, spikes)
    got.spikes.check()
    assert got.spikes == want.spikes and got.synops == want.synops
    return want.spikes


@pytest.mark.parametrize("neuron, rate", [("plain", 0.1), ("plain", 0.003), ("dead", 0.1), ("slow", 0.003)])
def test_spikes_have_the_bits_of_the_cpu(device, rng, neuron, rate):
    layer = Sparse.random(60, 2100, 12, 60.0, rng)  # tiles of more than two groups
    spikes = random_spikes(rng, 60, 3, 120, rate, repeats=True, empty=(1,))
    assert some_but_not_all(compare(layer, NEURONS[neuron], spikes, device))


@pytest.mark.parametrize("neuron, rate", [("plain", 0.003), ("dead", 0.1), ("slow", 0.1)])
@pytest.mark.parametrize("most", [{"_MOST_ARRIVALS": 300}, {"_MOST_ROWS": 100}], ids=str)
def test_what_is_listed_at_once_changes_nothing(one_device, rng, monkeypatch, neuron, rate, most):
    """Neurons that wait at rest, are stepped, are dead or have input when a window ends."""
    for name, value in most.items():
        monkeypatch.setattr(f"eventsim.engine.gpu.sparse.{name}", value)
    layer = Sparse.random(60, 200, 12, 60.0, rng)
    spikes = random_spikes(rng, 60, 3, 120, rate, empty=(1,))
    assert some_but_not_all(compare(layer, NEURONS[neuron], spikes, one_device))
    launched = getattr(one_device, "launched", ["sparse_forward"] * 2)
    assert launched.count("sparse_forward") > 1


def test_windows_are_as_long_as_there_is_room(monkeypatch):
    monkeypatch.setattr("eventsim.engine.gpu.sparse._MOST_ARRIVALS", 10)
    monkeypatch.setattr("eventsim.engine.gpu.sparse._MOST_ROWS", 12)
    assert _windows(np.array([3, 7, 1, 0, 20, 5, 5, 0]), 1) == [(0, 2), (2, 4), (4, 5), (5, 8)]
    assert _windows(np.array([0, 0, 0, 0, 0]), 6) == [(0, 2), (2, 4), (4, 5)]
    assert _windows(np.array([1, 1]), 100) == [(0, 1), (1, 2)]
    assert _windows(np.zeros(0, int), 3) == []


def test_many_spikes_in_a_tick(device, rng):
    """More than a block has threads."""
    layer = Sparse.random(400, 100, 12, 20.0, rng)
    spikes = random_spikes(rng, 400, 1, 12, 0.6, repeats=True)
    assert some_but_not_all(compare(layer, SRM(tau_syn=3.0), spikes, device))


def test_many_synapses_of_a_spike_in_one_tile(device, rng):
    """More than a block has threads, in tiles that are full."""
    layer = Sparse(3, 300, [0, 300, 300, 450], np.r_[0:300, 0:300:2], rng.normal(30.0, 30.0, 450))
    spikes = random_spikes(rng, 3, 2, 30, 0.4, repeats=True)
    assert some_but_not_all(compare(layer, SRM(tau_syn=3.0), spikes, device))


def test_exact_sums_give_the_spikes_of_the_dense_layer(one_device, rng):
    layer, neuron = Sparse.random(24, 200, 6, 1.0, rng), Dyadic(theta=4.0)
    layer.values[:] = rng.integers(-4, 13, len(layer.values)) / 4
    as_dense = Dense(24, 200)
    weight = np.zeros((24, 200))
    weight[np.repeat(np.arange(24), layer.fan_out), layer.target] = layer.values
    as_dense.weight = weight
    spikes = random_spikes(rng, 24, 4, 10, 0.3, repeats=True, empty=(2,))
    got = forward_layer(layer.on_device(one_device), neuron, spikes).spikes
    assert some_but_not_all(got)
    assert got == forward_layer(as_dense.on_device(one_device), neuron, spikes).spikes


def test_between_other_layers(one_device, rng):
    network = Network("20-90-5", SRM(tau_syn=4.0))
    network.layers[0] = Sparse.random(20, 90, 8, 60.0, rng)
    spikes = random_spikes(rng, 20)
    want = forward(network, spikes)
    assert some_but_not_all(want.layers[0].spikes) and len(want.output)
    ours = on_device(network, one_device)
    assert_same(forward(ours, spikes), want)
    back = on_device(ours, None)
    assert forward(back, spikes).output == want.output
    for a, b in zip(network.layers, ours.layers, strict=True):
        np.testing.assert_array_equal(a.weight, b.weight)
        np.testing.assert_array_equal(a.live_fan_out, b.live_fan_out)
    back.layers[0].values[:] = 0.0
    assert ours.layers[0].weight.any() and network.layers[0].weight.any()


def test_a_batch_without_samples_or_ticks_or_spikes(device, rng):
    layer = Sparse.random(5, 70, 2, 9.0, rng)
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=5, n_ticks=n_ticks)
        compare(layer, SRM(), spikes, device)


def test_what_does_not_run_is_refused(one_device, rng):
    layer, spikes = Sparse.random(5, 70, 2, 9.0, rng), random_spikes(rng, 5)
    ours = layer.on_device(one_device)
    for arguments in ({"support": 0.3}, {"support": np.inf}, {"truncate": True}):
        with pytest.raises(ConfigError, match="can be simulated only"):
            forward_layer(ours, SRM(), spikes, **arguments)
    for one in (layer, ours):
        with pytest.raises(ConfigError, match="are LIF, and sparse layers run those of SRM only"):
            forward_layer(one, LEAKY["subtract"], spikes)
