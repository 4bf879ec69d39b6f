"""Convolutions, pools, normalisation and dropout in the loop: it learns, the same every time, and goes on after a stop.

On both clocks, where nothing else is said.
"""

import numpy as np
import pytest

import eventsim as es
from eventsim import kernels
from eventsim.data import Splits
from eventsim.engine import Sink, backward, forward
from eventsim.errors import ConfigError
from eventsim.kernels.layout import ADAM
from eventsim.trainer import Interrupted
from eventsim.trainer.calibrate import calibrate
from eventsim.trainer.loop import make_loader

from .conftest import StopAt, assert_same_course

ARCHES = ("8x8x1-8c3-2p-bn-20-do0.2-4", "8x8x1-6c3p1-2a-8c3-4")
SETTINGS = {"epochs": 2, "true_count": 12, "false_count": 2, "learning_rate": 0.03}


def trained(data, arch=ARCHES[0], clock="grid", observer=None, **settings):
    trainer = es.Trainer(es.Network(arch, clock=clock, seed=1), **(SETTINGS | settings))
    trainer.fit(data, observer)
    return trainer


def assert_same_parameters(a, b):
    for mine, other in zip(a.network.parameters, b.network.parameters, strict=True):
        np.testing.assert_array_equal(mine, other)
    for mine, other in zip(norms(a.network), norms(b.network), strict=True):
        np.testing.assert_array_equal(mine.running_mean, other.running_mean)
        np.testing.assert_array_equal(mine.running_var, other.running_var)


def norms(network):
    return [layer.norm for layer in network.layers if layer.norm is not None]


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("settings", [
    {}, {"support": "inf", "learning_rate": 0.01}, {"optimizer": "adamw"}, {"optimizer": "nadam"},
    {"optimizer": "sgd", "learning_rate": 1e-3}, {"rate_high": 5.0, "rate_low": 1.0},
    {"shift": 1.0, "jitter": 1.0, "drop": 0.1},
], ids=str)
def test_training_learns(patches, arch, settings):
    trainer = trained(Splits(patches(120), patches(40, seed=1), ""), arch, epochs=8, **settings)
    first, last = trainer.history[0], trainer.history[-1]
    assert last["loss"] < first["loss"]
    assert last["val_accuracy"] >= 0.6


@pytest.mark.parametrize("arch", ARCHES)
def test_same_seed_gives_same_bits_on_any_number_of_threads(patches, arch):
    results = []
    for n in (1, 2, 3):
        kernels.set_threads(n)
        results.append(trained(patches(40), arch))
    kernels.set_threads(None)
    for other in results[1:]:
        assert_same_parameters(results[0], other)


@pytest.mark.parametrize("batches", [3, 5, 7])
@pytest.mark.parametrize("arch", ARCHES)
def test_an_interrupted_run_goes_on_to_the_same_bits(patches, tmp_path, arch, batches):
    data = Splits(patches(40), patches(8, seed=1), "")
    straight = trained(data, arch, out=tmp_path / "straight")
    with pytest.raises(Interrupted):
        trained(data, arch, observer=StopAt(batches), out=tmp_path / "stopped")
    resumed = es.Trainer.resume(tmp_path / "stopped")
    resumed.fit(data)
    assert_same_parameters(straight, resumed)
    assert_same_course(straight, resumed)


@pytest.mark.parametrize("arch", ARCHES)
def test_a_saved_model_is_the_same(patches, tmp_path, arch):
    trainer = trained(patches(40), arch, out=tmp_path / "run")
    loaded = es.load(tmp_path / "run")
    assert_same_parameters(trainer, type("Loaded", (), {"network": loaded}))
    spikes, _, _ = next(iter(make_loader(loaded, patches(8, seed=2), 8)))
    assert forward(loaded, spikes).output == forward(trainer.network, spikes).output
    assert len(forward(loaded, spikes).output)


def test_normalisation_starts_with_the_statistics_of_the_calibration(patches):
    network = es.Network(ARCHES[0], n_ticks=40, seed=1)
    spikes, _, _ = next(iter(make_loader(network, patches(16), 16)))
    gains = calibrate(network, spikes, output=4.0)
    (norm,) = norms(network)
    rates = [len(layer.spikes) / (16 * layer.spikes.n_neurons) for layer in forward(network, spikes).layers]
    assert len(gains) == 3 and min(gains) > 1
    assert rates[0] == pytest.approx(4.0, rel=0.2)
    pooled = forward(network, spikes).layers[0].spikes.counts().reshape(16, 8, 6, 6).mean() / 40
    assert norm.running_mean.mean() == pytest.approx(pooled, rel=1e-5)  # nothing is left over by the pools
    assert np.all(norm.running_var > 0)


def test_pools_are_not_calibrated(patches):
    network = es.Network(ARCHES[1], n_ticks=40, seed=1)
    spikes, _, _ = next(iter(make_loader(network, patches(16), 16)))
    gains = calibrate(network, spikes, output=4.0)
    assert gains[1] == 1.0 and network.layers[1].weight.ravel() == pytest.approx(11.0)


def test_weight_decay_spares_what_normalises(patches):
    network = es.Network(ARCHES[0], seed=1)
    assert network.decayed == [True, True, False, False, True]
    before = np.abs(network.layers[0].weight).mean()
    trainer = es.Trainer(network, optimizer="adamw", weight_decay=30, calibrate=False, **SETTINGS)
    trainer.fit(patches(8))
    assert np.abs(network.layers[0].weight).mean() < 0.2 * before  # two steps keep 0.1 and 0.55
    assert np.abs(norms(network)[0].gamma - 1).max() < 0.1


def test_a_batch_that_is_normalised_is_walked_as_a_whole(patches, monkeypatch):
    data = patches(16)
    whole = trained(data, support="inf")
    monkeypatch.setattr("eventsim.trainer.worker._PAIRS_A_WALK", 1)
    assert_same_parameters(whole, trained(data, support="inf"))
    pieces = trained(data, ARCHES[1], support="inf")
    monkeypatch.undo()
    for a, b in zip(trained(data, ARCHES[1], support="inf").network.parameters, pieces.network.parameters, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-3 * np.abs(a).max())


def test_fewer_bits_share_nothing_with_the_network_that_they_are_of(patches):
    network = es.Network(ARCHES[0], seed=1)
    small = network.with_weights("int8")
    norms(network)[0].gamma = np.full(8, 3.0)
    assert np.all(norms(small)[0].gamma == 1.0)


def test_weights_of_pools_are_fixed():
    pool = es.Network(ARCHES[1]).layers[1]
    with pytest.raises(ConfigError, match="are fixed"):
        pool.weight = pool.weight


def test_what_a_backward_walk_cannot_do_is_refused(patches):
    network = es.Network(ARCHES[0], n_ticks=40, seed=1)
    spikes, _, _ = next(iter(make_loader(network, patches(4), 4)))
    errors = np.ones((4, 4, 40), np.float32)
    supports, sinks = [0.5] * 3, [Sink(gradient=np.zeros_like(array)) for array in network.parameters]
    trace = forward(network, spikes, supports=supports, rng=np.random.default_rng(0))
    with pytest.raises(ConfigError, match="5 parameters to train, got 3 sinks"):
        backward(network, trace, errors.__getitem__, sinks[:3])
    with pytest.raises(ConfigError, match="no step of an optimiser can be taken"):
        backward(network, trace, errors.__getitem__, [Sink(rule=ADAM)] * 5)


def test_running_statistics_have_gradients_too(patches):
    """Those of the batch as running ones give gamma and beta the same gradient; what goes further down differs."""
    network = es.Network(ARCHES[0].replace("-do0.2", ""), n_ticks=40, seed=1)
    spikes, _, _ = next(iter(make_loader(network, patches(4), 4)))
    calibrate(network, spikes, output=4.0)  # leaves the statistics of these spikes
    errors = np.random.default_rng(0).normal(size=(4, 4, 40)).astype(np.float32)
    found = []
    for rng in (None, np.random.default_rng(0)):
        trace = forward(network, spikes, supports=[0.5, np.inf, np.inf], rng=rng)
        gradients = [np.zeros_like(array) for array in network.parameters]
        backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in gradients])
        found.append((trace, gradients))
    (running, mine), (batch, other) = found
    assert running.output == batch.output
    for a, b in zip(mine[1:], other[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * np.abs(b).max())
        assert np.any(b != 0)
    assert not np.allclose(mine[0], other[0], rtol=1e-3, atol=0)
