"""The layer sweep of leaky neurons on the exact clock: against the event queue, and what it must not depend on."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lif_scenes import NEURONS, network_of, same_but_for_rounding, strength, timed_parameters
from naive import exact_lif as naive
from queue_scenes import by_neuron, first_difference
from scenes import shaken
from spatial_scenes import GEOMETRIES, behind_stages, random_times, spatial_network

from eventsim.engine import exact
from eventsim.engine.exact import forward_exact
from eventsim.engine.exact_stream import ExactLayer
from eventsim.engine.queue import NetworkQueue, forward_queue
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.spikes import Spikes

QUICK = settings(deadline=None, derandomize=True, max_examples=60)
WITH_INPUT = {name: neuron for name, neuron in NEURONS.items() if np.isfinite(neuron.tau_mem)}


@st.composite
def runs(draw, most_spikes=120):
    """A network, dense or spatial, and a batch; some input spikes share their time, and some are on half ms."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gain = draw(st.sampled_from([0.3, 0.8, 2.0]))
    if draw(st.booleans()):
        neuron = NEURONS[draw(st.sampled_from(list(NEURONS)))]
        widths = [draw(st.sampled_from([1, 7, 64, 70, 130])) for _ in range(draw(st.integers(2, 4)))]
        network = network_of(rng, neuron, widths, gain=gain * np.sqrt(30 / widths[0]))
        network.n_ticks = 60
    else:
        neuron = WITH_INPUT[draw(st.sampled_from(list(WITH_INPUT)))]
        notation = GEOMETRIES[draw(st.sampled_from(list(GEOMETRIES)))]
        network = spatial_network(rng, notation, neuron, gain=4 * gain * strength(neuron) / neuron.theta)
    n_spikes = draw(st.sampled_from([most_spikes, most_spikes // 3, 8, 1]))
    spikes = random_times(rng, network, n_spikes, draw(st.integers(1, 3)))
    if draw(st.booleans()):
        array = spikes.to_structured()
        array["time"] = np.floor(2 * array["time"]) / 2
        spikes = Spikes.from_structured(array, n_samples=spikes.n_samples, n_neurons=spikes.n_neurons, n_ticks=60)
    return network, spikes


def same(a, b):
    return all(x.spikes == y.spikes for x, y in zip(a.layers, b.layers, strict=True))


def test_sweep_equals_queue_on_random_networks():
    rounding, fired = [], []

    @QUICK
    @given(runs())
    def compare(run):
        network, spikes = run
        for b in range(spikes.n_samples):
            one = spikes.sample(b)
            swept, queued = forward_exact(network, one), forward_queue(network, one)
            for layer in swept.layers:
                layer.spikes.check()
            rounding.append(same_but_for_rounding(network, swept, queued))
            fired.append(len(swept.output))

    compare()
    assert np.mean(np.array(fired) > 0) > 0.5 and max(fired) > 1000
    assert sum(rounding) <= 2


@pytest.mark.parametrize("name, notation", [
    ("subtract", "5x4x2-5c3p1-9"), ("hard", "6x6x1-2p-bn-6c2-9"), ("current", "6x4x1-4c3-2p-bn-9"),
    ("as fast", "6x4x1-2a-9"),
])
def test_convolutions_are_those_of_scanning(name, notation, rng):
    neuron = NEURONS[name]
    network = spatial_network(rng, notation, neuron, n_ticks=25, gain=4 * strength(neuron) / neuron.theta)
    spikes = random_times(rng, network, 40)
    trace, given, n = forward_exact(network, spikes), spikes, 0
    for layer, done in zip(network.layers, trace.layers, strict=True):
        w, drive = behind_stages(layer)
        wanted = naive.layer(given.time, given.address, w, timed_parameters(neuron, 1.0), 25.0, drive=drive)
        when, who = np.array(wanted).reshape(-1, 2).T
        mine = by_neuron(done.spikes.time, done.spikes.address, layer.n_out)
        for x, y in zip(mine, by_neuron(when, who, layer.n_out), strict=True):
            np.testing.assert_allclose(x, y, rtol=0, atol=1e-8)
        given, n = done.spikes, n + len(when)
    assert n > 50


@QUICK
@given(runs(), st.integers(2, 5), st.integers(1, 50))
def test_neither_threads_nor_first_buffers_nor_batches_change_the_result(run, n_threads, room):
    network, spikes = run
    want = forward_exact(network, spikes)
    with shaken(n_threads, exact_sweep=room):
        exact._room.clear()
        assert same(forward_exact(network, spikes), want)
    singles = [forward_exact(network, spikes.sample(b)).output for b in range(spikes.n_samples)]
    assert Spikes.concatenate(singles) == want.output


def test_neurons_that_a_window_leaves_out_do_not_cross():
    """Windows of any length leave out fewer neurons or more, and none that crosses: the spikes are the same."""
    rounding, shares = [], []

    @QUICK
    @given(runs(60), st.sampled_from([0.0, 0.05, 3.0]))
    def compare(run, longest):
        network, spikes = run
        spikes = spikes.sample(0)
        want = forward_exact(network, spikes)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("eventsim.engine.lif_windows._LONGEST", longest)
            got = forward_exact(network, spikes)
        rounding.append(same_but_for_rounding(network, want, got))
        shares.extend(layer.singly for layer in got.layers)

    compare()
    assert np.mean(shares) < 0.5 and sum(rounding) <= 2


@QUICK
@given(runs(), st.lists(st.floats(0.0, 60.0), max_size=6))
def test_a_layer_runs_piece_by_piece(run, cuts):
    network, spikes = run
    spikes, layer, dt = spikes.sample(0), network.layers[0], network.dt
    whole = forward_exact(network, spikes).layers[0].spikes
    pieces, found = ExactLayer(layer, network.neuron, dt), []
    for since, until in itertools.pairwise([0.0, *sorted(cuts), 60.0]):
        part = slice(*np.searchsorted(spikes.time, [since, until]))
        found.append(pieces.advance(spikes.time[part], spikes.address[part], until))
    time, address = map(np.concatenate, zip(*found, strict=True))
    for mine, other in zip(by_neuron(time, address, layer.n_out), by_neuron(whole.time, whole.address, layer.n_out),
                           strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-8)


@pytest.mark.parametrize("notation", ["3", "2c2"])
@pytest.mark.parametrize("neuron", [SRM(theta=0.2), LIF(theta=0.2)], ids=str)
def test_input_at_the_very_begin_of_a_stream_counts(neuron, notation):
    """The piece up to just behind it ends where float64 has only subnormal numbers."""
    layer = spatial_network(np.random.default_rng(0), f"2x2x1-{notation}", neuron, gain=5.0).layers[0]
    layer.weight = np.abs(layer.weight)
    whole, cut = ExactLayer(layer, neuron, 1.0), ExactLayer(layer, neuron, 1.0)
    given = np.zeros(2), np.array([0, 1], np.int32)
    wanted = [np.concatenate(parts) for parts in zip(
        whole.advance(*given, 1.0), whole.advance(given[0][:0], given[1][:0], np.inf), strict=True)]
    found = cut.advance(*given, np.inf)
    assert len(wanted[0]) > 3
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_allclose(found[0], wanted[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NEURONS)
def test_a_stream_ends_when_nobody_can_fire_any_more(name, rng):
    neuron = NEURONS[name]
    network = network_of(rng, neuron, widths=(30, 60), gain=4.0)
    time, address = np.sort(rng.uniform(0, 5, 30)), rng.permutation(30).astype(np.int32)
    layer, queue = ExactLayer(network.layers[0], neuron, 1.0), NetworkQueue(network)
    found, wanted = layer.advance(time, address, np.inf), queue.advance(time, address, np.inf)[0]
    assert len(found[0]) > 20 and (found[0] > 5).any()
    for x, y in zip(by_neuron(*found, 60), by_neuron(*wanted, 60), strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-8)


@pytest.mark.parametrize("neuron", [LIF(tau_mem=np.inf, t_abs=t) for t in (1e-3, 0.02, 1e3)], ids=str)
def test_dead_times_from_the_shortest_to_the_longest(neuron):
    """A neuron that one spike lets fire without end does so as often as its dead time lets it."""
    network = Network("1-2", neuron, n_ticks=30, seed=None)
    network.layers[0].weight = [[1e6, -1e6]]
    got = forward_exact(network, Spikes([0, 1], [0], time=[0.0], n_neurons=1, n_ticks=30)).output
    assert set(got.address) == {0} and abs(len(got) - np.ceil(30 / neuron.t_abs)) <= 1
    np.testing.assert_allclose(got.time, neuron.t_abs * np.arange(len(got)), rtol=1e-12)


@pytest.mark.parametrize("strict, wanted", [(False, [3, 6, 9]), (True, [4, 8])])
def test_a_strict_threshold_must_be_exceeded(strict, wanted):
    network = Network("1-1", LIF(theta=3.0, tau_mem=np.inf, reset="hard", strict=strict), seed=None)
    network.layers[0].weight = [[1.0]]
    spikes = Spikes([0, 10], np.zeros(10, np.int32), time=np.arange(1.0, 11.0), n_neurons=1, n_ticks=12)
    for run in (forward_exact, forward_queue):
        assert run(network, spikes).output.time.tolist() == wanted


def test_a_step_whose_middle_is_the_turn():
    """A potential that rises over the threshold and turns in the very middle of the time between two arrivals."""
    network = Network("1-1", CubaLIF(tau_mem=5.0, tau_syn=5.0, t_abs=0.01), n_ticks=40, seed=None)
    network.layers[0].weight = [[4.8182659]]
    spikes = Spikes([0, 2], [0, 0], time=[26.0, 36.0], n_neurons=1, n_ticks=40)
    swept, queued = forward_exact(network, spikes).output, forward_queue(network, spikes).output
    assert len(swept) > 3 and abs(swept.time[0] - 27.362879) < 1e-6
    np.testing.assert_allclose(swept.time, queued.time, rtol=0, atol=1e-9)


@pytest.mark.parametrize("reset", ["subtract", "hard"])
@pytest.mark.parametrize("t_abs, dt", [(None, 0.1), (0.3, 0.1), (0.05, 0.3), (0.01, 0.1)])
def test_dead_times_in_a_row_end_at_arrivals_and_at_the_end_but_for_rounding(rng, reset, t_abs, dt):
    """Inputs on ticks, and neurons that fire whenever they may: with active sets, without, and in the queue."""
    network = network_of(rng, LIF(tau_mem=5.0, t_abs=t_abs, reset=reset), (8, 66, 30), dt, gain=1.0)
    network.n_ticks = 129
    time, address = np.sort(rng.integers(0, 129, 150)) * dt, rng.integers(0, 8, 150)
    array = np.zeros(150, [("sample", np.int64), ("time", float), ("address", np.int32)])
    array["time"], array["address"] = time, address
    spikes = Spikes.from_structured(array[np.lexsort((address, time))], n_samples=1, n_neurons=8, n_ticks=129, dt=dt)
    swept = forward_exact(network, spikes)
    assert len(swept.output) > 100
    for other in (forward_exact(network, spikes, supports=[0.5, np.inf]), forward_queue(network, spikes)):
        assert first_difference(swept, other) is None


def test_a_long_rise_is_waited_out():
    """A current that lifts a potential over the threshold long after it came, and a long silence."""
    network = Network("1-1", CubaLIF(theta=1.0, tau_mem=300.0, tau_syn=250.0), n_ticks=10**6, seed=None)
    network.layers[0].weight = [[3.1]]
    spikes = Spikes([0, 2], [0, 0], time=[3.25, 900_000.0], n_neurons=1, n_ticks=10**6)
    swept, queued = forward_exact(network, spikes).output, forward_queue(network, spikes).output
    assert len(swept) == 2 and np.all(swept.time - spikes.time > 200)
    np.testing.assert_allclose(swept.time, queued.time, rtol=0, atol=1e-9)


def test_layers_have_neurons_of_their_own(rng):
    """Each layer, of networks that mix the families, gives what it gives alone."""
    network = Network("6x5x2-12c3p1-30-9", LIF(), n_ticks=60, seed=None)
    for layer, neuron in zip(network.layers, (NEURONS["hard"], SRM(tau_syn=4.0), NEURONS["current"]), strict=True):
        layer.neuron, size = neuron, 3.0 * strength(neuron) / np.sqrt(layer.fan_in)
        layer.weight = rng.normal(size / 3, size, layer.weight_shape)
    given = random_times(rng, network, 80)
    for layer, done in zip(network.layers, forward_exact(network, given).layers, strict=True):
        alone = exact.exact_layer(layer, layer.neuron, given, 1.0).spikes
        assert len(done.spikes) > 20 and done.spikes == alone
        given = done.spikes
