"""The layer sweep on the exact clock: against the event queue, against the equations, and what it leaves out."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import exact as naive
from queue_scenes import NEURONS, by_neuron, parameters, random_network, random_times, same_but_for_grazing
from scenes import shaken

import eventsim as es
from eventsim.data.encoders import exact_times
from eventsim.engine import exact
from eventsim.engine.exact import forward_exact
from eventsim.engine.exact_stream import ExactLayer
from eventsim.engine.queue import forward_queue
from eventsim.errors import ConfigError
from eventsim.model.layers import Sparse
from eventsim.spikes import Spikes

QUICK = settings(deadline=None, derandomize=True, max_examples=80)
FEED_FORWARD = [("none", None)]


@st.composite
def runs(draw, most_spikes=120):
    """A feed-forward network and a batch; some input spikes share their time, and some are on whole milliseconds."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = [draw(st.sampled_from([1, 7, 64, 70, 130])) for _ in range(draw(st.integers(2, 4)))]
    neuron = NEURONS[draw(st.sampled_from(list(NEURONS)))]
    gain = draw(st.sampled_from([2.0, 6.0, 20.0]))
    network = random_network(rng, widths, neuron, FEED_FORWARD, n_ticks=60, gain=gain)
    spikes = random_times(rng, widths[0], draw(st.integers(1, most_spikes)), 60, draw(st.integers(1, 3)))
    if draw(st.booleans()):
        grain = draw(st.sampled_from([0.5, 10.0]))
        time = np.floor(spikes.time / grain) * grain
        sample = np.repeat(np.arange(spikes.n_samples), np.diff(spikes.sample_ptr))
        order = np.lexsort((spikes.address, time, sample))
        spikes = Spikes(spikes.sample_ptr, spikes.address[order], time=time[order], n_neurons=widths[0], n_ticks=60)
    return network, spikes


def test_sweep_equals_queue_on_random_networks():
    grazing, fired = [], []

    @QUICK
    @given(runs())
    def compare(run):
        network, spikes = run
        for b in range(spikes.n_samples):
            one = spikes.sample(b)
            swept, queued = forward_exact(network, one), forward_queue(network, one)
            for layer in swept.layers:
                layer.spikes.check()
            grazing.append(same_but_for_grazing(network, swept, queued))
            fired.append(len(swept.output))
            if not grazing[-1]:
                assert [x.synops for x in swept.layers] == [x.synops for x in queued.layers]

    compare()
    assert np.mean(np.array(fired) > 0) > 0.5 and max(fired) > 1000
    assert sum(grazing) <= 2


@pytest.mark.parametrize("arch", ["mlp512", "34x34x2-300-200-100-10"])
def test_sweep_equals_queue_on_recordings(shared, arch):
    network = es.Network(arch, n_ticks=300, seed=1)
    for layer in network.layers:
        layer.weight *= 4
    grazing = 0
    for path in sorted((shared / "data" / "nmnist_raw" / "Test").glob("*/*.bin"))[:3]:
        spikes, _ = exact_times(es.read(path), 300.0)
        swept, queued = forward_exact(network, spikes), forward_queue(network, spikes)
        assert all(len(layer.spikes) > 100 for layer in swept.layers)
        grazing += same_but_for_grazing(network, swept, queued)
        given_spikes = swept.input
        for layer, got, other in zip(network.layers, swept.layers, queued.layers, strict=True):
            assert got.synops == len(given_spikes) * layer.n_out
            assert got.synops == other.synops or grazing
            given_spikes = got.spikes
    assert grazing == 0


@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
def test_sweep_equals_the_equations(neuron, rng):
    network = random_network(rng, (12, 7, 3), neuron, FEED_FORWARD, n_ticks=40)
    spikes = random_times(rng, 12, 50, n_ticks=40)
    times, addresses = spikes.time, spikes.address
    for layer, got in zip(network.layers, forward_exact(network, spikes).layers, strict=True):
        wanted = naive.layer(times, addresses, layer.weight.astype(float), parameters(neuron, 1.0), 40.0)
        times, addresses = np.array(wanted).T[0], np.array(wanted).T[1].astype(int)
        for mine, other in zip(by_neuron(got.spikes.time, got.spikes.address, layer.n_out),
                               by_neuron(times, addresses, layer.n_out), strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


def test_neurons_that_a_window_leaves_out_do_not_cross(monkeypatch):
    """Windows of any length leave out fewer neurons or more, and none that crosses: the spikes are the same."""
    shares = []

    @QUICK
    @given(runs(60), st.sampled_from([0.01, 0.05, 1.0]))
    def compare(run, longest):
        network, spikes = run
        want = forward_exact(network, spikes)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("eventsim.engine.windows._LONGEST", longest)
            got = forward_exact(network, spikes)
        for b in range(spikes.n_samples):
            parts = [type(trace)(trace.input.sample(b), [_of_sample(layer, b) for layer in trace.layers])
                     for trace in (want, got)]
            same_but_for_grazing(network, *parts)
        shares.extend(layer.singly for layer in got.layers)

    compare()
    assert np.mean(shares) < 0.5


def _of_sample(layer, b):
    return type(layer)(layer.name, layer.spikes.sample(b), 0, 0, 0.0)


def same(a, b):
    return all(x.spikes == y.spikes for x, y in zip(a.layers, b.layers, strict=True))


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


@QUICK
@given(runs(), st.lists(st.floats(0.0, 60.0), max_size=6))
def test_a_layer_runs_piece_by_piece(run, cuts):
    network, spikes = run
    spikes, layer = spikes.sample(0), network.layers[0]
    whole = forward_exact(network, spikes).layers[0].spikes
    pieces, found = ExactLayer(layer, network.neuron, network.dt), []
    for since, until in itertools.pairwise([0.0, *sorted(cuts), 60.0]):
        part = slice(*np.searchsorted(spikes.time, [since, until]))
        found.append(pieces.advance(spikes.time[part], spikes.address[part], until))
    time, address = map(np.concatenate, zip(*found, strict=True))
    for mine, other in zip(by_neuron(time, address, layer.n_out), by_neuron(whole.time, whole.address, layer.n_out),
                           strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


def test_a_bound_leaves_most_neurons_out(shared):
    network = es.Network("mlp512", n_ticks=300, seed=1)
    network.layers[0].weight *= 2.5
    trace = network.simulate(es.read(shared / "data" / "aer" / "sample_nmnist.bin"), clock="exact")
    layer = trace.layers[0]
    assert len(layer.spikes) > 500 and 0 < layer.singly < 0.02


@pytest.mark.parametrize("t_abs", [1e-3, 0.02, 1e3])
def test_dead_times_from_the_shortest_to_the_longest(t_abs):
    """A neuron that is driven without end fires as often as its dead time lets it, and growing buffers hold it all."""
    network = es.Network("1-2", es.SRM(t_abs=t_abs, scale_ref=0.0), n_ticks=30, seed=None)
    network.layers[0].weight = [[1e6, -1e6]]
    got = forward_exact(network, Spikes([0, 1], [0], time=[0.0], n_neurons=1, n_ticks=30)).output
    assert set(got.address) == {0} and abs(len(got) - np.ceil(30 / t_abs)) <= 1
    np.testing.assert_allclose(np.diff(got.time), t_abs, rtol=1e-9)


def test_silences_are_waited_out():
    """A psp that peaks long after its only spike, and one that comes after a long silence."""
    network = es.Network("1-1", es.SRM(tau_syn=200.0, tau_ref=0.1), n_ticks=10**6, seed=None)
    network.layers[0].weight = [[10.5]]
    spikes = Spikes([0, 2], [0, 0], time=[3.25, 900_000.0], n_neurons=1, n_ticks=10**6)
    swept, queued = forward_exact(network, spikes).output, forward_queue(network, spikes).output
    assert len(swept) > 100 and swept.time[-1] > 900_000
    np.testing.assert_allclose(swept.time, queued.time, rtol=0, atol=1e-9)


def test_simultaneous_spikes_are_ordered_by_neuron():
    network = es.Network("1-200", es.SRM(t_abs=50.0), n_ticks=20, seed=None)
    network.layers[0].weight = np.full((1, 200), 20.0)
    got = forward_exact(network, Spikes([0, 1], [0], time=[1.0], n_neurons=1, n_ticks=20)).output
    assert got.address.tolist() == list(range(200)) and len(set(got.time)) == 1


def test_networks_with_delays_go_through_the_queue(rng):
    network = random_network(rng, (12, 7, 3), es.SRM(), [("axonal", "uniform")])
    spikes = random_times(rng, 12, 60)
    assert same(forward_exact(network, spikes), forward_queue(network, spikes))
    assert forward_exact(network, spikes).layers[0].singly is None


def test_grid_equals_exact_in_synops_of_the_first_layer_and_both_count_their_own_lists(shared):
    events = es.read(shared / "data" / "aer" / "sample_nmnist.bin")
    network = es.Network("34x34x2-100-50-10", n_ticks=400, input_mode="count", seed=1)
    for layer in network.layers:
        layer.weight *= 3
    traces = [network.simulate(events, clock=clock) for clock in ("grid", "exact")]
    assert all(trace.binning.out_of_window == 0 for trace in traces)
    assert traces[0].layers[0].synops == traces[1].layers[0].synops == len(events) * 100
    for trace in traces:
        lists = [trace.input, *(layer.spikes for layer in trace.layers)]
        fans = [len(spikes) * layer.n_out for spikes, layer in zip(lists, network.layers, strict=False)]
        assert [layer.synops for layer in trace.layers] == fans


def test_grid_tends_to_the_exact_clock(rng):
    """With dt going to 0 and t_abs fixed, spikes come closer, in proportion to dt, and counts agree."""
    times, addresses = np.sort(rng.integers(0, 50_000, 300)), rng.integers(0, 20, 300)
    events = es.Events(times, addresses, np.zeros(300, int), np.zeros(300, int), es.Sensor(20, 1, 1))
    weight = rng.normal(0.5, 2.0, (20, 60))
    apart, counts = [], []
    for dt in (1.0, 0.1, 0.01):
        network = es.Network("20x1x1-60", es.SRM(t_abs=1.0), dt=dt, n_ticks=round(60 / dt), input_mode="count")
        network.layers[0].weight = weight
        exact, grid = network.simulate(events, clock="exact").output, network.simulate(events, clock="grid").output
        counts.append((len(grid), len(exact)))
        exact = by_neuron(exact.time, exact.address, 60)
        grid = by_neuron(grid.tick * dt, grid.address, 60)
        apart.append(np.median([abs(a[0] - b[0]) for a, b in zip(exact, grid, strict=True) if len(a) and len(b)]))
    assert counts[-1][1] > 200
    assert abs(counts[-1][0] - counts[-1][1]) <= 0.01 * counts[-1][1]
    for dt, distance in zip((1.0, 0.1, 0.01), apart, strict=True):
        assert 0 < distance <= 2 * dt


def test_what_the_sweep_cannot_run_is_refused(rng):
    network = es.Network("5-4", n_ticks=10)
    with pytest.raises(ConfigError, match="times"):
        forward_exact(network, Spikes([0, 0], [], tick=[], n_neurons=5, n_ticks=10))
    network.layers[0] = Sparse.random(5, 4, 2, 9.0, rng)
    with pytest.raises(ConfigError, match=r"dense1 is Sparse|sparse1 is Sparse"):
        forward_exact(network, Spikes([0, 0], [], time=[], n_neurons=5, n_ticks=10))
    delayed = es.Network("5-4@d1", n_ticks=10)
    with pytest.raises(ConfigError, match="simulation only"):
        forward_exact(delayed, Spikes([0, 0], [], time=[], n_neurons=5, n_ticks=10), supports=[1.0])


def test_psps_shorter_than_the_last_bit_of_the_time():
    """Windows cannot be as short as they should; nothing hangs, and what fires is what the queue finds."""
    network = es.Network("3-4", es.SRM(tau_syn=1e-9), seed=None)
    network.layers[0].weight = np.full((3, 4), 1e3)
    for end in (1e7, 9e8):
        time = np.array([1.0, 2.0, 3.0]) * end / 4
        spikes = Spikes([0, 3], [0, 1, 2], time=time, n_neurons=3, n_ticks=10, dt=end / 10)
        swept, queued = forward_exact(network, spikes).output, forward_queue(network, spikes).output
        assert len(swept) == len(queued) == 12
        np.testing.assert_allclose(swept.time, queued.time, rtol=1e-15)
