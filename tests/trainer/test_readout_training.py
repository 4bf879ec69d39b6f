"""Training of networks whose potentials are read: they learn, start well, and go on where they stopped."""

import math

import numpy as np
import pytest

import eventsim as es
from eventsim import kernels
from eventsim.data import Splits
from eventsim.errors import ConfigError
from eventsim.model import LI, LIF, SRM, CubaLIF
from eventsim.model.neurons.li import READOUTS
from eventsim.trainer import Interrupted
from eventsim.trainer.calibrate import SPREAD, calibrate
from eventsim.trainer.loop import make_loader

from .conftest import StopAt, assert_same_course

SETTINGS = {"epochs": 2, "learning_rate": 0.03}


def trained(data, arch="8x8x1-30-4", neuron=None, readout="mean", seed=1, clock="grid", **settings):
    network = es.Network(arch, neuron or LIF(), clock=clock, readout=readout, seed=seed)
    trainer = es.Trainer(network, **(SETTINGS | settings))
    trainer.fit(data)
    return trainer


def weights(trainer):
    return [layer.weight for layer in trainer.network.layers]


@pytest.mark.parametrize("arch, neuron, readout, settings", [
    *(("8x8x1-30-4", LIF(), readout, {}) for readout in READOUTS),
    ("8x8x1-30-4", SRM(), "mean", {}), ("8x8x1-30-4", CubaLIF(), "last", {}),
    ("8x8x1-30-4", LIF(), LI(tau_mem=math.inf, readout="last"), {}),
    ("8x8x1-30-4", LIF(), "mean", {"loss": "potential_error"}), ("8x8x1-4", LIF(), "max", {}),
    ("8x8x1-6c3-2p-bn-4", LIF(), "mean", {}), ("8x8x1-6c3p1-do0.1-4c8", LIF(), "mean", {}),
    ("8x8x1-30-4", LIF(), "mean", {"clock": "exact"}), ("8x8x1-30-4", SRM(), "last", {"clock": "exact"}),
    ("8x8x1-4", LIF(), "mean", {"clock": "exact"}), ("8x8x1-6c3-2p-bn-4", LIF(), "mean", {"clock": "exact"}),
    ("8x8x1-6c3p1-do0.1-4c8", CubaLIF(), "mean", {"clock": "exact"}),
], ids=str)
def test_training_learns(patches, arch, neuron, readout, settings):
    data = Splits(patches(120), patches(40, seed=1), "")
    history = trained(data, arch, neuron, readout, epochs=4, **settings).history
    assert history[-1]["loss"] < history[0]["loss"] and history[-1]["val_accuracy"] >= 0.9
    for record in history:
        assert record["rates"][-1] is record["silent"][-1] is None and record["warnings"] == []
        assert all(rate > 0 for rate in record["rates"][:-1])


@pytest.mark.parametrize("readout", READOUTS)
def test_scores_are_apart_at_the_start(patches, readout):
    network = es.Network("8x8x1-60-4", LIF(), readout=readout, seed=0)
    spikes = next(iter(make_loader(network, patches(16), 16)))[0]
    gains = calibrate(network, spikes, output=None)
    assert es.engine.run(network, spikes).scores.std() == pytest.approx(SPREAD, rel=1e-4) and len(gains) == 2
    silent = es.Spikes([0, 0], [], tick=[], n_neurons=64, n_ticks=40)
    assert calibrate(network, silent, output=None)[-1] == 1.0


@pytest.mark.parametrize("batches", [1, 5, 7])
@pytest.mark.parametrize("readout", READOUTS)
def test_resumed_run_ends_in_the_same_bits(patches, tmp_path, readout, batches):
    data = Splits(patches(40), patches(8, seed=1), "")
    whole = trained(data, readout=readout, out=tmp_path / "whole")
    network = es.Network("8x8x1-30-4", LIF(), readout=readout, seed=1)
    with pytest.raises(Interrupted):
        es.Trainer(network, out=tmp_path / "cut", **SETTINGS).fit(data, StopAt(batches))
    resumed = es.Trainer.resume(tmp_path / "cut")
    assert resumed.network.readout == network.readout and resumed.config.loss == "cross_entropy"
    resumed.fit(data)
    for a, b in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)
    assert_same_course(whole, resumed)
    loaded, events = es.load(tmp_path / "cut"), patches(4, seed=9).events(2)
    np.testing.assert_array_equal(loaded.simulate(events).scores, whole.network.simulate(events).scores)


@pytest.mark.parametrize("readout, clock", [*((readout, "grid") for readout in READOUTS), ("mean", "exact")])
def test_threads_change_no_bit(patches, readout, clock):
    found = []
    for n in (1, 2, 3):
        kernels.set_threads(n)
        found.append(weights(trained(patches(24), readout=readout, clock=clock, epochs=1)))
    kernels.set_threads(None)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_loss_takes_what_there_is(patches):
    read, counted = es.Network("8x8x1-4", LIF(), readout="mean"), es.Network("8x8x1-4", LIF())
    with pytest.raises(ConfigError) as caught:
        es.Trainer(read, loss="spike_count_slayer")
    assert str(caught.value) == (
        "the loss spike_count_slayer is on output spikes, and the network has none: the potentials of its last layer "
        "are read; choose cross_entropy or potential_error")
    with pytest.raises(ConfigError) as caught:
        es.Trainer(counted, loss="cross_entropy")
    assert str(caught.value) == (
        "the loss cross_entropy is on what is read of output potentials, and the network's output neurons spike; "
        "choose spike_count or spike_count_slayer or spike_time")
    with pytest.raises(ConfigError, match=r"true_count is a setting of .*, and the loss is cross_entropy"):
        es.Trainer(read, true_count=5)
    assert es.Trainer(read).config.loss == "cross_entropy" and es.Trainer(counted).config.loss == "spike_count"
    with pytest.raises(ConfigError, match="choose cross_entropy"):
        es.evaluate(read, patches(4), loss=es.Trainer(counted).loss)
    assert es.evaluate(read, patches(4)).samples == 4


def test_a_silent_hidden_layer_is_named_and_the_last_is_not(patches):
    network = es.Network("8x8x1-30-4", LIF(), readout="mean", seed=1)
    network.layers[0].packed[:] = 0.0
    trainer = es.Trainer(network, calibrate=False, **SETTINGS)
    trainer.fit(patches(24))
    assert [(one["kind"], one["layer"]) for one in trainer.history[0]["warnings"]] == [("silent", "dense1")]


def test_what_cannot_be_trained_yet_is_refused():
    with pytest.raises(ConfigError, match="largest potentials are read are trained on the grid clock only so far"):
        es.Trainer(es.Network("8x8x1-30-4", LIF(), clock="exact", readout="max"))
