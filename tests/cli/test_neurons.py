"""Other neurons than those of the spike response model, from the command line."""

import os

import pytest


@pytest.mark.parametrize("kind, options, words", [
    ("lif", ("--tau-mem", 8, "--reset", "hard"), ("LIF, threshold 1, tau_mem 8 ms", "hard reset")),
    ("cubalif", ("--tau-mem", "inf", "--tau-syn", 4, "--late"),
     ("CubaLIF, threshold 1, no leak, tau_syn 4 ms",)),
])
def test_they_are_trained_and_run(call, tree, recording, kind, options, words):
    call("train", "--arch", "34x34x2-16-10", "--data", tree, "--epochs", 1, "--neuron", kind, *options, "--out", "run")
    text = call("info", "run")
    assert all(word in text for word in words)
    assert call("info", "run", "--json")["network"]["neuron"]["kind"] == kind
    assert call("simulate", recording, "--model", "run", "--json")["spikes"] > 0
    assert call("evaluate", "run", "--json")["samples"] == 20
    assert "dense1" in call("profile", recording, "--model", "run")


def test_a_named_architecture_brings_no_parameters_of_another_kind(call, tree):
    call("train", "--arch", "mlp512", "--data", tree, "--epochs", 1, "--neuron", "lif", "--out", "run")
    assert call("info", "run", "--json")["network"]["neuron"]["tau_mem"] == 20.0


def test_what_does_not_fit_is_refused(refuse, tree):
    train = ("train", "--arch", "34x34x2-16-10", "--data", tree, "--epochs", 1)
    message = refuse(*train, "--neuron", "lif", "--tau-ref", 2)
    assert message.startswith("neuron 'lif' has no parameter 'tau_ref'; it has theta, tau_mem")
    assert "has no parameter 'tau_mem'" in refuse(*train, "--tau-mem", 2)
    lif, hard = (*train, "--neuron", "lif"), ("--reset", "hard")
    assert "v_reset is for the reset hard, not subtract; leave it out" in refuse(*lif, "--v-reset", 0.3)
    assert "v_reset must be a number from -1e+09 to 1e+09, got inf" in refuse(*lif, *hard, "--v-reset", "inf")
    assert "tau_mem must be a number from 1e-09 to 1e+09, or inf, got nan" in refuse(*lif, "--tau-mem", "nan")
    message = refuse("train", "--arch", "34x34x2-4c5s4-bn-10", "--data", tree, "--neuron", "lif", "--tau-mem", "inf",
                     "--clock", "exact", "--out", "q")
    assert message.startswith("neurons of dense2 do not leak, and batch normalisation") and "Run" not in message
    assert not os.path.exists("q")
    assert "the loss spike_count_slayer filters output spikes with tau_syn" in refuse(
        *train, "--neuron", "lif", "--loss", "spike_count_slayer")


@pytest.mark.parametrize("kind, arch", [("lif", "34x34x2-16-10"), ("cubalif", "34x34x2-4a-4c3-2p-bn-10")])
def test_they_are_trained_on_the_exact_clock(call, tree, recording, kind, arch):
    done = call("train", "--arch", arch, "--data", tree, "--epochs", 1, "--neuron", kind, "--clock", "exact", "--out",
                "run", "--json")
    assert all(rate > 0.1 for rate in done["history"][-1]["rates"])
    about = call("info", "run", "--json")["network"]
    assert (about["clock"], about["neuron"]["kind"]) == ("exact", kind)
    assert call("simulate", recording, "--model", "run", "--json")["clock"] == "exact"
    assert call("evaluate", "run", "--json")["accuracy"] == done["accuracy"]


def test_they_run_in_continuous_time_and_in_streams(call, tree, recording):
    call("train", "--arch", "34x34x2-16-10", "--data", tree, "--epochs", 1, "--neuron", "cubalif", "--out", "run")
    exact = call("simulate", recording, "--model", "run", "--clock", "exact", "--json")
    assert exact["clock"] == "exact" and exact["spikes"] > 0
    text = call("simulate", recording, "--model", "run", "--follow", "--once", "--no-spikes")
    assert "Events     400 in" in text and "\ndense1 " in text
