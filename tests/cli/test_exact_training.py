"""`eventsim train --clock exact`, and evaluating and profiling on the clock that a run was not trained on."""

import h5py
import numpy as np
import pytest

import eventsim
from eventsim.trainer.checkpoint import describe

from .conftest import ARCH


@pytest.fixture
def exact_run(tree, call):
    """A finished run of one epoch on the exact clock."""
    return call("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--clock", "exact", "--seed", 3, "--json")


def test_training_on_the_exact_clock_keeps_it(exact_run, call, tree):
    about = describe(exact_run["run"])
    assert about["network"]["clock"] == "exact" and len(about["provenance"]["gains"]) == 2
    rates = exact_run["history"][-1]["rates"]
    assert all(rate > 1 for rate in rates)
    assert call("evaluate", exact_run["run"], "--json")["accuracy"] == exact_run["accuracy"]


def test_training_says_the_clock(tree, shell):
    result = shell("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--clock", "exact")
    assert result.returncode == 0 and "tau_ref 1 ms, exact clock" in result.stderr


def test_the_same_command_gives_the_same_bits(exact_run, tree, call):
    again = call("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--clock", "exact", "--seed", 3, "--json")
    assert again["run"] != exact_run["run"]
    with h5py.File(f"{again['run']}/model.h5") as a, h5py.File(f"{exact_run['run']}/model.h5") as b:
        for name in a["weights"]:
            np.testing.assert_array_equal(a["weights"][name], b["weights"][name])


@pytest.mark.parametrize("trained_on", ["grid", "exact"])
def test_either_clock_runs_what_was_trained_on_either(trained_on, request, call, run, tree):
    folder = request.getfixturevalue("exact_run")["run"] if trained_on == "exact" else str(run)
    dataset = eventsim.open_dataset(tree, seed=3).validation
    for clock in ("grid", "exact"):
        network = eventsim.load(folder)
        network.clock = clock
        metrics = eventsim.evaluate(network, dataset)
        for figures in (call("evaluate", folder, "--clock", clock, "--data", tree, "--json"),
                        call("profile", tree, "--model", folder, "--clock", clock, "--json")):
            assert figures["clock"] == clock and figures["samples"] == 20
            assert figures["confusion"] == metrics.confusion.tolist()
            assert figures["loss"] == pytest.approx(metrics.summary()["loss"])
            assert figures["synops"] == pytest.approx(metrics.summary()["synops"])
            assert (figures["input"]["merged"] == 0) == (clock == "exact")
    default = call("evaluate", folder, "--data", tree, "--json")
    assert default["clock"] == trained_on
