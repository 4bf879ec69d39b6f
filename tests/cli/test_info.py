"""`eventsim info` on everything that it describes."""

import json
import shutil

import pytest
from click.testing import CliRunner

from eventsim.cli import main

from .conftest import ARCH


@pytest.mark.parametrize("name", [ARCH, "mlp512", "smlp"])
def test_architecture(call, name):
    from eventsim.model import PRESETS, parse

    figures = call("info", name, "--json")
    arch = parse(name)
    assert figures["kind"] == "architecture" and figures["arch"] == arch.notation
    assert [layer["neurons"] for layer in figures["layers"]] == list(arch.widths)
    assert [layer["fan_in"] for layer in figures["layers"]] == [2312, *arch.widths[:-1]]
    assert figures["weights"] == sum(layer["neurons"] * layer["fan_in"] for layer in figures["layers"])
    assert figures["layers"][0]["macs_per_sample"] == 300 * figures["layers"][0]["weights"]
    text = call("info", name)
    assert "MACs/sample" in text and arch.notation in text and f"{figures['weights']:,}" in text
    if name in PRESETS:
        assert f"{PRESETS[name].learning_rate:g}" in text and PRESETS[name].about in text


def test_recording(call, recording):
    import eventsim

    events = eventsim.read(recording)
    figures = call("info", recording, "--json")
    assert figures["kind"] == "recording" and figures["sensor"] == "34x34x2"
    assert figures["events"] == len(events) == 400
    assert (figures["first_us"], figures["last_us"]) == (events.t[0], events.t[-1])
    assert figures["on_share"] == pytest.approx(events.p.mean())
    assert figures["skipped"] == {}
    text = call("info", recording)
    for part in ("34x34x2", "400", "ON", "OFF", " ms", "a second"):
        assert part in text


def test_several_things_are_described_one_after_the_other(call, run, recording):
    text = call("info", recording, "smlp")
    assert text.index("Recording") < text.index("\n\nName") and "smlp" in text
    lines = CliRunner().invoke(main, ["info", str(recording), "smlp", "--json"]).stdout.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["recording", "architecture"]


@pytest.mark.parametrize("output", [[], ["--json"]])
def test_what_cannot_be_described_does_not_keep_the_others_from_it(recording, here, output):
    (here / "bad.bin").write_bytes(recording.read_bytes()[:-3])
    result = CliRunner().invoke(main, ["info", "bad.bin", "smlp", "typo", str(recording), *output])
    first, second = result.stderr.splitlines()
    assert first.startswith("Error: bad.bin: ends inside a record") and second.startswith("Error: typo: there is no")
    assert result.exit_code == 1 and str(recording) in result.stdout
    if output:
        assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == ["architecture", "recording"]
    else:
        assert result.stdout.startswith("Name  ") and "\n\nRecording  " in result.stdout


def test_counts_are_in_words(call, here):
    (here / "a.csv").write_text("".join(f"{i},0,0,1\n" for i in range(5)))
    call("convert", "a.csv", "a.h5", "--apply", "time_window:stop=0.003")
    text = call("info", "a.h5")
    assert "1 address with events, at most 3, at x = 0, y = 0, p = 1\n" in text
    assert "Skipped    2 by time_window\n" in text
    assert "1x1x1 sensor, 1 address\n" in call("info", "1x1x1-2")


def test_recording_on_standard_input_with_overflow_records(call, recording):
    data = bytes([0, 240, 0, 0, 0]) + recording.read_bytes()
    figures = call("info", "-", "--codec", "nmnist", "--sensor", "40x40", "--json", stdin=data)
    assert figures["skipped"] == {"overflow": 1} and figures["sensor"] == "40x40x2" and figures["events"] == 400


@pytest.mark.parametrize("file", ["", "model.h5"])
def test_run(call, run, file, tree):
    figures = call("info", run / file, "--json")
    assert figures["kind"] == "model" and figures["network"]["arch"] == ARCH
    assert figures["provenance"]["data"]["source"] == str(tree)
    assert figures["config"]["epochs"] == 2 and len(figures["history"]) == 2
    text = call("info", run / file)
    for part in (ARCH, "2 of 2 done", "eventsim train", str(tree), "tau_syn 10 ms", "calibrated"):
        assert part in text


def test_bare_model(call):
    import eventsim

    eventsim.save("plain.h5", eventsim.Network(ARCH))
    figures = call("info", "plain.h5", "--json")
    assert figures["config"] is None and figures["history"] is None
    assert ARCH in call("info", "plain.h5")


def test_data_set_as_folder_and_zip(call, tree):
    shutil.make_archive("packed", "zip", tree)
    for source in (tree, "packed.zip"):
        figures = call("info", source, "--json")
        assert figures["kind"] == "dataset" and figures["classes"] == 10 and figures["sensor"] == "34x34x2"
        assert figures["samples"] == {"train": [6] * 10, "validation": [2] * 10}
    assert [line.split()[-1] for line in call("info", tree).splitlines() if line.startswith(("train", "valid"))] == [
        "60", "20"]


@pytest.mark.parametrize("clock", ["grid", "exact"])
def test_spike_file(call, run, recording, clock):
    simulated = call("simulate", recording, "--clock", clock, "--out", "spikes.h5", "--json")
    figures = call("info", "spikes.h5", "--json")
    assert (figures["kind"], figures["clock"], figures["n_ticks"]) == ("spikes", clock, 300)
    assert [layer["name"] for layer in figures["layers"]] == ["input", "dense1", "dense2"]
    assert [layer["spikes"] for layer in figures["layers"]][1:] == [layer["spikes"] for layer in simulated["layers"]]
    assert str(recording) in call("info", "spikes.h5") and str(run) in call("info", "spikes.h5")


def test_nothing_of_the_kind(refuse):
    message = refuse("info", "smpl")
    assert "no such file or folder" in message and "smlp, scnn, scnn3, mlp512" in message
