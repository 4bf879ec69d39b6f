"""The cache of compiled code: used again, never stale, and never in the way."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from eventsim.kernels.cpu import jit

_RUN = """
import numpy as np
from eventsim import kernels
from eventsim.kernels.cpu.lists import group_by_tick
from eventsim.kernels.cpu.jit import cache_folder
count = np.zeros(1, np.int64)
kernels.call("group_by_tick", sample_first=0, sample_last=1, sample_ptr=np.array([0, 2]),
             tick=np.array([3, 5], np.int32), run_base=np.zeros(1, np.int64), run_count=count,
             run_tick=np.empty(3, np.int32), run_start=np.empty(3, np.int64))
print(count[0], sum(group_by_tick.stats.cache_hits.values()), cache_folder())
"""


def run(cache):
    """(result, cache hits, cache folder) of a process that calls one kernel."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", _RUN], capture_output=True, text=True, timeout=120,
                          env=os.environ | {"NUMBA_CACHE_DIR": str(cache)})
    assert (done.returncode, done.stderr) == (0, "")
    result, hits, folder = done.stdout.split()
    return int(result), int(hits), folder


def test_what_one_process_compiled_the_next_one_loads(tmp_path):
    assert run(tmp_path)[:2] == (2, 0)
    result, hits, folder = run(tmp_path)
    assert (result, hits) == (2, 1)
    assert pathlib.Path(folder).parent == tmp_path


def test_where_no_cache_can_be_written_every_process_compiles(tmp_path):
    nowhere = tmp_path / "a file"
    nowhere.write_text("")
    for _ in range(2):
        assert run(nowhere) == (2, 0, "None")


def test_nothing_is_cached_beside_the_sources():
    """An installation may be read-only."""
    folder = pathlib.Path(jit.__file__).parent
    assert list(folder.glob("*.py"))
    assert not [path for path in folder.rglob("*") if path.suffix in (".nbi", ".nbc")]


@pytest.mark.parametrize("edited", ["cpu/vector.py", "cpu/dense.py", "layout.py", "status.py", "cpu/new.py"])
def test_any_edit_of_any_kernel_source_begins_a_new_cache(tmp_path, monkeypatch, edited):
    copy = tmp_path / "kernels"
    shutil.copytree(pathlib.Path(jit.__file__).parents[1], copy, ignore=shutil.ignore_patterns("__pycache__"))

    def stamp():
        jit._source_stamp.cache_clear()
        return jit._source_stamp()

    try:
        before = stamp()
        monkeypatch.setattr(jit, "_HERE", copy / "cpu")
        assert stamp() == before
        path = copy / edited
        path.write_text((path.read_text() if path.exists() else "") + "\n# edited\n")
        assert stamp() != before
    finally:
        monkeypatch.undo()
        jit._source_stamp.cache_clear()


def test_checked_code_is_kept_apart():
    """What ``NUMBA_BOUNDSCHECK=1`` compiles is slower and must not be served without it."""
    code = "from eventsim.kernels.cpu.jit import _source_stamp; print(_source_stamp())"
    stamps = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
                       env=os.environ | {"NUMBA_BOUNDSCHECK": value}).stdout for value in ("0", "1")
    }
    assert len(stamps) == 2
