"""Convolutions, pools and stages on the exact clock: against the equations, the event queue, and the grid."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_scenes import NEURONS, by_neuron, compare_with_equations, excused, naive_run, same_but_for_grazing
from scenes import shaken
from spatial_scenes import GEOMETRIES, behind_stages, random_times, spatial_network

import eventsim as es
from eventsim.engine import exact
from eventsim.engine.exact import forward_exact
from eventsim.engine.exact_stream import ExactLayer
from eventsim.engine.queue import NetworkQueue, forward_queue
from eventsim.spikes import Spikes

QUICK = settings(deadline=None, derandomize=True, max_examples=60)


@pytest.mark.parametrize("notation", GEOMETRIES.values(), ids=GEOMETRIES)
def test_sweep_equals_the_equations(notation, rng):
    network = spatial_network(rng, notation)
    trace = forward_exact(network, random_times(rng, network, 60, n_samples=2))
    assert compare_with_equations(network, trace) > 100 and len(trace.output) > 5


@st.composite
def runs(draw, most_spikes=100):
    """A network of random geometry behind a random input, and a batch."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width, channels = draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.sampled_from([1, 2, 4]))
    groups = draw(st.sampled_from([1, channels]))
    fields = [f"{width}x{height}x{channels}"]
    if draw(st.booleans()) and min(height, width) >= 2:
        fields, height, width = [*fields, "2p"], height // 2, width // 2
    if draw(st.booleans()):
        fields.append(draw(st.sampled_from(["bn", "do0.5"])))
    size, dilation, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    span = (size - 1) * dilation + 1
    padding = draw(st.integers(0, span - 1))
    if min(height, width) + 2 * padding >= span:
        wide = draw(st.sampled_from([1, 3, 16, 70])) * groups
        fields.append(f"{wide}c{size}s{stride}p{padding}d{dilation}g{groups}")
        fields += ["bn"] if draw(st.booleans()) else []
    fields.append(str(draw(st.sampled_from([1, 5, 70]))))
    neuron = NEURONS[draw(st.sampled_from(list(NEURONS)))]
    offset = draw(st.sampled_from([0.05, 0.5]))
    network = spatial_network(rng, "-".join(fields), neuron, gain=draw(st.sampled_from([1.0, 4.0])), offset=offset)
    return network, random_times(rng, network, draw(st.integers(1, most_spikes)), draw(st.integers(1, 3)))


def test_sweep_equals_queue_on_random_networks():
    grazing, fired, driven = [], [], []

    @QUICK
    @given(runs())
    def compare(run):
        network, spikes = run
        for b in range(spikes.n_samples):
            one = spikes.sample(b)
            swept, queued = forward_exact(network, one), forward_queue(network, one)
            for layer in (*swept.layers, *queued.layers):
                layer.spikes.check()
            grazing.append(same_but_for_grazing(network, swept, queued))
            fired.append(len(swept.output))
            driven.append(any((behind_stages(layer)[1] > 1.0).any() for layer in network.layers))
            if not grazing[-1]:
                assert [x.synops for x in swept.layers] == [x.synops for x in queued.layers]

    compare()
    assert np.mean(np.array(fired) > 0) > 0.5 and max(fired) > 1000
    assert 0.1 < np.mean(driven) < 0.9 and sum(grazing) <= 2


MIXED = {"recurrent": "4x4x2-3c2-2a-5r-3", "delayed": "4x4x2-bn-3c2-5@d1.5-3", "normalised": "4x4x2-3c3p1-2p-bn-5-4r",
         "strided": "5x4x2-2c3s2p1g2-bn-4-3@d0.5"}


@pytest.mark.parametrize("notation", MIXED.values(), ids=MIXED)
def test_delays_and_recurrence_beside_convolutions(notation, rng):
    """All layers together, by the equations."""
    excuses = fired = 0
    for kind in ("default", "slow-refractory", "dead-time"):
        network = spatial_network(rng, notation, NEURONS[kind], n_ticks=20, gain=4.0)
        spikes = random_times(rng, network, 25)
        trace = forward_exact(network, spikes)
        excuses += excused(trace, naive_run(network, spikes))
        fired += len(trace.output)
    assert fired > 5 and excuses <= 1


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


def pieces_of(runner, spikes, cuts):
    """What a runner gives for the pieces of one sample between cuts."""
    for since, until in itertools.pairwise([0.0, *sorted(cuts), 60.0]):
        part = slice(*np.searchsorted(spikes.time, [since, until]))
        yield runner.advance(spikes.time[part], spikes.address[part], until)


@QUICK
@given(runs(), st.lists(st.floats(0.0, 60.0), max_size=6))
def test_a_layer_runs_piece_by_piece(run, cuts):
    network, spikes = run
    spikes, layer = spikes.sample(0), network.layers[0]
    whole = forward_exact(network, spikes).layers[0].spikes
    found = pieces_of(ExactLayer(layer, network.neuron, network.dt), spikes, cuts)
    time, address = map(np.concatenate, zip(*found, strict=True))
    for mine, other in zip(by_neuron(time, address, layer.n_out), by_neuron(whole.time, whole.address, layer.n_out),
                           strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


@QUICK
@given(runs(), st.lists(st.floats(0.0, 60.0), max_size=6))
def test_the_queue_runs_piece_by_piece(run, cuts):
    network, spikes = run
    spikes = spikes.sample(0)
    found = list(pieces_of(NetworkQueue(network), spikes, cuts))
    for k, layer in enumerate(forward_queue(network, spikes).layers):
        for column, want in enumerate((layer.spikes.time, layer.spikes.address)):
            np.testing.assert_array_equal(np.concatenate([piece[k][column] for piece in found]), want)


@pytest.mark.parametrize("longest", [0.01, 0.05, 1.0])
def test_windows_of_any_length_give_the_same_spikes(longest, rng, monkeypatch):
    network = spatial_network(rng, GEOMETRIES["everything"])
    spikes = random_times(rng, network, 100)
    want = forward_exact(network, spikes)
    monkeypatch.setattr("eventsim.engine.windows._LONGEST", longest)
    got = forward_exact(network, spikes)
    assert len(got.output) > 10
    assert not same_but_for_grazing(network, want, got)
    assert got.layers[0].singly != want.layers[0].singly


def test_silences_are_waited_out_and_patches_at_rest_are_left_alone():
    """A psp that peaks long after its only spike; patches that see nothing are not taken over a window at all."""
    network = es.Network("40x40x1-2c3-1", es.SRM(tau_syn=200.0, tau_ref=0.1), n_ticks=10**6, seed=None)
    network.layers[0].weight = np.full((1, 3, 3, 2), 10.5)
    spikes = Spikes([0, 2], [45, 45], time=[3.25, 900_000.0], n_neurons=1600, n_ticks=10**6)
    swept, queued = (run(network, spikes).layers[0].spikes for run in (forward_exact, forward_queue))
    assert len(swept) > 100 and swept.time[-1] > 900_000
    assert np.array_equal(np.unique(swept.address), np.unique(queued.address))
    np.testing.assert_allclose(np.sort(swept.time), np.sort(queued.time), rtol=0, atol=1e-9)
    assert len(np.unique(swept.address)) < 0.01 * network.layers[0].n_out
    assert forward_exact(network, spikes).layers[0].singly > 0.05


CONSTANTS = {"none": 0.0, "below": 0.9, "a hair below": 1 - 1e-9, "a hair above": 1 + 1e-9, "above": 1.1, "far": 1e4,
             "against": -3.0, "far against": -1e6}


def driven_network(notation, share, neuron):
    """A network whose first layer gets a constant input that comes to ``share`` thresholds in the middle."""
    network = es.Network(notation, neuron, n_ticks=60, seed=None)
    layer = network.layers[0]
    layer.weight = np.full(layer.weight_shape, 2.0)
    (norm,) = layer.stages
    per_tick = share * neuron.theta / (np.e * neuron.tau_syn * 2.0 * layer.fan_in)
    norm.running_mean, norm.beta = np.full(norm.given.channels, 0.05), np.full(norm.given.channels, per_tick + 0.05)
    norm.running_var = np.full(norm.given.channels, 1 - 1e-5)
    return network


@pytest.mark.parametrize("share", CONSTANTS.values(), ids=CONSTANTS)
@pytest.mark.parametrize("kind", ["default", "long-recovery", "equal-taus", "slow-refractory"])
@pytest.mark.parametrize("notation", ["5x4x1-bn-3c3p1-2", "5x4x1-bn-9"])
def test_a_constant_input_is_a_current_from_the_beginning(share, kind, notation):
    """Without a spike neurons fire if it reaches the threshold; of a convolution fewer at its borders."""
    network = driven_network(notation, share, NEURONS[kind])
    nothing = Spikes([0, 0], [], time=[], n_neurons=20, n_ticks=60)
    swept, queued = forward_exact(network, nothing), forward_queue(network, nothing)
    assert not same_but_for_grazing(network, swept, queued) or abs(share - 1) < 1e-6
    layer, first = network.layers[0], swept.layers[0].spikes
    reached = behind_stages(layer)[1] * np.e * network.neuron.tau_syn >= network.neuron.theta
    assert set(first.address) <= set(np.flatnonzero(reached))
    if abs(share - 1) > 1e-6:
        assert compare_with_equations(network, swept) == sum(len(done.spikes) for done in swept.layers)
        assert (len(first) > 0) == (share > 1)


@pytest.mark.parametrize("share", [-1e6, -1e3, 1e3, 1e6])
def test_bounds_are_safe_where_constants_are_large(share, rng):
    """Spikes that drive a neuron by as much as its constant input does, and leave about a threshold."""
    network = driven_network("5x4x1-bn-70c3p1-2", share, es.SRM(tau_syn=4.0, t_abs=5.0))
    layer = network.layers[0]
    layer.weight = layer.weight * rng.uniform(0.9, 1.1, layer.weight_shape)
    (norm,) = layer.stages
    size = -share * network.neuron.theta / (layer.fan_in * 2.0)
    norm.gamma = np.full(1, size)
    norm.beta = norm.beta + 0.05 * (size - 1)
    found = []
    for _ in range(5):
        spikes = random_times(rng, network, 60)
        swept, queued = forward_exact(network, spikes), forward_queue(network, spikes)
        same_but_for_grazing(network, swept, queued)
        found.append(len(swept.layers[0].spikes))
    assert min(found) > 10


def on_ticks(network, dt):
    """The same network with a tick of ``dt`` instead of 1 ms: what is constant a tick is less by as much."""
    neuron = dataclasses.replace(network.neuron, t_abs=1.0)
    other = es.Network(network.arch.notation, neuron, dt=dt, n_ticks=round(60 / dt), input_mode="count", seed=None)
    for mine, layer in zip(other.layers, network.layers, strict=True):
        mine.packed[:] = layer.packed
        for stage, norm in zip(mine.stages, layer.stages, strict=True):
            if norm.kind == "batch_norm":
                stage.gamma, stage.running_var = norm.gamma, norm.running_var
                stage.beta, stage.running_mean = dt * norm.beta, dt * norm.running_mean
    return other


@pytest.mark.parametrize(("notation", "gain"), [
    ("6x5x2-12c3p1", 1.0), ("6x6x2-2p-bn-12c2", 3.0), ("6x6x2-2a", 1.0), ("6x6x2-bn-20", 3.0),
])
def test_grid_tends_to_the_exact_clock(notation, gain, rng):
    """With dt going to 0 and t_abs fixed, spikes come closer, in proportion to dt, and counts agree."""
    network = spatial_network(rng, notation, gain=gain)
    n = network.arch.n_inputs
    time, pixel = np.sort(rng.integers(0, 50_000, 150)), rng.integers(0, n, 150)
    events = es.Events(time, *np.array([network.sensor.pixel(i) for i in pixel]).T, network.sensor)
    apart, counts = [], []
    for dt in (1.0, 0.1, 0.01):
        other = on_ticks(network, dt)
        exact, grid = (other.simulate(events, clock=clock).output for clock in ("exact", "grid"))
        counts.append((len(grid), len(exact)))
        exact = by_neuron(exact.time, exact.address, exact.n_neurons)
        grid = by_neuron(grid.tick * dt, grid.address, grid.n_neurons)
        apart.append(np.median([abs(a[0] - b[0]) for a, b in zip(exact, grid, strict=True) if len(a) and len(b)]))
    assert counts[-1][1] > 50
    assert abs(counts[-1][0] - counts[-1][1]) <= 0.02 * counts[-1][1]
    for dt, distance in zip((1.0, 0.1, 0.01), apart, strict=True):
        assert 0 < distance <= 2 * dt


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_weights_of_fewer_bits_run_as_their_values(precision, rng):
    """In the sweep, the queue and on a stream, and nearly as those of float32."""
    network = spatial_network(rng, GEOMETRIES["everything"])
    small, spikes = network.with_weights(precision), random_times(rng, network, 80)
    swept, queued = forward_exact(small, spikes), forward_queue(small, spikes)
    assert len(swept.output) > 10 and [len(a.spikes) for a in swept.layers] == [len(a.spikes) for a in queued.layers]
    for a, b in zip(swept.layers, queued.layers, strict=True):
        np.testing.assert_allclose(np.sort(a.spikes.time), np.sort(b.spikes.time), rtol=0, atol=1e-9)
    whole = forward_exact(network, spikes)
    assert len(whole.layers[0].spikes) == pytest.approx(len(swept.layers[0].spikes), rel=0.05)
