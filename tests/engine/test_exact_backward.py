"""Active sets and gradients on the exact clock: against sums over histories, and what they must not depend on."""

import importlib
import itertools

import numpy as np
import pytest
from exact_gradient_scenes import (
    NEURONS,
    assert_a_batch_is_the_loop,
    assert_same,
    check_active,
    errors_for,
    parameters,
    random_times,
    shaken_run,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import exact_gradient as naive
from naive.exact import alpha
from queue_scenes import by_neuron
from scenes import gradients_of, random_network, step_in_two_ways

import eventsim as es
from eventsim.data.encoders import bin_events, exact_times
from eventsim.engine import run
from eventsim.engine.exact import forward_exact
from eventsim.errors import ConfigError
from eventsim.model import SRM, Network
from eventsim.spikes import Spikes

INF = np.inf
QUICK = settings(deadline=None, derandomize=True, max_examples=40)
module = importlib.import_module("eventsim.engine.adjoint")  # the package has a function of this name
# Supports of three layers, and ticks: less than a chunk, and parts of the second and third; and their length in ms.
CASES = [
    ((0.3, 0.3, 0.5), 150, 1.0), ((1.5, INF, 1.0), 70, 0.3), ((INF, INF, INF), 30, 1.0), ((0.5, 2.0, INF), 130, 0.3),
    ((0.4, 0.4, 1.0), 150, 0.3),
]


def compare_with_naive(network, spikes, supports, errors):
    """Compare a run's spikes, active sets and gradients."""
    trace, plain = forward_exact(network, spikes, supports=supports), forward_exact(network, spikes)
    for mine, other in zip(trace.layers, plain.layers, strict=True):
        mine.spikes.check()
        assert len(mine.spikes) > 0
        np.testing.assert_array_equal(mine.spikes.sample_ptr, other.spikes.sample_ptr)
        for b in range(spikes.n_samples):
            for x, y in zip(*(by_neuron(s.time, s.address, s.n_neurons)
                              for s in (mine.spikes.sample(b), other.spikes.sample(b))), strict=True):
                np.testing.assert_allclose(x, y, rtol=0, atol=1e-9)
    p = parameters(network.neuron, network.dt)
    lists = [spikes, *(layer.spikes for layer in trace.layers)]
    weights = [layer.weight.astype(float) for layer in network.layers]
    wanted, excused = [np.zeros(w.shape) for w in weights], 0
    for b in range(spikes.n_samples):
        columns = [(one.time, one.address) for one in (given.sample(b) for given in lists)]
        potentials, active = [], []
        for k, (w, support) in enumerate(zip(weights, supports, strict=True)):
            u, dead = naive.sampled(*columns[k], w, *columns[k + 1], p, spikes.dt, spikes.n_ticks)
            where, doubtful = check_active(trace.layers[k].active, b, u, dead, support, p)
            potentials.append(u)
            active.append(where)
            excused += doubtful
        parts = naive.backward(columns[:-1], potentials, active, weights, errors[b].T, p, spikes.dt)
        for total, part in zip(wanted, parts, strict=True):
            total += part
    assert excused <= 3
    for got, want in zip(gradients_of(network, trace, errors), wanted, strict=True):
        assert np.abs(want).max() > 0
        assert np.abs(got - want).max() <= 5e-5 * np.abs(want).max()


@pytest.mark.parametrize(("supports", "n_ticks", "dt"), CASES, ids=str)
@pytest.mark.parametrize("kind", NEURONS)
def test_active_sets_and_gradients_are_those_of_the_sums(rng, supports, n_ticks, dt, kind):
    # A neuron that fires hundreds of times makes much of the last bits of its first spikes.
    gain = 0.7 if kind == "dead for part of a tick" else 1.0
    network = random_network(rng, (12, 70, 66, 9), (5.0 * gain, 2.0 * gain, 2.0 * gain), NEURONS[kind], dt)
    spikes = random_times(rng, 12, int(2 * n_ticks * dt), n_ticks, dt, empty=(1,))
    compare_with_naive(network, spikes, supports, errors_for(network, spikes, rng))


@pytest.mark.parametrize("rows", [150, 300])
def test_blocks_of_samples_add_up(rng, monkeypatch, rows):
    """Room for one or two of five samples."""
    monkeypatch.setattr(module, "_BLOCK_ROWS", rows)
    network = random_network(rng, (12, 70, 9), (5.0, 2.0), NEURONS["plain"])
    spikes = random_times(rng, 12, 200, 150, n_samples=5, empty=(2,))
    compare_with_naive(network, spikes, (0.5, INF), errors_for(network, spikes, rng))


def test_many_tiles_above_add_their_errors(rng):
    network = random_network(rng, (10, 65, 750), (6.0, 2.0), NEURONS["plain"])
    spikes = random_times(rng, 10, 60, 20, n_samples=2)
    compare_with_naive(network, spikes, (1.5, 0.3), errors_for(network, spikes, rng))


@pytest.mark.parametrize(("dt", "dead"), [(0.25, 1), (0.25, 2), (0.25, 4.5), (0.3, 2), (0.3, 4.5)])
def test_a_spike_on_a_tick_is_seen_from_the_next_tick_on(dt, dead):
    """Thresholds that a psp reaches on a tick, or by the last bits of its time before or after it, and stays above."""
    n_ticks, peak, on_tick = 30, 20.0, 0
    spikes = Spikes([0, 1], [0], time=[0.0], n_neurons=1, n_ticks=n_ticks, dt=dt)
    for k, step in itertools.product(range(2, 10), range(-4, 5)):
        theta = peak * alpha(k * dt, 10 * dt) * (1 + step * 2.0**-52)
        neuron = SRM(theta=theta, tau_syn=10 * dt, t_abs=dead * dt, scale_ref=0.02)
        network = Network("1-1", neuron, dt=dt, seed=None)
        network.layers[0].weight = [[peak]]
        trace, p = forward_exact(network, spikes, supports=(INF,)), parameters(neuron, dt)
        own = trace.output
        assert abs(own.time[0] - k * dt) < 1e-12
        on_tick += np.isin(own.time, np.arange(n_ticks) * dt).sum()
        columns = spikes.time, spikes.address, np.array([[peak]]), own.time, own.address
        u, asleep = naive.sampled(*columns, p, dt, n_ticks)
        check_active(trace.layers[0].active, 0, u, asleep, INF, p)
    assert on_tick > 10


@st.composite
def runs(draw):
    """A network, a batch, supports and errors."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = tuple(draw(st.sampled_from([1, 7, 64, 130])) for _ in range(3))
    n_ticks, dt = draw(st.sampled_from([1, 30, 64, 65, 129])), draw(st.sampled_from([1.0, 0.3]))
    gains = [draw(st.sampled_from([12.0, 30.0])) / np.sqrt(n) for n in widths[:-1]]
    network = random_network(rng, widths, gains, NEURONS[draw(st.sampled_from(list(NEURONS)))], dt)
    empty = draw(st.sets(st.integers(0, 3), max_size=1))
    spikes = random_times(rng, widths[0], draw(st.integers(1, 80)), n_ticks, dt, draw(st.integers(1, 4)), empty)
    supports = draw(st.sampled_from([(0.3, INF), (1.5, 0.5), (INF, 1.0)]))
    return network, spikes, supports, errors_for(network, spikes, rng)


def trained(network, spikes, supports, errors):
    """The trace of a run, and its gradients."""
    trace = forward_exact(network, spikes, supports=supports)
    return trace, gradients_of(network, trace, errors)


@QUICK
@given(runs(), st.integers(2, 5), st.integers(1, 50))
def test_neither_threads_nor_first_buffers_change_a_bit(run, n_threads, room):
    want = trained(*run)
    assert_same(shaken_run(trained, run, n_threads, room), want)
    assert_same(trained(*run), want)


@QUICK
@given(runs())
def test_a_batch_is_the_loop_over_its_samples(run):
    assert_a_batch_is_the_loop(trained, run)


@pytest.mark.parametrize("rows", [None, 60])
def test_a_step_on_the_way_is_a_step_afterwards(rng, monkeypatch, rows):
    """Adam inside the backward walk, and Adam on the gradients that it leaves: the same bits."""
    if rows:
        monkeypatch.setattr(module, "_BLOCK_ROWS", rows)  # of three samples of 40 ticks, one at a time
    networks = [random_network(np.random.default_rng(5), (20, 70, 3), (5.0, 5.0)) for _ in range(2)]
    batches = [(random_times(rng, 20, 60, 40), rng.normal(size=(3, 3, 40)).astype(np.float32)) for _ in range(3)]
    state = step_in_two_ways(networks, batches)
    assert all(np.abs(state[f"mean{i}"]).max() > 0 for i in range(2))


@pytest.mark.parametrize("supports", [(1.5, INF), (0.3, 0.3)])
def test_no_spikes_give_no_gradient(rng, supports):
    network = random_network(rng, (5, 4, 3), (1.0, 1.0))
    for n_samples, n_ticks in ((0, 8), (2, 0), (2, 8)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], time=[], n_neurons=5, n_ticks=n_ticks)
        trace, gradients = trained(network, spikes, supports, np.ones((n_samples, 3, n_ticks), np.float32))
        assert not any(g.any() for g in gradients)
        rests = n_samples * n_ticks * np.array([4, 3]) * (np.array(supports) >= 1)
        assert [layer.active.n_pairs for layer in trace.layers] == rests.tolist()


def test_what_has_no_gradient_is_refused(rng):
    network = random_network(rng, (5, 4, 3), (5.0, 5.0))
    spikes = random_times(rng, 5, 20, 8)
    errors = errors_for(network, spikes, rng)
    with pytest.raises(ConfigError, match="kept no active sets"):
        gradients_of(network, forward_exact(network, spikes), errors)
    with pytest.raises(ConfigError, match="not truncated"):
        gradients_of(network, forward_exact(network, spikes, supports=(INF, INF)), errors, truncate=True)


def gradients_on_both_clocks(rng, dt_list):
    """For each dt, how far apart the two layers' gradients are; None where the clocks do not fire the same spikes."""
    t, x = np.sort(rng.integers(0, 50_000, 80)), rng.integers(0, 20, 80)
    events = es.Events(t, x, np.zeros(80, int), np.zeros(80, int), es.Sensor(20, 1, 1))
    weights = rng.normal(0.3, 0.6, (20, 12)), rng.normal(3.0, 6.0, (12, 3))
    phase, apart = rng.uniform(0, 2 * np.pi, (3, 1)), []
    for dt in dt_list:
        network = Network("20x1x1-12-3", SRM(t_abs=1.0), dt=dt, n_ticks=round(60 / dt), input_mode="count")
        for layer, weight in zip(network.layers, weights, strict=True):
            layer.weight = weight
        errors = np.sin(0.1 * dt * np.arange(network.n_ticks) + phase).astype(np.float32)[None]
        on_grid, exact = bin_events(events, dt, network.n_ticks, "count")[0], exact_times(events, 60.0, dt)[0]
        grid, exact = (run(network, spikes, supports=(INF, INF)) for spikes in (on_grid, exact))
        counts_of = [[layer.spikes.counts() for layer in trace.layers] for trace in (grid, exact)]
        if not all(np.array_equal(a, b) and a.sum() > 10 for a, b in zip(*counts_of, strict=True)):
            return None
        apart.append([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(
            *(gradients_of(network, trace, errors) for trace in (grid, exact)), strict=True)])
    return apart


def test_the_gradient_tends_to_that_of_the_grid(rng):
    """With dt going to 0 and t_abs fixed, half the dt is half the difference, on the average over scenes.

    Where a spike stands between two ticks is a matter of chance in each of them. Every dt is a part of t_abs.
    """
    found = [gradients_on_both_clocks(rng, (0.05, 0.025, 0.0125)) for _ in range(200)]
    apart = np.array([scene for scene in found if scene])
    assert len(apart) >= 40
    typical = np.exp(np.log(apart).mean(axis=0))
    order = np.log2(typical[0] / typical[-1]) / 2
    assert np.all(typical[-1] < 0.02) and np.all((order > 0.75) & (order < 1.25))
