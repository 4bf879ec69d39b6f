"""The loop on the exact clock: it learns, it is deterministic, it goes on where it stopped, and what it refuses."""

import numpy as np
import pytest

import eventsim as es
from eventsim import kernels
from eventsim.data import Splits
from eventsim.trainer import Interrupted
from eventsim.trainer.calibrate import calibrate
from eventsim.trainer.loop import make_loader

from .conftest import StopAt, assert_same_course

ARCH = "8x8x1-30-4"
SETTINGS = {"epochs": 2, "true_count": 12, "false_count": 2, "learning_rate": 0.1}


def exact_network(arch=ARCH, **settings):
    return es.Network(arch, clock="exact", seed=1, **settings)


def trained(data, network=None, **settings):
    trainer = es.Trainer(network or exact_network(), **(SETTINGS | settings))
    trainer.fit(data)
    return trainer


def assert_same_weights(a, b):
    for mine, other in zip(a.network.layers, b.network.layers, strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)


def assert_it_goes_on_where_it_stopped(whole, network, data, out, **settings):
    """Training of ``network`` that is interrupted, on two threads, and resumed takes the course of ``whole``."""
    cut = es.Trainer(network, out=out, **(SETTINGS | settings))
    kernels.set_threads(2)
    with pytest.raises(Interrupted):
        cut.fit(data, StopAt(13))
    kernels.set_threads(None)
    resumed = es.Trainer.resume(out)
    resumed.fit(data)
    assert_same_weights(whole, resumed)
    assert_same_course(whole, resumed)


def assert_it_is_saved(trainer, events):
    assert trainer.network.simulate(events).output == es.load(trainer.out).simulate(events).output


@pytest.mark.parametrize("settings", [
    {}, {"support": "inf"}, {"support": 2.0}, {"loss": "spike_count_slayer"}, {"loss": "spike_time"},
], ids=str)
def test_training_learns(patches, settings):
    trainer = trained(Splits(patches(120), patches(40, seed=1), ""), epochs=4, **settings)
    first, last = trainer.history[0], trainer.history[-1]
    assert last["loss"] < first["loss"]
    assert last["val_accuracy"] >= 0.9


@pytest.mark.parametrize("neuron", [
    es.model.LIF(tau_mem=10.0), es.model.LIF(tau_mem=10.0, reset="hard"), es.model.CubaLIF(tau_mem=8.0, tau_syn=4.0),
    es.model.CubaLIF(tau_mem=5.0, tau_syn=5.0, reset="hard"),
], ids=["subtract", "hard", "current", "current, hard"])
def test_leaky_neurons_learn(patches, neuron):
    trainer = trained(Splits(patches(120), patches(40, seed=1), ""), exact_network(neuron=neuron), epochs=4,
                      learning_rate=0.02)
    assert trainer.history[-1]["loss"] < 0.7 * trainer.history[0]["loss"]
    assert trainer.history[-1]["val_accuracy"] >= 0.9


def test_layers_of_different_neurons_learn_and_go_on_where_they_stopped(patches, tmp_path):
    def mixed():
        network = exact_network("8x8x1-6c3p1-2p-bn-20-4")
        for layer, neuron in zip(network.layers, (es.model.LIF(reset="hard"), None, es.model.CubaLIF(tau_syn=4.0)),
                                 strict=True):
            layer.neuron = neuron
        return network

    data = Splits(patches(80), patches(40, seed=1), "")
    whole = trained(data, mixed(), epochs=4, learning_rate=0.02, out=tmp_path / "whole")
    first, last = whole.history[0], whole.history[-1]
    assert last["loss"] < 0.7 * first["loss"] and last["val_accuracy"] >= 0.8
    assert_it_goes_on_where_it_stopped(whole, mixed(), data, tmp_path / "cut", epochs=4, learning_rate=0.02)
    assert_it_is_saved(whole, patches(4, seed=9).events(2))


@pytest.mark.parametrize("arch", ["8x8x1-6c3p1-2p-bn-20-do0.2-4", "8x8x1-6c3-2a-8c2-4"])
def test_convolutions_learn_and_go_on_where_they_stopped(arch, patches, tmp_path):
    """On any number of threads; what follows the batch, as running statistics do, is taken up too."""
    data = Splits(patches(80), patches(40, seed=1), "")
    settings = {"epochs": 4, "learning_rate": 0.05}
    whole = trained(data, exact_network(arch), **settings, out=tmp_path / "whole")
    first, last = whole.history[0], whole.history[-1]
    assert last["loss"] < first["loss"] and last["val_accuracy"] >= 0.8
    assert_it_goes_on_where_it_stopped(whole, exact_network(arch), data, tmp_path / "cut", **settings)
    assert_it_is_saved(whole, patches(4, seed=9).events(2))


def test_a_tick_of_another_length_and_a_dead_time_of_its_own(patches):
    network = exact_network(neuron=es.SRM(tau_syn=5.0, t_abs=0.4), dt=0.7)
    trainer = trained(Splits(patches(120), patches(40, seed=1), ""), network, epochs=4)
    assert network.n_ticks == 58
    assert trainer.history[-1]["val_accuracy"] >= 0.9


def test_same_seed_gives_same_bits_on_any_number_of_threads(patches):
    results = []
    for n in (1, 2, 3):
        kernels.set_threads(n)
        results.append(trained(patches(40)))
    kernels.set_threads(None)
    for other in results[1:]:
        assert_same_weights(results[0], other)


@pytest.mark.parametrize("batches", [1, 5, 7], ids=["first", "end of epoch", "second epoch"])
def test_resumed_run_ends_in_the_same_bits(patches, tmp_path, batches):
    data = Splits(patches(40), patches(8, seed=1), "")
    whole = trained(data, out=tmp_path / "whole")
    cut = es.Trainer(exact_network(), out=tmp_path / "cut", **SETTINGS)
    with pytest.raises(Interrupted) as stop:
        cut.fit(data, StopAt(batches))
    assert 5 * stop.value.epoch + stop.value.position == batches
    resumed = es.Trainer.resume(tmp_path / "cut")
    assert resumed.network.clock == "exact"
    resumed.fit(data)
    assert_same_weights(whole, resumed)
    assert_same_course(whole, resumed)


def test_loaded_network_simulates_as_the_trained_one(patches, tmp_path):
    trainer = trained(patches(40), out=tmp_path / "run")
    events = patches(4, seed=9).events(2)
    before, after = trainer.network.simulate(events), es.load(tmp_path / "run").simulate(events)
    assert len(before.output) > 0 and before.output.time is not None
    assert before.output == after.output


def test_calibration_reaches_its_rates(patches):
    network = exact_network("8x8x1-60-50-4")
    spikes = next(iter(make_loader(network, patches(16), 16)))[0]
    assert spikes.time is not None
    calibrate(network, spikes, hidden=3.0, output=10.0)
    rates = [len(layer.spikes) / (16 * layer.spikes.n_neurons) for layer in es.engine.run(network, spikes).layers]
    np.testing.assert_allclose(rates, [3.0, 3.0, 10.0], rtol=0.15)


def test_a_large_batch_is_walked_in_pieces_with_the_same_gradient(patches, monkeypatch):
    from eventsim.trainer import worker

    whole = trained(patches(32), support="inf", batch_size=16)
    monkeypatch.setattr(worker, "_PAIRS_A_WALK", 34 * 40 * 3)
    pieces = trained(patches(32), support="inf", batch_size=16)
    for a, b in zip(whole.network.layers, pieces.network.layers, strict=True):
        np.testing.assert_allclose(a.weight, b.weight, rtol=1e-3, atol=1e-4)


def test_both_clocks_count_every_sample(patches):
    trainer = trained(patches(80), epochs=4)
    exact = es.evaluate(trainer.network, patches(37, seed=3))
    trainer.network.clock = "grid"
    grid = es.evaluate(trainer.network, patches(37, seed=3))
    for metrics in (exact, grid):
        assert metrics.samples == metrics.confusion.sum() == 37
        assert metrics.summary()["accuracy"] > 0.8
    assert exact.binning.merged == 0 < grid.binning.merged


def test_augmented_training_learns_and_is_the_same_on_any_number_of_threads(patches):
    settings = {"shift": 0.6, "jitter": 2.0, "drop": 0.1, "epochs": 4}
    results = []
    for n in (1, 2):
        kernels.set_threads(n)
        results.append(trained(Splits(patches(120), patches(40, seed=1), ""), **settings))
    kernels.set_threads(None)
    assert_same_weights(*results)
    assert results[0].history[-1]["val_accuracy"] >= 0.9
