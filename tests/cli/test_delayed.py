"""Commands on a model with recurrence and delays."""

import os

import numpy as np
import pytest

import eventsim

ARCH = "34x34x2-64r@d2-10"
N_WEIGHTS = 2312 * 64 + 64 * 64 + 64 * 10


@pytest.fixture
def model(here):
    """A model file whose layers fire, with a delay for every recurrent synapse."""
    network = eventsim.Network(ARCH, seed=1)
    network.layers[0].recurrent.delay = np.random.default_rng(0).uniform(0, 9, (64, 64))
    for layer in network.layers:
        layer.packed *= 5
    eventsim.save("model.h5", network)
    return network


def test_info_shows_recurrence_delays_and_weights(call):
    figures = call("info", ARCH, "--json")
    assert figures["weights"] == N_WEIGHTS
    assert [(layer["name"], layer["fan_in"], layer["weights"], layer["recurrent"], layer["delay_ms"])
            for layer in figures["layers"]] == [
        ("recurrent1", 2312 + 64, 2312 * 64 + 64 * 64, True, 2.0), ("dense2", 64, 640, False, None)]
    lines = call("info", ARCH).splitlines()
    row = next(line.split() for line in lines if line.startswith("recurrent1"))
    assert (row[1:4], row[-2:]) == (["64", "2,376", "152,064"], ["2", "ms"])
    assert next(line.split() for line in lines if line.startswith("dense2"))[-1] == "-"
    assert "delay" not in call("info", "34x34x2-64r-10")


def test_info_of_a_model_shows_its_notation(call, model):
    assert call("info", "model.h5", "--json")["network"]["arch"] == ARCH
    assert ARCH in call("info", "model.h5")


def test_simulate_and_profile_count_the_recurrent_synapses(call, model, recording):
    trace = model.simulate(eventsim.read(recording))
    hidden, output = trace.layers
    assert len(hidden.spikes) and len(output.spikes)
    for command in ("simulate", "profile"):
        figures = call(command, recording, "--model", "model.h5", "--json")
        assert [layer["spikes"] for layer in figures["layers"]] == [len(layer.spikes) for layer in trace.layers]
        assert figures["layers"][0]["synops"] == 64 * (len(trace.input) + len(hidden.spikes))
        assert figures["layers"][0]["dense_macs"] == (2312 * 64 + 64 * 64) * trace.input.n_ticks
        text = call(command, recording, "--model", "model.h5")
        assert "recurrent1" in text
        assert max(len(line) for line in text.splitlines() if line.startswith(("layer", "recurrent1", "all"))) <= 80


def test_evaluate(call, model, tree):
    figures = call("evaluate", "model.h5", "--data", tree, "--json")
    assert figures["samples"] == 20 and figures["layers"][0]["name"] == "recurrent1"
    assert figures["layers"][0]["dense_macs"] == (2312 * 64 + 64 * 64) * 300


def test_weights_of_fewer_bits_are_refused(refuse, model, recording):
    message = refuse("simulate", recording, "--model", "model.h5", "--weights", "int8")
    assert "delays and recurrence run in float32" in message


@pytest.mark.parametrize(("command", "reason"), [
    ("train", "which are for simulation only so far"),
    ("bench", "and bench scales the weights of networks without them"),
])
@pytest.mark.parametrize("arch", ["34x34x2-50r-10", "34x34x2-50@d2-10"])
def test_what_trains_refuses_it_before_anything_is_made(refuse, here, command, reason, arch):
    assert f"{arch} has delays or recurrence, {reason}" in refuse(command, "--arch", arch)
    assert os.listdir(here) == []


def test_info_says_which_delays_were_assigned(call):
    network = eventsim.Network("34x34x2-20r-10", seed=0)
    network.layers[0].delay = np.linspace(0.5, 2.0, 2312)
    network.layers[0].recurrent.delay = np.full((20, 20), 1.5)
    eventsim.save("assigned.h5", network)
    assert "recurrent1 0.5 to 2 ms, recurrent1, own 1.5 to 1.5 ms" in call("info", "assigned.h5")
    assert call("info", "assigned.h5", "--json")["delays"] == {"recurrent1": [0.5, 2.0], "recurrent1, own": [1.5, 1.5]}


def test_a_notation_that_is_wrong_says_where(refuse):
    assert "'64rr' is not a layer" in refuse("info", "34x34x2-64rr-10")
    assert "'64@d' is not a layer" in refuse("train", "--arch", "34x34x2-64@d-10")
