"""Fixtures of the command-line tests: a small data set, a small run on it, and two ways to call a command."""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from eventsim.cli import main
from eventsim.data.codecs.nmnist import SENSOR, encode
from eventsim.events import Events

ARCH = "34x34x2-16-10"


def blob(digit, number, n=400):
    """A recording whose events lie where its digit says."""
    rng = np.random.default_rng([digit, number])
    x, y = np.clip(rng.normal([[3 + 3 * digit], [17]], [[2], [6]], (2, n)).astype(int), 0, 33)
    t = np.sort(rng.integers(0, 305_000, n))
    return Events(t, x, y, rng.integers(0, 2, n), SENSOR)


def write_tree(root, **counts):
    """Write <split>/<digit>/<id>.bin with so many recordings of every digit; returns the folder."""
    for split, count in counts.items():
        for digit in range(10):
            folder = root / split / str(digit)
            folder.mkdir(parents=True)
            for i in range(count):
                (folder / f"{i + 1:05d}.bin").write_bytes(encode(blob(digit, i + 100 * (split == "Test"))))
    return root


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """An N-MNIST folder: 6 recordings of every digit to train on, 2 to test on."""
    return write_tree(tmp_path_factory.mktemp("data") / "blobs", Train=6, Test=2)


@pytest.fixture(scope="session")
def recording(tree):
    """One recording of that folder."""
    return tree / "Test" / "3" / "00001.bin"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test has an empty folder of its own to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _call(*arguments, stdin=None):
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, catch_exceptions=False)


@pytest.fixture
def call():
    """Run a command that succeeds; gives its stdout, as an object with --json."""

    def succeed(*arguments, stdin=None):
        result = _call(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return succeed


@pytest.fixture
def refuse():
    """Run a command that is refused; gives the one sentence on stderr."""

    def fail(*arguments, stdin=None):
        result = _call(*arguments, stdin=stdin)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        *before, last = result.stderr.splitlines()
        assert last.startswith("Error: ") and not any(line.startswith("Error") for line in before)
        return last.removeprefix("Error: ")

    return fail


@pytest.fixture(scope="session")
def trained(tree, tmp_path_factory):
    """A finished run of two epochs; use `run`."""
    out = tmp_path_factory.mktemp("runs") / "trained"
    result = _call("train", "--arch", ARCH, "--data", tree, "--epochs", 2, "--out", out)
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def run(trained, here):
    """A copy of that run, at runs/trained of the test's folder."""
    return pathlib.Path(shutil.copytree(trained, here / "runs" / "trained")).relative_to(here)


@pytest.fixture
def script():
    """The installed script's path."""
    path = pathlib.Path(sys.executable).with_name("eventsim")
    if not path.exists():
        pytest.skip(f"the package's script is not installed at {path}")
    return str(path)


@pytest.fixture
def shell(script):
    """Run the installed script to its end."""

    def execute(*arguments, **settings):
        command = [script, *(str(a) for a in arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)

    return execute
