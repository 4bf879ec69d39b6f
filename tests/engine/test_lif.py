"""Leaky integrate-and-fire on the grid: spikes, active sets and gradients against the naive recursion."""

from types import SimpleNamespace

import numpy as np
import pytest
from naive import lif as naive
from naive import spatial, srm
from scenes import dense, random_spikes

from eventsim.engine import Sink, backward, run
from eventsim.errors import ConfigError
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.spikes import Spikes

NEURONS = {
    "subtract": LIF(tau_mem=8.0), "hard": LIF(theta=2.0, tau_mem=12.0, reset="hard", v_reset=-0.5),
    "if": LIF(tau_mem=np.inf), "if, hard": LIF(tau_mem=np.inf, reset="hard"), "dead": LIF(tau_mem=8.0, t_abs=3.0),
    "current": CubaLIF(tau_mem=10.0, tau_syn=4.0), "late": CubaLIF(tau_mem=10.0, tau_syn=4.0, late=True),
    "current, hard": CubaLIF(tau_mem=20.0, tau_syn=5.0, reset="hard"), "as fast": CubaLIF(tau_mem=5.0, tau_syn=5.0),
    "current, if": CubaLIF(theta=9.0, tau_mem=np.inf, tau_syn=3.0, late=True),
    "dead, hard": LIF(reset="hard", t_abs=2.0),
    "drop": LIF(tau_mem=8.0, drop=1.3), "strict": LIF(theta=0.5, tau_mem=8.0, strict=True),
}
TICKS = 70
ROUNDING = 1e-5


def parameters(neuron, dt):
    p = {name: getattr(neuron, name) for name in ("theta", "tau_mem", "reset", "v_reset", "tau_rho", "scale_rho",
                                                  "strict")}
    return SimpleNamespace(**p, drop=neuron.theta if neuron.drop is None else neuron.drop, n_abs=neuron.dead_ticks(dt),
                           tau_syn=getattr(neuron, "tau_syn", None), late=getattr(neuron, "late", False))


def network_of(rng, neuron, widths=(30, 70, 6), dt=1.0, gain=0.35):
    network = Network("-".join(map(str, widths)), neuron, dt=dt, seed=None)
    for layer in network.layers:
        layer.weight = gain * _strength(neuron) * rng.normal(0.15, 1.0, (layer.n_in, layer.n_out))
    return network


def _strength(neuron):
    """A weight with which few spikes make a neuron fire."""
    return neuron.theta * (8.0 if isinstance(neuron, CubaLIF) and np.isfinite(neuron.tau_mem) else 1.0)


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
    layer.weight = 0.5 * _strength(neuron) * rng.normal(0.2, 1.0, layer.weight_shape)
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


def test_what_is_not_there_yet_is_refused(rng):
    network = network_of(rng, NEURONS["subtract"])
    spikes = random_spikes(rng, 30, n_ticks=TICKS)
    timed = Spikes(spikes.sample_ptr, spikes.address, time=spikes.tick * 1.0, n_neurons=30, n_ticks=TICKS)
    with pytest.raises(ConfigError, match="LIF neurons run on the grid clock only so far"):
        run(network, timed)
    with pytest.raises(ConfigError, match="LIF neurons have no delays"):
        run(Network("30-5@d2", NEURONS["subtract"]), spikes)
    network.layers[0].bias = np.zeros(70)
    with pytest.raises(ConfigError, match="bias"):
        backward(network, run(network, spikes, supports=[0.5, 0.5]), None, [])


@pytest.mark.parametrize("settings, word", [
    ({"reset": "soft"}, "reset must be one of subtract, hard"), ({"tau_mem": 0}, "tau_mem"), ({"theta": -1}, "theta"),
    ({"reset": "hard", "v_reset": 1.0}, "v_reset must lie below"), ({"v_reset": np.nan}, "v_reset"),
    ({"t_abs": -1.0}, "t_abs"), ({"tau_mem": "long"}, "tau_mem"), ({"strict": "yes"}, "strict"),
    ({"drop": 0.0}, "drop"), ({"drop": 1.0, "reset": "hard"}, "drop is for the reset subtract"),
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
    assert SRM().kernels == "dense" and LIF().kernels == CubaLIF().kernels == "lif"
