"""Every command on the exact clock with a network of convolutions, pools, normalisation and dropout."""

import json

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import eventsim
from eventsim.cli import main

from .conftest import _call

ARCH = "34x34x2-2p-4c5s2-2p-bn-6c2-2a-do0.1-10"


@pytest.fixture(scope="module")
def spatial_run(tree, tmp_path_factory):
    """A finished run of one epoch on the exact clock."""
    out = tmp_path_factory.mktemp("runs") / "spatial"
    result = _call("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--clock", "exact", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    rates = json.loads(result.stdout)["history"][-1]["rates"]
    assert len(rates) == 4 and min(rates) > 0.1
    return str(out)


def test_simulate(spatial_run, call, recording):
    trace = eventsim.load(spatial_run).simulate(eventsim.read(recording))
    figures = call("simulate", recording, "--model", spatial_run, "--out", "spikes.h5", "--json")
    assert (figures["arch"], figures["clock"]) == (ARCH, "exact")
    assert [layer["spikes"] for layer in figures["layers"]] == [len(layer.spikes) for layer in trace.layers]
    assert figures["counts"] == trace.output.counts()[0].tolist() and sum(figures["counts"]) > 0
    assert figures["synops"] == trace.synops > 0
    with h5py.File("spikes.h5") as file:
        assert sorted(file) == ["conv1", "conv2", "dense4", "input", "pool3"]
    text = call("simulate", recording, "--model", spatial_run)
    assert f"Class {figures['class']}\n" in text and "run one event at a time" in text
    on_grid = call("simulate", recording, "--model", spatial_run, "--clock", "1ms", "--json")
    assert on_grid["clock"] == "grid" and on_grid["layers"][0]["spikes"] > 0


def test_follow(spatial_run, recording):
    """Piece by piece as bytes come, the spikes are those of the whole recording, and more after its end."""
    command = ["simulate", "--follow", "-", "--codec", "nmnist", "--model", spatial_run, "--json"]
    result = CliRunner().invoke(main, command, input=recording.read_bytes(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    found = [(one["neuron"], one["time"]) for one in lines if one["kind"] == "spike" and one["time"] < 300]
    trace = eventsim.load(spatial_run).simulate(eventsim.read(recording))
    assert sorted(neuron for neuron, _ in found) == sorted(trace.output.address.tolist())
    np.testing.assert_allclose(sorted(time for _, time in found), trace.output.time, rtol=0, atol=1e-9)
    (summary,) = (one for one in lines if one["kind"] == "summary")
    assert all(layer["spikes"] >= len(done.spikes)
               for layer, done in zip(summary["layers"], trace.layers, strict=True))
    assert summary["layers"][0]["synops"] >= trace.layers[0].synops > 0


def test_evaluate_and_profile(spatial_run, call, tree):
    network, dataset = eventsim.load(spatial_run), eventsim.open_dataset(tree).validation
    for clock in ("grid", "exact"):
        network.clock = clock
        metrics = eventsim.evaluate(network, dataset)
        for figures in (call("evaluate", spatial_run, "--clock", clock, "--data", tree, "--json"),
                        call("profile", tree, "--model", spatial_run, "--clock", clock, "--json")):
            assert figures["clock"] == clock and figures["confusion"] == metrics.confusion.tolist()
            assert figures["loss"] == pytest.approx(metrics.summary()["loss"])
            assert figures["synops"] == pytest.approx(metrics.summary()["synops"])
