"""`eventsim import`: a model of somebody else's weights, which everything takes."""

import numpy as np
import pytest

import eventsim
from eventsim.trainer.checkpoint import describe

YAML = """
simulation: {Ts: 1.0, tSample: 300}
neuron: {type: SRMALPHA, theta: 10, tauSr: 4.0, tauRef: 1.0, scaleRef: 2, tauRho: 1, scaleRho: 1}
layer:
    - {dim: 34x34x2}
    - {dim: 16}
    - {dim: 10}
training:
    error: {type: NumSpikes, tgtSpikeRegion: {start: 0, stop: 200}, tgtSpikeCount: {true: 20, false: 2}}
"""


@pytest.fixture
def files(here, rng):
    arrays = {"fc1.weight": rng.normal(0.2, 1.0, (16, 2, 34, 34, 1)).astype(np.float32),
              "fc2.weight": rng.normal(0.5, 5.0, (10, 16, 1, 1, 1)).astype(np.float32)}
    np.savez("weights.npz", **arrays)
    (here / "network.yaml").write_text(YAML)
    no_layers = YAML[: YAML.index("layer:")] + YAML[YAML.index("training:") :]
    (here / "bare.yaml").write_text(no_layers)
    return arrays


def test_a_model_of_slayer(call, files, recording):
    done = call("import", "weights.npz", "model.h5", "--network", "network.yaml", "--json")
    assert (done["model"], done["arch"], done["n_ticks"], done["dt"]) == ("model.h5", "34x34x2-16-10", 300, 1.0)
    assert [(one["layer"], one["name"]) for one in done["placed"]] == [
        ("dense1", "fc1.weight"), ("dense2", "fc2.weight")]
    network = eventsim.load("model.h5")
    np.testing.assert_array_equal(network.layers[0].weight, files["fc1.weight"].reshape(16, -1).T)
    assert network.neuron.tau_syn == 4.0 and network.n_ticks == 300
    assert call("simulate", recording, "--model", "model.h5", "--json")["spikes"] > 0
    assert "model.h5" in call("info", "model.h5")
    assert describe("model.h5")["provenance"]["weights"] == "weights.npz"


def test_the_screen_says_what_went_where(call, files):
    text = call("import", "weights.npz", "model.h5", "--network", "34x34x2-16-10", "--tau-syn", 4, "--dt", 0.5)
    assert "SRM, threshold 10, tau_syn 4 ms" in text and "ticks of 0.5 ms" in text
    assert "dense1  weights  fc1.weight  16x2x34x34x1\n" in text


def test_a_description_without_layers_takes_an_architecture(call, refuse, files):
    message = refuse("import", "weights.npz", "m.h5", "--network", "bare.yaml")
    assert message == "bare.yaml: has no layers, so it says no architecture; name one with --arch"
    call("import", "weights.npz", "m.h5", "--network", "bare.yaml", "--arch", "34x34x2-16-10")
    assert eventsim.load("m.h5").neuron.tau_syn == 4.0


def test_lava_needs_a_threshold(call, refuse, rng, here):
    arrays = {}
    for i, shape in enumerate([(16, 2312, 1, 1, 1), (10, 16, 1, 1, 1)]):
        arrays |= {f"blocks.{i}.neuron.current_decay": np.array([1024.0]),
                   f"blocks.{i}.neuron.voltage_decay": np.array([128.0]),
                   f"blocks.{i}.synapse.weight_g": rng.uniform(1, 2, (shape[0], 1, 1, 1, 1)),
                   f"blocks.{i}.synapse.weight_v": rng.normal(size=shape)}
    np.savez("cuba.npz", **arrays)
    words = ("import", "cuba.npz", "cuba.h5", "--network", "34x34x2-16-10")
    assert "a state dict has no threshold; give it with --theta" in refuse(*words)
    assert "choose --neuron cubalif" in refuse(*words, "--theta", 1, "--neuron", "srm")
    done = call(*words, "--theta", 1.25, "--json")
    assert done["neuron"]["kind"] == "cubalif" and done["neuron"]["reset"] == "hard"
    assert eventsim.load("cuba.h5").neuron.theta == 1.25


@pytest.mark.parametrize(("words", "said"), [
    (("weights.npz", "m.h5", "--network", "34x34x2-17-10"), "weights.npz: dense1 of 34x34x2-17-10 wants weights"),
    (("weights.npz", "m.h5", "--network", "nowhere.yaml"), "nowhere.yaml: no such file"),
    (("weights.npz", "m.h5", "--network", "x"), "architecture 'x' is no name"),
    (("nowhere.npz", "m.h5", "--network", "34x34x2-16-10"), "nowhere.npz: no such file"),
    (("network.yaml", "m.h5", "--network", "34x34x2-16-10"), "network.yaml: weights are read from .npz"),
    (("weights.npz", "m.npz", "--network", "34x34x2-16-10"), "m.npz: a model's name ends in .h5"),
    (("weights.npz", "nowhere/m.h5", "--network", "34x34x2-16-10"), "cannot be written"),
    (("weights.npz", "m.h5", "--network", "34x34x2-16-10", "--dt", "-1"), "dt must be a time in ms"),
    (("weights.npz", "m.h5"), "Missing option '--network'"),
])
def test_nonsense_leaves_nothing(refuse, files, here, words, said):
    before = sorted(here.iterdir())
    assert said in refuse("import", *words)
    assert sorted(here.iterdir()) == before


def test_what_is_there_stays(call, refuse, files, here):
    (here / "m.h5").write_text("mine")
    assert "m.h5: exists already" in refuse("import", "weights.npz", "m.h5", "--network", "network.yaml")
    call("import", "weights.npz", "m.h5", "--network", "network.yaml", "--force")
    assert eventsim.load("m.h5").n_weights == 2312 * 16 + 160


def test_a_description_is_a_recipe(call, refuse, files, tree):
    call("train", "--recipe", "network.yaml", "--data", tree, "--epochs", 1, "--out", "run")
    about = describe("run")
    assert about["network"]["neuron"]["tau_syn"] == 4.0 and about["network"]["n_ticks"] == 300
    config = about["config"]
    assert (config["loss"], config["loss_window"], config["true_count"]) == ("spike_count_slayer", [0.0, 200.0], 20.0)
    assert "Counted    output spikes from 0 to 200 ms" in call("info", "run")
    assert "has no layers" in refuse("train", "--recipe", "bare.yaml", "--data", tree)
    call("train", "--recipe", "bare.yaml", "--arch", "34x34x2-8-10", "--data", tree, "--epochs", 1, "--out", "bare")


def test_info_describes_it(call, refuse, files):
    text = call("info", "network.yaml")
    assert "34x34x2-16-10" in text and "tau_syn 4 ms" in text and "loss window 0.0 200.0" in text
    assert call("info", "network.yaml", "--json")["arch"] == "34x34x2-16-10"
    assert "has no layers" in refuse("info", "bare.yaml")
