"""Ctrl-C: a run stops with a sentence, and goes on to the same bits as one that was never stopped."""

import signal
import subprocess
import time

import h5py
import numpy as np
import pytest

from .conftest import ARCH
from .test_train import history

EPOCHS = 12


@pytest.fixture
def start(script, tree):
    """Start a training in the background."""

    def popen(*arguments):
        command = [script, "train", *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return popen


def interrupt_after(process, wanted):
    """Read stderr up to a line that starts with ``wanted``, send SIGINT, and give the rest of stderr."""
    for line in process.stderr:
        if line.lstrip().startswith(wanted):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == ""
    return err


def weights(run):
    with h5py.File(run / "model.h5") as file:
        return {name: data[()] for name, data in file["weights"].items()}


def test_interrupted_twice_gives_the_same_bits_as_never(start, call, tree, here):
    settings = ("--arch", ARCH, "--data", tree, "--epochs", EPOCHS, "--batch-size", 2, "--seed", 5)
    call("train", *settings, "--out", "whole")

    process = start(*settings, "--out", "parts")
    message = interrupt_after(process, "epoch").splitlines()[-1]
    assert process.returncode == 130
    assert message.startswith("Error: stopped in epoch ") and "parts/model.h5" in message
    assert message.endswith("`eventsim train --resume parts`")

    process = start("--resume", "parts")
    done = len(history(here / "parts")) if (here / "parts" / "history.jsonl").exists() else 0
    interrupt_after(process, f"{done + 2} ")  # after the end of another epoch
    assert process.returncode == 130
    assert 1 <= len(history(here / "parts")) < EPOCHS

    call("train", "--resume", "parts")
    whole, parts = weights(here / "whole"), weights(here / "parts")
    assert whole.keys() == parts.keys() and len(whole) == 2
    for name in whole:
        assert np.array_equal(whole[name], parts[name]), name
    untimed = [[record | {"seconds": 0} for record in history(here / name)] for name in ("whole", "parts")]
    assert untimed[0] == untimed[1]


def test_data_that_moved_is_named_anew(start, call, refuse, tree, here):
    moved = here / "elsewhere"
    moved.symlink_to(tree)
    (here / "first").symlink_to(tree)
    process = start("--arch", ARCH, "--data", "first", "--epochs", EPOCHS, "--batch-size", 2, "--out", "run")
    interrupt_after(process, "epoch")
    (here / "first").unlink()
    assert "first: no such file or folder" in refuse("train", "--resume", "run")
    assert "not that of the run's first part" in refuse("train", "--resume", "run", "--data", _smaller(here))
    call("train", "--resume", "run", "--data", moved)
    assert len(history(here / "run")) == EPOCHS


def _smaller(here):
    from .conftest import write_tree

    return write_tree(here / "smaller", Train=1)


@pytest.mark.parametrize(("number", "status", "said"), [
    (signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted"),
])
def test_a_conversion_that_is_stopped_leaves_nothing(script, recording, here, number, status, said):
    command = [script, "convert", "-", "a.csv", "--codec", "nmnist"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(recording.read_bytes())
    process.stdin.flush()
    end = time.monotonic() + 60
    while not list(here.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.decode().strip(), list(here.iterdir())) == (status, f"Error: {said}", [])


def test_interrupt_before_training_starts(script, here):
    """A read that waits for stdin is interrupted at once."""
    command = [script, "simulate", "-", "--codec", "nmnist"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(command, **pipes, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, "", "Error: interrupted")
