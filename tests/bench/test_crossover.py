"""Where dense simulation takes as long as ours."""

import json
import subprocess
import sys

import crossover
import pytest


def row(name, inference, training, ours=False):
    task = "inference float32" if ours else "inference"
    return {"name": name, "times": {task: [inference] * 3, "training": [training] * 3}}


REPORT = {"arch": "smlp", "results": [
    {"rate": rate, "rows": [row("eventsim", ours, 2 * ours, True), row("dense", 8.0, 8.0)]}
    for rate, ours in ((16.0, 16.0), (1.0, 1.0), (4.0, 4.0))
]}


def test_ratios_are_those_of_the_rounds_by_rising_rate():
    found = crossover.curves(REPORT)
    assert found["inference"]["dense"] == ([1.0, 4.0, 16.0], [8.0, 2.0, 0.5])
    assert found["training"]["dense"] == ([1.0, 4.0, 16.0], [4.0, 1.0, 0.25])


@pytest.mark.parametrize("ratios, at, text", [
    ([8.0, 2.0, 0.5], 8.0, "8"), ([8.0, 2.0, 1.5], None, "above 16"), ([0.9, 0.5, 0.1], 1.0, "below 1"),
    ([2.0, 0.5, 2.0], None, "above 16"), ([0.5, 2.0, 0.5], 8.0, "8"),
])
def test_a_crossover_is_where_others_get_as_fast_for_good(ratios, at, text):
    found = crossover.crossover([1.0, 4.0, 16.0], ratios)
    assert found == (at if at is None else pytest.approx(at))
    assert crossover.told([1.0, 4.0, 16.0], ratios) == text


def test_the_script_prints_and_draws(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "curve.json").write_text(json.dumps(REPORT))
    arguments = [sys.executable, crossover.__file__, "curve.json", "--plot", "curve.svg"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.splitlines()[1].split() == ["inference", "dense", "8", "8", "2", "0.5"]
    assert (tmp_path / "curve.svg").read_text().count("dense") >= 2
    (tmp_path / "curve.json").write_text("{}")
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "is no comparison that compare.py wrote" in done.stderr
