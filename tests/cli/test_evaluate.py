"""`eventsim evaluate` on data sets, against the library."""

import numpy as np
import pytest

import eventsim


def test_evaluate_agrees_with_the_library(call, run, tree):
    figures = call("evaluate", run, "--data", tree, "--json")
    validation = eventsim.open_dataset(tree).validation
    metrics = eventsim.evaluate(eventsim.load(run), validation)
    assert figures["samples"] == len(validation) == 20
    assert figures["accuracy"] == metrics.summary()["accuracy"]
    assert figures["loss"] == pytest.approx(metrics.summary()["loss"])
    assert figures["confusion"] == metrics.confusion.tolist()
    assert figures["class_accuracy"] == [row[i] / 2 for i, row in enumerate(metrics.confusion.tolist())]
    assert figures["synops"] == pytest.approx(metrics.summary()["synops"]) and figures["synops"] > 0


def test_evaluate_gives_what_training_recorded(call, run):
    from eventsim.trainer.checkpoint import describe

    assert call("evaluate", run, "--json")["accuracy"] == describe(run)["history"][-1]["val_accuracy"]


def test_input_is_the_mean_of_what_binning_reports(call, run, tree):
    given = call("evaluate", run, "--data", tree, "--json")["input"]
    assert given["events"] == 400
    assert given["events"] == pytest.approx(given["spikes"] + given["merged"] + given["out_of_window"])
    assert given["out_of_window"] > 0
    assert given["density"] == pytest.approx(given["spikes"] / (2312 * 300))


@pytest.mark.parametrize(("split", "samples"), [("validation", 20), ("train", 60), ("all", 80)])
def test_splits(call, run, tree, split, samples):
    figures = call("evaluate", run, "--data", tree, "--split", split, "--json")
    assert figures["samples"] == samples == np.sum(figures["confusion"])
    assert call("profile", tree, "--model", run, "--split", split, "--json")["samples"] == samples


def test_held_out_samples_are_those_of_the_runs_seed(call, tmp_path):
    from .conftest import ARCH, write_tree

    data = write_tree(tmp_path / "untested", Train=4)
    trained = call("train", "--arch", ARCH, "--data", data, "--epochs", 1, "--seed", 9, "--out", "r", "--json")
    figures = call("evaluate", "r", "--data", data, "--json")
    assert figures["samples"] == 10 and figures["accuracy"] == trained["accuracy"]


def test_evaluate_screen(call, run, tree):
    text = call("evaluate", run, "--data", tree)
    figures = call("evaluate", run, "--data", tree, "--json")
    assert f"Accuracy   {figures['accuracy']:.4f} ({round(20 * figures['accuracy'])} of 20; 95 % interval " in text
    rows = [line.split() for line in text.splitlines() if line[:2].strip().isdigit()]
    assert len(rows) == 10 and all(row[-1] == "%" for row in rows)
    assert "Figures are means a sample." in text
    assert max(len(line) for line in text.splitlines() if not line.startswith(("Model", "Data", "Input"))) <= 80


def test_evaluate_without_samples_of_a_split(refuse, run, tmp_path):
    from .conftest import write_tree

    only_test = write_tree(tmp_path / "tested", Test=1)
    assert "there are no train samples" in refuse("evaluate", run, "--data", only_test, "--split", "train")


def test_evaluate_a_bare_model_needs_data(refuse, run):
    eventsim.save("plain.h5", eventsim.load(run))
    assert "name a data set (evaluate RUN --data PATH" in refuse("evaluate", "plain.h5")
