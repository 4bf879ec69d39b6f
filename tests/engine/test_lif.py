"""Leaky integrate-and-fire on the grid: spikes, active sets and gradients against the naive recursion."""

import numpy as np
import pytest
from lif_scenes import NEURONS, network_of, parameters, strength
from naive import lif as naive
from naive import spatial, srm
from scenes import dense, random_spikes

from eventsim.engine import Sink, backward, run
from eventsim.errors import ConfigError
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.spikes import Spikes

TICKS = 70
ROUNDING = 1e-5


def agrees(done, s, weight, neuron, dt, bias=0.0):
    """Every neuron's spikes are the naive ones, but where its potential was at the threshold within rounding."""
    p = parameters(neuron, dt)
    excused = total = 0
    for b in range(done.spikes.n_samples):
        out, u, _ = naive.layer(s[b], weight, p, dt, bias)
        ours = dense(done.spikes, b)
        total += out.sum()
        size = np.abs(s[b]).cumsum(axis=0) @ np.abs(weight) + neuron.theta + np.abs(bias) * len(out)
        for i in range(out.shape[1]):
            differ = np.flatnonzero(ours[:, i] != out[:, i])
            if len(differ):
                assert abs(u[differ[0], i] - neuron.theta) <= ROUNDING * size[differ[0], i]
                excused += 1
    assert 0 < total < out.size * done.spikes.n_samples and excused <= 2


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_spikes_are_those_of_the_recursion(name, dt, rng):
    neuron = NEURONS[name]
    network = network_of(rng, neuron, dt=dt)
    spikes = random_spikes(rng, 30, n_ticks=TICKS, rate=0.04, empty=(1,), dt=dt)
    trace = run(network, spikes)
    given = [dense(spikes, b) for b in range(3)]
    for layer, done in zip(network.layers, trace.layers, strict=True):
        agrees(done, given, layer.weight.astype(float), neuron, dt)
        given = [dense(done.spikes, b) for b in range(3)]


@pytest.mark.parametrize("name", ["subtract", "hard", "current"])
def test_silences_are_jumped_over_without_a_difference(name, rng):
    network = network_of(rng, NEURONS[name], gain=0.8)
    sparse = random_spikes(rng, 30, n_ticks=400, rate=0.002)
    done = run(network, sparse).layers[0]
    agrees(done, [dense(sparse, b) for b in range(3)], network.layers[0].weight.astype(float), NEURONS[name], 1.0)
    kept = run(network, sparse, supports=[0.5, 0.5])
    assert kept.layers[0].spikes == done.spikes


@pytest.mark.parametrize("name", ["subtract", "current, hard", "if"])
def test_a_constant_input_is_added_in_every_tick(name, rng):
    network, neuron = network_of(rng, NEURONS[name]), NEURONS[name]
    network.layers[0].bias = rng.normal(0.1, 0.1, 70) * neuron.theta
    spikes = random_spikes(rng, 30, n_ticks=TICKS, rate=0.03, empty=(2,))
    done = run(network, spikes).layers[0]
    given = [dense(spikes, b) for b in range(3)]
    agrees(done, given, network.layers[0].weight.astype(float), neuron, 1.0, network.layers[0].bias)
    assert dense(done.spikes, 2).any()  # by itself


@pytest.mark.parametrize("name", ["subtract", "hard", "current", "late", "dead, hard"])
@pytest.mark.parametrize("kind", ["all", "by neuron", "by synapse"])
def test_delays_and_recurrence(name, kind, rng):
    """Of the sum of what arrives in a tick, the layer's own spikes included, a layer makes what the recursion does."""
    neuron, p = NEURONS[name], parameters(NEURONS[name], 0.5)
    network = Network("30-70r", neuron, dt=0.5, seed=None)
    layer = network.layers[0]
    layer.weight = 0.3 * strength(neuron) * rng.normal(0.2, 1.0, (30, 70))
    layer.recurrent.weight = 0.1 * strength(neuron) * rng.normal(0.0, 1.0, (70, 70))
    layer.bias = rng.normal(0.01, 0.01, 70) * neuron.theta
    shape = {"all": (), "by neuron": (30,), "by synapse": (30, 70)}[kind]
    layer.delay = np.round(rng.uniform(0, 3, shape) * 2) / 2
    layer.recurrent.delay = np.round(rng.uniform(0, 4, {"all": (), "by neuron": (70,), "by synapse": (70, 70)}[kind]))
    spikes = random_spikes(rng, 30, n_ticks=TICKS, rate=0.05, dt=0.5)
    out = run(network, spikes).output
    for b in range(3):
        own, given = dense(out, b), np.zeros((TICKS, 70))
        for s, part, least in ((dense(spikes, b), layer, 0), (own, layer.recurrent, 1)):
            ticks = 2 * np.reshape(part.delay, (*np.shape(part.delay), 1, 1)[:2])
            late = np.maximum(np.broadcast_to(ticks, part.weight.shape), least).astype(int)
            for t, j in zip(*np.nonzero(s), strict=True):
                arrival = t + late[j]
                inside = np.flatnonzero(arrival < TICKS)
                np.add.at(given, (arrival[inside], inside), part.weight[j, inside])
        wanted, u, _ = naive.layer(given, np.eye(70), p, 0.5, layer.bias)
        differ = np.argwhere(wanted != own)
        assert len(differ) == 0 or abs(u[tuple(differ[0])] - neuron.theta) < 1e-4 * neuron.theta
        assert 0 < own.sum() < own.size


def test_layers_may_have_neurons_of_their_own(rng):
    network = network_of(rng, NEURONS["subtract"])
    network.layers[1].neuron = NEURONS["hard"]
    spikes = random_spikes(rng, 30, n_ticks=TICKS, rate=0.05)
    trace = run(network, spikes)
    given = [dense(trace.layers[0].spikes, b) for b in range(3)]
    agrees(trace.layers[1], given, network.layers[1].weight.astype(float), NEURONS["hard"], 1.0)


@pytest.mark.parametrize("notation", ["7x6x2-12c3", "7x6x2-5c3s2p1", "6x6x2-70c3"])
@pytest.mark.parametrize("name", ["subtract", "hard", "late"])
def test_convolutions(notation, name, rng):
    neuron = NEURONS[name]
    network = Network(notation, neuron, seed=None)
    layer = network.layers[0]
    layer.weight = 0.5 * strength(neuron) * rng.normal(0.2, 1.0, layer.weight_shape)
    spikes = random_spikes(rng, layer.n_in, n_ticks=40, rate=0.04)
    window = {"stride": layer.window.stride, "padding": layer.window.padding}
    matrix = spatial.conv_matrix(layer.weight.astype(float), (2, layer.given.height, layer.given.width), **window)
    agrees(run(network, spikes).layers[0], [dense(spikes, b) for b in range(3)], matrix, neuron, 1.0)


def gradients(network, trace, errors):
    arrays = [np.zeros_like(layer.packed) for layer in network.layers]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in arrays])
    return [array.transpose(1, 0, 2).reshape(layer.n_in, -1)[:, : layer.n_out]
            for layer, array in zip(network.layers, arrays, strict=True)]


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize("support", [0.6, np.inf])
def test_gradients_are_those_of_the_equations(name, support, rng):
    neuron, dt = NEURONS[name], 0.5
    network, p = network_of(rng, neuron, dt=dt), parameters(neuron, dt)
    spikes = random_spikes(rng, 30, n_ticks=TICKS, rate=0.05, dt=dt)
    trace = run(network, spikes, supports=[support, support])
    errors = rng.normal(size=(3, 6, TICKS)).astype(np.float32)
    wanted = [np.zeros((layer.n_in, layer.n_out)) for layer in network.layers]
    weights = [layer.weight.astype(float) for layer in network.layers]
    for b in range(3):
        error = errors[b].T.astype(float)
        given = [dense(spikes, b), dense(trace.layers[0].spikes, b)]
        for i in (1, 0):
            out, u, dead = naive.layer(given[i], weights[i], p, dt)
            ours = dense(trace.layers[i].spikes, b)
            same = (out == ours).all(axis=0)
            assert same.sum() >= out.shape[1] - 1
            d = np.where(srm.counts(u, dead, support, p), srm.surrogate(u, p), 0.0) * error
            g = np.where(same, naive.adjoint(d, out, p, dt), 0.0)
            wanted[i] += given[i].T @ g
            error = g @ weights[i].T
    for got, want in zip(gradients(network, trace, errors), wanted, strict=True):
        assert np.abs(want).max() > 0
        np.testing.assert_allclose(got, want, rtol=0, atol=3e-5 * np.abs(want).max())


@pytest.mark.parametrize("name", ["subtract", "hard", "current, hard"])
@pytest.mark.parametrize("support", [0.6, np.inf])
def test_gradients_of_convolutions(name, support, rng):
    neuron = NEURONS[name]
    network, p = Network("7x6x2-12c3-9", neuron, seed=None), parameters(neuron, 1.0)
    for layer in network.layers:
        layer.weight = 0.4 * strength(neuron) * rng.normal(0.2, 1.0, layer.weight_shape)
    conv, top = network.layers
    spikes = random_spikes(rng, conv.n_in, n_samples=1, n_ticks=40, rate=0.04)
    trace = run(network, spikes, supports=[support, support])
    errors = rng.normal(size=(1, 9, 40)).astype(np.float32)
    arrays = [np.zeros_like(layer.packed) for layer in network.layers]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in arrays])
    got = arrays[0].reshape(-1)[: conv.weight.size].reshape(conv.weight_shape)
    matrices = [spatial.conv_matrix(conv.weight.astype(float), (2, 6, 7)), top.weight.astype(float)]
    error, given = errors[0].T.astype(float), [dense(spikes, 0), dense(trace.layers[0].spikes, 0)]
    for i in (1, 0):
        out, u, dead = naive.layer(given[i], matrices[i], p, 1.0)
        np.testing.assert_array_equal(out, dense(trace.layers[i].spikes, 0))
        d = np.where(srm.counts(u, dead, support, p), srm.surrogate(u, p), 0.0) * error
        g = naive.adjoint(d, out, p, 1.0)
        of_rows, error = given[i].T @ g, g @ matrices[i].T
    wanted = np.zeros(conv.weight_shape)  # every weight's sum over the places of the matrix that have it
    for place in np.ndindex(conv.weight_shape):
        one = np.zeros(conv.weight_shape)
        one[place] = 1.0
        wanted[place] = np.sum(of_rows * spatial.conv_matrix(one, (2, 6, 7)))
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(got, wanted, rtol=0, atol=3e-5 * np.abs(wanted).max())


def test_what_is_not_there_yet_is_refused(rng):
    network = network_of(rng, NEURONS["subtract"])
    spikes = random_spikes(rng, 30, n_ticks=TICKS)
    looped = Network("30-5r", SRM(), seed=0)
    looped.layers[0].bias = np.zeros(5)
    with pytest.raises(ConfigError, match="a bias only of leaky neurons"):
        run(looped, spikes)
    network.layers[0].bias = np.zeros(70)
    with pytest.raises(ConfigError, match="bias"):
        backward(network, run(network, spikes, supports=[0.5, 0.5]), None, [])


@pytest.mark.parametrize("settings, word", [
    ({"reset": "soft"}, "reset must be one of subtract, hard"), ({"tau_mem": 0}, "tau_mem"), ({"theta": -1}, "theta"),
    ({"reset": "hard", "v_reset": 1.0}, "v_reset must lie below"), ({"v_reset": np.nan}, "v_reset"),
    ({"t_abs": -1.0}, "t_abs"), ({"tau_mem": "long"}, "tau_mem"), ({"strict": "yes"}, "strict"),
    ({"v_drop": 0.0}, "v_drop"), ({"v_drop": 1.0, "reset": "hard"}, "v_drop is for the reset subtract"),
    ({"v_reset": 0.3}, "v_reset is for the reset hard, not subtract; leave it out, or name that reset, got 0.3"),
    ({"reset": "hard", "v_reset": -np.inf}, r"v_reset must be a number from -1e\+09 to 1e\+09, got -inf"),
    ({"tau_mem": -1}, r"tau_mem must be a number from 1e-09 to 1e\+09, or inf, got -1"),
])
def test_parameters_that_cannot_be(settings, word):
    with pytest.raises(ConfigError, match=word):
        LIF(**settings)
    with pytest.raises(ConfigError, match=word):
        CubaLIF(**settings)


@pytest.mark.parametrize("strict, wanted", [(False, [3, 6, 9]), (True, [4, 8])])
def test_a_strict_threshold_must_be_exceeded(strict, wanted):
    network = Network("1-1", LIF(theta=3.0, tau_mem=np.inf, reset="hard", strict=strict), seed=None)
    network.layers[0].weight = [[1.0]]
    ticks = np.arange(1, 11, dtype=np.int32)
    spikes = Spikes([0, 10], np.zeros(10, np.int32), tick=ticks, n_neurons=1, n_ticks=12)
    assert run(network, spikes).output.tick.tolist() == wanted


def test_srm_keeps_its_own_family():
    assert SRM().family == "srm" and LIF().family == CubaLIF().family == "lif"
