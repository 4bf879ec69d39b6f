"""Membrane potentials after a run: those of the naive references, and threshold is where the spikes are."""

import numpy as np
import pytest
from lif_scenes import NEURONS, network_of, parameters
from naive import delayed, exact
from naive import lif as naive_lif
from naive import srm as naive
from scenes import ROUNDING, dense, naive_neuron, random_network, random_spikes
from spatial_scenes import behind_stages, random_times, spatial_network

from eventsim.engine import forward, membranes, potentials, run
from eventsim.engine.forward import forward_layer
from eventsim.engine.trace import Trace
from eventsim.errors import ConfigError
from eventsim.model import SRM, Network
from eventsim.model.layers import Sparse

SPATIAL = "9x8x2-12c3s1p1-2a-16c3p1g2-2p-bn-20-do0.1-9"


def given_to(trace, k):
    return trace.layers[k - 1].spikes if k else trace.input


def naive_parts(network, trace, k, b):
    """(psp, refractory) float64[T, N] of layer ``k`` on the grid, from the spikes that the trace has."""
    w, drive = behind_stages(network.layers[k])
    p = naive_neuron(network.neuron, network.dt)
    s, own = dense(given_to(trace, k), b), dense(trace.layers[k].spikes, b)
    psp = naive.psp(s @ w + drive, naive.alpha(p.tau_syn, network.dt, len(s)))
    return psp, -p.scale_ref * p.theta * naive.psp(own, naive.alpha(p.tau_ref, network.dt, len(s)))


def everyone(layer):
    return np.arange(layer.n_out)


def assert_decides(network, trace, k, b):
    """On the grid a neuron spikes in just those ticks in which u >= theta and it is not dead, but for rounding."""
    u = potentials(network, trace, trace.layers[k].name, everyone(network.layers[k]), b).T
    spiked, theta = dense(trace.layers[k].spikes, b) > 0, network.neuron.theta
    margin = ROUNDING * (np.abs(u).max() + theta * (1 + spiked.sum(axis=0).max()))
    assert (u[spiked] >= theta - margin).all()
    n_abs, dead = network.neuron.dead_ticks(network.dt), np.zeros_like(spiked)
    for late in range(1, n_abs):
        dead[late:] |= spiked[:-late]
    assert (u[~spiked & ~dead] < theta + margin).all()
    assert spiked.any() and not spiked.all()


@pytest.mark.parametrize(("notation", "dt", "t_abs"), [
    ("40-70-9", 1.0, None), ("30-20-5", 0.5, 2.0), (SPATIAL, 1.0, None), ("6x6x2-2p-bn-8c2-do0.3-9", 1.0, 3.0),
    ("4x3x2-100c2-9", 1.0, None), ("7x7x2-5c3d2-9", 0.5, None),
])
def test_the_grid_has_the_potentials_of_the_reference(rng, notation, dt, t_abs):
    network = spatial_network(rng, notation, SRM(tau_syn=4.0, t_abs=t_abs), dt=dt)
    trace = forward(network, random_spikes(rng, network.arch.n_inputs, n_samples=2, n_ticks=40, rate=0.05, dt=dt))
    for k, layer in enumerate(network.layers):
        found = membranes(network, trace, trace.layers[k].name, everyone(layer), sample=1)
        psp, refractory = naive_parts(network, trace, k, 1)
        size = max(1.0, np.abs(psp).max())
        np.testing.assert_allclose(np.array([m.psp for m in found]).T, psp, rtol=0, atol=1e-6 * size)
        np.testing.assert_allclose(np.array([m.refractory for m in found]).T, refractory, rtol=0, atol=1e-9 * size)
        assert_decides(network, trace, k, 1)


def test_input_spikes_that_repeat_count_each(rng):
    network = random_network(rng, [20, 6], [3.0])
    trace = forward(network, random_spikes(rng, 20, rate=0.2, repeats=True))
    assert dense(trace.input, 0).max() > 1
    psp, refractory = naive_parts(network, trace, 0, 0)
    np.testing.assert_allclose(potentials(network, trace, "dense1", range(6)).T, psp + refractory, atol=1e-6)


def test_recurrence_and_delays(rng):
    network = Network("12-8r-5@d2.4", SRM(tau_syn=4.0), seed=None)
    first, second = network.layers
    first.weight, second.weight = rng.normal(2, 5, (12, 8)), rng.normal(3, 5, (8, 5))
    first.recurrent.weight = rng.normal(0, 5, (8, 8))
    first.delay, first.recurrent.delay = rng.uniform(0, 5, (12, 8)), rng.uniform(1, 50, 8)
    trace = forward(network, random_spikes(rng, 12, rate=0.15))
    p = naive_neuron(network.neuron, 1.0)
    eps, nu = naive.alpha(p.tau_syn, 1.0, 40), -p.scale_ref * p.theta * naive.alpha(p.tau_ref, 1.0, 40)
    own_delay = np.repeat(np.rint(first.recurrent.delay).astype(int)[:, None], 8, axis=1)
    spikes, u, _ = delayed.layer(
        dense(trace.input, 1), first.weight.astype(float), np.rint(first.delay).astype(int),
        first.recurrent.weight.astype(float), own_delay, eps, nu, p.theta, p.n_abs,
    )
    np.testing.assert_array_equal(spikes, dense(trace.layers[0].spikes, 1))
    np.testing.assert_allclose(potentials(network, trace, "recurrent1", range(8), 1).T, u, atol=1e-5)
    for k in range(2):
        assert_decides(network, trace, k, 1)


def test_sparse_layers(rng):
    network = Network("30-20", SRM(tau_syn=4.0), seed=None)
    network.layers[0] = layer = Sparse.random(30, 20, 6, 60.0, rng)
    spikes = random_spikes(rng, 30)
    trace = Trace(spikes, [forward_layer(layer, network.neuron, spikes, name="sparse1")])
    assert_decides(network, trace, 0, 2)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_weights_of_fewer_bits_are_those_that_ran(rng, precision):
    network = spatial_network(rng, "9x8x2-12c3s1p1-2p-bn-9").with_weights(precision)
    trace = forward(network, random_spikes(rng, 144, rate=0.05))
    for k in range(2):
        assert_decides(network, trace, k, 0)


@pytest.mark.parametrize("notation", ["30-20-9", SPATIAL, "20-8r@d1.5-9@d3"])
def test_continuous_time(rng, notation):
    """Against sums over all histories; and every neuron fires at threshold, and is below it before."""
    network = spatial_network(rng, notation)
    model, dt = network.neuron, network.dt
    trace = run(network, random_times(rng, network, 100))
    time = np.sort(rng.uniform(0, 60, 300))
    for k, layer in enumerate(network.layers):
        given, own, name = given_to(trace, k), trace.layers[k].spikes, trace.layers[k].name
        assert len(own)
        w, drive = behind_stages(layer)
        for m in membranes(network, trace, name, np.linspace(0, layer.n_out - 1, 9).astype(int), time=time):
            own_times = own.time[own.address == m.neuron]
            late = 0.0 if layer.delay is None else layer.delay
            psp = exact.alpha(time[:, None] - given.time - late, model.tau_syn) @ w[given.address, m.neuron]
            if layer.kind == "recurrent":
                psp += (exact.alpha(time[:, None] - own.time - layer.recurrent.delay, model.tau_syn)
                        @ layer.recurrent.weight[own.address, m.neuron].astype(float))
            psp += drive[m.neuron] / dt * exact.settling(time, model.tau_syn)
            refractory = exact.alpha(time[:, None] - own_times, model.tau_ref).sum(axis=1)
            np.testing.assert_allclose(m.psp, psp, atol=1e-5 * max(1.0, np.abs(psp).max()))
            np.testing.assert_allclose(m.refractory, -model.scale_ref * model.theta * refractory, atol=1e-9)
            np.testing.assert_array_equal(m.spikes, own_times)
            alone = own_times[np.diff(own_times, prepend=-9.0) > dt + 1e-6]
            if len(alone):
                at, before = potentials(network, trace, name, [m.neuron], time=np.stack((alone, alone - 1e-4)).ravel()
                                        ).reshape(2, -1)
                np.testing.assert_allclose(at, model.theta, atol=1e-5 * max(1.0, np.abs(psp).max()))
                assert (before < model.theta + 1e-5).all()


def test_what_arrives(rng):
    network = random_network(rng, [20, 6], [3.0])
    trace = forward(network, random_spikes(rng, 20, dt=1.0))
    one, = membranes(network, trace, "dense1", [4], sample=2)
    s = trace.input.sample(2)
    np.testing.assert_array_equal(one.arrival, s.tick)
    np.testing.assert_array_equal(one.weight, network.layers[0].weight[s.address, 4])
    np.testing.assert_array_equal(one.time, np.arange(40.0))
    np.testing.assert_array_equal(one.spikes, trace.output.sample(2).tick[trace.output.sample(2).address == 4])


def test_nobody_and_nothing(rng):
    network = random_network(rng, [20, 6], [3.0])
    trace = forward(network, random_spikes(rng, 20, rate=0.0))
    assert potentials(network, trace, "dense1", []).shape == (0, 40)
    assert not potentials(network, trace, "dense1", [1, 1]).any()
    empty = forward(network, random_spikes(rng, 20, n_ticks=0))
    assert potentials(network, empty, "dense1", [1, 2]).shape == (2, 0)


@pytest.mark.parametrize(("change", "word"), [
    ({"layer": "dense9"}, "layer must be dense1 or dense2"), ({"neurons": [6]}, "must lie in 0..5"),
    ({"neurons": 3}, "list of whole numbers"), ({"sample": 3}, "sample must be a whole number from 0 to 2"),
    ({"time": [1.0]}, "those of its ticks"), ({"trace": "t"}, "trace must be a Trace"),
    ({"network": Network("20-6-4", seed=0)}, "of another network"),
])
def test_refuses_what_cannot_be(rng, change, word):
    network = random_network(rng, [20, 6, 5], [3.0, 3.0])
    arguments = {"network": network, "trace": forward(network, random_spikes(rng, 20)), "layer": "dense1",
                 "neurons": [0]}
    with pytest.raises(ConfigError, match=word):
        potentials(**{**arguments, **change})


@pytest.mark.parametrize("name", NEURONS)
def test_leaky_neurons_on_the_grid(name, rng):
    """The potentials of the naive recursion, up to the tick in which rounding decides otherwise."""
    neuron, dt = NEURONS[name], 0.5
    network, p = network_of(rng, neuron, widths=(30, 20), dt=dt), parameters(neuron, dt)
    network.layers[0].bias = rng.normal(0.0, 0.02, 20) * neuron.theta
    trace = run(network, random_spikes(rng, 30, n_ticks=60, rate=0.05, dt=dt))
    out, u, _ = naive_lif.layer(dense(trace.input, 1), network.layers[0].weight.astype(float), p, dt,
                                network.layers[0].bias)
    same = (out == dense(trace.layers[0].spikes, 1)).all(axis=0)
    assert same.sum() >= 19 and out.any()
    found = potentials(network, trace, "dense1", range(20), sample=1).T
    np.testing.assert_allclose(found[:, same], u[:, same], rtol=0, atol=1e-5 * np.abs(u).max())


@pytest.mark.parametrize("name", ["subtract", "hard", "current", "as fast", "current, if"])
def test_leaky_neurons_in_continuous_time(name, rng):
    """Threshold is where the spikes are, and the slope between them that of the equations."""
    neuron = NEURONS[name]
    network = network_of(rng, neuron, widths=(30, 20))
    if np.isfinite(neuron.tau_mem):
        network.layers[0].bias = np.full(20, 0.05) * neuron.theta
    network.n_ticks = 60
    trace = run(network, random_times(rng, network, 120))
    busy = int(np.argmax(trace.output.counts()[0]))
    fired = trace.output.time[trace.output.address == busy]
    one = membranes(network, trace, "dense1", [busy], time=fired)[0]
    assert len(fired) > 2 and (one.potential >= neuron.theta * (1 - 1e-9)).all()
    np.testing.assert_array_equal(one.spikes, fired)
    time = np.sort(rng.uniform(0, 60, 400))
    between = membranes(network, trace, "dense1", [busy], time=time)[0].potential
    dead = (time[:, None] - one.spikes >= 0) & (time[:, None] - one.spikes < 1.0)
    assert (between[~dead.any(axis=1)] < neuron.theta).all()
