"""`eventsim profile` of recordings and data sets, against other commands."""

import csv
import pathlib

import pytest

import eventsim
from eventsim.events import Events
from eventsim.model import Network


def test_of_a_data_set(call, run, tree):
    figures = call("profile", tree, "--json")
    evaluated = call("evaluate", run, "--data", tree, "--json")
    for layer, other in zip(figures["layers"], evaluated["layers"], strict=True):
        assert {name: layer[name] for name in other} | {"seconds": 0} == pytest.approx(other | {"seconds": 0})
    assert figures["accuracy"] == evaluated["accuracy"] and figures["model"] == str(run)
    assert figures["input"] == pytest.approx(evaluated["input"])
    assert [one["samples"] for one in figures["classes"]] == [2] * 10
    assert [one["accuracy"] for one in figures["classes"]] == evaluated["class_accuracy"]


def test_of_some_samples_evenly(call, run, tree):
    figures = call("profile", tree, "--samples", 10, "--json")
    assert figures["samples"] == 10 and [sum(row) for row in figures["confusion"]] == [1] * 10
    assert call("profile", tree, "--samples", 1000, "--json")["samples"] == 20


def test_of_a_recording(call, run, recording):
    figures = call("profile", recording, "--json")
    simulated = call("simulate", recording, "--json")
    assert figures["samples"] == 1 and figures["classes"] == []
    for name in ("input", "spikes", "synops", "dense_macs", "ratio"):
        assert figures[name] == simulated[name]
    assert figures["neurobench"]["SynapticOperations"]["Effective_ACs"] == simulated["synops"]


def test_screens(call, run, tree, recording):
    for source in (tree, recording):
        text = call("profile", source)
        for word in ("layer", "silent", "SynOps", "MACs", "ratio", "time", "density", "dense1", "dense2", "saturated",
                     "CV", "chi", "uJ", "doi:10.1109", "are left out"):
            assert word in text
        assert ("class  samples" in text) == (source == tree)
        tables = [line for line in text.splitlines() if line.startswith(("layer", "dense", "all", "class"))]
        assert tables and max(map(len, tables)) <= 80


def test_backward(call, run, tree):
    figures = call("profile", tree, "--samples", 10, "--backward", "--json")["backward"]
    assert figures["samples"] == 10 and [layer["name"] for layer in figures["layers"]] == ["dense1", "dense2"]
    assert all(0 < layer["active"] <= 1 and layer["synops_gradient"] > 0 for layer in figures["layers"])
    assert figures["layers"][0]["synops_error"] == 0 < figures["layers"][1]["synops_error"]
    assert "training step takes" in call("profile", tree, "--samples", 10, "--backward")


def test_a_line_for_every_sample(call, refuse, run, tree):
    figures = call("profile", tree, "--csv", "samples.csv", "--json")
    rows = list(csv.DictReader(pathlib.Path("samples.csv").read_text().splitlines()))
    assert len(rows) == 20 and sorted({row["label"] for row in rows}) == list("0123456789")
    assert rows[0]["sample"].endswith(".bin")
    for layer in figures["layers"]:
        for what in ("spikes", "synops"):
            assert sum(int(row[f"{what}_{layer['name']}"]) for row in rows) == pytest.approx(20 * layer[what])
    assert sum(row["label"] == row["predicted"] for row in rows) == pytest.approx(20 * figures["accuracy"])
    assert "samples.csv: exists already" in refuse("profile", tree, "--csv", "samples.csv")
    call("profile", tree, "--csv", "samples.csv", "--force")


def test_refuses_options_of_the_other_kind(refuse, run, tree, recording):
    assert refuse("profile", tree, "--codec", "nmnist").startswith("--codec is for a single recording")
    for option in (("--samples", 3), ("--backward",), ("--csv", "x.csv")):
        assert refuse("profile", recording, *option).startswith(f"{option[0]} is for a data set")


def test_the_report_is_a_file_by_itself(call, refuse, run, tree, recording):
    for source in (tree, recording):
        assert "report.html" in call("profile", source, "--html", "report.html", "--force")
        text = pathlib.Path("report.html").read_text()
        assert text.startswith("<!doctype html>") and "dense1" in text and str(source) in text
        assert ("Classes" in text) == (source == tree)
    assert "report.html: exists already" in refuse("profile", recording, "--html", "report.html")


def test_a_run_is_profiled_on_its_own_data(call, refuse, run, tree):
    figures = call("profile", run, "--json")
    assert figures["source"] == str(tree) and figures["model"] == str(run)
    assert figures["spikes"] == call("profile", tree, "--json")["spikes"]
    assert figures["spikes"] == call("profile", run / "model.h5", "--json")["spikes"]
    assert "--model names a model, and so does the run" in refuse("profile", run, "--model", run)


def test_another_model_stands_beside_it(call, refuse, run, tree, recording):
    for source in (tree, run, recording):
        found = call("profile", source, "--compare", "nmnist", "--html", "both.html", "--force", "--json")["models"]
        assert found[0]["model"] == str(run) and len(found[1]["layers"]) == 4
    text = pathlib.Path("both.html").read_text()
    assert 'class="two"' in text and "conv1" in text and "dense2" in text
    assert call("profile", recording, "--compare", "nmnist").count("Model ") == 2
    assert refuse("profile", tree, "--compare", "nmnist", "--csv", "x.csv").startswith("--csv is for one model")


def test_what_cannot_be_is_refused_before_anything_runs(refuse, call, run, tree, recording, monkeypatch):
    def never(*arguments, **settings):
        raise AssertionError("a pass was begun")

    eventsim.save("other.h5", Network("28x28x2-4-10", seed=0))
    eventsim.save("looped.h5", Network("34x34x2-8r-10", seed=0))
    monkeypatch.setattr("eventsim.cli.profiles.run_over", never)
    assert "--html and --csv name the same file" in refuse("profile", tree, "--html", "a.x", "--csv", "a.x")
    for option in ("--html", "--csv"):
        assert "none/x: there is no folder none" in refuse("profile", tree, option, "none/x")
    assert "other.h5 takes events of a 28x28x2 sensor" in refuse("profile", tree, "--compare", "other.h5")
    message = refuse("profile", tree, "--model", "looped.h5", "--backward")
    assert message.startswith("--backward: 34x34x2-8r-10 has delays")
    assert "--backward is for weights of float32" in refuse("profile", tree, "--backward", "--weights", "int8")
    assert "name a data set" in refuse("profile", "other.h5")


def test_a_recording_that_begins_late_is_noticed(call, shell, run, recording):
    events = eventsim.read(recording)
    late = Events(events.t + 1_000_000, events.x, events.y, events.p, events.sensor)
    eventsim.write("late.csv", late)
    for command in ("simulate", "profile"):
        assert "--start first begins with its first event" in shell(command, "late.csv", "--model", run).stderr
        assert shell(command, "late.csv", "--model", run, "--start", "first").stderr == ""
        assert shell(command, recording, "--model", run).stderr == ""
    assert "Class " in call("profile", recording)
