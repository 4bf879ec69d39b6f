"""Gradients of weights and of stages, through convolutions and what lies between them, against the naive formula."""

import importlib

import numpy as np
import pytest
from conv_scenes import (
    Walks,
    conv_network,
    maps,
    parameter_gradients,
    random_conv_network,
    random_errors,
    train_forward,
)
from scenes import random_spikes

from eventsim.engine import Sink, backward, forward
from eventsim.engine.adjoint import patch_adjoint
from eventsim.engine.backward import takes_steps
from eventsim.engine.pair_adjoint import goes_by_pairs
from eventsim.errors import ConfigError
from eventsim.model import PRESETS, SRM
from eventsim.spikes import Spikes
from eventsim.trainer.optimizers import Adam

INF = np.inf
module = importlib.import_module("eventsim.engine.adjoint")
pairs = importlib.import_module("eventsim.engine.pair_adjoint")
walk = importlib.import_module("eventsim.engine.backward")
CLOSE = 1e-5  # of a gradient's largest value
CLOSE_NORM = 3e-5  # where normalisation takes differences of sums and, in a channel that rarely fires, magnifies them
NETWORKS = {
    "convolutions": "9x8x2-12c3-20c3-7", "two tiles a position": "6x5x2-100c3-70c2-5",
    "strides": "13x12x2-8c3s2-12c2s2p1", "stride past the kernel": "11x10x2-8c2s3-12c2",
    "dilation": "10x9x2-8c3d2-12c2d2p1", "groups": "8x7x4-12c3g2-24c3p1g4-6", "one channel": "9x9x1-1c3-1c3-3",
    "pools": "12x11x2-6c3-2a-16c2-2a-5", "pool first": "8x8x3-2a-12c2", "average pools": "13x12x2-2p-16c2-2p-20-5",
    "pools that round up": "9x8x2-6c3-2au-16c2-2au-5", "normed into one": "9x8x2-8c2-bn-2au-5",
    "wide": "40x1x2-16c1-8c1-4", "norm": "9x8x2-12c3-bn-16c3-bn-7", "norm first": "8x7x3-bn-12c3-bn-9",
    "norm into padding": "7x6x3-6c3p1-bn-20c3p1s2-bn-5",
    "norm into dilation and groups": "9x9x2-24c3-bn-12c3d2g2p1-4", "norm into a pool": "9x9x2-8c2-bn-2a-5",
    "norm of lone channels": "20-30-bn-9-bn-4", "pool and norm": "13x13x2-12c3-2p-bn-8c3p1-2p-bn-20-5",
    "pool and norm of many": "8x8x2-70c3-3p-bn-100c2-5", "dropout": "9x8x2-do0.2-12c3-do0.4-40-do0.3-6",
    "pool and dropout": "12x11x2-8c3-2p-do0.3-16c2-do0.2-2a-do0.5-5",
    "sixteens": "9x8x2-32c3-16c3-7", "sixteens with strides": "11x10x2-16c3-24c3s2p1-5",
    "sixteens with dilation": "12x11x2-48c3-12c3d2p1-16c2-5",
    "sixteens behind all stages": "13x12x2-32c3-2p-bn-16c2p1-do0.3-16c2s2-5",
    "the paper's": "16x16x2-12c5-2p-bn-8c3-2p-bn-20-do0.2-9-6",
}
SUPPORTS = {"narrow": 0.3, "half": 0.5, "wide": 1.5, "full": INF, "mixed": None}


def mixed(n_layers):
    """Supports of neighbours that differ in what they keep."""
    return [(0.5, INF, 1.5)[i % 3] for i in range(n_layers)]


def compare_with_naive(rng, notation, support, neuron=None, dt=1.0, truncate=False, n_ticks=30, n_samples=3,
                       pressed=False):
    """Compare on the first of a few random scenes in which rounding decides nothing."""
    for _ in range(6):
        network = conv_network(notation)
        spikes = random_spikes(rng, network.arch.n_inputs, n_samples, n_ticks, 0.1, empty=(1,), dt=dt)
        network = random_conv_network(rng, notation, spikes, neuron or SRM(tau_syn=3.0))
        supports = mixed(len(network.layers)) if support is None else [support] * len(network.layers)
        errors = random_errors(rng, network, spikes)
        trace = train_forward(network, spikes, supports, truncate)
        walks = Walks(network, trace, supports, truncate)
        if walks.excuses:
            continue
        pressure = None
        if pressed:
            pressure = [rng.normal(size=n_samples).astype(np.float32) for _ in network.layers]
        got = parameter_gradients(network, trace, errors, truncate=truncate, pressure=pressure)
        want = walks.gradients(errors, pressure)
        close = CLOSE_NORM if "bn" in notation else CLOSE
        for g, w in zip(got, want, strict=True):
            assert g.shape == w.shape
            assert np.abs(w).max() > 0
            assert np.abs(g - w).max() <= close * np.abs(w).max()
        return
    pytest.fail("rounding decided on spikes six times")


@pytest.mark.parametrize("name", [name for name in NETWORKS if name.startswith("sixteens")])
def test_pairs_and_patches_give_the_same_gradient(rng, monkeypatch, name):
    network = conv_network(NETWORKS[name])
    spikes = random_spikes(rng, network.arch.n_inputs, 3, 150, 0.1, empty=(1,))
    network = random_conv_network(rng, NETWORKS[name], spikes, SRM(tau_syn=3.0))
    errors = random_errors(rng, network, spikes)
    trace = train_forward(network, spikes, [0.5] * len(network.layers))
    took = []
    monkeypatch.setattr(walk, "goes_by_pairs", lambda layer, *_: took.append(layer.kind) or False)
    want = parameter_gradients(network, trace, errors)
    monkeypatch.setattr(walk, "goes_by_pairs", goes_by_pairs)
    monkeypatch.setattr(pairs, "_FEW", 1.0)
    monkeypatch.setattr(walk, "patch_adjoint", lambda layer, *rest: took.append(layer) or patch_adjoint(layer, *rest))
    got = parameter_gradients(network, trace, errors)
    spatial = [layer for layer in network.layers if layer.kind == "conv"]
    assert took == ["conv"] * len(spatial) + [layer for layer in spatial[::-1] if layer.given.channels % 16]
    for g, w in zip(got, want, strict=True):
        assert np.abs(g - w).max() <= CLOSE * np.abs(w).max()
    assert any((g != w).any() for g, w in zip(got, want, strict=True))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("support", SUPPORTS)
def test_gradients_are_those_of_the_naive_formula(rng, name, support):
    compare_with_naive(rng, NETWORKS[name], SUPPORTS[support])


@pytest.mark.parametrize("name", [name for name, notation in NETWORKS.items() if "bn" not in notation])
def test_gradients_where_neurons_at_rest_just_count(rng, name):
    """Not behind normalisation, whose neurons start where two large numbers cancel out, which is not quite at rest."""
    compare_with_naive(rng, NETWORKS[name], 1.0)


@pytest.mark.parametrize("name", ["scnn", "scnn3"])
def test_gradients_of_the_paper_s_networks(rng, name):
    compare_with_naive(rng, PRESETS[name].notation, None, n_ticks=20, n_samples=2)


NEURONS = {
    "dead ticks": (SRM(tau_syn=2.0, t_abs=3.0, tau_rho=0.3, scale_rho=2.0), 1.0),
    "weak refractory response": (SRM(tau_syn=2.0, scale_ref=0.2, tau_ref=2.0, tau_rho=0.5), 1.0),
    "short ticks": (SRM(tau_syn=2.0, tau_ref=0.5, t_abs=0.6), 0.25),
}


@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("support", ["half", "full"])
def test_gradients_of_every_neuron(rng, kind, support):
    neuron, dt = NEURONS[kind]
    compare_with_naive(rng, "12x11x2-8c3-2p-bn-12c2-2a-6", SUPPORTS[support], neuron, dt)


@pytest.mark.parametrize("support", ["half", "full", "mixed"])
def test_gradients_of_a_truncated_psp(rng, support):
    compare_with_naive(rng, "12x11x2-8c3p1-2p-12c2-do0.2-2a-6", SUPPORTS[support], SRM(tau_syn=2.0), truncate=True)


@pytest.mark.parametrize("notation", ["9x8x2-12c3-2p-bn-16c2-6", "9x8x2-5c3-2a-100c3-do0.2-6"])
@pytest.mark.parametrize("support", ["half", "wide", "full", "mixed"])
def test_what_spikes_add_to_the_loss_besides(rng, notation, support):
    compare_with_naive(rng, notation, SUPPORTS[support], pressed=True)


@pytest.mark.parametrize("support", ["half", "full", "mixed"])
@pytest.mark.parametrize("rows", [None, 300])
def test_many_chunks_of_ticks_and_more_samples_than_groups(rng, monkeypatch, support, rows):
    """150 ticks are three chunks, eleven samples are in eight groups; 300 rows of scratch hold two samples."""
    if rows:
        monkeypatch.setattr(module, "_BLOCK_ROWS", rows)
    compare_with_naive(rng, "9x8x2-6c3-2p-bn-8c2-5", SUPPORTS[support], n_ticks=150, n_samples=11)


def test_a_neuron_that_nobody_sees_gets_no_error(rng):
    """Rows and columns past the last window of a pool, and pixels between strides: active pairs with an error of 0."""
    network = conv_network("8x8x2-6c2-3p-5c2s3-4")
    spikes = random_spikes(rng, 128, 2, 30)
    network = random_conv_network(rng, "8x8x2-6c2-3p-5c2", spikes)
    trace = forward(network, spikes, supports=[1.5, 1.5])
    errors = random_errors(rng, network, spikes)
    seen = np.zeros((7, 7), bool)
    seen[:6, :6] = True
    fired = maps(trace.layers[0].spikes, network.layers[0].shape)
    assert fired[..., ~seen].any()
    # Weights that reach only neurons that nobody sees have no gradient, whoever is active.
    late = Spikes([0, 3], [7, 7 * 8 + 7, 64 + 7], tick=[0, 1, 2], n_neurons=128, n_ticks=30)
    lone = forward(network, late, supports=[INF, INF])
    assert not parameter_gradients(network, lone, errors[:1])[0].any()


@pytest.mark.parametrize("notation", ["9x8x2-12c3-2p-bn-16c2-5", "9x8x2-2a-12c3-do0.3-5"])
def test_gradients_are_added_to_what_is_there(rng, notation):
    network = conv_network(notation)
    spikes = random_spikes(rng, network.arch.n_inputs)
    network = random_conv_network(rng, notation, spikes)
    trace = train_forward(network, spikes, [0.5] * len(network.layers))
    errors = random_errors(rng, network, spikes)
    arrays = [np.zeros_like(array) for array in network.parameters], [np.ones_like(a) for a in network.parameters]
    for packed in arrays:
        backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in packed])
    for once, added in zip(*arrays, strict=True):
        assert once.any()
        np.testing.assert_allclose(added, 1 + once, rtol=1e-5, atol=1e-5 * np.abs(once).max())


def test_steps_on_the_way_go_with_gradients_that_are_known_at_the_end(rng):
    """A plain dense layer takes its step within the walk; the error of what comes before is that of its old weights."""
    notation = "9x8x2-12c3-2p-bn-16c2-30-5"
    spikes = random_spikes(rng, 144)
    networks = [random_conv_network(np.random.default_rng(5), notation, spikes) for _ in range(2)]
    errors = random_errors(rng, networks[0], spikes)
    gradients = []
    for fused, network in zip((True, False), networks, strict=True):
        optimizer = Adam(network.parameters)
        optimizer.begin(1e-2)
        packed = [np.zeros_like(array) for array in network.parameters]
        steps = [takes_steps(layer) for layer in network.layers for _ in layer.parameters]
        assert steps == [False, False, False, False, True, True]
        sinks = [optimizer.sink(i) if fused and step else Sink(gradient=packed[i]) for i, step in enumerate(steps)]
        trace = train_forward(network, spikes, [0.5, INF, 0.5, INF])
        backward(network, trace, errors.__getitem__, sinks)
        gradients.append([g.copy() for g in packed])
        for i, (step, parameter) in enumerate(zip(steps, network.parameters, strict=True)):
            if not (fused and step):
                optimizer.update(i, parameter, packed[i])
    for ours, theirs in zip(gradients[0][:4], gradients[1][:4], strict=True):
        assert ours.any()
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(*(network.parameters for network in networks), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("notation", ["9x8x2-12c3-2p-bn-16c2-5", "9x8x2-2a-12c3-do0.3-5"])
def test_no_spikes_give_no_gradient_of_weights(rng, notation):
    network = random_conv_network(rng, notation, random_spikes(rng, 144))
    for n_samples, n_ticks in ((0, 8), (2, 0)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=144, n_ticks=n_ticks)
        trace = train_forward(network, spikes, [1.5] * len(network.layers))
        errors = np.ones((n_samples, 5, n_ticks), np.float32)
        assert not any(g.any() for g in parameter_gradients(network, trace, errors))
    silent = Spikes([0, 0, 0], [], tick=[], n_neurons=144, n_ticks=8)
    trace = train_forward(network, silent, [INF] * len(network.layers))
    assert not parameter_gradients(network, trace, np.ones((2, 5, 8), np.float32))[0].any()


def test_fixed_weights_of_a_pool_have_no_gradient_and_a_run_without_active_sets_is_refused(rng):
    network = random_conv_network(rng, "9x8x2-2a-12c3", random_spikes(rng, 144))
    assert len(network.parameters) == 1 and network.layers[0].parameters == ()
    with pytest.raises(ConfigError, match="kept no active sets"):
        backward(network, forward(network, random_spikes(rng, 144)), None, [])
