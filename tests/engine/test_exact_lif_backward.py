"""Active sets and gradients of leaky neurons on the exact clock: by following every input, and those of the grid."""

import importlib

import numpy as np
import pytest
from exact_gradient_scenes import (
    assert_a_batch_is_the_loop,
    assert_same,
    check_active,
    errors_for,
    random_times,
    shaken_run,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from lif_scenes import NEURONS, strength, timed_parameters
from naive import exact_lif_gradient as naive
from scenes import gradients_of, random_spikes
from spatial_scenes import gradients, spatial_network

from eventsim.data.encoders import bin_events, exact_times
from eventsim.engine import run
from eventsim.events import Events
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.sensor import Sensor
from eventsim.spikes import Spikes

INF = np.inf
QUICK = settings(deadline=None, derandomize=True, max_examples=30)
SRM_NEURON = SRM(theta=1.0, tau_syn=3.0)


def network_of(rng, neurons, widths, dt, n_ticks, gain=0.5):
    """A network with normal weights, on the average excitatory, whose layers have these neurons."""
    network = Network("-".join(map(str, widths)), neurons[0], dt=dt, n_ticks=n_ticks, seed=None)
    for layer, neuron in zip(network.layers, neurons, strict=True):
        layer.neuron = neuron
        layer.weight = gain * strength(neuron) * rng.normal(0.15, 1.0, (layer.n_in, layer.n_out)) * np.sqrt(
            12 / layer.n_in)
    return network


def compare_with_naive(network, spikes, supports, errors):
    """Compare a run's spikes, active sets and gradients."""
    trace, plain = (run(network, spikes, supports=kept) for kept in (supports, None))
    dt, n_ticks, p = spikes.dt, spikes.n_ticks, [timed_parameters(neuron, spikes.dt) for neuron in network.neurons]
    for mine, other in zip(trace.layers, plain.layers, strict=True):
        mine.spikes.check()
        assert len(mine.spikes) > 5
        np.testing.assert_array_equal(mine.spikes.address, other.spikes.address)
        np.testing.assert_allclose(mine.spikes.time, other.spikes.time, rtol=0, atol=1e-9)
    lists = [spikes, *(layer.spikes for layer in trace.layers)]
    weights = [layer.weight.astype(float) for layer in network.layers]
    wanted, excused = [np.zeros(w.shape) for w in weights], 0
    for b in range(spikes.n_samples):
        columns = [(one.time, one.address) for one in (given.sample(b) for given in lists)]
        potentials, active, cuts = [], [], []
        for k, (w, support) in enumerate(zip(weights, supports, strict=True)):
            u, dead = naive.sampled(*columns[k], w, *columns[k + 1], p[k], dt, n_ticks)
            where, doubtful = check_active(trace.layers[k].active, b, u, dead, support, p[k])
            potentials.append(u)
            active.append(where)
            cuts.append(naive.fired(*columns[k + 1], dt, n_ticks, w.shape[1]))
            excused += doubtful
        parts = naive.backward(columns[:-1], potentials, active, cuts, weights, errors[b].T, p, dt)
        for total, part in zip(wanted, parts, strict=True):
            total += part
    assert excused <= 3
    for got, want in zip(gradients_of(network, trace, errors), wanted, strict=True):
        assert np.abs(want).max() > 0
        assert np.abs(got - want).max() <= 5e-5 * np.abs(want).max()


@pytest.mark.parametrize(("supports", "n_ticks", "dt"), [((0.3, 0.6), 70, 1.0), ((INF, 1.5), 65, 0.3)], ids=str)
@pytest.mark.parametrize("name", NEURONS)
def test_active_sets_and_gradients_are_those_of_following_every_input(rng, name, supports, n_ticks, dt):
    network = network_of(rng, [NEURONS[name]] * 2, (12, 66, 6), dt, n_ticks)
    spikes = random_times(rng, 12, 60, n_ticks, dt, n_samples=2)
    compare_with_naive(network, spikes, supports, errors_for(network, spikes, rng))


@pytest.mark.parametrize("names", [("hard", "srm", "current"), ("srm", "as fast", "srm"), ("late", "dead, hard", "if")],
                         ids="-".join)
def test_layers_with_neurons_of_their_own(rng, names):
    neurons = [SRM_NEURON if name == "srm" else NEURONS[name] for name in names]
    network = network_of(rng, neurons, (12, 66, 20, 6), 1.0, 60)
    spikes = random_times(rng, 12, 60, 60, n_samples=2)
    compare_with_naive(network, spikes, (0.5, INF, 0.8), errors_for(network, spikes, rng))


@pytest.mark.parametrize("name", ["hard", "current, hard"])
def test_blocks_of_samples_add_up(rng, monkeypatch, name):
    """Room for two of five samples, whose neurons forget at spikes of their own."""
    monkeypatch.setattr(importlib.import_module("eventsim.engine.adjoint"), "_BLOCK_ROWS", 80)
    network = network_of(rng, [NEURONS[name]] * 2, (12, 70, 9), 1.0, 40)
    spikes = random_times(rng, 12, 60, 40, n_samples=5, empty=(2,))
    compare_with_naive(network, spikes, (0.5, INF), errors_for(network, spikes, rng))


@pytest.mark.parametrize("dt", [1.0, 0.25])
@pytest.mark.parametrize("name", ["subtract", "hard", "if", "if, hard", "dead", "dead, hard", "drop", "strict"])
def test_input_on_ticks_gives_spikes_and_gradients_of_the_grid(rng, name, dt):
    """What jumps a potential decays alike on both clocks; where dead times are whole ticks they are the same."""
    neuron = NEURONS[name]
    spatial = [spatial_network(rng, "5x4x2-6c3p1-2a-6", neuron, 50, dt, 4.0)] if np.isfinite(neuron.tau_mem) else []
    for network in (network_of(rng, [neuron] * 2, (12, 70, 6), dt, 50), *spatial):
        on_grid = random_spikes(rng, network.arch.n_inputs, n_ticks=50, rate=0.1, dt=dt)
        exact = Spikes(on_grid.sample_ptr, on_grid.address, time=on_grid.tick * dt, n_neurons=on_grid.n_neurons,
                       n_ticks=50, dt=dt)
        for support in (0.6, INF):
            traces = [run(network, given, supports=[support] * len(network.layers)) for given in (on_grid, exact)]
            for grid, timed in zip(*(trace.layers for trace in traces), strict=True):
                assert len(grid.spikes) > 20
                np.testing.assert_array_equal(grid.spikes.sample_ptr, timed.spikes.sample_ptr)
                np.testing.assert_array_equal(grid.spikes.address, timed.spikes.address)
                np.testing.assert_array_equal(grid.spikes.tick * dt, timed.spikes.time)
            errors = errors_for(network, on_grid, rng)
            for (x, _), (y, _) in zip(*(gradients(network, trace, errors) for trace in traces), strict=True):
                if x is not None:  # of a pool
                    assert np.abs(x).max() > 0
                    np.testing.assert_allclose(x, y, rtol=0, atol=2e-5 * np.abs(x).max())


@st.composite
def runs(draw):
    """A network of dense layers that mix neurons, a batch, supports and errors."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    neurons = [draw(st.sampled_from([*NEURONS.values(), SRM_NEURON])) for _ in range(2)]
    widths = [draw(st.sampled_from([1, 7, 64, 130])) for _ in range(3)]
    n_ticks, dt = draw(st.sampled_from([1, 30, 64, 65, 129])), draw(st.sampled_from([1.0, 0.3]))
    network = network_of(rng, neurons, widths, dt, n_ticks)
    spikes = random_times(rng, widths[0], draw(st.integers(1, 80)), n_ticks, dt, draw(st.integers(1, 4)))
    supports = draw(st.sampled_from([(0.3, INF), (1.5, 0.5), (INF, 1.0)]))
    return network, spikes, supports, errors_for(network, spikes, rng)


def trained(network, spikes, supports, errors):
    """The trace of a run, and its gradients."""
    trace = run(network, spikes, supports=supports)
    return trace, gradients_of(network, trace, errors)


@QUICK
@given(runs(), st.integers(2, 5), st.integers(1, 50))
def test_neither_threads_nor_first_buffers_change_a_bit(one, n_threads, room):
    want = trained(*one)
    assert_same(shaken_run(trained, one, n_threads, room), want)


@QUICK
@given(runs())
def test_a_batch_is_the_loop_over_its_samples(one):
    assert_a_batch_is_the_loop(trained, one)


def gradients_on_both_clocks(rng, neuron, dt_list):
    """For each dt, how far apart the two layers' gradients are; None where the clocks do not fire the same spikes."""
    t, x = np.sort(rng.integers(0, 50_000, 80)), rng.integers(0, 20, 80)
    events = Events(t, x, np.zeros(80, int), np.zeros(80, int), Sensor(20, 1, 1))
    weights = [strength(neuron) * rng.normal(0.1, 0.3, shape) for shape in ((20, 12), (12, 3))]
    phase, apart = rng.uniform(0, 2 * np.pi, (3, 1)), []
    for dt in dt_list:
        network = Network("20x1x1-12-3", neuron, dt=dt, n_ticks=round(60 / dt), input_mode="count", seed=None)
        for layer, weight in zip(network.layers, weights, strict=True):
            layer.weight = weight
        errors = np.sin(0.1 * dt * np.arange(network.n_ticks) + phase).astype(np.float32)[None]
        given = bin_events(events, dt, network.n_ticks, "count")[0], exact_times(events, 60.0, dt)[0]
        traces = [run(network, spikes, supports=(INF, INF)) for spikes in given]
        counts = [[layer.spikes.counts() for layer in trace.layers] for trace in traces]
        if not all(np.array_equal(a, b) and a.sum() > 5 for a, b in zip(*counts, strict=True)):
            return None
        apart.append([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(
            *(gradients_of(network, trace, errors) for trace in traces), strict=True)])
    return apart


@pytest.mark.parametrize("neuron", [
    LIF(tau_mem=8.0, t_abs=1.0), LIF(tau_mem=8.0, t_abs=1.0, reset="hard"),
    CubaLIF(tau_mem=10.0, tau_syn=4.0, t_abs=1.0),
    CubaLIF(tau_mem=10.0, tau_syn=4.0, t_abs=1.0, reset="hard", late=True),
], ids=["subtract", "hard", "current", "current, hard"])
def test_the_gradient_tends_to_that_of_the_grid(rng, neuron):
    """With dt going to 0 and t_abs fixed, half the dt is at most half the difference, on the average over scenes."""
    found = [gradients_on_both_clocks(rng, neuron, (0.05, 0.025, 0.0125)) for _ in range(250)]
    apart = np.array([scene for scene in found if scene])
    assert len(apart) >= 15
    typical = np.exp(np.log(apart).mean(axis=0))
    order = np.log2(typical[0] / typical[-1]) / 2
    assert np.all(typical[-1] < 0.04) and np.all(order > 0.7)
