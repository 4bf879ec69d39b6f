"""The comparison of decoders: everybody's columns are verified, and who reads something else is left out."""

import json
import sys

import decoder_readers
import decoders
import numpy as np
import pytest
from decoder_readers import IN_BLOCKS, OURS, READERS

from eventsim.data import read


@pytest.mark.parametrize("codec", READERS)
def test_a_recording_comes_back_as_it_was_written(codec, tmp_path):
    if codec == "mat":
        pytest.importorskip("scipy")
    if codec == "aedat4":
        pytest.importorskip("aedat")
    events = decoder_readers.scene(500, decoder_readers.SENSORS.get(codec, decoder_readers.SENSOR))
    found = read(decoder_readers.written(codec, 500, tmp_path))
    assert all(np.array_equal(getattr(found, name), getattr(events, name)) for name in "txyp")


def test_everybody_takes_turns(tmp_path, capsys):
    times = decoders.compare("nmnist", 1000, 2, tmp_path)
    assert {OURS, IN_BLOCKS, "NumPy"} <= times.keys() and all(len(took) == 2 for took in times.values())
    first, blocks, *_ = decoders.rows("nmnist", 1000, times)
    assert first[:2] == ("nmnist", OURS) and first[3] == "1.00" and float(blocks[3]) > 0
    assert not list(tmp_path.iterdir())


def test_who_reads_something_else_is_left_out(tmp_path, capsys):
    def late(path):
        t, x, y, p = decoder_readers.ours(path)
        return t + 1, x, y, p[::-1]

    def absent(path):
        import no_such_package  # noqa: F401

    def untimed(path):
        return None, *decoder_readers.ours(path)[1:]

    path = decoder_readers.written("evt2", 100, tmp_path)
    assert list(decoders.verified({"late": late, "absent": absent, "untimed": untimed}, path)) == ["untimed"]
    assert capsys.readouterr().err.splitlines() == [
        "left out: evt2.raw, late: reads another t, p",
        "left out: evt2.raw, absent: ModuleNotFoundError: No module named 'no_such_package'",
    ]


def test_the_command_prints_a_table_and_writes_the_times(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(decoders, "on_one_core", lambda: None)
    path = tmp_path / "times.json"
    arguments = ["nmnist", "--events", "1000", "--repeats", "2", "--json", str(path)]
    monkeypatch.setattr(sys, "argv", ["decoders.py", *arguments])
    decoders.main()
    assert "times ours" in capsys.readouterr().out
    assert len(json.loads(path.read_text())["seconds"]["nmnist"][OURS]) == 2
