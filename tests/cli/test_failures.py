"""Bad input: one sentence each, exit status 1, and nothing lost."""

import errno
import os
import re
import subprocess
import sys

import h5py
import pytest
from click.testing import CliRunner

import eventsim
from eventsim.cli import main

from .conftest import ARCH
from .test_train import history


class TestRecording:
    @pytest.fixture(params=["simulate", "profile", "info"])
    def command(self, request, run):
        """Every command that reads a recording; there is a model."""
        return request.param

    @pytest.fixture
    def file(self, here, recording):
        """A function of changed bytes that writes them as a recording."""
        data = recording.read_bytes()

        def write(change, name="bad.bin"):
            (here / name).write_bytes(change(data))
            return name

        return write

    def test_empty(self, refuse, command, file):
        assert "bad.bin: is empty" in refuse(command, file(lambda data: b""))

    def test_truncated(self, refuse, command, file):
        message = refuse(command, file(lambda data: data[:-3]))
        assert "ends inside a record" in message and "copy or download it again" in message

    def test_unsorted(self, refuse, command, file):
        message = refuse(command, file(lambda data: data[5:] + data[:5]))
        assert "events must be in the order of time" in message

    def test_outside_the_sensor(self, refuse, command, file):
        message = refuse(command, file(lambda data: bytes([99]) + data[1:]))
        assert "outside the 34x34x2 sensor" in message and "--sensor 100x" in message

    def test_of_an_unknown_format(self, refuse, command, file):
        message = refuse(command, file(lambda data: data, "sample.xyz"))
        assert "which names no known format" in message and "--codec nmnist" in message

    def test_folder_without_samples(self, refuse, command, here):
        (here / "nothing").mkdir()
        message = refuse(command, "nothing")
        assert "is a folder" in message or "has no recording" in message

    def test_unreadable(self, refuse, command, file):
        name = file(lambda data: data)
        os.chmod(name, 0)
        if os.access(name, os.R_OK):
            pytest.skip("this user may read everything")
        assert "permission denied" in refuse(command, name)


def test_missing_recording(refuse, run):
    assert "no.bin: no such file or folder" in refuse("simulate", "no.bin")
    assert "no.bin: no such file or folder" in refuse("profile", "no.bin")
    assert "no such file or folder" in refuse("info", "no.bin")


@pytest.mark.parametrize("arguments", [
    ("profile", "typo", "--samples", 5), ("profile", "typo.zip", "--codec", "csv"),
    ("train", "--data", "typo", "--samples", 5),
    ("evaluate", "{run}", "--data", "typo"), ("convert", "typo.zip", "out.h5", "--repair"),
    ("convert", "{recording}", "typo", "texts", "--to", "csv"),
])
def test_what_is_missing_is_said_before_options_that_do_not_fit_it(refuse, run, recording, here, arguments):
    message = refuse(*(str(one).format(run=run, recording=recording) for one in arguments))
    assert re.match(r"(/.*/)?typo(.zip)?: no such file or folder; check the path$", message)
    assert os.listdir(here) == ["runs"]


class TestModel:
    @pytest.fixture(params=["simulate", "profile", "evaluate", "info", "train"])
    def use(self, request, recording, refuse):
        """A function that has a command use a model, and gives its refusal."""
        arguments = {"simulate": [recording, "--model"], "profile": [recording, "--model"], "train": ["--resume"]}
        return lambda model: refuse(request.param, *arguments.get(request.param, []), model)

    def test_truncated(self, use, run):
        with open(run / "model.h5", "r+b") as file:
            file.truncate(5000)
        assert "model.h5: is damaged or not an eventsim model" in use(run)

    def test_no_hdf5(self, use, run):
        (run / "model.h5").write_bytes(b"weights" * 1000)
        assert "is damaged or not an eventsim model" in use(run)

    def test_newer_version(self, use, run):
        with h5py.File(run / "model.h5", "r+") as file:
            file.attrs["version"] = 99
        message = use(run)
        assert "of version 99" in message and "install the eventsim that wrote it" in message

    def test_other_hdf5(self, use, run):
        with h5py.File(run / "model.h5", "w") as file:
            file.attrs["format"] = "something"
        assert "is an HDF5 file but not an eventsim model" in use(run)

    def test_group_is_missing(self, use, run):
        with h5py.File(run / "model.h5", "r+") as file:
            del file.attrs["network"]
        assert "is damaged or not an eventsim model" in use(run)

    def test_of_another_sensor(self, refuse, recording, tree):
        eventsim.save("other.h5", eventsim.Network("28x28x1-16-10"))
        assert "28x28x1" in refuse("simulate", recording, "--model", "other.h5")
        assert "28x28x1" in refuse("profile", recording, "--model", "other.h5")
        assert "28x28x1" in refuse("evaluate", "other.h5", "--data", tree)


class TestFullDisk:
    def test_while_saving_keeps_the_previous_checkpoint(self, tree, monkeypatch, call, here):
        saved = []

        def replace(source, target, real=os.replace):
            if str(target).endswith("model.h5"):
                if len(saved) == 4:  # before and after the validation of two epochs
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                saved.append(target)
            real(source, target)

        settings = ("--arch", ARCH, "--data", tree, "--epochs", 4)
        with monkeypatch.context() as patch:
            patch.setattr("eventsim.files.os.replace", replace)
            arguments = [str(a) for a in ("train", *settings, "--out", "run")]
            result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == 1 and result.stdout == ""
        assert result.stderr.splitlines()[-1] == (
            "Error: run/model.h5: cannot be written (No space left on device); choose another place or free it")
        assert sorted(os.listdir("run")) == ["history.csv", "history.jsonl", "model.h5"]
        assert len(history(here / "run")) == 2
        call("train", "--resume", "run")
        call("train", *settings, "--out", "whole")
        with h5py.File("run/model.h5") as run, h5py.File("whole/model.h5") as whole:
            for name in whole["weights"]:
                assert (run["weights"][name][()] == whole["weights"][name][()]).all()

    def test_under_hdf5(self, script, tree, here):
        """A limit on the size of files stands for the disk."""
        resource = pytest.importorskip("resource")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

        command = [script, "train", "--arch", ARCH, "--data", str(tree), "--epochs", "1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=limit)
        assert done.returncode == 1 and done.stdout == ""
        last = done.stderr.splitlines()[-1]
        assert last.startswith(f"Error: runs/{ARCH}-blobs-01/model.h5: cannot be written (File too large); choose")
        assert os.listdir("runs") == []


class TestOutput:
    @pytest.mark.parametrize("arguments", [["info", "smlp"], ["info", "smlp", "--json"], ["--help"]])
    def test_to_a_closed_pipe_ends_quietly(self, script, arguments):
        process = subprocess.Popen([script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.close()
        assert process.stderr.read() == ""
        process.stderr.close()
        assert process.wait(60) == 1

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
    def test_to_a_full_disk(self, script):
        with open("/dev/full", "w") as full:
            done = subprocess.run([script, "info", "smlp"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
        assert "No space left on device" in done.stderr


class TestDebug:
    def test_shows_the_traceback_and_the_sentence(self, run):
        for arguments in (["--debug", "simulate", "no.bin"], ["simulate", "no.bin", "--debug"]):
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 1
            assert "Traceback" in result.stderr
            assert result.stderr.splitlines()[-1].startswith("Error: no.bin: no such file")

    def test_is_what_a_bug_asks_for(self, monkeypatch, refuse):
        def broken(*args, **settings):
            raise KeyError("gone")

        monkeypatch.setattr("eventsim.report.description.of_network", broken)
        message = refuse("info", "smlp")
        assert "KeyError: 'gone'" in message and "--debug" in message

    def test_too_little_memory_is_a_sentence(self, monkeypatch, refuse):
        def huge(*args, **settings):
            raise MemoryError("Unable to allocate 4 TiB")

        monkeypatch.setattr("eventsim.report.description.of_network", huge)
        message = refuse("info", "smlp")
        assert message.startswith("there is not enough memory (Unable to allocate 4 TiB); use longer ticks (--clock,")
        assert "(--start first)" in message and "a smaller network or smaller batches" in message


class TestScript:
    def test_ends_with_status_and_sentence(self, shell):
        done = shell("simulate", "no.bin")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "Error: no.bin: no such file or folder; check the path\n"

    def test_starts_without_compiling(self, shell, recording):
        """Describing things works where kernels cannot be imported."""
        done = shell("info", recording, env=os.environ | {"NUMBA_DISABLE_JIT": "1"})
        assert done.returncode == 0 and "34x34x2" in done.stdout

    def test_is_the_same_as_the_module(self, shell):
        command = [sys.executable, "-c", "from eventsim.cli import main; main()", "info", "mlp512"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.stdout == shell("info", "mlp512").stdout != ""


def test_a_name_that_the_terminal_cannot_show_is_escaped(recording, here):
    odd = here / "snow\u2603.bin"
    odd.write_bytes(recording.read_bytes())
    code = "from eventsim.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "info", odd], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "snow\\u2603.bin" in done.stdout
