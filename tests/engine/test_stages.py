"""What becomes of spikes between layers: pooling, normalisation and dropout, against the naive walk."""

import numpy as np
import pytest
from conv_scenes import Walks, conv_network, maps, naive_stages, naive_synapses, random_conv_network, train_forward
from naive import spatial, srm
from naive import spatial_network as walk
from scenes import Dyadic, pairs, random_spikes, some_but_not_all

from eventsim.engine import forward
from eventsim.engine.feed import batch_statistics, feed, statistics_of, take_in_statistics
from eventsim.engine.share import Share
from eventsim.errors import ConfigError
from eventsim.model import SRM
from eventsim.model.shape import Shape
from eventsim.model.stages import AveragePool, BatchNorm, Dropout
from eventsim.spikes import Spikes

NETWORKS = {
    "pool": "9x8x3-2p-12c2-3p-7", "pool of one": "5x4x3-1p-12c2", "pool before a dense layer": "9x8x3-4p-30-5",
    "pool before a spiking pool": "12x8x3-2p-2a", "norm": "7x6x3-bn-12c3-bn-9", "norm of a dense layer": "30-20-bn-9",
    "norm of lone channels": "1x1x12-bn-8c1-bn-70c1", "norm into padding": "6x5x4-bn-20c3p1-bn-12c3s2p2",
    "norm into dilation and groups": "8x8x4-bn-24c3d2g2p1", "norm before a spiking pool": "8x8x3-bn-2a-5",
    "pool and norm": "12x12x2-16c3-2p-bn-12c3-bn-20-5", "pools that round down": "13x11x2-2p-bn-100c3-3p-bn-6",
    "dropout": "8x7x2-do0.3-12c3-do0.5-40-do0.1-9", "pool and dropout": "9x8x2-12c3-2p-do0.4-70c2-2p-do0.2-5",
    "dropout of nobody": "8x7x2-do0-12c3", "dropout before a spiking pool": "8x8x3-do0.3-2a",
}
NEURONS = {
    "plain": (SRM(tau_syn=4.0), 1.0), "dead ticks": (SRM(tau_syn=3.0, t_abs=3.0), 1.0),
    "weak refractory response": (SRM(tau_syn=3.0, scale_ref=0.05, tau_ref=2.0, t_abs=2.0), 1.0),
    "short ticks": (SRM(tau_syn=2.0, tau_ref=0.5, t_abs=0.6), 0.25),
}


def scene(rng, notation, neuron=None, dt=1.0, n_ticks=40, rate=0.1, repeats=False):
    spikes = random_spikes(rng, conv_network(notation).arch.n_inputs, 4, n_ticks, rate, repeats, empty=(1,), dt=dt)
    return random_conv_network(rng, notation, spikes, neuron), spikes


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [False, True])
def test_spikes_behind_stages_are_those_of_the_equations(rng, name, training):
    network, spikes = scene(rng, NETWORKS[name])
    supports = [0.5] * len(network.layers)
    trace = train_forward(network, spikes, supports) if training else forward(network, spikes, supports=supports)
    assert len(trace.layers[0].spikes)
    assert Walks(network, trace, supports).excuses <= 3
    for layer, done in zip(network.layers, trace.layers, strict=True):
        kinds = {stage.kind for stage in layer.stages} if training else set()
        assert (done.feed.statistics is not None, done.feed.kept is not None) == (
            "batch_norm" in kinds, "dropout" in kinds)


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize("notation", ["10x8x2-12c3-2p-bn-16c3p1-bn-9", "10x8x2-2p-do0.3-12c3-do0.2-9"])
def test_every_neuron_behind_stages(rng, name, notation):
    neuron, dt = NEURONS[name]
    network, spikes = scene(rng, notation, neuron, dt, repeats=True)
    for trace in (forward(network, spikes), train_forward(network, spikes, None)):
        assert some_but_not_all(trace.layers[0].spikes)
        assert Walks(network, trace).excuses <= 3


def test_a_truncated_psp_behind_pools_and_dropout(rng):
    network, spikes = scene(rng, "9x8x2-2p-12c3-do0.3-9", SRM(tau_syn=2.0))
    trace = train_forward(network, spikes, None, truncate=True)
    assert all(some_but_not_all(layer.spikes) for layer in trace.layers)
    assert Walks(network, trace, truncate=True).excuses <= 3


def test_a_truncated_psp_of_a_constant_input_is_refused(rng):
    network, spikes = scene(rng, "9x8x2-bn-9")
    with pytest.raises(ConfigError, match="cannot be truncated behind batch normalisation"):
        forward(network, spikes, truncate=True)


@pytest.mark.parametrize("notation", ["6x5x3-bn-12c3", "6x5x3-bn-12c3p1", "6x6x2-2p-bn-100c3s2p2d2", "18-bn-70"])
@pytest.mark.parametrize("offset", [(0.5, -0.25, 0.25), (2.0, -1.0, 1.0), (-0.125, 0.0, -0.25)])
def test_a_constant_input_is_exact_where_sums_are(rng, notation, offset):
    """It is a threshold that moves; stepping an input that comes in every tick gives the same spikes."""
    network = conv_network(notation, Dyadic(theta=4.0))
    (layer,), neuron = network.layers, network.neuron
    layer.weight = rng.integers(-2, 7, layer.weight_shape) / 2
    norm = layer.stages[-1]
    norm.beta = offset = np.resize(offset, norm.given.channels)
    norm.running_var = np.full(norm.given.channels, 1 - 1e-5)  # so that the root is 1, but for less than rounding
    spikes = random_spikes(rng, network.arch.n_inputs, 3, 9, 0.4, empty=(1,))
    got = maps(forward(network, spikes).output, layer.shape)
    y = maps(spikes, network.arch.input)
    y = spatial.average_pool(y, 2) if "2p" in notation else y
    current = naive_synapses(layer).current(y + offset[:, None, None])
    eps, nu = neuron.kernels(9, False)
    want, *_ = srm.fire(srm.psp(current, eps).reshape(9, -1), nu, 4.0, 1)
    np.testing.assert_array_equal(got.reshape(9, -1), want)
    assert 0 < want.mean() < 1
    assert got[:, 1].any() == (offset[0] > 0)  # nothing but the constant reaches the second sample


@pytest.mark.parametrize("support", [None, 0.3, 1.5, np.inf])
@pytest.mark.parametrize("n_ticks, empty", [(60, (0, 1, 2)), (60, (0, 2)), (1, ()), (130, (1,))])
def test_neurons_that_a_constant_input_alone_brings_over_threshold(rng, support, n_ticks, empty):
    network = conv_network("6x6x2-2p-bn-20c2p1-bn-5", SRM(tau_syn=4.0))
    for layer in network.layers:
        layer.weight = rng.normal(0.0, 4.0, layer.weight_shape)
        norm = layer.stages[-1]
        norm.beta = np.resize((0.5, -0.3), norm.given.channels)
    spikes = random_spikes(rng, 72, 3, n_ticks, 0.05, empty=empty)
    supports = None if support is None else [support] * 2
    trace = forward(network, spikes, supports=supports)
    assert Walks(network, trace, supports).excuses <= 3
    constant = walk.forward_layer(
        naive_stages(network.layers[0], trace.layers[0].feed), naive_synapses(network.layers[0]),
        0 * maps(spikes, network.arch.input), lambda u: (u, u, u), srm.alpha(4.0, 1.0, n_ticks),
    ).u
    assert (constant.max() > 10.0) == (len(trace.layers[0].spikes) > 0) == (n_ticks > 1)


def test_an_input_that_nobody_gives_and_no_ticks(rng):
    network, _ = scene(rng, "6x6x2-2p-bn-20c2-do0.1-5")
    for n_samples, n_ticks in ((0, 10), (2, 0), (0, 0)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=72, n_ticks=n_ticks)
        for rng_of_training in (None, np.random.default_rng(0)):
            for support in (None, 0.5, np.inf):
                trace = forward(network, spikes, supports=support and [support] * 2, rng=rng_of_training)
                trace.output.check()
                assert len(trace.output) == 0


@pytest.mark.parametrize("shape, k", [((3, 5, 7), 1), ((3, 5, 7), 2), ((70, 4, 4), 2), ((2, 9, 9), 4), ((40, 1, 1), 1)])
@pytest.mark.parametrize("repeats", [False, True])
def test_statistics_are_those_of_the_same_spikes(rng, shape, k, repeats):
    shape = Shape(*shape)
    network = conv_network(f"{shape}-{k}p-bn-3")
    spikes = random_spikes(rng, shape.size, 4, 25, 0.2, repeats, empty=(2,))
    found = train_forward(network, spikes, None).layers[0].feed.statistics
    x = spatial.average_pool(maps(spikes, shape), k)
    mean, var = spatial.statistics(x)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(found.var, var, rtol=1e-12, atol=1e-15)
    assert found.n == x.size // shape.channels


def test_statistics_of_a_channel_that_never_changes(rng):
    """All or no neurons fire in every tick: the variance is 0 and not a little less."""
    tick, address = np.divmod(np.arange(9 * 7), 9)
    spikes = Spikes([0, 63], address, tick=tick, n_neurons=18, n_ticks=7)
    found = batch_statistics(spikes, Shape(2, 3, 3), 1 / 9, Share.whole(None, 1))
    assert found.mean.tolist() == [1 / 9, 0.0]
    assert np.all(found.var >= 0) and found.var.max() < 1e-15


def test_running_statistics_take_in_a_tenth_of_every_batch(rng):
    network, spikes = scene(rng, "10x8x2-2p-bn-12c3-bn-9", repeats=True)
    norms = [layer.stages[-1] for layer in network.layers]
    want = [(norm.running_mean.astype(float), norm.running_var.astype(float)) for norm in norms]
    for seed in range(3):
        trace = train_forward(network, spikes, None, seed=seed)
        inputs = maps(spikes, network.arch.input), maps(trace.layers[0].spikes, network.layers[0].shape)
        take_in_statistics(network, statistics_of(trace))
        for i, x in enumerate((spatial.average_pool(inputs[0], 2), inputs[1])):
            want[i] = spatial.running(*want[i], x)
            np.testing.assert_allclose(norms[i].running_mean, want[i][0], rtol=1e-5)
            np.testing.assert_allclose(norms[i].running_var, want[i][1], rtol=1e-5)


def test_a_run_for_inference_changes_nothing(rng):
    network, spikes = scene(rng, "10x8x2-2p-bn-12c3-bn-9")
    norm = network.layers[0].stages[-1]
    before = norm.running_mean, norm.running_var
    trace = forward(network, spikes)
    assert all(layer.feed.statistics is None and layer.feed.kept is None for layer in trace.layers)
    take_in_statistics(network, statistics_of(trace))
    np.testing.assert_array_equal(before, (norm.running_mean, norm.running_var))
    # A batch does not change what becomes of one of its samples.
    for b in range(4):
        for whole, one in zip(trace.layers, forward(network, spikes.sample(b)).layers, strict=True):
            assert whole.spikes.sample(b) == one.spikes


def test_normalisation_with_the_batch_s_own_statistics_is_inference_with_them(rng):
    network, spikes = scene(rng, "10x8x2-bn-12c3-2p-bn-9")
    trained = train_forward(network, spikes, None)
    for layer, done in zip(network.layers, trained.layers, strict=True):
        norm, found = layer.stages[-1], done.feed.statistics
        norm.running_mean, norm.running_var = found.mean, found.var
    again = forward(network, spikes)
    assert Walks(network, again).excuses <= 3
    excuses = [np.sum(maps(a.spikes, layer.shape) != maps(b.spikes, layer.shape))
               for layer, a, b in zip(network.layers, trained.layers, again.layers, strict=True)]
    assert excuses[0] <= 2  # float32 keeps the running ones


def test_a_pool_sends_spikes_to_windows(rng):
    layer = conv_network("5x5x2-2p-3").layers[0]
    spikes = random_spikes(rng, 50, 3, 12, 0.3, empty=(1,))
    found = feed(layer, spikes).spikes
    assert found.n_neurons == 8
    np.testing.assert_array_equal(maps(found, Shape(2, 2, 2)), spatial.sum_pool(maps(spikes, Shape(2, 5, 5)), 2))
    assert feed(layer, spikes).unit == 0.25


def test_a_mask_holds_for_all_time_and_is_of_each_sample(rng):
    layer = conv_network("20x20x2-do0.3-3").layers[0]
    spikes = random_spikes(rng, 800, 5, 30, 0.3)
    found = feed(layer, spikes, np.random.default_rng(3))
    kept = found.kept
    assert kept.shape == (5, 800) and found.unit == pytest.approx(1 / 0.7)
    assert abs(kept.mean() - 0.7) < 0.04
    assert len({row.tobytes() for row in kept}) == 5
    want = maps(spikes, Shape(2, 20, 20)) * kept.reshape(5, 2, 20, 20)
    np.testing.assert_array_equal(maps(found.spikes, Shape(2, 20, 20)), want)
    again = feed(layer, spikes, np.random.default_rng(3))
    assert again.spikes == found.spikes and np.array_equal(again.kept, kept)
    assert feed(layer, spikes).spikes == spikes and feed(layer, spikes).unit == 1.0


def test_dropout_is_for_training_only(rng):
    network, spikes = scene(rng, "8x7x2-12c3-do0.5-9")
    without = conv_network("8x7x2-12c3-9")
    for layer, other in zip(network.layers, without.layers, strict=True):
        other.weight = layer.weight
    assert forward(network, spikes).output == forward(without, spikes).output
    assert train_forward(network, spikes, None).output != forward(without, spikes).output


def test_synops_behind_stages_are_those_of_the_spikes_that_arrive(rng):
    network, spikes = scene(rng, "9x9x2-2p-6c3-do0.5-5")
    trace = train_forward(network, spikes, None)
    pooled = trace.layers[0].feed.spikes
    ones = np.ones(network.layers[0].weight_shape)
    fan_out = (spatial.conv_matrix(ones, (2, 4, 4)) != 0).sum(axis=1)
    inside = spatial.sum_pool(maps(spikes, Shape(2, 9, 9)), 2).sum()
    assert len(pooled) == inside < len(spikes)
    assert trace.layers[0].synops == fan_out[pooled.address].sum()
    stay = sum(trace.layers[1].feed.kept[b, a] for b in range(4) for _, a in pairs(trace.layers[0].spikes, b))
    assert trace.layers[1].synops == 5 * stay < 5 * len(trace.layers[0].spikes)


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_normalisation_is_folded_into_weights_of_fewer_bits(rng, precision):
    """Rows are scaled first and rounded after that, so that a channel's small gamma costs no bits."""
    network, spikes = scene(rng, "10x8x2-12c3-2p-bn-9", n_ticks=60)
    want, got = (maps(forward(n, spikes).output, network.layers[-1].shape).sum(axis=0)
                 for n in (network, network.with_weights(precision)))
    assert want.sum() > 20
    assert np.abs(want - got).sum() <= 0.2 * want.sum()


@pytest.mark.parametrize("stage, word", [
    (lambda: Dropout(Shape(2), 1.0), "below 1"), (lambda: Dropout(Shape(2), -0.1), "share from 0"),
    (lambda: Dropout(Shape(2), "0.1"), "share from 0"), (lambda: AveragePool(Shape(2, 2, 2), 3), "does not fit"),
    (lambda: setattr(BatchNorm(Shape(2)), "gamma", [1.0]), "gamma of BatchNorm"),
    (lambda: setattr(BatchNorm(Shape(2)), "beta", [1.0, np.nan]), "finite"),
    (lambda: setattr(BatchNorm(Shape(2)), "running_var", [1.0, -1.0]), "must not be negative"),
    (lambda: setattr(BatchNorm(Shape(2)), "running_mean", ["a", "b"]), "running_mean of BatchNorm"),
], ids=range(8))
def test_stages_refuse_what_cannot_be(stage, word):
    with pytest.raises(ConfigError, match=word):
        stage()
