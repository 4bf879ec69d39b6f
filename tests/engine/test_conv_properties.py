"""What must hold of every run of every convolution: exact sums, batches, shifts, threads, linear gradients."""

import numpy as np
import pytest
from conv_scenes import conv_network, maps, parameter_gradients, random_conv_network, random_errors, train_forward
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive import spatial, srm
from scenes import Dyadic, random_spikes

from eventsim import kernels
from eventsim.engine import forward
from eventsim.model import SRM
from eventsim.spikes import Spikes

QUICK = settings(deadline=None, derandomize=True, max_examples=60)
INF = np.inf


@st.composite
def convolutions(draw):
    """A network of one convolution, with or without stages before it, dyadic neurons and weights of 0."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels = groups * draw(st.integers(1, 4)), groups * draw(st.sampled_from([1, 2, 4, 5, 11, 16, 33]))
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    size, stride, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, (size - 1) * dilation))
    assume(min(width, height) + 2 * padding > (size - 1) * dilation)
    pool = draw(st.sampled_from([1, 1, 2, 3]))
    left_over = draw(st.integers(0, pool - 1))
    stages = (f"{pool}p-" if pool > 1 else "") + draw(st.sampled_from(["", "bn-"]))
    first = f"{pool * width + left_over}x{pool * height + left_over}x{channels[0]}"
    layer = f"{channels[1]}c{size}s{stride}p{padding}d{dilation}g{groups}"
    return conv_network(f"{first}-{stages}{layer}", Dyadic(theta=4.0))


@QUICK
@given(convolutions(), st.integers(0, 2**32 - 1), st.booleans())
def test_exact_sums_give_exact_spikes(network, seed, repeats):
    rng = np.random.default_rng(seed)
    layer, neuron = network.layers[0], network.neuron
    ninths = any(stage.kind == "average_pool" and stage.size == 3 for stage in layer.stages)
    layer.weight = rng.integers(-2, 7, layer.weight_shape) * (9.0 if ninths else 1.0)
    spikes = random_spikes(rng, network.arch.n_inputs, 2, 8, 0.3, repeats)
    y = maps(spikes, network.arch.input)
    for stage in layer.stages:
        if stage.kind == "average_pool":
            y = spatial.average_pool(y, stage.size)
        else:
            n = stage.given.channels
            stage.beta, stage.running_var = rng.integers(-1, 3, n) / 8, np.full(n, 1 - 1e-5)
            y = y + stage.beta[:, None, None]
    window = layer.window
    current = spatial.conv(y, layer.weight.astype(float), window.stride, window.padding, window.dilation, layer.groups)
    eps, nu = neuron.kernels(8, False)
    current = np.round(64 * current) / 64  # nine ninths are a whole
    want, *_ = srm.fire(srm.psp(current, eps).reshape(8, -1), nu, 4.0, 1)
    np.testing.assert_array_equal(maps(forward(network, spikes).output, layer.shape).reshape(8, -1), want)
    rows = layer.patches.expand(layer.packed)
    assert set(np.unique(rows[rows != 0])) <= set(np.unique(layer.weight))


@QUICK
@given(convolutions(), st.integers(0, 2**32 - 1))
def test_expanding_weights_and_folding_gradients_are_adjoint(network, seed):
    rng, layer = np.random.default_rng(seed), network.layers[0]
    layer.weight = rng.integers(-9, 10, layer.weight_shape)
    patches = layer.patches
    gradient = rng.integers(-9, 10, (patches.channel_tiles, patches.n_rows, 64)).astype(float)
    folded = patches.fold(gradient, layer.packed)
    assert folded.shape == layer.packed.shape
    assert np.sum(patches.expand(layer.packed) * gradient) == np.sum(layer.packed * folded.astype(float))
    # Every neuron has a lane of its own.
    lanes = layer.lane_neuron[layer.lane_neuron >= 0]
    assert sorted(lanes.tolist()) == list(range(layer.n_out))


@st.composite
def runs(draw):
    """A network, a batch, supports, a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    notation = draw(st.sampled_from([
        "7x6x2-12c3-20c2-5", "8x8x2-16c3-2a-9", "9x8x2-6c3-2p-bn-16c2p1-7", "6x6x3-bn-100c3s2-4",
        "8x7x2-2p-do0.3-32c2-6", "12x12x2-32c5-2p-bn-16c3-2p-bn-10-do0.2-5",
    ]))
    n_samples = draw(st.integers(1, 4))
    empty = tuple(draw(st.sets(st.integers(0, n_samples - 1), max_size=1)))
    n_inputs = conv_network(notation).arch.n_inputs
    spikes = random_spikes(rng, n_inputs, n_samples, draw(st.integers(8, 30)), draw(st.sampled_from([0.05, 0.3])),
                           draw(st.booleans()), empty)
    assume(len(spikes) > 50)
    neuron = draw(st.sampled_from([SRM(tau_syn=3.0), SRM(tau_syn=2.0, t_abs=3.0, tau_rho=0.5)]))
    network = random_conv_network(rng, notation, spikes, neuron)
    supports = draw(st.sampled_from([(0.3, INF, 0.5, 1.5), (1.5, 0.5, 0.3, INF), (INF, 1.0, INF, 0.3)]))
    return network, spikes, supports[: len(network.layers)], rng


@QUICK
@given(runs())
def test_a_batch_is_the_loop_over_its_samples(run):
    """In inference, where normalisation does not mix the samples."""
    network, spikes, supports, _ = run
    whole = forward(network, spikes, supports=supports)
    for b in range(spikes.n_samples):
        one = forward(network, spikes.sample(b), supports=supports)
        for x, y in zip(whole.layers, one.layers, strict=True):
            assert x.spikes.sample(b) == y.spikes
            if not x.active.full:
                for got, want in zip(x.active.pairs(b), y.active.pairs(0), strict=True):
                    np.testing.assert_array_equal(got, want)


@QUICK
@given(runs())
def test_gradients_of_a_batch_are_the_sum_over_its_samples(run):
    """Where nothing mixes the samples: with the running statistics, and nobody dropped."""
    network, spikes, supports, rng = run
    errors = random_errors(rng, network, spikes)
    weights = [i for i, array in enumerate(network.parameters) if any(array is x.packed for x in network.layers)]
    whole = parameter_gradients(network, forward(network, spikes, supports=supports), errors)
    parts = [parameter_gradients(network, forward(network, spikes.sample(b), supports=supports), errors[b : b + 1])
             for b in range(spikes.n_samples)]
    for i in weights:
        want = np.sum([part[i] for part in parts], axis=0, dtype=np.float64)
        assert np.abs(whole[i] - want).max() <= 1e-5 * np.abs(want).max()


@QUICK
@given(runs())
def test_results_do_not_depend_on_the_number_of_threads(run):
    network, spikes, supports, rng = run
    errors = random_errors(rng, network, spikes)
    found = []
    for n in (1, 2, 3, 5):
        kernels.set_threads(n)
        try:
            trace = train_forward(network, spikes, supports)
            found.append((trace, parameter_gradients(network, trace, errors), forward(network, spikes)))
        finally:
            kernels.set_threads(None)
    first, gradients, inference = found[0]
    for trace, others, again in found[1:]:
        for x, y in zip((*first.layers, *inference.layers), (*trace.layers, *again.layers), strict=True):
            assert x.spikes == y.spikes
        for x, y in zip(first.layers, trace.layers, strict=True):
            for name in ("entry_start", "pair_start", "entry_lane", "entry_ticks", "rho"):
                np.testing.assert_array_equal(getattr(x.active, name), getattr(y.active, name))
        for x, y in zip(gradients, others, strict=True):
            np.testing.assert_array_equal(x, y)


@QUICK
@given(runs(), st.integers(1, 9))
def test_a_later_input_gives_the_same_output_later(run, k):
    network, spikes, _, _ = run
    assume(all(stage.kind != "batch_norm" for layer in network.layers for stage in layer.stages))
    later = Spikes(spikes.sample_ptr, spikes.address, tick=spikes.tick + k, n_neurons=spikes.n_neurons,
                   n_ticks=spikes.n_ticks + k)
    for x, y in zip(forward(network, spikes).layers, forward(network, later).layers, strict=True):
        assert np.array_equal(x.spikes.sample_ptr, y.spikes.sample_ptr)
        assert np.array_equal(x.spikes.address, y.spikes.address)
        assert np.array_equal(x.spikes.tick + k, y.spikes.tick)


@QUICK
@given(runs(), st.integers(0, 40))
def test_the_future_does_not_change_the_past(run, cut):
    network, spikes, _, _ = run
    first = Spikes.from_structured(spikes.to_structured()[spikes.tick < cut], n_samples=spikes.n_samples,
                                   n_neurons=spikes.n_neurons, n_ticks=spikes.n_ticks)
    for x, y in zip(forward(network, spikes).layers, forward(network, first).layers, strict=True):
        # The input of tick t acts from tick t + 1 on.
        x, y = (s.to_structured()[s.tick <= cut] for s in (x.spikes, y.spikes))
        assert np.array_equal(x, y)


@QUICK
@given(runs())
def test_gradients_are_linear_in_the_error(run):
    network, spikes, supports, rng = run
    trace = train_forward(network, spikes, supports)
    errors = random_errors(rng, network, spikes)
    once, doubled = (parameter_gradients(network, trace, e) for e in (errors, 2 * errors))
    for x, y in zip(once, doubled, strict=True):
        np.testing.assert_array_equal(2 * x, y)  # doubling is exact
    assert not any(g.any() for g in parameter_gradients(network, trace, 0 * errors))


@pytest.mark.parametrize("notation, step", [("9x9x2-12c3", 1), ("9x9x2-16c3p1", 1), ("17x17x2-2p-8c2", 2)])
def test_a_convolution_moves_with_its_input(rng, notation, step):
    """The same weights everywhere: an input elsewhere gives the same spikes elsewhere."""
    network = conv_network(notation, Dyadic(theta=4.0))
    layer, size = network.layers[0], network.arch.input.height
    layer.weight = rng.integers(-2, 7, layer.weight_shape) * step**2 / 2
    x = np.zeros((9, 2, size, size), bool)
    x[:, :, 2:-3, 2:-3] = rng.random((9, 2, size - 5, size - 5)) < 0.3
    both = (x, np.roll(x, (step, step), axis=(2, 3)))
    tick, address = zip(*(np.nonzero(m.reshape(9, -1)) for m in both), strict=True)
    spikes = Spikes([0, len(tick[0]), 2 * len(tick[0])], np.concatenate(address), tick=np.concatenate(tick),
                    n_neurons=2 * size**2, n_ticks=9)
    here, there = maps(forward(network, spikes).output, layer.shape).transpose(1, 0, 2, 3, 4)
    np.testing.assert_array_equal(here[..., :-1, :-1], there[..., 1:, 1:])
    assert 0 < here.mean() < 1
