"""Leaky integrate-and-fire in continuous time, swept and in the event queue, against scanning; and the grid's error."""

import numpy as np
import pytest
from lif_scenes import NEURONS, network_of, parameters, strength
from naive import exact_lif as naive
from queue_scenes import first_difference

from eventsim.engine import Stream, run
from eventsim.engine.backward import check_trainable
from eventsim.engine.exact import forward_exact
from eventsim.engine.queue import forward_queue
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.spikes import Spikes

T_END = 60.0


def timed(rng, n_neurons, n=150, n_samples=1, end=T_END):
    """Spikes at times no two of which are the same."""
    parts = [np.sort(rng.uniform(0, 0.95 * end, n)) for _ in range(n_samples)]
    return Spikes(np.arange(n_samples + 1) * n, rng.integers(0, n_neurons, n * n_samples), time=np.concatenate(parts),
                  n_neurons=n_neurons, n_ticks=round(end))


def of_sample(spikes, b):
    part = slice(spikes.sample_ptr[b], spikes.sample_ptr[b + 1])
    return spikes.time[part], spikes.address[part]


def assert_same(found, wanted, atol=1e-9):
    """The same neurons fire at the same times, whatever the order of those that do so at once."""
    assert len(found[0]) == len(wanted) > 5
    time, address = (np.array(column) for column in zip(*wanted, strict=True))
    for i in np.unique(np.concatenate((address, found[1]))):
        np.testing.assert_allclose(found[0][found[1] == i], time[address == i], rtol=0, atol=atol)


@pytest.mark.parametrize("name", NEURONS)
def test_spikes_are_those_of_scanning(name, rng):
    neuron = NEURONS[name]
    network, p = network_of(rng, neuron, widths=(30, 25, 6)), parameters(neuron, 1.0)
    p.t_abs = neuron.dead_time(1.0)
    spikes = timed(rng, 30)
    swept, queued = (forward(network, spikes).layers for forward in (forward_exact, forward_queue))
    given = spikes
    for layer, done, other in zip(network.layers, swept, queued, strict=True):
        wanted = naive.layer(*of_sample(given, 0), layer.weight.astype(float), p, T_END)
        for engine in (done, other):
            assert_same(of_sample(engine.spikes, 0), wanted)
        given = done.spikes


@pytest.mark.parametrize("name", ["subtract", "hard", "current", "as fast"])
def test_a_constant_input_is_a_constant_current(name, rng):
    neuron = NEURONS[name]
    network, p = network_of(rng, neuron, widths=(30, 25)), parameters(neuron, 1.0)
    p.t_abs = neuron.dead_time(1.0)
    network.layers[0].bias = rng.normal(0.15, 0.1, 25) * neuron.theta
    spikes = timed(rng, 30, n=60)
    wanted = naive.layer(*of_sample(spikes, 0), network.layers[0].weight.astype(float), p, T_END,
                         drive=network.layers[0].bias)
    for forward in (forward_exact, forward_queue):
        assert_same(of_sample(forward(network, spikes).output, 0), wanted, atol=1e-8)


@pytest.mark.parametrize("names", [("current", "current"), ("hard", "as fast")], ids="-".join)
def test_a_stream_gives_the_same(names, rng):
    network = Network("6x5x1-20-4", clock="exact", seed=None)
    for layer, name in zip(network.layers, names, strict=True):
        layer.neuron = NEURONS[name]
        layer.weight = strength(layer.neuron) * rng.normal(0.3, 1.0, layer.weight_shape)
    t = np.sort(rng.choice(50_000, 200, replace=False))
    events = Events(t, rng.integers(0, 6, 200), rng.integers(0, 5, 200), np.zeros(200, int), network.sensor)
    whole = network.simulate(events).output
    stream = Stream(network)
    for part in (events[:77], events[77:]):
        stream.push(part)
    stream.finish()
    found = stream.spikes()
    n = np.searchsorted(found.time, whole.n_ticks * whole.dt)
    assert len(whole) > 10
    np.testing.assert_array_equal(found.address[:n], whole.address)
    np.testing.assert_allclose(found.time[:n], whole.time, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["subtract", "current, hard"])
def test_delays_and_recurrence(name, rng):
    """A layer's own spikes are input like any other, later by the delay."""
    neuron = NEURONS[name]
    network, p = Network("30-20r@d2.5", neuron, seed=None), parameters(neuron, 1.0)
    p.t_abs, layer = neuron.dead_time(1.0), network.layers[0]
    layer.weight = 0.3 * strength(neuron) * rng.normal(0.2, 1.0, (30, 20))
    layer.recurrent.weight = 0.2 * strength(neuron) * rng.normal(0.0, 1.0, (20, 20))
    spikes = timed(rng, 30)
    time, address = of_sample(run(network, spikes).layers[0].spikes, 0)
    given = np.concatenate((spikes.time, time)) + 2.5
    source = np.concatenate((spikes.address, address + 30))
    order = np.argsort(given, kind="stable")
    weights = np.vstack((layer.weight, layer.recurrent.weight)).astype(float)
    assert_same((time, address), naive.layer(given[order], source[order], weights, p, T_END))


@pytest.mark.parametrize("name", ["subtract", "hard", "current", "late"])
def test_the_grid_tends_to_continuous_time(name, rng):
    """Spikes of neurons that fire equally often on both clocks: their error falls with the tick."""
    neuron, errors = NEURONS[name], []
    network = network_of(rng, neuron, widths=(30, 60), gain=0.25)
    spikes = timed(rng, 30, n=200)
    exact = run(network, spikes).output
    counts = exact.counts()[0]
    for dt in (1.0, 0.1, 0.01):
        network.dt = dt
        tick = (spikes.time / dt).astype(np.int64)
        order = np.lexsort((spikes.address, tick))
        grid = Spikes([0, len(tick)], spikes.address[order], tick=tick[order], n_neurons=30, n_ticks=round(T_END / dt),
                      dt=dt)
        network.neuron = NEURONS[name].__class__(**{**NEURONS[name].__dict__, "t_abs": 1.0})
        out = run(network, grid).output
        same = (out.counts()[0] == counts) & (counts > 0)
        pairs = [(out.tick[out.address == i] * dt, exact.time[exact.address == i]) for i in np.flatnonzero(same)]
        errors.append((np.mean(np.abs(np.concatenate([a - b for a, b in pairs]))), np.mean(same[counts > 0])))
    error, agreeing = np.array(errors).T
    assert counts.sum() > 50 and agreeing[2] > 0.9 and agreeing[2] >= agreeing[0]
    assert error[2] < 0.04 and error[2] < 0.05 * error[0]


@pytest.mark.parametrize("names", [("subtract", "current, hard", "as fast"), ("current", "srm", "hard"),
                                   ("srm", "subtract", "srm")], ids="-".join)
def test_layers_may_have_different_neurons(names, rng):
    """Their spikes are those of networks of one layer each, given the spikes of the one before; and of the sweep."""
    models = [SRM(theta=1.0, tau_syn=5.0) if name == "srm" else NEURONS[name] for name in names]
    network = Network("30-70-66-9", models[1], seed=None)
    for layer, model in zip(network.layers, models, strict=True):
        layer.neuron = model
        layer.weight = strength(model) * rng.normal(0.15, 0.6, layer.weight_shape) * np.sqrt(30 / layer.n_in)
    layer_input = timed(rng, 30, n_samples=2)
    trace = forward_queue(network, layer_input)
    for b in range(2):
        one = layer_input.sample(b)
        assert first_difference(forward_exact(network, one), forward_queue(network, one)) is None
    for layer, done, model in zip(network.layers, trace.layers, models, strict=True):
        alone = Network(f"{layer.n_in}-{layer.n_out}", model, seed=None)
        alone.layers[0].weight = layer.weight
        wanted = forward_queue(alone, layer_input).output
        assert len(wanted) > 20
        np.testing.assert_array_equal(done.spikes.address, wanted.address)
        np.testing.assert_allclose(done.spikes.time, wanted.time, rtol=0, atol=1e-9)
        layer_input = done.spikes


def test_what_is_not_there_yet_is_refused(rng):
    network = network_of(rng, LIF(tau_mem=np.inf))
    network.layers[0].bias = np.ones(70)
    with pytest.raises(ConfigError, match="of dense1 do not leak, and a bias gives them a constant input"):
        run(network, timed(rng, 30))
    with pytest.raises(ConfigError, match="that do not leak have no constant input in continuous time"):
        network.neuron.settled(1.0)
    network = Network("3x3x1-2c2-bn-2", CubaLIF(tau_mem=np.inf), clock="exact")
    events = Events([], [], [], [], network.sensor)
    for use in (lambda net: net.simulate(events), Stream, check_trainable):
        with pytest.raises(ConfigError, match="of dense2 do not leak, and batch normalisation gives them a constant"):
            use(network)
