"""`eventsim convert`, and `eventsim info` on what it makes."""

import pytest

import eventsim
from eventsim.data.conversion import partial_of

from .conftest import write_tree


def test_a_recording_goes_through_every_format_that_is_written(call, recording):
    from eventsim.data import CODECS

    before = recording
    for i, codec in enumerate(codec for codec in CODECS.values() if codec.writer and codec.decoder):
        path = f"{i}{codec.suffixes[0]}"
        done = call("convert", before, path, "--sensor", "34x34", "--json")
        assert done == {"out": path, "recordings": 1, "events": 400}
        before = path
    assert eventsim.read(before, sensor=eventsim.Sensor(34, 34)) == eventsim.read(recording)


def test_a_store_of_one_recording(call, run, recording):
    call("convert", recording, "a.h5")
    figures = call("info", "a.h5", "--json")
    assert (figures["format"], figures["events"], figures["sensor"]) == ("store", 400, "34x34x2")
    assert figures["about"] == {"Converted": f"from {recording}"}
    spikes = [call("simulate", source, "--json")["counts"] for source in (recording, "a.h5")]
    assert spikes[0] == spikes[1]


def test_a_store_of_several(call, recording):
    call("convert", recording, "a.csv")
    call("convert", recording, "a.csv", "all.h5", "--sensor", "34x34")
    figures = call("info", "all.h5", "--json")
    assert figures["kind"] == "recordings" and [one["events"] for one in figures["recordings"]] == [400, 400]
    text = call("info", "all.h5")
    assert "2 recordings, 800 events" in text and "a.csv" in text


def test_a_folder_of_texts(call, refuse, recording, here):
    call("convert", recording, "b.h5")
    assert call("convert", "--to", "csv", recording, "b.h5", "texts", "--json")["events"] == 800
    assert sorted(path.name for path in (here / "texts").iterdir()) == [f"{recording.stem}.csv", "b.csv"]
    assert "exists already" in refuse("convert", "--to", "csv", "b.h5", "texts")
    call("convert", "--to", "csv", "b.h5", "texts", "--force")
    assert "say with --to what format" in refuse("convert", "b.h5", "texts")
    assert "several recordings would be written there" in refuse("convert", "--to", "nmnist", "b.h5", "b.h5", "more")


def test_standard_input(call, recording):
    done = call("convert", "-", "a.csv", "--codec", "nmnist", "--json", stdin=recording.read_bytes())
    assert done["events"] == 400


def test_a_data_set_trains_the_same_from_its_store(call, tree):
    call("convert", tree, "all.h5")
    figures = call("info", "all.h5", "--json")
    assert figures["kind"] == "dataset" and figures["samples"] == {"train": [6] * 10, "validation": [2] * 10}
    losses = [call("train", "--arch", "34x34x2-10", "--data", data, "--epochs", 1, "--out", f"run{i}", "--json")
              ["history"][0]["loss"] for i, data in enumerate((tree, "all.h5"))]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("no.bin", "a.csv"), "no.bin: no such file"),
    (("{recording}", "a.xyz"), "a.xyz: has the suffix '.xyz', which names no known format"),
    (("{recording}", "{recording}", "a.csv"), "one file of text holds one recording, got 2"),
    (("{tree}", "a.csv"), "a.csv: a data set becomes one event store; name an .h5 file"),
    (("{tree}", "a.h5", "--codec", "csv"), "--codec is for recordings; leave it out for a data set"),
])
def test_what_cannot_be_converted(refuse, here, recording, tree, arguments, sentence):
    places = {"recording": recording, "tree": tree}
    message = refuse("convert", *(argument.format(**places) for argument in arguments))
    assert sentence in message
    assert list(here.iterdir()) == []


def test_a_damaged_recording_leaves_nothing_behind(refuse, here, recording):
    (here / "bad.bin").write_bytes(recording.read_bytes()[:-2])
    assert "bad.bin: ends inside a record" in refuse("convert", "bad.bin", "a.h5")
    assert [path.name for path in here.iterdir()] == ["bad.bin"]


def test_a_sample_that_is_damaged_is_named_and_the_rest_is_kept(call, refuse, here, tmp_path):
    data = write_tree(tmp_path / "some", Train=2)
    bad = data / "Train" / "9" / "00002.bin"
    good = bad.read_bytes()
    bad.write_bytes(good[:-1])
    message = refuse("convert", data, "a.h5")
    assert "9/00002.bin: ends inside a record" in message
    bad.write_bytes(good[:-5])
    assert call("convert", data, "a.h5", "--json")["recordings"] == 20
    assert not partial_of("a.h5").exists()
