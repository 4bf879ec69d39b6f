"""The benchmark itself: that it measures what it says, on small networks, and that its report is complete."""

import json
import math

import numpy as np
import pytest

from eventsim import kernels
from eventsim.bench import growth, machine, memory, phases, scene, timing, whole
from eventsim.engine import forward
from eventsim.kernels.memory import aligned_empty

ARCH = "34x34x2-70-40-10"


@pytest.fixture(scope="module")
def built():
    return scene.build(ARCH, batch=2, rate=6.0)


@pytest.fixture
def fast(monkeypatch):
    """Measurements of the machine that take no time."""
    monkeypatch.setattr(machine, "_MEMORY", 1 << 20)
    monkeypatch.setattr(machine, "_READ", 1 << 20)


def test_layers_fire_at_the_named_rate(built):
    *hidden, last = built.activity()
    assert hidden == pytest.approx([6.0, 6.0], rel=0.1)
    assert last == pytest.approx(15.0, rel=0.2)  # the mean of 60 and nine times 10


def test_rows_are_read_once_a_repeat():
    rows, total = aligned_empty((9, 64), np.float32), np.zeros((1, 64), np.float32)
    rows[:] = np.arange(9)[:, None]
    kernels.call("read_rows", first=2, last=6, repeats=3, rows=rows, total=total)
    assert np.all(total == 3 * (2 + 3 + 4 + 5))


def test_the_machine_is_measured(fast):
    found = machine.measure()
    assert found.cpu and found.cores >= 1 and found.l2_bytes >= 1 << 16
    assert found.l2_read > 1e8 and found.memory_read > 1e8


def test_a_median_is_of_the_runs_after_the_warm_up():
    calls = []
    took = timing.seconds(lambda: calls.append(1), repeats=4, warm_up=3)
    assert len(calls) == 7 and took.shape == (4,) and np.all(took >= 0)


def test_threads_are_those_of_before_afterwards():
    before = kernels.threads()
    with pytest.raises(KeyError), timing.on_threads(3):
        assert kernels.threads() == 3
        raise KeyError
    assert kernels.threads() == before


def test_phases_count_the_work_that_the_trace_counts(built, fast):
    found = machine.measure()
    trace = forward(built.network, built.spikes)
    *layers, total = phases.forward_phases(built, found)
    assert [p.operations for p in layers] == [layer.synops / 2 for layer in trace.layers]
    assert total.operations == trace.synops / 2
    assert total.seconds == pytest.approx(sum(p.seconds for p in layers))
    assert total.share == pytest.approx(4 * total.rate / found.l2_read)
    (int8,) = phases.forward_phases(built, found, "int8")[-1:]
    assert int8.share == pytest.approx(int8.rate / found.l2_read)
    backward = {p.name: p for p in phases.backward_phases(built, found)}
    assert backward["weight gradient"].operations == trace.synops / 2
    assert backward["adjoint of the psp"].operations == 300 * (70 + 40 + 10)
    assert backward["error sent down"].operations > 0
    assert all(p.seconds >= 0 for p in backward.values())


def test_measuring_changes_neither_weights_nor_spikes(built):
    before = forward(built.network, built.spikes).output
    weights = [layer.weight for layer in built.network.layers]
    figures = whole.measure(built)
    assert forward(built.network, built.spikes).output == before
    for layer, weight in zip(built.network.layers, weights, strict=True):
        np.testing.assert_allclose(layer.weight, weight, rtol=0, atol=1e-9)
    assert set(figures["inference"]) == set(figures["latency"]) == {"float32", "float16", "int8"}
    assert figures["latency"]["int8"]["median"] <= figures["latency"]["int8"]["p99"]


def test_memory_is_that_of_a_process_of_its_own():
    ballast = np.ones(60_000_000)  # 480 MB that the measured process must not see
    found = memory.of_training(arch=ARCH, data="synthetic", batch=1, rate=4.0, seed=0)
    assert 2e7 < found["before"] <= found["peak"] < ballast.nbytes


def drained(run):
    points = []
    while True:
        try:
            points.append(next(run))
        except StopIteration as done:
            return points, done.value


def test_growth_goes_through_every_sweep(rng, tmp_path):
    points, curves = drained(growth.curves(rng, most=0.25))
    assert [c.name for c in curves] == list(dict.fromkeys(name for name, _ in points))
    assert [len(c.x) for c in curves][:4] == [3, 3, 2, 3]
    for curve in curves:
        assert min(curve.seconds) > 0 and min(curve.peak) > 0
        assert len(curve.x) == 1 or all(math.isfinite(curve.exponent(of)) for of in ("seconds", "peak"))


def test_an_exponent_is_the_slope_of_the_upper_half():
    x = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    curve = growth.Curve("x", "x", x, [5.0, 5.0, 5.0, *(v**1.5 for v in x[3:])], [7.0 * v for v in x])
    assert curve.exponent() == pytest.approx(1.5)
    assert curve.exponent("peak") == pytest.approx(1.0)


def test_growth_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    from eventsim import plot

    curve = growth.Curve("batch", "samples", [1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [1e6, 2e6, 4e6])
    figure = plot.growth([curve, curve])
    assert len(figure.axes) == 4 and figure.axes[2].get_ylabel() == "peak memory (bytes)"
    np.testing.assert_array_equal(figure.axes[2].lines[0].get_ydata(), curve.peak)
    plot.save(figure, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes()[:4] == b"\x89PNG"


def test_the_command_prints_tables_or_one_object(capsys, fast):
    from click.testing import CliRunner

    from eventsim.cli import main

    arguments = ["bench", "--arch", ARCH, "--batch", "2", "--rates", "4"]
    text = CliRunner().invoke(main, arguments, catch_exceptions=False).output
    for word in ("GB/s", "inference, int8", "training step", "weight gradient", "spikes a neuron", "% of L2"):
        assert word in text
    report = json.loads(CliRunner().invoke(main, [*arguments, "--json"], catch_exceptions=False).output)
    (run,) = report["runs"]
    assert report["machine"]["l2_read"] > 0 and run["rate"] == 4.0
    assert {p["name"] for p in run["phases"]} >= {"forward", "weight gradient", "error sent down", "Adam, by itself"}


@pytest.mark.parametrize("wrong, word", [
    (["--rates", "4,x"], "--rates"), (["--rates", "0"], "--rates"), (["--rates", ""], "--rates"),
    (["--plot", "p.png"], "--growth"), (["--batch", "0"], "--batch"), (["--arch", "nonsense"], "nonsense"),
    (["--data", "nowhere"], "nowhere"),
])
def test_nonsense_is_refused_with_a_sentence(wrong, word, monkeypatch, fast):
    from click.testing import CliRunner

    from eventsim.cli import main

    done = CliRunner().invoke(main, ["bench", *wrong])
    assert done.exit_code == 1 and word in done.output and len(done.stderr.strip().splitlines()) == 1
