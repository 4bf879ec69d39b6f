"""`eventsim simulate`: the class, the output spikes, a line a layer, and which model it was."""

import h5py
import numpy as np
import pytest

import eventsim
from eventsim.model import LIF

from .conftest import ARCH


def layer_lines(text):
    """The cells of the lines of the layer table."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("layer"))
    return [line.split() for line in lines[start + 1 :] if line.startswith(("dense", "all"))]


def test_agrees_with_the_library(call, run, recording):
    trace = eventsim.load(run).simulate(eventsim.read(recording))
    figures = call("simulate", recording, "--model", run, "--json")
    assert figures["class"] == trace.predict()[0]
    assert figures["counts"] == trace.output.counts()[0].tolist() and sum(figures["counts"]) > 0
    assert [layer["spikes"] for layer in figures["layers"]] == [len(layer.spikes) for layer in trace.layers]
    assert figures["synops"] == trace.synops and figures["dense_macs"] == trace.dense_macs
    assert figures["ratio"] == trace.synops / trace.dense_macs
    hidden = figures["layers"][0]
    assert hidden["neurons"] == 16
    assert hidden["spikes_per_neuron"] == hidden["spikes"] / 16
    assert hidden["rate_hz"] == pytest.approx(hidden["spikes_per_neuron"] / 0.3)
    fired = len(np.unique(trace.layers[0].spikes.address))
    assert hidden["silent"] == pytest.approx(1 - fired / 16)


def test_json_shape(call, run, recording):
    figures = call("simulate", recording, "--model", run, "--json")
    assert {"file", "model", "arch", "clock", "dt", "n_ticks", "class", "tied", "counts", "input", "layers", "spikes",
            "synops", "dense_macs", "ratio", "seconds", "weights", "device"} == set(figures)
    events = figures["input"]
    assert events["events"] == events["spikes"] + events["merged"] + events["out_of_window"]
    assert events["out_of_window"] > 0 and events["skipped"] == 0
    assert (figures["arch"], figures["clock"], figures["n_ticks"]) == (ARCH, "grid", 300)


def test_screen(call, run, recording):
    text = call("simulate", recording, "--model", run)
    figures = call("simulate", recording, "--model", run, "--json")
    assert f"\nClass {figures['class']}\n" in text
    assert f"Model      {run} ({ARCH}, validation accuracy " in text
    assert f"{figures['input']['out_of_window']} outside the window" in text
    assert [row[0] for row in layer_lines(text)] == ["dense1", "dense2", "all"]
    assert max(map(len, text.splitlines()[4:])) <= 80
    assert "of the multiply-accumulates (MACs) of a dense simulation" in text


class TestStart:
    """The network's window may begin elsewhere in the recording."""

    @pytest.fixture
    def late(self, recording, here):
        """The recording, half a minute later."""
        events = eventsim.read(recording)
        eventsim.write("late.csv", eventsim.Events(events.t + 30_000_000, events.x, events.y, events.p, events.sensor))
        return "late.csv", events

    def test_at_a_time_or_the_first_event(self, call, run, recording, late):
        path, events = late
        whole = call("simulate", recording, "--json")
        again = call("simulate", path, "--start", 30_000, "--json")
        assert (again["counts"], again["input"]) == (whole["counts"], whole["input"])
        first = call("simulate", path, "--start", "first", "--json")["input"]
        inside = int(((events.t - events.t[0]) < 300_000).sum())
        assert first["events"] == len(events) and first["out_of_window"] == len(events) - inside

    def test_what_is_before_and_after_is_counted(self, call, run, late):
        path, events = late
        given = call("profile", path, "--start", 30_100, "--json")["input"]
        assert given["events"] == len(events) and given["out_of_window"] == int((events.t < 100_000).sum())
        given = call("simulate", path, "--json")["input"]
        assert given["out_of_window"] == given["events"] == len(events)

    def test_nonsense(self, refuse, run, recording):
        assert "'x' is no time; write ms, or first" in refuse("simulate", recording, "--start", "x")
        assert "goes with a recording" in refuse("simulate", "--follow", recording, "--start", "5")


def test_takes_the_newest_run(call, run, recording):
    assert f"Model      {run} " in call("simulate", recording)
    assert call("simulate", recording, "--json")["model"] == str(run)


def test_takes_a_model_file(call, run, recording):
    by_file = call("simulate", recording, "--model", run / "model.h5", "--json")
    assert by_file["counts"] == call("simulate", recording, "--model", run, "--json")["counts"]


def test_reads_standard_input(call, run, recording):
    figures = call("simulate", "-", "--codec", "nmnist", "--json", stdin=recording.read_bytes())
    assert figures["counts"] == call("simulate", recording, "--json")["counts"]
    assert figures["file"] == "-"


@pytest.mark.parametrize(("clock", "name", "dt"), [("grid", "grid", 1.0), ("1ms", "grid", 1.0), ("0.5ms", "grid", 0.5),
                                                   ("500us", "grid", 0.5), ("exact", "exact", 1.0)])
def test_clocks(call, run, recording, clock, name, dt):
    figures = call("simulate", recording, "--clock", clock, "--json")
    assert (figures["clock"], figures["dt"]) == (name, dt)
    assert figures["n_ticks"] * dt == 300
    assert figures["spikes"] > 0
    assert [row[0] for row in layer_lines(call("simulate", recording, "--clock", clock))] == ["dense1", "dense2", "all"]


def test_a_finer_tick_keeps_dead_time_and_duration(run):
    from eventsim.cli.clocks import on_clock

    network = eventsim.load(run)
    network.layers[0].neuron = LIF()
    fine = on_clock(network, ("grid", 0.25))
    assert fine.clock == "grid" and network.layers[0].neuron.t_abs is None
    assert fine.layers[0].neuron == LIF(t_abs=network.dt) and fine.layers[1].neuron is None
    assert on_clock(network, ("exact", None)).clock == "exact" and network.clock == "grid"
    assert fine.neuron.t_abs == network.dt and fine.neuron.dead_ticks(fine.dt) == 4
    assert fine.n_ticks * fine.dt == network.n_ticks * network.dt


def test_ties_are_said(run, recording, call):
    network = eventsim.load(run)
    network.layers[1].weight = np.ones((16, 10))
    eventsim.save("equal.h5", network)
    figures = call("simulate", recording, "--model", "equal.h5", "--json")
    assert figures["class"] == 0 and figures["tied"] == list(range(1, 10)) and figures["counts"][0] > 0
    assert "Class 0, tied with 1, 2, 3" in call("simulate", recording, "--model", "equal.h5")


def test_silence_is_said(recording, call):
    eventsim.save("silent.h5", eventsim.Network(ARCH, seed=None))
    assert "no output neuron fired" in call("simulate", recording, "--model", "silent.h5")
    figures = call("simulate", recording, "--model", "silent.h5", "--json")
    assert figures["spikes"] == 0 and figures["layers"][0]["silent"] == 1


class TestSpikeFile:
    @pytest.mark.parametrize(("clock", "column"), [("grid", "tick"), ("exact", "time")])
    def test_holds_the_spikes_of_all_layers(self, call, run, recording, clock, column):
        call("simulate", recording, "--clock", clock, "--out", "spikes.h5")
        trace = eventsim.load(run).simulate(eventsim.read(recording), clock=clock)
        with h5py.File("spikes.h5") as file:
            assert (file.attrs["format"], file.attrs["version"]) == ("eventsim-spikes", 1)
            assert list(file) == ["dense1", "dense2", "input"]
            for layer in trace.layers:
                group = file[layer.name]
                assert np.array_equal(group["address"], layer.spikes.address) and len(layer.spikes)
                assert np.array_equal(group[column], getattr(layer.spikes, column))
                assert group.attrs["n_neurons"] == layer.spikes.n_neurons

    def test_is_not_replaced_without_force(self, call, refuse, run, recording, here):
        (here / "spikes.h5").write_text("mine")
        assert "spikes.h5: exists already" in refuse("simulate", recording, "--out", "spikes.h5")
        assert (here / "spikes.h5").read_text() == "mine"
        call("simulate", recording, "--out", "spikes.h5", "--force")
        assert h5py.is_hdf5("spikes.h5")

    def test_in_a_place_that_cannot_be_written(self, refuse, run, recording):
        assert "cannot be written" in refuse("simulate", recording, "--out", "nowhere/spikes.h5")


@pytest.mark.parametrize(("option", "value", "part"), [
    ("--clock", "fast", "write grid, exact, or the length of a tick"),
    ("--clock", "0ms", "is no clock"),
    ("--clock", "1", "with its unit"),
    ("--sensor", "34", "is no sensor size"),
    ("--sensor", "0x34", "from 1 to"),
    ("--sensor", "10x10", "00001.bin: is of a 10x10x2 sensor, the network takes"),
    ("--sensor", "64x64", "takes events of a 34x34x2 sensor"),
    ("--codec", "mp3", "codec must be nmnist"),
    ("--model", "nowhere", "nowhere: no such file or folder"),
])
def test_nonsense(refuse, run, recording, option, value, part):
    assert part in refuse("simulate", recording, option, value)
