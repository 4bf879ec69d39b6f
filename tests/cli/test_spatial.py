"""A spiking CNN through every command."""

import h5py
import numpy as np
import pytest

import eventsim

ARCH = "34x34x2-8c5s2-2p-bn-16c3-2a-do0.1-10"


@pytest.fixture(scope="module")
def spatial_run(tree, tmp_path_factory):
    """A finished run of one epoch."""
    from .conftest import CliRunner, main

    folder = tmp_path_factory.mktemp("spatial") / "run"
    arguments = ["train", "--arch", ARCH, "--data", str(tree), "--epochs", "1", "--out", str(folder), "--seed", "3"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return folder


def test_evaluate_gives_what_training_said(spatial_run, call, tree):
    figures = call("evaluate", spatial_run, "--data", tree, "--json")
    assert figures["samples"] == 20
    last = eventsim.trainer.checkpoint.describe(spatial_run)["history"][-1]
    assert figures["accuracy"] == last["val_accuracy"] and figures["loss"] == pytest.approx(last["val_loss"])


@pytest.mark.parametrize("clock", ["grid", "exact"])
@pytest.mark.parametrize("weights", ["float32", "float16", "int8"])
def test_simulate_and_profile_agree(spatial_run, call, recording, clock, weights):
    arguments = ("--model", spatial_run, "--clock", clock, "--weights", weights, "--json")
    simulated, profiled = call("simulate", recording, *arguments), call("profile", recording, *arguments)
    names = [layer["name"] for layer in simulated["layers"]]
    assert names == ["conv1", "conv2", "pool3", "dense4"]
    for one, other in zip(simulated["layers"], profiled["layers"], strict=True):
        assert (one["spikes"], one["synops"]) == (other["spikes"], other["synops"])
        assert 0 < one["synops"] < one["dense_macs"] and one["neurons"] > 0
    assert simulated["layers"][0]["spikes"] > 0


def test_profile_of_a_data_set(spatial_run, call, tree):
    figures = call("profile", tree, "--model", spatial_run, "--json")
    assert figures["samples"] == 20
    assert [layer["name"] for layer in figures["layers"]] == ["conv1", "conv2", "pool3", "dense4"]


def test_spikes_that_simulate_writes(spatial_run, call, recording, here):
    call("simulate", recording, "--model", spatial_run, "--out", "spikes.h5", "--json")
    figures = call("info", "spikes.h5", "--json")
    assert [layer["neurons"] for layer in figures["layers"]] == [2312, 8 * 15 * 15, 16 * 5 * 5, 16 * 2 * 2, 10]


def test_info_of_the_run(spatial_run, call):
    figures = call("info", spatial_run, "--json")
    assert figures["network"]["arch"] == ARCH and len(figures["provenance"]["gains"]) == 4
    with h5py.File(spatial_run / "model.h5") as file:
        assert file.attrs["version"] == 3
        assert file["weights/conv2"].shape == (8, 3, 3, 16) and set(file["weights"]) == {"conv1", "conv2", "dense4"}
        assert set(file["batch_norm/conv2"]) == {"gamma", "beta", "running_mean", "running_var"}
        assert np.any(file["batch_norm/conv2/running_mean"][()] != 0)


def test_a_finished_run_is_not_trained_again(spatial_run, call):
    assert call("train", "--resume", spatial_run, "--json")["epochs"] == 1


@pytest.mark.parametrize("name", ["scnn", "scnn3"])
def test_info_says_which_choices_of_the_paper_s_networks_are_ours(call, name):
    figures, text = call("info", name, "--json"), call("info", name)
    assert "padding" in figures["choices"] and figures["choices"] in text
    for layer in figures["layers"]:
        channels, height, width = layer["shape"]
        assert f"{width}x{height}x{channels}" in text and channels * height * width == layer["neurons"]
    assert figures["parameters"] == sum(layer["parameters"] for layer in figures["layers"])
    assert f"{figures['parameters']:,}" in text


def test_info_counts_synapses_and_not_weights_as_macs(call):
    first, second, third = call("info", "9x9x2-4c3p1-2p-bn-6c3-5", "--json")["layers"]
    assert (first["weights"], first["fan_in"]) == (2 * 9 * 4, 18)
    assert first["macs_per_tick"] == 2 * 4 * (7 * 3 + 2 * 2) ** 2  # 3 taps a line, 2 at either end
    assert second["stages"] == [{"kind": "average_pool", "value": 2}, {"kind": "batch_norm", "value": None}]
    assert second["macs_per_tick"] == 4 * 6 * 9 * 4 and second["parameters"] == 4 * 9 * 6 + 8
    assert third["fan_in"] == 6 * 2 * 2
