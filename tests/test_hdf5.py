"""Damaged HDF5 files are refused, where the library alone would crash or never come back."""

import json
import struct

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from eventsim import trainer
from eventsim.cli import main
from eventsim.errors import EventsimError, FormatError
from eventsim.hdf5 import WRITING, check_heaps
from eventsim.model import Network
from eventsim.report import spike_file
from eventsim.trainer.checkpoint import save


def _model(path):
    save(path, Network("6x6x2-4", seed=0))
    return path


def _without_end(path):
    """Make the first object of the first global heap of a file a free space of no size."""
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    data[at:at + 16] = bytes(16)
    path.write_bytes(data)
    return at


@pytest.mark.parametrize("old", [False, True])
def test_a_heap_without_end_is_found(tmp_path, old):
    path = tmp_path / "texts.h5"
    with h5py.File(path, "w", **({} if old else WRITING)) as file:
        file.attrs["text"] = "some text"
        file["texts"] = [f"text {i}" for i in range(2000)]  # several heaps
    check_heaps(path)
    at = _without_end(path)
    with pytest.raises(OSError, match=f"an object of no size at byte {at} of the file"):
        check_heaps(path)


def test_a_heap_object_as_large_as_can_be_is_followed_by_itself(tmp_path):
    path = tmp_path / "texts.h5"
    path.write_bytes(b"GCOL\x01\0\0\0" + struct.pack("<QHHIQ", 4096, 1, 1, 0, 2**64 - 16) + bytes(100))
    with pytest.raises(OSError, match="no size at byte 16"):
        check_heaps(path)


@pytest.mark.parametrize("data", [b"", b"GCOL\x01\0\0\0", b"GCOL\x01\0\0\0" + b"\xff" * 8,
                                  b"GCOL\x01\0\0\0" + b"\xff" * 24])
def test_a_heap_that_the_file_cuts_has_an_end(tmp_path, data):
    (tmp_path / "cut.h5").write_bytes(data)
    check_heaps(tmp_path / "cut.h5")


def test_models_and_spikes_with_a_heap_without_end_are_refused(tmp_path):
    path = _model(tmp_path / "model.h5")
    _without_end(path)
    with pytest.raises(FormatError, match=r"is damaged or not an eventsim model \(an object of no size at byte"):
        trainer.load(path)
    assert spike_file.describe(path) is None and not spike_file.is_spike_file(path)


def test_no_damage_of_a_model_crashes(tmp_path):
    """Each of these bytes in turn, and many at once; what is read nevertheless is a network."""
    path = _model(tmp_path / "model.h5")
    whole, rng, read = path.read_bytes(), np.random.default_rng(0), 0
    for i in range(400):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), rng.integers(1, 9)):
            data[at] = rng.choice([0, 255, data[at] ^ 1 << int(rng.integers(8)), rng.integers(256)])
        path.write_bytes(data)
        try:
            read += isinstance(trainer.load(path), Network)
        except EventsimError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error), i
    assert 0 < read < 400


def test_no_command_takes_a_damaged_model_for_a_bug(tmp_path):
    path = _model(tmp_path / "model.h5")
    whole, rng, refused = path.read_bytes(), np.random.default_rng(1), 0
    for i in range(30):
        data = bytearray(whole)
        for at in rng.integers(0, 3000, 2):
            data[at] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        for command in (["info", str(path)], ["export", str(path), str(tmp_path / "out.nir"), "--force"]):
            done = CliRunner().invoke(main, command)
            assert done.exit_code in (0, 1) and "unexpectedly" not in done.output, (i, done.output)
            refused += done.exit_code
    assert refused > 15


def test_texts_of_any_length_are_kept(tmp_path):
    network = Network("6x6x2-4", seed=0)
    record = dict.fromkeys(("samples", "loss", "accuracy", "rates", "silent", "seconds"), 0)
    history = [{"epoch": i, **record, "note": "x" * 1000} for i in range(1, 300)]
    training = {"config": {}, "progress": {"epoch": 299}, "history": history, "optimizer": {}, "metrics": {}}
    save(tmp_path / "model.h5", network, training=training)
    assert trainer.checkpoint.describe(tmp_path / "model.h5")["history"] == history
    assert len(json.dumps(history)) > 1 << 16  # more than an object of HDF5 has room for
