"""Explicit gradients against the naive formula, and the naive formula against finite differences."""

import importlib
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from naive import srm as naive
from naive.regularizer import rate_penalty, rate_pressure
from scenes import (
    dense,
    excused_spikes,
    gradients_of,
    naive_layer,
    naive_neuron,
    random_network,
    random_spikes,
    some_but_not_all,
    step_in_two_ways,
)

from eventsim.engine import ActiveSet, Sink, backward, forward
from eventsim.engine.backward import add_pressure
from eventsim.model import SRM, Network
from eventsim.model.layers import Dense
from eventsim.spikes import Spikes

INF = np.inf
module = importlib.import_module("eventsim.engine.adjoint")  # the package has a function of this name


def naive_gradients(network, trace, errors, supports, truncate, pressure=None):
    """The naive gradients on the spikes of ``trace``; None where rounding decided on a spike or an active pair."""
    pressure = np.zeros((len(network.layers), len(errors))) if pressure is None else pressure
    neuron, dt = network.neuron, network.dt
    p = naive_neuron(neuron, dt)
    spikes = [trace.input, *(layer.spikes for layer in trace.layers)]
    weights = [layer.weight.astype(float) for layer in network.layers]
    total = [np.zeros(w.shape) for w in weights]
    for b in range(trace.input.n_samples):
        potentials, deads = [], []
        for i, layer in enumerate(network.layers):
            out, u, dead, margin = naive_layer(layer.weight, neuron, spikes[i], b, truncate)
            if excused_spikes(dense(spikes[i + 1], b), out, u, margin, p.theta):
                return None
            if np.isfinite(supports[i]):
                address, tick, _ = trace.layers[i].active.pairs(b)
                got = np.zeros(u.shape, bool)
                got[tick, address] = True
                differ = got != naive.counts(u, dead, supports[i], p)
                assert not np.any(differ & (np.abs(np.abs(u - p.theta) - supports[i] * p.theta) > margin))
                if differ.any():
                    return None
            potentials.append(u)
            deads.append(dead)
        inputs = [dense(s, b) for s in spikes[:-1]]
        n_taps = naive.n_taps(p.tau_syn, dt) if truncate else None
        pressures = [0.0 if of_layer is None else of_layer[b] for of_layer in pressure]
        parts = naive.backward(inputs, potentials, deads, weights, errors[b].T, p, dt, supports, n_taps, pressures)
        for sum_, part in zip(total, parts, strict=True):
            sum_ += part
    return total


def compare_with_naive(draw, supports, truncate=False, pressure=None):
    """Compare on the first scene (network, spikes, errors) that ``draw()`` gives in which rounding decides nothing."""
    for _ in range(3):
        network, spikes, errors = draw()
        trace = forward(network, spikes, supports=supports, truncate=truncate)
        assert all(some_but_not_all(layer.spikes) for layer in trace.layers)
        got = gradients_of(network, trace, errors, truncate, pressure)
        want = naive_gradients(network, trace, errors, supports, truncate, pressure)
        if want is not None:
            for g, w in zip(got, want, strict=True):
                assert np.abs(w).max() > 0
                assert np.abs(g - w).max() <= 2e-5 * np.abs(w).max()
            return
    pytest.fail("rounding decided on spikes three times")


SUPPORTS = [
    (0.3, 0.3, 0.3), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0), (1.5, 1.5, 1.5), (INF, INF, INF), (0.3, 0.5, INF),
    (INF, 0.3, 1.5), (1.5, INF, 0.5),
]
NEURONS = {
    "plain": SRM(tau_syn=3.0),
    "dead ticks": SRM(tau_syn=2.0, t_abs=3.0, tau_rho=0.3, scale_rho=2.0),
    "weak refractory response": SRM(tau_syn=2.0, scale_ref=0.2, tau_ref=2.0, tau_rho=0.5),
}


@pytest.mark.parametrize("supports", SUPPORTS)
@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("truncate", [False, True])
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_gradients_are_those_of_the_naive_formula(rng, supports, kind, truncate, dt):
    def draw():
        network = random_network(rng, (40, 70, 130, 25), (4.0, 4.0, 4.0), NEURONS[kind], dt)
        spikes = random_spikes(rng, 40, 3, 30, 0.1, empty=(1,), dt=dt, repeats=True)
        return network, spikes, rng.normal(size=(3, 25, 30)).astype(np.float32)

    compare_with_naive(draw, supports, truncate)


@pytest.mark.parametrize("supports", [(1.5, 0.3), (INF, INF), (0.3, INF)])
def test_many_tiles_above_add_their_errors(rng, supports):
    def draw():  # twelve tiles above send errors in eight groups
        network = random_network(rng, (30, 65, 750), (5.0, 4.0), NEURONS["plain"])
        return network, random_spikes(rng, 30, 2, 20, 0.1), rng.normal(size=(2, 750, 20)).astype(np.float32)

    compare_with_naive(draw, supports)


@pytest.mark.parametrize("supports", [(0.5, 0.5, 0.5), (0.3, INF, INF), (INF, 0.5, 1.5)])
@pytest.mark.parametrize("n_ticks", [30, 80])
def test_pressure_is_added_to_the_error_of_every_spike(rng, supports, n_ticks):
    """Of one layer, of all, and of two by different numbers in each sample; larger than what comes from above."""
    def draw():
        network = random_network(rng, (40, 70, 130, 25), (3.0, 2.0, 2.0), NEURONS["plain"])
        spikes = random_spikes(rng, 40, 4, n_ticks, 0.08, empty=(1,))
        return network, spikes, rng.normal(size=(4, 25, n_ticks)).astype(np.float32)

    for pressed in ((0,), (0, 1, 2), (1, 2)):
        pressure = [rng.normal(0, 5, 4).astype(np.float32) if i in pressed else None for i in range(3)]
        compare_with_naive(draw, supports, pressure=pressure)


def test_pressure_goes_to_all_pairs_of_a_sample():
    """Of three samples, in two tiles and two chunks."""
    active, error = ActiveSet.everything(3, 80, Dense(1, 70).lane_neuron), np.ones((2, 3 * 70 * 80), np.float32)
    add_pressure(active, error, np.array([1.0, 2.0, 4.0], np.float32))
    assert np.all(error[1] == 1)
    for k in range(3):
        assert np.all(error[0, active.coordinates(k)[0]] == 1 + [1, 2, 4][k])


@pytest.mark.parametrize("supports", [(0.3, 0.3, 0.5), (0.5, INF, INF), (1.5, 0.3, INF), (INF, INF, INF)])
@pytest.mark.parametrize(("truncate", "rows"), [(False, 300), (True, None)])
def test_many_chunks_of_ticks_and_blocks_of_samples(rng, monkeypatch, supports, truncate, rows):
    """150 ticks are three chunks; 300 rows of scratch hold two of the five samples."""
    if rows:
        monkeypatch.setattr(module, "_BLOCK_ROWS", rows)

    def draw():
        network = random_network(rng, (30, 70, 65, 9), (3.0, 3.0, 3.0), NEURONS["plain"])
        spikes = random_spikes(rng, 30, 5, 150, 0.05, empty=(1,))
        late = spikes.tick < np.repeat([150, 150, 70, 40, 150], np.diff(spikes.sample_ptr))
        spikes = Spikes.from_structured(spikes.to_structured()[late], n_samples=5, n_neurons=30, n_ticks=150)
        return network, spikes, rng.normal(size=(5, 9, 150)).astype(np.float32)

    compare_with_naive(draw, supports, truncate)


@pytest.mark.parametrize("rows", [None, 60])
def test_a_step_on_the_way_is_a_step_afterwards(rng, monkeypatch, rows):
    """Adam inside the backward walk, and Adam on the gradients that it leaves: the same bits."""
    if rows:
        monkeypatch.setattr(module, "_BLOCK_ROWS", rows)  # of three samples of 40 ticks, one at a time
    networks = [random_network(np.random.default_rng(5), (20, 70, 3), (5.0, 5.0)) for _ in range(2)]
    batches = [(random_spikes(rng, 20), rng.normal(size=(3, 3, 40)).astype(np.float32)) for _ in range(3)]
    assert np.abs(step_in_two_ways(networks, batches)["mean0"]).max() > 0


@pytest.mark.parametrize("weights", [(7.8796215, 9.268004), (6.2617497, 9.4265585)])
def test_full_support_goes_back_through_the_spikes_that_were_fired(weights):
    """On threshold after a silence, where stepping through it and jumping over it round differently."""
    network = Network("2-1", SRM(), seed=None)
    network.layers[0].weight = np.array(weights)[:, None]
    spikes = Spikes([0, 2], [0, 1], tick=[0, 40], n_neurons=2, n_ticks=60)
    errors = np.zeros((1, 1, 60), np.float32)
    errors[0, 0, 50] = 1.0
    full, wide = (forward(network, spikes, supports=[support]) for support in (INF, 50.0))
    assert full.output == wide.output
    # Every tick is active with a support of 50 as well; rho then comes from the run itself.
    got, want = gradients_of(network, full, errors)[0], gradients_of(network, wide, errors)[0]
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_gradients_are_added_to_what_is_there(rng):
    network = random_network(rng, (20, 70, 3), (5.0, 5.0))
    trace = forward(network, random_spikes(rng, 20), supports=(0.5, INF))
    errors = rng.normal(size=(3, 3, 40)).astype(np.float32)
    once = gradients_of(network, trace, errors)
    packed = [np.ones_like(layer.packed) for layer in network.layers]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in packed])
    for layer, gradient, g in zip(network.layers, packed, once, strict=True):
        rows = gradient.transpose(1, 0, 2).reshape(layer.n_in, -1)[:, : layer.n_out]
        np.testing.assert_allclose(rows, 1 + g, rtol=1e-5, atol=1e-5 * np.abs(g).max())


def test_no_spikes_give_no_gradient():
    rng = np.random.default_rng(0)
    network = random_network(rng, (5, 4, 3), (1.0, 1.0))
    for n_samples, n_ticks in ((0, 8), (2, 0), (2, 8)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=5, n_ticks=n_ticks)
        trace = forward(network, spikes, supports=(1.5, INF))
        errors = np.ones((n_samples, 3, n_ticks), np.float32)
        assert not any(g.any() for g in gradients_of(network, trace, errors))


@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_the_naive_formula_is_the_derivative_of_the_smooth_network(rng, dt):
    p = SimpleNamespace(theta=1.0, tau_syn=3.0, tau_rho=3.0, scale_rho=1.3)
    n_ticks, widths = 12, (4, 5, 3, 2)
    s = (rng.random((n_ticks, 4)) < 0.3).astype(float)
    weights = [rng.normal(0.7, 1.0, shape) for shape in itertools.pairwise(widths)]
    target = rng.random((n_ticks, 2))

    def loss():
        inputs, _, rate = naive.smooth_forward(s, weights, p, dt)
        return 0.5 * dt * np.sum((rate - target) ** 2) + sum(rate_penalty(hidden, *bounds) for hidden in inputs[1:])

    inputs, potentials, rate = naive.smooth_forward(s, weights, p, dt)
    middle = np.mean([hidden.mean() * n_ticks for hidden in inputs[1:]])
    bounds = middle, middle, 0.7  # one hidden layer fires less, the other more
    pressures = [*(rate_pressure(hidden, *bounds) for hidden in inputs[1:]), 0.0]
    assert min(pressures) < 0 < max(pressures)
    for u in potentials:  # both branches of R
        assert np.any(u < p.theta) and np.any(u > p.theta)
    deads = [np.zeros(u.shape, bool) for u in potentials]
    got = naive.backward(inputs, potentials, deads, weights, rate - target, p, dt, [INF] * 3, pressures=pressures)
    h = 1e-5
    for w, gradient in zip(weights, got, strict=True):
        want = np.empty(w.shape)
        for i in np.ndindex(w.shape):
            w[i] += h
            above = loss()
            w[i] -= 2 * h
            want[i] = (above - loss()) / (2 * h)
            w[i] += h
        np.testing.assert_allclose(gradient, want, rtol=1e-5, atol=1e-9 + 1e-7 * np.abs(want).max())
