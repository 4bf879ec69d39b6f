"""The engine on a stream: what it sustains, how long an output spike takes to come out, and its memory."""

import time
from dataclasses import dataclass

import numpy as np

from eventsim.bench import scene
from eventsim.bench.memory import resident
from eventsim.bench.timing import on_threads
from eventsim.engine import Stream
from eventsim.events import Events

_PIECE = 4096  # events that are pushed at once where all of them are there: what a reader hands over when it is behind
_LOOKS = 200  # at the memory
_QUANTILES = {"median": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class Replay:
    """Recordings one behind the other, over and over; ``lap_us`` after every event comes the same one again."""

    lap: Events
    lap_us: int

    @classmethod
    def of(cls, recordings) -> "Replay":
        """The recordings, each of which starts in the millisecond after the one before has ended."""
        starts = np.cumsum([0, *(1000 * (int(r.t[-1]) // 1000 + 1) for r in recordings)])
        t = np.concatenate([r.t + start for r, start in zip(recordings, starts[:-1], strict=True)])
        pixels = [np.concatenate([getattr(r, name) for r in recordings]) for name in "xyp"]
        return cls(Events(t, *pixels, recordings[0].sensor), int(starts[-1]))

    @property
    def rate(self) -> float:
        """Events a second of the recordings' own time."""
        return 1e6 * len(self.lap) / self.lap_us

    def events(self, first, last) -> Events:
        """The events first..last-1."""
        turn, i = np.divmod(np.arange(first, last), len(self.lap))
        lap = self.lap
        return Events(lap.t[i] + self.lap_us * turn, lap.x[i], lap.y[i], lap.p[i], lap.sensor)


def sustained(network, replay, n_events) -> dict:
    """Run ``n_events``, all of which are there, after a lap of warm-up; what they took, and the memory on the way."""
    stream, size = Stream(network), len(replay.lap)
    stream.push(replay.lap)
    stream.spikes()
    before, memory, took = stream.report, [resident()], 0.0
    every = max(_PIECE, n_events // _LOOKS)
    for first in range(size, size + n_events, _PIECE):
        events = replay.events(first, min(first + _PIECE, size + n_events))
        started = time.perf_counter()
        stream.push(events)
        stream.spikes()
        took += time.perf_counter() - started
        if (first - size) // every != (first - size - _PIECE) // every:
            memory.append(resident())
    memory.append(resident())
    report = stream.report
    seconds = (report.certain_ms - before.certain_ms) / 1000
    spikes = [after - earlier for after, earlier in zip(report.spikes, before.spikes, strict=True)]
    return {
        "events": n_events, "seconds": took, "events_per_second": n_events / took, "stream_seconds": seconds,
        "spikes_hz": [n / layer.n_out / seconds for n, layer in zip(spikes, network.layers, strict=True)],
        "synops_per_event": (sum(report.synops) - sum(before.synops)) / n_events,
        "memory": {"start": memory[0], "end": memory[-1], "most": max(memory)},
    }


def latency(network, replay, rate, n_events) -> dict:
    """How long output spikes take where ``rate`` events a second come by the clock on the wall.

    The recordings are replayed faster or slower so that this is their mean rate, and whatever has come is pushed as
    soon as the push before is done. Times are s, from the arrival (not the push) of the event that made a spike
    ``certain`` until the spike is out, and from that of the ``last`` event at or before the spike.
    """
    events = replay.events(0, n_events)
    due = (events.t - events.t[0]) * (1e-6 * replay.rate / rate)
    parts, out, pushed = [], [], 0
    stream = Stream(network)
    started = time.perf_counter()
    while pushed < n_events:
        arrived = int(np.searchsorted(due, time.perf_counter() - started, side="right"))
        if arrived == pushed:
            time.sleep(max(0.0, due[pushed] - (time.perf_counter() - started)))
            continue
        stream.push(events[pushed:arrived])
        spikes = stream.spikes()
        out.append(np.full(len(spikes.time), time.perf_counter() - started))
        parts.append(spikes.time)
        pushed = arrived
    emitted, spike_time = np.concatenate(out), np.concatenate(parts)
    made_certain = np.searchsorted(events.t / 1000, spike_time, side="right")
    return {
        "rate": rate, "events": n_events, "pushes": len(parts), "spikes": len(spike_time),
        "certain": _quantiles(emitted - due[made_certain]), "last": _quantiles(emitted - due[made_certain - 1]),
    }


def _quantiles(seconds) -> dict:
    return {name: float(np.quantile(seconds, q)) if len(seconds) else None for name, q in _QUANTILES.items()}


def measure(arch="mlp512", data="synthetic", batch=8, rate=4.0, seed=0, n_events=1_000_000, seconds=5.0) -> dict:
    """Everything of a network whose layers fire at ``rate``, on one thread, over the recordings of a batch.

    Latency is measured for about ``seconds``, at half of the rate that is sustained.
    """
    network = scene.build(arch, data, batch, rate, seed).network
    source, order = scene.training_samples(data, batch, seed)
    replay = Replay.of([source.events(int(i)) for i in order])
    with on_threads(1):
        figures = sustained(network, replay, n_events)
        half = figures["events_per_second"] / 2
        figures["latency"] = latency(network, replay, half, max(1, round(half * seconds)))
    return figures
