"""Warnings: trainings that really get there, and none where all is well."""

import numpy as np
import pytest

import eventsim as es
from eventsim.data import Splits
from eventsim.errors import ConfigError
from eventsim.trainer.health import CHECKS, new_warnings

ARCH = "8x8x1-30-20-4"
SETTINGS = {"epochs": 2, "true_count": 12, "false_count": 2, "learning_rate": 0.1}


def warned(data, arch=ARCH, change=None, clock="grid", neuron=None, **settings):
    """The history of a training; ``change`` is what happens to the network before it."""
    network = es.Network(arch, es.SRM(**(neuron or {})), seed=1, clock=clock)
    if change:
        change(network)
    trainer = es.Trainer(network, **(SETTINGS | settings))
    trainer.fit(data)
    return trainer.history


def kinds(record):
    return [(one["kind"], one["layer"]) for one in record["warnings"]]


def times(factor, *numbers):
    """What multiplies the weights of some layers."""
    def change(network):
        for i in numbers:
            network.layers[i].packed *= np.float32(factor)

    return change


@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_a_training_that_goes_well_has_none(patches, clock):
    history = warned(Splits(patches(80), patches(20, seed=1), ""), "8x8x1-30-4", clock=clock, epochs=3)
    assert [record["warnings"] for record in history] == [[], [], []]
    assert history[-1]["val_accuracy"] > 0.8


def test_a_layer_of_zero_weights_is_silent_and_those_after_it_are_not_named(patches):
    record = warned(patches(24), change=times(0, 0), calibrate=False)[0]
    assert kinds(record) == [("silent", "dense1")]
    one, = record["warnings"]
    assert one["text"].startswith("layer dense1 is silent: 100 % of its neurons had no spike in epoch 1, the mean is 0")
    for cure in ("without --no-calibrate", "with --rate-low 1", "with a smaller --lr (it is 0.1)"):
        assert cure in one["cure"]


def test_a_bound_on_rates_that_silences_a_layer_is_named(patches):
    history = warned(patches(40), rate_high=0.0, rate_weight=100.0, learning_rate=1.0)
    assert kinds(history[0]) == [] and kinds(history[1]) == [("silent", "dense2")]
    assert "with a higher --rate-high (it is 0), or with a smaller --lr" in history[-1]["warnings"][0]["cure"]


def test_an_output_layer_without_spikes_says_nothing(patches):
    record = warned(patches(24), change=times(0, 2), calibrate=False)[0]
    assert ("silent", "dense3") in kinds(record)
    text = record["warnings"][0]["text"]
    assert text.startswith("the output layer is silent") and text.endswith("so it says nothing of the class")
    assert "--rate-low" not in record["warnings"][0]["cure"]


@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_huge_weights_saturate_their_layer(patches, clock):
    record = warned(patches(24), change=times(1e5, 0), calibrate=False, clock=clock)[0]
    assert ("saturated", "dense1") in kinds(record)
    one = next(one for one in record["warnings"] if one["kind"] == "saturated")
    assert "of what their dead time allows" in one["text"]
    assert "without --no-calibrate" in one["cure"] and "--rate-high" in one["cure"]


def test_a_long_dead_time_saturates_at_fewer_spikes_and_one_of_the_whole_sample_at_none(patches):
    slow = warned(patches(24), change=times(1e5, 0), calibrate=False, neuron={"t_abs": 3.0})[0]
    once = warned(patches(24), change=times(1e5, 0), calibrate=False, neuron={"t_abs": 40.0})[0]
    assert ("saturated", "dense1") in kinds(slow) and slow["rates"][0] <= 40 / 3 + 1
    assert not any(kind == "saturated" for kind, _ in kinds(once)) and once["rates"][0] > 0.3


def test_outputs_may_fire_as_often_as_their_target_says(patches):
    settings = {"change": times(1e5, 0, 1, 2), "calibrate": False, "learning_rate": 1e-9}
    assert ("saturated", "dense3") in kinds(warned(patches(24), **settings)[0])
    wanted = warned(patches(24), true_count=40, false_count=30, **settings)[0]
    assert ("saturated", "dense3") not in kinds(wanted)


def test_a_huge_learning_rate_warns_and_changes_nothing_that_is_learned(patches):
    history = warned(patches(40), learning_rate=1e4, epochs=3)
    assert any(record["warnings"] for record in history)
    again = warned(patches(40), learning_rate=1e4, epochs=3)
    assert [record["warnings"] for record in history] == [record["warnings"] for record in again]


def test_accuracy_at_chance_is_said_from_the_second_epoch_on(patches):
    history = warned(patches(252), learning_rate=1e-9, epochs=3)
    assert [kinds(record) for record in history] == [[], [("at_chance", None)], [("at_chance", None)]]
    assert "naming always the same class has 0.250" in history[1]["warnings"][0]["text"]
    assert new_warnings(history[1], history[0]) == history[1]["warnings"] and new_warnings(history[2], history[1]) == []
    assert kinds(warned(patches(48), learning_rate=1e-9)[1]) == []  # a hundred samples say too little


def test_older_records_have_none():
    assert new_warnings({"epoch": 1}, None) == [] == new_warnings({"epoch": 2}, {"epoch": 1})


def test_every_check_is_tested_here():
    assert set(CHECKS) == {"silent", "saturated", "at_chance"}


@pytest.mark.parametrize(("settings", "words"), [
    ({}, r"training diverged in epoch 1: weights of dense1, dense2, dense3 are not finite any more; start again with a "
         r"smaller learning rate \(--lr, it is 1e\+38\)$"),
    ({"calibrate": False}, r"\(--lr, it is 1e\+38\) and without --no-calibrate$"),
], ids=str)
def test_weights_that_are_not_finite_are_named(patches, settings, words):
    with pytest.raises(ConfigError, match=words):
        warned(patches(80), learning_rate=1e38, **settings)


def test_a_checkpoint_from_before_is_said_to_be_kept(patches, tmp_path):
    trainer = es.Trainer(es.Network(ARCH, seed=1), out=tmp_path / "run", **SETTINGS)
    trainer.fit(patches(16))
    trainer.network.layers[1].packed[0, 0, 0] = np.nan
    with pytest.raises(ConfigError, match=r"epoch 2: weights of dense2 are not .*; the checkpoint before is kept; s"):
        trainer.save()


def test_a_loss_that_is_not_finite_stops_the_training(patches):
    trainer = es.Trainer(es.Network(ARCH, seed=1), **SETTINGS)
    real = trainer.loss

    def broken(*arguments):
        result = real(*arguments)
        result.value[0] = np.nan
        return result

    trainer.loss = broken
    with pytest.raises(ConfigError, match="diverged in epoch 1: the loss is not finite any more; start again"):
        trainer.fit(patches(16))
