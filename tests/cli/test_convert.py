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
        assert done == {"out": path, "recordings": 1, "empty": 0, "events": 400, "skipped": {}, "reordered": 0}
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
    assert call("convert", "--to", "nmnist", "all.h5", "apart", "--json")["recordings"] == 2
    assert eventsim.read("apart/a.bin") == eventsim.read(f"apart/{recording.stem}.bin") == eventsim.read(recording)


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


def test_one_recording_with_a_named_format_becomes_the_file(call, recording, here):
    call("convert", "--to", "csv", recording, "out.data.csv")
    assert (here / "out.data.csv").is_file()
    call("convert", "--to", "csv", recording, "folder")
    assert [path.name for path in (here / "folder").iterdir()] == [f"{recording.stem}.csv"]


def test_folders_of_classes_take_a_sensor(call, refuse, recording, here):
    for name in ("a", "b"):
        (here / "set" / name).mkdir(parents=True)
        call("convert", recording, here / "set" / name / "1.csv")
    assert "`eventsim convert set set.h5 --sensor" in refuse("info", "set")
    assert call("info", "set", "--sensor", "34x34", "--json")["samples"] == {"train": [1, 1]}
    assert call("convert", "set", "set.h5", "--sensor", "34x34", "--json")["events"] == 800
    assert call("convert", "set.h5", "again.h5", "--json")["recordings"] == 2


def test_files_of_cochleas_are_data_sets_by_name(call, here):
    import h5py

    with h5py.File("shd_test.h5", "w") as file:
        for name, values in (("times", [0.1, 0.2]), ("units", [5, 699])):
            data = file.create_dataset(f"spikes/{name}", (1,), h5py.vlen_dtype(type(values[0])))
            data[0] = values
        file["labels"] = [3]
    (here / "said").mkdir()
    with h5py.File("said/n-tidigits.hdf5", "w") as file:
        for split in ("train", "test"):
            file[f"{split}_labels"] = [b"man-x-3"]
            file[f"{split}_addresses/man-x-3"], file[f"{split}_timestamps/man-x-3"] = [7], [0.5]
    for source, events in (("shd_test.h5", 2), ("said", 2), ("said/n-tidigits.hdf5", 2)):
        assert call("info", source, "--json")["kind"] == "dataset"
        assert call("convert", source, "out.h5", "--force", "--json")["events"] == events


def test_a_stop_is_no_mistake(here, tree, monkeypatch):
    from click.testing import CliRunner

    from eventsim.cli import main
    from eventsim.data import conversion

    def stop(*_, **__):
        raise conversion.Stopped("stopped after 3 of 60 samples")

    monkeypatch.setattr(conversion, "convert_dataset", stop)
    done = CliRunner().invoke(main, ["convert", str(tree), "a.h5"])
    assert done.exit_code == 130 and "stopped after 3 of 60 samples" in done.stderr


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("--to", "csv", "{recording}", "{recording}", "{recording}"), "is a file, expected a folder for 2 recordings"),
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


def test_a_damaged_recording_is_repaired(call, refuse, here, recording):
    data = recording.read_bytes()
    (here / "bad.bin").write_bytes(data[5:10] + data[:5] + bytes([99]) + data[11:-2])
    assert refuse("convert", "bad.bin", "a.bin").endswith("`eventsim convert --repair`")
    text = call("convert", "bad.bin", "a.bin", "--repair")
    assert text == "a.bin: 1 recording, 398 events; left out: 1 outside, 1 cut; put in the order of time: 1\n"
    whole, mended = eventsim.read(recording), eventsim.read("a.bin")
    assert mended.t.tolist() == [*whole.t[:2], *whole.t[3:-1]]
    done = call("convert", "--repair", "-", "b.h5", "--codec", "nmnist", "--apply", "pool:factor=2", "--json",
                stdin=(here / "bad.bin").read_bytes())
    assert done == {"out": "b.h5", "recordings": 1, "empty": 0, "events": 398, "skipped": {"outside": 1, "cut": 1},
                    "reordered": 1}
    done = call("convert", "--repair", "--to", "csv", "bad.bin", recording, "texts", "--json")
    assert (done["events"], done["reordered"]) == (798, 1)
    assert "--repair is for recordings; leave it out for a data set" in refuse("convert", recording.parents[2], "c.h5",
                                                                              "--repair")


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
