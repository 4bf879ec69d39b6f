"""The benchmark of a stream: that it replays what it says, counts all of it, and measures from the right moments."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import eventsim as es
from eventsim.bench import machine, stream
from eventsim.cli import main

ARCH = "34x34x2-40-10"


@pytest.fixture(scope="module")
def replay():
    source, order = stream.scene.training_samples("synthetic", 2, 0)
    return stream.Replay.of([source.events(int(i)) for i in order])


@pytest.fixture(scope="module")
def network():
    return stream.scene.build(ARCH, batch=2, rate=6.0).network


def test_recordings_follow_one_another_over_and_over(replay):
    n = len(replay.lap)
    assert replay.lap_us % 1000 == 0 and replay.lap.t[-1] < replay.lap_us
    events = replay.events(n - 3, 2 * n + 5)
    assert np.array_equal(events.t[:3], replay.lap.t[-3:])
    assert np.array_equal(events.t[3 : n + 3], replay.lap.t + replay.lap_us)
    assert np.array_equal(events.address[-5:], replay.lap.address[:5])
    assert replay.rate == pytest.approx(n / (replay.lap_us / 1e6))


def test_what_is_sustained_counts_everything_after_the_warm_up(network, replay):
    n = 2 * len(replay.lap)
    found = stream.sustained(network, replay, n)
    assert found["events"] == n and found["events_per_second"] == pytest.approx(n / found["seconds"])
    assert found["stream_seconds"] == pytest.approx(2e-6 * replay.lap_us, rel=1e-3)
    whole = es.Stream(network)
    whole.push(replay.events(0, 3 * len(replay.lap)))
    first = es.Stream(network)
    first.push(replay.lap)
    synops = sum(whole.report.synops) - sum(first.report.synops)
    assert found["synops_per_event"] == pytest.approx(synops / n)
    spikes = [a - b for a, b in zip(whole.report.spikes, first.report.spikes, strict=True)]
    assert found["spikes_hz"] == pytest.approx([spikes[0] / 40 / found["stream_seconds"],
                                                spikes[1] / 10 / found["stream_seconds"]])
    assert 1e7 < found["memory"]["start"] <= found["memory"]["most"] < 1e11


def test_latency_is_counted_from_the_arrival_of_the_event(network, replay, monkeypatch):
    """With a clock that stands while a push runs, and pushes that take 5 ms: a spike is out 5 ms after its push."""
    now = [0.0]
    monkeypatch.setattr(stream.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(stream.time, "sleep", lambda s: now.__setitem__(0, now[0] + s + 1e-9))
    push = es.Stream.push

    def slow(self, events):
        push(self, events)
        now[0] += 5e-3

    monkeypatch.setattr(es.Stream, "push", slow)
    n = 3000
    found = stream.latency(network, replay, 10_000.0, n)
    assert found["events"] == n and found["spikes"] > 20
    assert 40 <= found["pushes"] <= 0.3 / 5e-3 + 2
    for name in ("certain", "last"):
        assert 5e-3 <= found[name]["median"] <= found[name]["p99"] <= found[name]["p999"]
    assert found["certain"]["median"] <= found["last"]["median"] and found["certain"]["p999"] <= 1.01e-2


@pytest.fixture
def fast(monkeypatch):
    """Measurements that take no time."""
    monkeypatch.setattr(machine, "_MEMORY", 1 << 20)
    monkeypatch.setattr(machine, "_READ", 1 << 20)
    whole = stream.measure
    monkeypatch.setattr(stream, "measure", lambda *arguments: whole(*arguments, seconds=0.1))


def test_the_command_prints_facts_or_one_object(fast):
    arguments = ["bench", "--stream", "--arch", ARCH, "--batch", "2", "--rates", "4", "--events", "5000"]
    text = CliRunner().invoke(main, arguments, catch_exceptions=False).output
    for part in ("Sustained ", "events/s on one thread over 5.00 k events", "Latency ", "p99.9 ", "Memory ", "Hz by"):
        assert part in text
    report = json.loads(CliRunner().invoke(main, [*arguments, "--json"], catch_exceptions=False).output)
    (run,) = report["streams"]
    assert (run["rate"], run["events"], report["arch"]) == (4.0, 5000, ARCH)
    assert run["latency"]["rate"] == pytest.approx(run["events_per_second"] / 2)


@pytest.mark.parametrize(("arguments", "part"), [
    (["--stream", "--growth"], "--growth is no part of --stream"), (["--events", "5"], "--events goes with --stream"),
    (["--stream", "--events", "0"], "--events"), (["--stream", "--data", "nowhere"], "nowhere"),
])
def test_nonsense_is_refused_with_a_sentence(fast, arguments, part):
    done = CliRunner().invoke(main, ["bench", *arguments])
    assert done.exit_code == 1 and part in done.output and len(done.stderr.strip().splitlines()) == 1
