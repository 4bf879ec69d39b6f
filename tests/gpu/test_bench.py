"""The benchmark of a GPU: that it measures what it says, on small networks, and that its report is complete."""

import dataclasses

import numpy as np
import pytest

from eventsim.bench import gpu, scene
from eventsim.engine import forward
from eventsim.engine.gpu.devices import on_device
from eventsim.kernels.layout import TILE
from eventsim.kernels.spec.cuda import KERNELS

from .test_whole import command, refused

DENSE, SPATIAL = "34x34x2-70-40-10", "34x34x2-6c7s3-2p-bn-20-10"
PHASES = {"rows of weights", "forward", "spike lists", "stages", "active sets", "adjoint", "error sent down",
          "weight gradient", "optimiser"}


@pytest.fixture
def short(monkeypatch):
    """Measurements that take no time."""
    monkeypatch.setattr(gpu, "_MEMORY", 1 << 18)
    monkeypatch.setattr(gpu, "_READ", 1 << 19)
    monkeypatch.setattr(gpu, "_REPEATS", 3)
    monkeypatch.setattr(gpu, "_LATENCY_RUNS", 2)
    monkeypatch.setattr(scene, "_DURATION", 60)


@pytest.mark.parametrize("n_rows, parts", [(1, 1), (9, 2), (35, 1), (64, 3)])
def test_every_row_is_read_once_a_repeat(device, rng, n_rows, parts):
    rows = rng.integers(-9, 9, (n_rows, TILE)).astype(np.float32)
    total = device.zeros((4 * parts, TILE), np.float32)
    device.launch("read_rows", n_parts=parts, n_rows=n_rows, repeats=3, rows=device.put(rows), total=total)
    np.testing.assert_array_equal(total.get().sum(axis=0), 3 * rows.sum(axis=0))


def test_a_device_is_measured(one_device, short):
    rates = gpu.measure(one_device)
    assert rates.l2_read > 1e6 and rates.memory_read > 1e6
    lanes = 64 if one_device.compute_capability in ((7, 0), (7, 2), (7, 5), (8, 0)) else 128
    assert rates.additions == lanes * one_device.multiprocessors * one_device.clock


def test_every_kernel_has_a_phase():
    assert {gpu.phase_of(name) for name in KERNELS} == PHASES | {"bandwidth"}


def test_floors_count_what_the_run_reads(one_device):
    built = scene.build(DENSE, batch=2, rate=6.0)
    built = dataclasses.replace(built, network=on_device(built.network, one_device))
    trace = forward(built.network, built.spikes, supports=built.supports)
    work = gpu.floors(built, trace)
    tiles = (2, 1, 1)
    rows = sum(n * len(done.feed.spikes) for n, done in zip(tiles, trace.layers, strict=True)) / 2
    assert work["forward"] == {"l2": rows * (4 * TILE + 4), "memory": 0, "additions": rows * TILE}
    pairs = sum(done.active.n_pairs for done in trace.layers[:-1]) / 2
    first, full, _ = (done.active for done in trace.layers)
    assert full.full and not first.full
    read = len(first.entry_lane) / 2 + TILE * 5 + sum(tiles[1:]) * 300  # entries of chunks of 64 ticks, and g
    assert work["error sent down"] == {"l2": read * (4 * TILE + 4), "memory": 0, "additions": TILE * pairs}
    assert work["weight gradient"]["memory"] == 24 * built.network.n_weights / 2
    assert work["adjoint"]["l2"] == sum(tiles) * 300 * (4 * TILE + 4)


def test_weights_that_do_not_fit_the_cache_come_from_memory(one_device, monkeypatch):
    built = scene.build(DENSE, batch=2, rate=6.0)
    built = dataclasses.replace(built, network=on_device(built.network, one_device))
    trace = forward(built.network, built.spikes, supports=built.supports)
    fitting = gpu.floors(built, trace)
    monkeypatch.setattr(one_device, "l2_bytes", 1 << 10)
    found = gpu.floors(built, trace)
    assert found["forward"]["memory"] == fitting["forward"]["l2"] and found["forward"]["l2"] == 0
    sent = found["error sent down"]
    assert sent["memory"] > 0 and sent["l2"] + sent["memory"] == fitting["error sent down"]["l2"]


@pytest.mark.parametrize("arch", [DENSE, SPATIAL])
def test_phases_add_up_to_the_whole(one_device, short, arch):
    built = scene.build(arch, batch=2, rate=6.0)
    before = [layer.weight for layer in built.network.layers]
    figures = gpu.run(built, one_device, gpu.measure(one_device))
    assert figures["latency"]["median"] <= figures["latency"]["p99"]
    for task in ("inference", "training"):
        phases = {p.name: p for p in figures[f"{task}_phases"]}
        assert sum(p.seconds for p in phases.values()) >= figures[task] * (1 - 1e-12)
        assert phases["forward"].share > 0 and phases["forward"].by_bytes > phases["forward"].by_additions > 0
        assert phases["spike lists"].share is None
    assert phases.keys() >= {"adjoint", "error sent down", "weight gradient", "between kernels"}
    for layer, weight in zip(built.network.layers, before, strict=True):
        np.testing.assert_array_equal(layer.weight, weight)


def test_the_command(as_gpu, short):
    arguments = ("bench", "--device", "gpu", "--arch", DENSE, "--batch", 2, "--rates", 4)
    report = command(*arguments, "--json")
    (run,) = report["runs"]
    assert report["gpu"]["name"] == as_gpu.name and run["training"] > run["inference"] > 0
    assert {p["name"] for p in run["training_phases"]} >= {"forward", "error sent down", "weight gradient"}
    assert "growth" in refused(*arguments, "--growth") and "--stream" in refused(*arguments, "--stream")
