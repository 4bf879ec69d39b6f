"""How time and memory grow with events, neurons, depth, batch and threads, and the exponents of that growth."""

import time
import tracemalloc
from dataclasses import dataclass

import numpy as np

from eventsim.bench.timing import median, on_threads
from eventsim.engine import forward
from eventsim.engine.forward import forward_layer
from eventsim.kernels import threads
from eventsim.model import SRM, Network
from eventsim.model.layers import Sparse
from eventsim.spikes import Spikes
from eventsim.trainer.calibrate import calibrate

_EVENTS_A_TICK = 13.0  # of an N-MNIST sample in 1 ms
_INPUTS, _TICKS = 2312, 300
_FAN_IN = 100
_RATE = 4.0  # spikes a neuron in 300 ticks
_SLOW = 1.0  # s; what takes longer is run once


@dataclass(frozen=True)
class Curve:
    """Time (s) and peak memory (bytes) of one run against ``x``; exponents of the power laws that fit them best."""

    name: str
    unit: str
    x: list[float]
    seconds: list[float]
    peak: list[float]

    def exponent(self, of="seconds") -> float:
        """Slope of log y over log x, by least squares over the upper half of the points, where constants are small."""
        half = slice(len(self.x) // 2 - (len(self.x) < 4), None)
        return float(np.polyfit(np.log(self.x[half]), np.log(getattr(self, of)[half]), 1)[0])


def _random_spikes(rng, n_events, n_ticks, n_inputs=_INPUTS, n_samples=1):
    """Events spread evenly over time and inputs, at most one an input and tick."""
    rows = [np.unique(rng.integers(0, n_ticks * n_inputs, n_events)) for _ in range(n_samples)]
    tick, address = np.divmod(np.concatenate(rows), n_inputs)
    ptr = np.cumsum([0, *map(len, rows)])
    return Spikes(ptr, address, tick=tick, n_neurons=n_inputs, n_ticks=n_ticks, check=False)


def _measured(run):
    """(seconds, peak bytes) of a call; memory in a run of its own, since counting it takes time."""
    run()  # may compile
    started = time.perf_counter()
    run()
    first = time.perf_counter() - started
    took = median(run, 5, 0) if first < _SLOW else first
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return took, peak


def _curve(name, unit, xs, make):
    points = []
    for x in xs:
        points.append(_measured(make(x)))
        yield x
    seconds, peak = zip(*points, strict=True)
    return Curve(name, unit, list(map(float, xs)), list(seconds), list(peak))


def _stack(rng, depth, spikes):
    network = Network("-".join(map(str, (_INPUTS, *([512] * depth), 10))), SRM(tau_syn=4.0), n_ticks=spikes.n_ticks)
    calibrate(network, spikes, hidden=_RATE * spikes.n_ticks / _TICKS, output=15.0)
    return network


def curves(rng, most=1.0):
    """Run every sweep; yields (sweep, point) as it goes, and returns the `Curve` s.

    most : in (0, 1], share of the decades to go through, for a shorter run
    """
    def decades(first, last, a_decade=2):
        n = round(a_decade * (last - first) * most)
        return [round(10 ** (first + i / a_decade)) for i in range(max(2, n + 1))]

    sample = _random_spikes(rng, round(_EVENTS_A_TICK * _TICKS), _TICKS)
    network = _stack(rng, 1, sample)

    def events(n):
        spikes = _random_spikes(rng, n, max(1, round(n / _EVENTS_A_TICK)))
        return lambda: forward(network, spikes)

    def neurons(n):
        layer = Sparse.random(n, n, _FAN_IN, 40.0, rng)
        spikes = _random_spikes(rng, round(_RATE * n), _TICKS, n)
        return lambda: forward_layer(layer, SRM(tau_syn=4.0), spikes)

    def depth(n):
        deep = _stack(rng, n, sample)
        return lambda: forward(deep, sample)

    def batch(n):
        spikes = Spikes.concatenate([sample] * n)
        return lambda: forward(network, spikes)

    wide = _stack(rng, 4, sample)
    many = Spikes.concatenate([sample] * 64)

    def on(n):
        def run():
            with on_threads(n):
                forward(wide, many)
        return run

    sweeps = (
        ("events a sample", "events", decades(3, 6), events), ("neurons a layer", "neurons", decades(2, 6), neurons),
        ("depth", "layers", [2**i for i in range(1 + round(5 * most))], depth),
        ("batch", "samples", [2**i for i in range(1 + round(8 * most))], batch),
        ("threads", "threads", sorted({1, *(2**i for i in range(1, 8) if 2**i <= threads()), threads()}), on),
    )
    out = []
    for name, unit, xs, make in sweeps:
        points = _curve(name, unit, xs, make)
        while True:
            try:
                yield name, next(points)
            except StopIteration as done:
                out.append(done.value)
                break
    return out
