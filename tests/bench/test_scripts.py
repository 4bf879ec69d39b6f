"""Scripts start as their first lines say: by themselves, from anywhere."""

import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SCRIPTS = sorted(path for path in HERE.glob("[!t]*.py") if '__name__ == "__main__"' in path.read_text())
WITH_TORCH = {"compare.py", "neurobench_check.py"}


def test_there_are_scripts():
    assert len(SCRIPTS) > 6 and {path.name for path in SCRIPTS} > WITH_TORCH


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.name not in WITH_TORCH], ids=lambda path: path.stem)
def test_help(path, tmp_path):
    done = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("usage: "), done.stderr
