"""Sparse layers: the dense layer with most weights zero, and the naive equations."""

import numpy as np
import pytest
from scenes import Dyadic, dense, excused_spikes, naive_layer, pairs, random_spikes, some_but_not_all

from eventsim import kernels
from eventsim.engine.backward import check_trainable
from eventsim.engine.forward import forward, forward_layer
from eventsim.errors import ConfigError
from eventsim.model import LIF, SRM, Network
from eventsim.model.layers import Dense, Sparse
from eventsim.spikes import Spikes


def as_dense(layer):
    out = Dense(layer.n_in, layer.n_out)
    weight = np.zeros((layer.n_in, layer.n_out))
    source = np.repeat(np.arange(layer.n_in), np.diff(layer.row_start))
    weight[source, layer.target] = layer.values
    out.weight = weight
    return out


@pytest.mark.parametrize("neuron", [SRM(tau_syn=4.0), SRM(tau_syn=3.0, t_abs=4.0), SRM(tau_syn=10.0, scale_ref=0.1)])
@pytest.mark.parametrize("rate", [0.1, 0.003])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_spikes_are_those_of_the_equations_but_for_rounding(rng, neuron, rate, n_threads):
    layer = Sparse.random(60, 2500, 12, 60.0, rng)
    spikes = random_spikes(rng, 60, 1 if n_threads > 1 else 3, 120, rate)
    kernels.set_threads(n_threads)
    try:
        got = forward_layer(layer, neuron, spikes)
    finally:
        kernels.set_threads(None)
    assert some_but_not_all(got.spikes)
    weight, excuses = as_dense(layer).weight, 0
    for b in range(spikes.n_samples):
        want, u, _, margin = naive_layer(weight, neuron, spikes, b)
        excuses += len(excused_spikes(dense(got.spikes, b), want, u, margin, neuron.theta))
    assert excuses <= 3
    assert got.synops == sum(np.diff(layer.row_start)[a] for a in spikes.address)


@pytest.mark.parametrize("t_abs", [None, 3.0])
def test_exact_sums_give_the_spikes_of_the_dense_layer(rng, t_abs):
    layer, neuron = Sparse.random(24, 200, 6, 1.0, rng), Dyadic(theta=4.0, t_abs=t_abs)
    layer.values[:] = rng.integers(-4, 13, len(layer.values)) / 4
    spikes = random_spikes(rng, 24, 4, 10, 0.3, repeats=True, empty=(2,))
    got = forward_layer(layer, neuron, spikes).spikes
    assert some_but_not_all(got)
    assert got == forward_layer(as_dense(layer), neuron, spikes).spikes


def test_threads_and_batches_change_nothing(rng):
    layer, neuron = Sparse.random(50, 5000, 20, 60.0, rng), SRM(tau_syn=4.0)
    spikes = random_spikes(rng, 50, 3, 80)
    kernels.set_threads(1)
    try:
        one = forward_layer(layer, neuron, spikes).spikes
        kernels.set_threads(5)
        assert forward_layer(layer, neuron, spikes).spikes == one
    finally:
        kernels.set_threads(None)
    assert Spikes.concatenate([forward_layer(layer, neuron, spikes.sample(b)).spikes for b in range(3)]) == one


def test_buffers_grow_until_everything_fits():
    layer = Sparse(1, 70, [0, 70], np.arange(70), np.full(70, 1000.0))
    spikes = Spikes([0, 9], np.zeros(9, int), tick=np.arange(9), n_neurons=1, n_ticks=9)
    got = forward_layer(layer, SRM(scale_ref=0.0, tau_syn=50.0), spikes).spikes
    got.check()
    assert pairs(got, 0) == [(t, i) for t in range(1, 9) for i in range(70)]


def test_a_sparse_layer_stands_in_a_network(rng):
    network = Network("20-90-5", SRM(tau_syn=4.0))
    sparse = network.layers[0] = Sparse.random(20, 90, 8, 60.0, rng)
    spikes = random_spikes(rng, 20)
    got = forward(network, spikes)
    assert some_but_not_all(got.layers[0].spikes) and len(got.output)
    assert got.layers[0].spikes == forward_layer(sparse, network.neuron, spikes).spikes
    assert got.output == forward_layer(network.layers[1], network.neuron, got.layers[0].spikes).spikes


def test_no_input_is_no_output(rng):
    layer = Sparse.random(5, 70, 2, 9.0, rng)
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=5, n_ticks=n_ticks)
        got = forward_layer(layer, SRM(), spikes).spikes
        got.check()
        assert (got.n_samples, len(got), got.n_neurons) == (n_samples, 0, 70)


@pytest.mark.parametrize("arguments", [
    ([0, 1], [0], [1.0]), ([0, 2, 1], [0], [1.0]), ([1, 1, 1], [0], [1.0]), ([0, 1, 2], [0], [1.0]),
    ([0, 1, 1], [3], [1.0]), ([0, 1, 1], [-1], [1.0]), ([0, 2, 2], [1, 1], [1.0, 1.0]), ([0, 2, 2], [1, 0], [1.0, 1.0]),
    ([0, 1, 1], [0], [np.nan]), ([0, 1, 1], [0], [1.0, 2.0]), ([0, 1, 1], [2**32], [1.0]), ([0, 1, 1], [0.9], [1.0]),
    ([0, 1, 1], [0], [1e300]), ([0, 1, 1], ["0"], [1.0]), ([0, 1, 1], [[0], [1, 2]], [1.0]),
    ([0.0, 1.5, 1], [0], [1.0]),
], ids=repr)
def test_lists_that_are_no_synapses_are_refused(arguments):
    with pytest.raises(ConfigError, match=r"Sparse\(2, 3\)"):
        Sparse(2, 3, *arguments)


def test_what_needs_a_backward_pass_is_refused(rng):
    layer, spikes = Sparse.random(5, 70, 2, 9.0, rng), random_spikes(rng, 5)
    for arguments in ({"support": 0.3}, {"support": np.inf}, {"truncate": True}):
        with pytest.raises(ConfigError, match="can be simulated only"):
            forward_layer(layer, SRM(), spikes, **arguments)


def test_what_a_sparse_layer_is_not_for_is_refused(rng):
    network = Network("5-70-3")
    network.layers[0] = layer = Sparse.random(5, 70, 2, 9.0, rng)
    with pytest.raises(ConfigError, match="sparse layers are for simulation only so far"):
        check_trainable(network)
    with pytest.raises(ConfigError, match="sparse layers run in float32"):
        network.with_weights("int8")
    assert layer.with_weights("float32") is layer
    with pytest.raises(ConfigError, match="are LIF, and sparse layers run those of SRM only"):
        forward_layer(layer, LIF(), random_spikes(rng, 5))
