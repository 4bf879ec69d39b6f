"""What is counted of whole networks, against dense matrices and the traces themselves."""

import numpy as np
import pytest
from conv_scenes import GEOMETRIES, conv_network, random_conv_network
from naive import spatial
from scenes import dense, random_network, random_spikes

from eventsim.engine import run
from eventsim.errors import ConfigError
from eventsim.model import SRM, Network
from eventsim.model.layers import Sparse
from eventsim.profile import BackwardProfile, Profile, energy, neurobench
from eventsim.profile.profile import repeats, synapses_behind
from eventsim.spikes import Spikes
from eventsim.trainer import TrainingConfig

SPATIAL = "9x8x2-6c3p1-2p-bn-8c3-10"


def profiled(network, *batches, labels=None):
    profile = Profile(network)
    for batch in batches:
        profile.add(run(network, batch), labels)
    return profile


def scene(rng, notation):
    """A network that fires, and spikes for it."""
    if notation == SPATIAL:
        spikes = random_spikes(rng, 144, n_ticks=30)
        return random_conv_network(rng, notation, spikes), spikes
    network = random_network(rng, (20, 30, 10), (3.0, 3.0))
    network.layers[0].weight = np.where(rng.random((20, 30)) < 0.3, 0.0, network.layers[0].weight)
    return network, random_spikes(rng, 20, n_ticks=30)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_fan_outs_are_those_of_the_dense_matrix(name, rng):
    layer = conv_network(GEOMETRIES[name]).layers[0]
    if layer.n_weights:
        layer.weight = rng.normal(size=layer.weight_shape) * (rng.random(layer.weight_shape) < 0.6)
    shape = layer.given.channels, layer.given.height, layer.given.width
    window = {"stride": layer.window.stride, "padding": layer.window.padding, "dilation": layer.window.dilation,
              "groups": layer.groups, "rounds_up": layer.window.rounds_up}
    for weight, fan_out in ((np.ones(layer.weight_shape), layer.fan_out), (layer.weight, layer.live_fan_out)):
        matrix = spatial.conv_matrix(weight, shape, **window)
        np.testing.assert_array_equal(fan_out, np.count_nonzero(matrix, axis=1))
    assert layer.fan_out.sum() == layer.n_synapses


@pytest.mark.parametrize("notation", ["dense", SPATIAL, "exact"])
def test_samples_and_classes_add_up_to_what_the_engine_counted(notation, rng):
    network, spikes = scene(rng, notation)
    if notation == "exact":
        spikes = Spikes(spikes.sample_ptr, spikes.address, time=spikes.tick * 1.0, n_neurons=20, n_ticks=30)
    labels = np.array([4, 1, 4])
    profile = profiled(network, spikes, spikes, labels=labels)
    trace = run(network, spikes)
    assert all(len(layer.spikes) for layer in trace.layers)
    assert profile.n_samples == 6 and profile.labels.tolist() == [4, 1, 4] * 2
    np.testing.assert_array_equal(profile.synops().sum(axis=0), [2 * layer.synops for layer in trace.layers])
    np.testing.assert_array_equal(profile.spikes().sum(axis=0), [2 * len(layer.spikes) for layer in trace.layers])
    for i, layer in enumerate(trace.layers):
        np.testing.assert_array_equal(profile.silent()[:3, i], (layer.spikes.counts() == 0).sum(axis=1))
    for figures, layer in zip(profile.layer_figures(), trace.layers, strict=True):
        assert figures["synops"] == pytest.approx(layer.synops / 3)
        assert figures["dense_macs"] == pytest.approx(layer.dense_macs / 3)
        assert figures["bytes"] > 4 * figures["synops"]
    ones, fours = profile.class_figures()
    assert (ones["class"], ones["samples"], fours["class"], fours["samples"]) == (1, 2, 4, 4)
    total = np.array(ones["synops"]) * 2 + np.array(fours["synops"]) * 4
    np.testing.assert_allclose(total, profile.synops().sum(axis=0))
    assert ones["accuracy"] == float(trace.predict()[1] == 1)


def test_recurrent_synapses_are_counted_with_the_layer_they_belong_to(rng):
    network = Network("20-16r@d2-5", seed=1)
    for layer in network.layers:
        layer.weight = np.abs(layer.weight) * 4
    spikes = random_spikes(rng, 20, n_ticks=30)
    trace = run(network, spikes)
    assert len(trace.layers[0].spikes)
    profile = profiled(network, spikes)
    np.testing.assert_array_equal(profile.synops().sum(axis=0), [layer.synops for layer in trace.layers])
    assert profile.layer_figures()[0]["bytes"] is None


def test_neurobench_on_dense_matrices(rng):
    network, spikes = scene(rng, "dense")
    profile = profiled(network, spikes)
    found = neurobench.figures(profile)
    weights = [layer.weight for layer in network.layers]
    given = [dense(s, b) for s in (spikes, run(network, spikes).layers[0].spikes) for b in range(3)]
    acs = sum(np.sum(1.0 * (s > 0) @ (w != 0)) for s, w in zip(given, [weights[0]] * 3 + [weights[1]] * 3, strict=True))
    assert found["SynapticOperations"]["Effective_ACs"] == pytest.approx(acs / 3)
    assert found["SynapticOperations"]["Effective_MACs"] == 0
    assert found["SynapticOperations"]["Dense"] == 30 * (20 * 30 + 30 * 10)
    assert found["Footprint"] == 4 * 900 and found["ParameterCount"] == 900
    assert found["ConnectionSparsity"] == round(np.mean(np.concatenate([w.ravel() for w in weights]) == 0), 4) > 0.1
    layers = run(network, spikes).layers
    activations = np.concatenate([dense(layer.spikes, b).ravel() for layer in layers for b in range(3)])
    assert found["ActivationSparsity"] == pytest.approx(np.mean(activations == 0))
    assert found["ActivationSparsityByLayer"]["dense2"] == pytest.approx(1 - len(layers[1].spikes) / (3 * 10 * 30))


def test_inputs_that_count_are_multiplied(rng):
    network = random_network(rng, (20, 30, 10), (3.0, 3.0))
    network.input_mode = "count"
    spikes = random_spikes(rng, 20, n_ticks=30)
    found = neurobench.figures(profiled(network, spikes))["SynapticOperations"]
    assert found["Effective_MACs"] == len(spikes) * 30 / 3 and found["Effective_ACs"] > 0
    twice = Spikes(2 * spikes.sample_ptr, np.repeat(spikes.address, 2), tick=np.repeat(spikes.tick, 2), n_neurons=20,
                   n_ticks=30)
    again = neurobench.figures(profiled(network, twice, twice))["SynapticOperations"]
    assert again["Effective_MACs"] == found["Effective_MACs"]


def test_recurrent_spikes_are_added_where_inputs_are_multiplied(rng):
    network = Network("20-16r-5", input_mode="count", seed=1)
    for layer in network.layers:
        layer.weight = np.abs(layer.weight) * 4
    spikes = random_spikes(rng, 20, n_ticks=30)
    found = neurobench.figures(profiled(network, spikes))["SynapticOperations"]
    hidden = len(run(network, spikes).layers[0].spikes)
    assert found["Effective_MACs"] == pytest.approx(len(spikes) * 16 / 3)
    assert found["Effective_ACs"] == pytest.approx(hidden * (16 + 5) / 3) and hidden


def test_spikes_repeat_within_a_sample_only():
    spikes = Spikes([0, 0, 3, 6, 6], [4, 4, 4, 4, 4, 5], tick=[0, 1, 1, 1, 1, 1], n_neurons=7, n_ticks=2)
    assert repeats(spikes).tolist() == [0, 0, 0, 0, 2, 0, 0]
    assert repeats(spikes.samples(3, 4)).tolist() == [0] * 7


@pytest.mark.parametrize("notation, precision, kept", [
    ("20-30-10", "float32", 4 * 900), ("20-30-10", "float16", 2 * 900 + 4 * 2 * 64),
    ("20-30-10", "int8", 900 + 4 * 2 * 64), ("9x8x2-6c3-bn-10", "float32", 4 * (108 + 6 * 7 * 6 * 10) + 16 * 6),
])
def test_footprint_is_what_is_kept(notation, precision, kept):
    network = Network(notation, seed=0).with_weights(precision)
    found = sum(neurobench.footprint(layer) for layer in network.layers)
    assert found == pytest.approx(kept, abs=0 if precision == "float32" else 4 * 128)


@pytest.mark.parametrize("notation", ["dense", SPATIAL])
@pytest.mark.parametrize("support", [0.5, np.inf])
def test_backward_counts_pairs_and_what_they_reach(notation, support, rng):
    network, spikes = scene(rng, notation)
    before = [array.copy() for array in network.parameters]
    profile = BackwardProfile(network, TrainingConfig(support=support, true_count=5))
    profile.step(spikes, np.array([4, 1, 4]))
    figures = profile.figures()
    trace = run(network, spikes, supports=[support] * len(network.layers))
    errors = 0
    for i, (layer, done) in enumerate(zip(network.layers, trace.layers, strict=True)):
        pairs = np.zeros(layer.n_out, np.int64)
        for b in range(3):
            address = done.active.coordinates(b)[1]
            pairs += np.bincount(address[address >= 0], minlength=layer.n_out)
        np.testing.assert_array_equal(done.active.by_neuron(layer.n_out), pairs)
        found = figures["layers"][i]
        assert found["active"] == pytest.approx(pairs.sum() / (3 * 30 * layer.n_out))
        assert found["active"] > 0 and (found["active"] < 1 or support == np.inf)
        assert found["synops_gradient"] == pytest.approx(done.synops / 3)
        assert found["synops_error"] == pytest.approx(errors / 3)
        assert found["dense_macs"] == layer.n_synapses * 30 * (1 + (i > 0))
        if i + 1 < len(network.layers):
            errors = pairs @ synapses_behind(network.layers[i + 1])
    assert figures["samples"] == 3 and figures["backward_seconds"] > 0
    for array, old in zip(network.parameters, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_energy_is_operations_times_published_energies():
    found = {one.name: one for one in energy.estimates(1e6, 1e8, updates=1000, active_updates=10)}
    assert found["SynOps, 45 nm"].joules == pytest.approx(0.9e-6)
    assert found["dense MACs, 45 nm"].joules == pytest.approx(4.6e-4)
    assert found["SynOps, Loihi"].joules == pytest.approx(23.6e-6)
    assert found["neurons, Loihi"].joules == pytest.approx((10 * 81 + 990 * 52) * 1e-12)
    assert all("doi:10." in one.source and "pJ" in one.formula for one in found.values())
    assert energy.estimates(1e6, 1e8, 1, 0, "int8")[0].joules < found["SynOps, 45 nm"].joules


def test_an_empty_profile_has_figures_of_nothing():
    profile = Profile(Network("20-30-10", seed=0))
    assert profile.spikes().shape == profile.synops().shape == profile.silent().shape == (0, 2)
    assert profile.class_figures() == [] and profile.layer_figures()[0]["spikes"] == 0
    assert neurobench.figures(profile)["SynapticOperations"]["Dense"] == 0


def test_what_does_not_fit_is_refused(rng):
    network, spikes = scene(rng, "dense")
    profile = Profile(network)
    for other in ("20-3000-10", "20-30-30-10", "20-30"):
        with pytest.raises(ConfigError, match="the trace is of another network"):
            profile.add(run(Network(other, seed=0), spikes))
    with pytest.raises(ConfigError, match="trace must be a Trace, got str"):
        profile.add("trace")
    for labels, words in (([1, 2], "there are 3 samples and 2 labels"), ([0, -1, 2], "labels must lie in"),
                          ("abc", "list")):
        with pytest.raises(ConfigError, match=words):
            profile.add(run(network, spikes), labels)
    assert profile.n_samples == 0


def test_a_sparse_layer_is_counted(rng):
    network, spikes = scene(rng, "dense")
    network.layers[0] = Sparse.random(20, 30, 6, 20.0, rng)
    network.layers[0].values[:5] = 0.0
    profile = profiled(network, spikes)
    trace = run(network, spikes)
    assert trace.layers[0].synops and len(trace.layers[0].spikes)
    np.testing.assert_array_equal(profile.synops().sum(axis=0), [layer.synops for layer in trace.layers])
    assert profile.layer_figures()[0]["zero_weights"] == 5
    found = neurobench.figures(profile)["SynapticOperations"]
    assert found["Effective_ACs"] < sum(layer.synops for layer in trace.layers) / 3


def test_many_spikes_a_tick_are_no_negative_sparsity(rng):
    network = Network("20-30-10", SRM(tau_syn=4.0, t_abs=0.1, scale_ref=0.1), clock="exact", seed=0)
    for layer in network.layers:
        layer.weight = np.abs(layer.weight) * 20
    given = random_spikes(rng, 20, n_ticks=30, rate=0.3)
    spikes = Spikes(given.sample_ptr, given.address, time=given.tick * 1.0, n_neurons=20, n_ticks=30)
    profile = profiled(network, spikes)
    first = profile.layer_figures()[0]
    assert first["spikes"] > 30 * 30 and 0 < first["density"] <= 1
    assert 0 <= neurobench.figures(profile)["ActivationSparsity"] < 1
