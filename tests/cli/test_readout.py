"""Networks whose potentials are read, from the command line: trained, shown, followed, exported."""

import json
import pathlib

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import eventsim as es
from eventsim.cli import main
from eventsim.engine import Stream, run
from eventsim.model.neurons.li import READOUTS

ARCH = "34x34x2-16-10"


@pytest.fixture
def read(tree, here, call):
    """A run of one epoch, by what is read."""
    def train(readout="mean", *more):
        out = f"run-{readout}"
        return out, call("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--neuron", "lif",
                         "--readout", readout, "--out", out, *more)

    return train


@pytest.mark.parametrize("readout", READOUTS)
def test_they_are_trained_and_shown(read, call, recording, readout):
    name, text = read(readout)
    assert "The run is trained: " in text
    network = es.load(name)
    trace = network.simulate(es.read(recording))
    found = call("simulate", recording, "--model", name, "--json")
    assert (found["class"], found["readout"], found["scores"]) == (
        trace.predict()[0], readout, trace.scores[0].tolist())
    assert "counts" not in found and ("times" in found) == (readout == "max")
    last = found["layers"][-1]
    assert (last["spikes"], last["silent"], last["rate_hz"], last["synops"]) == (
        0, None, None, trace.layers[-1].synops) and last["synops"] > 0
    text = call("simulate", recording, "--model", name)
    assert f"\n{readout} " in text and "fired" not in text and ("\nat ms " in text) == (readout == "max")
    exact = call("simulate", recording, "--model", name, "--clock", "exact", "--json")
    assert exact["clock"] == "exact" and len(exact["scores"]) == 10
    assert call("simulate", recording, "--model", name, "--weights", "int8", "--json")["scores"] != found["scores"]
    said = {"mean": "its mean", "last": "its last value", "max": "its maximum"}[readout]
    assert f"Read-out   LI, tau_mem 20 ms, read by {said}\n" in call("info", name)
    score = call("evaluate", name, "--json")
    assert score["samples"] == 20 and 0 < score["loss"] < 5 and score["layers"][1]["silent"] is None


def test_a_profile_has_no_rates_of_them(read, call, tree, recording):
    name, _ = read()
    found = call("profile", tree, "--model", name, "--backward", "--json", "--html", "page.html", "--csv", "table.csv")
    first, last = found["layers"]
    assert last["spikes"] == 0 and last["synops"] > 0 and last["bytes"] > 0
    assert all(last[key] is None for key in ("silent", "saturated", "rate_hz", "density", "synchrony"))
    assert list(found["neurobench"]["ActivationSparsityByLayer"]) == ["dense1"]
    assert found["neurobench"]["ActivationSparsity"] == pytest.approx(1 - first["density"])
    assert found["backward"]["layers"][1]["active"] == 1.0  # the mean is of all ticks
    page = pathlib.Path("page.html").read_text()
    assert "Output potentials, mean: class" in page and page.count("nothing to show") == 3  # raster, spikes, intervals
    assert pathlib.Path("table.csv").read_text().splitlines()[0].split(",")[3:] == [
        "spikes_dense1", "spikes_dense2", "silent_dense1", "synops_dense1", "synops_dense2"]
    assert "dense2      -" in call("profile", recording, "--model", name)


def test_pictures_and_spike_files(read, call, recording):
    name, _ = read("max")
    call("plot", "membrane", recording, "m.png", "--model", name)
    found = call("plot", "membrane", recording, "n.png", "--model", name, "--json")
    scores = es.load(name).simulate(es.read(recording)).scores[0]
    assert found["neurons"] == sorted(np.argsort(-scores)[:3].tolist())
    found = call("plot", "raster", recording, "r.png", "--model", name, "--json")
    assert [one["name"] for one in found["layers"]] == ["input", "dense1"]
    call("plot", "weights", name, "w.png")
    call("plot", "curves", name, "c.png")
    call("simulate", recording, "--model", name, "--out", "spikes.h5")
    with h5py.File("spikes.h5") as file:
        assert file["dense2"].attrs["readout"] == "max" and len(file["dense2/address"]) == 0
        np.testing.assert_array_equal(file["dense2/score"][0], scores)
    assert "dense2" in call("info", "spikes.h5")
    said = "spikes of input, dense1; dense2 has none, its potentials are read"
    assert said in call("plot", "raster", "spikes.h5", "s.png")
    assert said in call("plot", "raster", recording, "t.png", "--model", name)
    assert pathlib.Path("s.png").read_bytes() == pathlib.Path("t.png").read_bytes()


@pytest.mark.parametrize("readout", READOUTS)
def test_a_stream_has_scores_of_the_last_window(read, recording, readout):
    name, _ = read(readout)
    command = ["simulate", "--follow", str(recording), "--codec", "nmnist", "--once", "--model", name, "--score", "80",
               "--every", "50"]
    result = CliRunner().invoke(main, [*command, "--json"], catch_exceptions=False)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert {one["kind"] for one in found} == {"scores", "summary"}
    network = es.load(name)
    hidden = run(network.spiking, es.data.encoders.exact_times(es.read(recording), 400.0, 1.0)[0]).output
    for one in found[:-1]:
        at = one["time"]
        inside = (hidden.time >= at - 80) & (hidden.time < at)
        given = es.Spikes([0, inside.sum()], hidden.address[inside], time=hidden.time[inside] - (at - 80),
                          n_neurons=16, n_ticks=80)
        last = es.Network("16-10", network.neuron, readout=network.readout, seed=None)
        last.layers[0].weight = network.layers[1].weight
        wanted = run(last, given).scores[0]
        np.testing.assert_allclose(one["scores"], wanted, rtol=0, atol=1e-6)
        assert one["readout"] == readout and one["class"] == np.argmax(wanted)
    summary = found[-1]
    assert summary["readout"] == readout and len(summary["scores"]) == 10 and summary["layers"][1]["spikes"] == 0
    assert summary["layers"][1]["synops"] == 10 * summary["layers"][0]["spikes"]
    text = CliRunner().invoke(main, command, catch_exceptions=False).stdout
    assert f"output potentials, {readout} in the 80 ms up to " in text and f"  {readout} " in text


def test_a_stream_of_one_layer_reads_its_input(rng):
    network = es.Network("5x2x2-3", es.SRM(), n_ticks=50, readout="last", readout_tau=np.inf, seed=4)
    stream = Stream(network)
    t = np.sort(rng.integers(0, 40_000, 60))
    x, y, p = rng.integers(0, (5, 2, 2), (60, 3)).T
    events = es.Events(t, x, y, p, network.sensor)
    stream.push(events[:30])
    stream.push(events[30:])
    stream.finish()
    assert len(stream.spikes().time) == 0 and stream.report.synops == (180,)
    wanted = network.layers[0].weight[events.address].sum(axis=0)
    np.testing.assert_allclose(stream.scores().potentials, wanted, rtol=1e-5)
    assert stream.scores().chosen == np.argmax(wanted)


def test_a_recipe_may_say_so(call, tree, here):
    (here / "own.toml").write_text(
        'name = "own"\nversion = 1\nabout = "mine"\n[network]\narch = "34x34x2-16-10"\nreadout = "last"\n'
        'readout_tau = inf\n[neuron]\nkind = "lif"\n[training]\nepochs = 1\n')
    call("train", "--recipe", "own.toml", "--data", tree, "--out", "run")
    assert "Read-out   LI, no leak, read by its last value" in call("info", "run")
    assert "Read-out   LI, no leak" in call("info", "own.toml")


def test_a_recipe_for_spikes_may_be_read(call, tree):
    call("train", "--recipe", "nmnist-sparse", "--data", tree, "--epochs", 1, "--readout", "max", "--out", "run")
    config = call("info", "run", "--json")["config"]
    assert (config["loss"], config["true_count"], config["false_count"]) == ("cross_entropy", None, None)


def test_an_export_is_read_again(read, call, recording):
    name, _ = read("last")
    result = CliRunner().invoke(main, ["export", name, "net.nir"], catch_exceptions=False)
    assert "the neurons of dense2 are read: what counts is their last potential" in result.stderr
    assert "dense2 0 and 0" not in result.stderr
    ours, theirs = (call("simulate", recording, "--model", model, "--json") for model in (name, "net.nir"))
    np.testing.assert_allclose(theirs["scores"], ours["scores"], rtol=0, atol=1e-4)
    other = call("simulate", recording, "--model", "net.nir", "--nir-readout", "max", "--json")
    assert other["readout"] == "max"
    assert call("evaluate", "net.nir", "--data", "synthetic", "--json")["loss"] > 0


def test_they_are_trained_on_the_exact_clock(call, tree):
    done = call("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--neuron", "lif", "--readout", "mean",
                "--clock", "exact", "--out", "run", "--json")
    about = call("info", "run", "--json")["network"]
    assert about["clock"] == "exact" and call("evaluate", "run", "--json")["accuracy"] == done["accuracy"]


def test_what_does_not_fit_is_refused(refuse, tree):
    train = ("train", "--arch", ARCH, "--data", tree, "--epochs", 1, "--neuron", "lif")
    assert "choose cross_entropy or potential_error" in refuse(*train, "--readout", "mean", "--loss", "spike_count")
    assert "choose spike_count or " in refuse(*train, "--loss", "cross_entropy")
    assert "readout_tau is the time constant of a readout" in refuse(*train, "--readout-tau", 5)
    assert "true_count is a setting of" in refuse(*train, "--readout", "mean", "--true-count", 5)
    assert "trained on the grid clock only so far" in refuse(*train, "--readout", "max", "--clock", "exact")
