"""Active sets and gradients of convolutions, pools and stages on the exact clock, against sums over histories."""

import importlib

import numpy as np
import pytest
from exact_gradient_scenes import NEURONS, assert_same, check_active, errors_for, random_times, shaken_run
from hypothesis import given, settings
from hypothesis import strategies as st
from lif_scenes import NEURONS as LEAKY
from lif_scenes import strength, timed_parameters
from naive import exact_spatial as naive
from naive.exact_lif_gradient import fired
from queue_scenes import by_neuron
from spatial_scenes import folded, gradients, matrix, spatial_network

from eventsim.data.encoders import bin_events, exact_times
from eventsim.engine import run
from eventsim.engine.exact import forward_exact
from eventsim.engine.feed import arrivals
from eventsim.events import Events
from eventsim.model import SRM, Network
from eventsim.spikes import Spikes

INF = np.inf
QUICK = settings(deadline=None, derandomize=True, max_examples=10)
module = importlib.import_module("eventsim.engine.adjoint")
# Networks, and supports of their layers.
CASES = {
    "convolution": ("5x4x2-12c3p1-9", (0.5, INF)), "wide convolution": ("4x4x2-70c3p1-7c2-4", (0.3, 1.5, INF)),
    "strides and groups": ("7x6x4-8c3s2p1g2-16c2g4-5", (INF, 0.5, 1.0)), "dilation": ("7x6x1-5c3d2-6", (0.4, INF)),
    "spiking pool": ("6x6x2-8c3p1-2a-5", (0.5, INF, 0.5)), "average pool": ("7x6x2-8c3p1-2p-5", (0.5, INF)),
    "normalised": ("4x4x2-6c3p1-bn-5", (0.5, INF)), "normalised convolution": ("5x5x2-6c3p1-bn-8c2-5", (0.5, 0.5, INF)),
    "pooled and normalised": ("6x6x2-8c3p1-2p-bn-16c2p1-2p-bn-7", (1.5, 0.5, INF)),
    "dropped": ("5x4x2-12c3p1-do0.4-20-do0.3-5", (0.5, INF, INF)), "first": ("6x6x2-2p-bn-8c2-5", (0.5, INF)),
    "pool behind stages": ("8x8x2-2p-bn-2a-5", (0.5, 0.5)),
}


def stages_of(layer, feed):
    """A layer's stages as the naive functions take them, dropping as in the run of the ``feed``."""
    norm = [stage for stage in layer.stages if stage.kind == "batch_norm"]
    unit = np.prod([stage.weight for stage in layer.stages if stage.kind != "batch_norm"])
    channel = np.repeat(np.arange(layer.given.channels), layer.given.positions)
    parts = [(one.gamma.astype(float), one.beta.astype(float)) for one in norm] or [()]
    return naive.Stages(arrivals(layer), unit, channel, *parts[0], kept=feed.kept)


def columns(spikes):
    """(times, addresses) of every sample."""
    return [(one.time, one.address) for one in map(spikes.sample, range(spikes.n_samples))]


def compare_with_naive(network, spikes, supports, errors, seed=0):
    """Compare a training run's spikes, statistics, active sets and gradients."""
    trace, plain = (forward_exact(network, spikes, supports=kept, rng=np.random.default_rng(seed))
                    for kept in (supports, None))
    dt, n_ticks, excused = spikes.dt, spikes.n_ticks, 0
    p = timed_parameters(network.neuron, dt)
    given, walked = spikes, []
    for layer, done, other, support in zip(network.layers, trace.layers, plain.layers, supports, strict=True):
        done.spikes.check()
        assert len(done.spikes) > 0
        for x, y in zip(*(by_neuron(s.time, s.address, s.n_neurons) for s in (done.spikes, other.spikes)), strict=True):
            np.testing.assert_allclose(np.sort(x), np.sort(y), rtol=0, atol=1e-9)
        stages = stages_of(layer, done.feed)
        batch = [naive.arriving(stages, b, *one) for b, one in enumerate(columns(given))]
        x = naive.counted(stages, batch, dt, n_ticks)
        if stages.gamma is not None:
            for mine, want in zip((done.feed.statistics.mean, done.feed.statistics.var), naive.statistics(stages, x),
                                  strict=True):
                np.testing.assert_allclose(mine, want, rtol=1e-12, atol=1e-15)
        w, own = matrix(layer), columns(done.spikes)
        found = [naive.potentials(stages, b, batch[b], x, w, own[b], p, dt, n_ticks) for b in range(len(batch))]
        active = [check_active(done.active, b, *one, support, p) for b, one in enumerate(found)]
        excused += sum(doubtful for _, doubtful in active)
        cut = [fired(*one, dt, n_ticks, w.shape[1]) for one in own]
        walked.append((stages, batch, x, w, [u for u, _ in found], [where for where, _ in active], cut))
        given = done.spikes
    assert excused <= 3
    error, wanted = errors.transpose(0, 2, 1).astype(float), []
    for layer, one in reversed(list(zip(network.layers, walked, strict=True))):
        by_weights, by_norm, error = naive.backward(*one, error, p, dt)
        wanted.append((folded(layer, by_weights) if layer.n_weights else None, by_norm))
    for got, want in zip(gradients(network, trace, errors), reversed(wanted), strict=True):
        assert (got[0] is None) == (want[0] is None) and len(got[1]) == len(want[1])
        for x, y in zip((*got[1], *(got[:1] if got[0] is not None else ())),
                        (*want[1], *(want[:1] if want[0] is not None else ())), strict=True):
            assert np.abs(y).max() > 0
            assert np.abs(x - y).max() <= 5e-5 * np.abs(y).max()


@pytest.mark.parametrize(("n_ticks", "dt"), [(30, 1.0), (70, 0.3)])
@pytest.mark.parametrize(("notation", "supports"), CASES.values(), ids=CASES)
def test_active_sets_and_gradients_are_those_of_the_sums(rng, notation, supports, n_ticks, dt):
    network = spatial_network(rng, notation, NEURONS["plain"], n_ticks, dt, gain=1.5)
    spikes = random_times(rng, network.arch.n_inputs, 60, n_ticks, dt, n_samples=2)
    compare_with_naive(network, spikes, supports, errors_for(network, spikes, rng))


@pytest.mark.parametrize("kind", NEURONS)
def test_neurons_of_every_kind(rng, kind):
    notation, supports = CASES["pooled and normalised"]
    network = spatial_network(rng, notation, NEURONS[kind], 40, gain=1.2)
    spikes = random_times(rng, network.arch.n_inputs, 60, 40, n_samples=3, empty=(1,))
    compare_with_naive(network, spikes, supports, errors_for(network, spikes, rng))


@pytest.mark.parametrize(("case", "kind"), [
    *(("pooled and normalised", kind) for kind in ("subtract", "hard", "dead", "strict", "current, hard", "as fast")),
    ("strides and groups", "hard"), ("spiking pool", "current"), ("spiking pool", "dead, hard"), ("dropped", "late"),
])
def test_leaky_neurons(rng, case, kind):
    notation, supports = CASES[case]
    network = spatial_network(rng, notation, LEAKY[kind], 30, gain=2.0 * strength(LEAKY[kind]) / LEAKY[kind].theta)
    spikes = random_times(rng, network.arch.n_inputs, 60, 30, n_samples=2)
    compare_with_naive(network, spikes, supports, errors_for(network, spikes, rng))


@st.composite
def runs(draw):
    """A network, a batch, supports and errors."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    notation, supports = CASES[draw(st.sampled_from(list(CASES)))]
    n_ticks, dt = draw(st.sampled_from([1, 30, 64, 65, 129])), draw(st.sampled_from([1.0, 0.3]))
    leaky = [name for name, neuron in LEAKY.items() if np.isfinite(neuron.tau_mem)]
    neuron = draw(st.sampled_from([*NEURONS.values(), *(LEAKY[name] for name in leaky)]))
    gain = 3.0 if neuron in NEURONS.values() else 2.0 * strength(neuron) / neuron.theta
    network = spatial_network(rng, notation, neuron, n_ticks, dt, gain)
    empty = draw(st.sets(st.integers(0, 3), max_size=1))
    n_spikes, n_samples = draw(st.integers(1, 80)), draw(st.integers(1, 4))
    spikes = random_times(rng, network.arch.n_inputs, n_spikes, n_ticks, dt, n_samples, empty)
    return network, spikes, supports, errors_for(network, spikes, rng)


def trained(network, spikes, supports, errors):
    """The trace of a training run, and its gradients."""
    trace = forward_exact(network, spikes, supports=supports, rng=np.random.default_rng(0))
    return trace, gradients(network, trace, errors)


@QUICK
@given(runs(), st.integers(2, 5), st.integers(1, 50))
def test_neither_threads_nor_first_buffers_change_a_bit(run, n_threads, room):
    want = trained(*run)
    got = shaken_run(trained, run, n_threads, room)
    assert_same((got[0], []), (want[0], []))
    for (mine, norm), (other, other_norm) in zip(got[1], want[1], strict=True):
        np.testing.assert_array_equal(mine, other)
        np.testing.assert_array_equal(norm, other_norm)


@pytest.mark.parametrize("support", [0.5, 1.5, INF])
def test_patches_at_rest_are_left_out_and_nothing_else(rng, support):
    """Bursts of spikes far apart: in between nobody is active, or all are."""
    network = spatial_network(rng, "6x6x2-8c3p1-bn-3", NEURONS["slow refractory response"], 400, gain=2.0)
    array = random_times(rng, 72, 60, 400, n_samples=1).to_structured()
    array["time"] = np.floor(array["time"] / 150) * 150 + array["time"] % 9
    spikes = Spikes.from_structured(array, n_samples=1, n_neurons=72, n_ticks=400)
    compare_with_naive(network, spikes, (support, INF), errors_for(network, spikes, rng))
    trace = forward_exact(network, spikes, supports=(support, INF), rng=np.random.default_rng(0))
    share = trace.layers[0].active.n_pairs / (network.layers[0].n_out * 400)
    assert share == 1.0 if support == INF else 0 < share < 1


@pytest.mark.parametrize("notation", ["4x4x2-3c3-bn-2", "4x4x2-2a-bn-4c1-2"])
def test_a_batch_may_be_empty_and_a_sample_may_have_no_ticks(rng, notation):
    network = spatial_network(rng, notation)
    for n_samples, n_ticks in ((0, 8), (2, 0), (2, 8)):
        nothing = Spikes(np.zeros(n_samples + 1, int), [], time=[], n_neurons=32, n_ticks=n_ticks)
        errors = np.ones((n_samples, 2, n_ticks), np.float32)
        trace, found = trained(network, nothing, [INF] * len(network.layers), errors)
        assert len(trace.layers[0].spikes) == 0 and (found[0][0] is None or not found[0][0].any())
        (by_norm,) = (norm for _, norm in found if norm)
        assert all(np.isfinite(gradient).all() for gradient in by_norm)
        assert by_norm[1].any() == (n_samples * n_ticks > 0)


def gradients_on_both_clocks(rng, notation, dt_list):
    """For each dt, how far apart the gradients are; None where the clocks do not fire the same spikes."""
    sensor = Network(notation).sensor
    t = np.sort(rng.integers(0, 50_000, 80))
    events = Events(t, *np.array([sensor.pixel(i) for i in rng.integers(0, sensor.n_addresses, 80)]).T, sensor)
    weights = spatial_network(rng, notation, gain=0.8)
    phase, apart = rng.uniform(0, 2 * np.pi, (weights.arch.n_outputs, 1)), []
    for dt in dt_list:
        network = Network(notation, SRM(tau_syn=4.0, t_abs=1.0), dt=dt, n_ticks=round(60 / dt), input_mode="count")
        for layer, other in zip(network.layers, weights.layers, strict=True):
            layer.packed[:] = other.packed
            # Spikes in a tick, and their variance, are in proportion to its length.
            for stage, norm in zip(layer.stages, other.stages, strict=True):
                if norm.kind == "batch_norm":
                    stage.gamma, stage.beta = np.sqrt(dt) * norm.gamma, dt * norm.beta
        errors = np.sin(0.1 * dt * np.arange(network.n_ticks) + phase).astype(np.float32)[None]
        given = bin_events(events, dt, network.n_ticks, "count")[0], exact_times(events, 60.0, dt)[0]
        traces = [run(network, one, supports=[INF] * len(network.layers), rng=np.random.default_rng(0))
                  for one in given]
        counts = [[done.spikes.counts() for done in trace.layers] for trace in traces]
        if not all(np.array_equal(a, b) and a.sum() > 5 for a, b in zip(*counts, strict=True)):
            return None
        found = [np.concatenate([part.ravel() for one in gradients(network, trace, errors)
                                 for part in (*one[:1], *one[1]) if part is not None]) for trace in traces]
        apart.append(np.linalg.norm(found[0] - found[1]) / np.linalg.norm(found[1]))
    return apart


@pytest.mark.parametrize("notation", ["4x4x1-3c2p1-2p-3", "4x4x2-bn-2c2"])
def test_the_gradient_tends_to_that_of_the_grid(rng, notation):
    """With dt going to 0 and t_abs fixed, half the dt is half the difference, on the average over scenes."""
    scenes = [gradients_on_both_clocks(rng, notation, (0.05, 0.025, 0.0125)) for _ in range(120)]
    apart = np.array([scene for scene in scenes if scene])
    assert len(apart) >= 10
    typical = np.exp(np.log(apart).mean(axis=0))
    assert typical[-1] < 0.02 and 0.6 < np.log2(typical[0] / typical[-1]) / 2 < 1.4
