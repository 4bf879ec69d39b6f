"""Leaky neurons against their closed form: the exact clock, the grid by its tick, and Brian2 by its step.

    python tests/bench/lif_error.py --json lif_error.json

One layer on random spikes. Without Brian2 (extra `brian`, in an environment of its own) its columns stay empty.
"""

import argparse
import importlib.util
import json
import math
import pathlib
import sys
import time

import numpy as np
import rich.console
from closed_form import spike_times

from eventsim.engine import run
from eventsim.model import LIF, CubaLIF, Network
from eventsim.report.tables import plain_table
from eventsim.spikes import Spikes

TICKS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)  # ms, of the grid
FITTED = 0.1  # ms, the longest tick whose error counts for the order: those of longer ones grow to the window
STEPS = (0.1, 0.01)  # ms, of Brian2
N_IN, N_OUT, RATE = 100, 100, 0.02  # neurons, and spikes a neuron and ms
DEAD = 2.0  # ms; no two spikes of a neuron lie closer
WINDOW = 1.5  # ms, in which two spikes count as the same
# What its constant input takes a neuron that leaks to, in thresholds: it fires between input spikes as well.
DRIVE = 1.2
_SHARED = {"theta": 1.0, "t_abs": DEAD}
# With tau_mem twice tau_syn there is a closed form.
NEURONS = {
    "IF, subtract": LIF(tau_mem=math.inf, **_SHARED), "IF, hard": LIF(tau_mem=math.inf, reset="hard", **_SHARED),
    "LIF, subtract": LIF(tau_mem=20.0, **_SHARED), "LIF, hard": LIF(tau_mem=20.0, reset="hard", **_SHARED),
    "CubaLIF, subtract": CubaLIF(tau_mem=20.0, tau_syn=10.0, **_SHARED),
    "CubaLIF, hard": CubaLIF(tau_mem=20.0, tau_syn=10.0, reset="hard", **_SHARED),
}


class Scene:
    """Neurons, their weights float32[N_in, N_out], and their input: times in ms, ascending, and addresses.

    current : constant input a ms
    """

    def __init__(self, neuron, length, seed=0):
        rng = np.random.default_rng(seed)
        self.neuron, self.length = neuron, length
        is_slow = isinstance(neuron, CubaLIF)
        self.weights = (0.12 * (2.0 if is_slow else 1.0) * rng.normal(0.1, 1.0, (N_IN, N_OUT))).astype(np.float32)
        self.current = 0.0 if math.isinf(neuron.tau_mem) else DRIVE / (neuron.tau_syn if is_slow else neuron.tau_mem)
        found = []
        for i in range(N_IN):  # Brian2 takes one spike of a neuron and step
            own = np.sort(rng.uniform(0.0, length, rng.poisson(RATE * length)))
            own = own[np.diff(own, prepend=-1.0) > 2.0 * max(STEPS)]
            found.append(np.stack((own, np.full(len(own), i))))
        self.time, address = (columns := np.concatenate(found, axis=1))[:, np.argsort(columns[0])]
        self.address = address.astype(np.int64)

    def network(self, dt) -> Network:
        """The layer, with a tick of ``dt`` ms on the grid."""
        network = Network(f"{N_IN}-{N_OUT}", self.neuron, dt=dt, seed=None)
        network.layers[0].weight = self.weights
        network.layers[0].bias = np.full(N_OUT, self.current * dt) if self.current else None
        return network

    def exact(self):
        """Spike times of every neuron in continuous time."""
        out = run(self.network(1.0), Spikes([0, len(self.time)], self.address, time=self.time, n_neurons=N_IN,
                                            n_ticks=round(self.length))).output
        return [out.time[out.address == i] for i in range(N_OUT)]

    def grid(self, dt):
        """Those on the grid: what is within a tick is at its begin."""
        tick = (self.time / dt).astype(np.int64)
        order = np.lexsort((self.address, tick))
        out = run(self.network(dt), Spikes([0, len(tick)], self.address[order], tick=tick[order], n_neurons=N_IN,
                                           n_ticks=round(self.length / dt), dt=dt)).output
        return [out.tick[out.address == i] * dt for i in range(N_OUT)]

    def closed_form(self):
        """Those by the closed form."""
        return [spike_times(self.time, self.weights[self.address, i].astype(float), self.neuron, self.length,
                            self.current) for i in range(N_OUT)]

    def brian(self, step):
        """Those of Brian2, with its exact integration in steps of ``step`` ms."""
        import brian2 as b2

        b2.prefs.codegen.target = "numpy"
        b2.start_scope()
        b2.defaultclock.dt = step * b2.ms
        p, is_slow = self.neuron, isinstance(self.neuron, CubaLIF)
        names = {"theta": p.theta, "v_reset": p.v_reset, "tau_mem": p.tau_mem * b2.ms, "current": self.current / b2.ms}
        if math.isinf(p.tau_mem):
            equations = "v : 1"
        elif is_slow:
            equations = "dv/dt = (syn - v) / tau_mem : 1\ndsyn/dt = -syn / tau_syn + current : 1"
            names["tau_syn"] = p.tau_syn * b2.ms
        else:
            equations = "dv/dt = -v / tau_mem + current : 1"
        group = b2.NeuronGroup(N_OUT, equations, threshold="v >= theta", refractory=DEAD * b2.ms, method="exact",
                               reset="v = v_reset" if p.reset == "hard" else "v -= theta", namespace=names)
        given = b2.SpikeGeneratorGroup(N_IN, self.address, self.time * b2.ms, sorted=True)
        synapses = b2.Synapses(given, group, "w : 1", on_pre="syn_post += w" if is_slow else "v_post += w")
        synapses.connect()
        synapses.w = self.weights[synapses.i[:], synapses.j[:]]
        monitor = b2.SpikeMonitor(group)
        b2.Network(group, given, synapses, monitor).run(self.length * b2.ms)
        spikes = monitor.spike_trains()
        return [np.asarray(spikes[i] / b2.ms) for i in range(N_OUT)]


def compare(found, wanted):
    """(spikes of either without a partner, distances of partners in ms), which lie within `WINDOW`; both ascend."""
    apart, alone = [], 0
    for ours, theirs in zip(found, wanted, strict=True):
        j = k = 0
        while j < len(ours) and k < len(theirs):
            gap = ours[j] - theirs[k]
            if abs(gap) < WINDOW:
                apart.append(gap)
                j, k = j + 1, k + 1
            else:
                alone += 1
                j, k = (j + 1, k) if gap < 0 else (j, k + 1)
        alone += len(ours) - j + len(theirs) - k
    return alone, np.array(apart)


def order(dts, errors):
    """The power of dt that errors fall with, by least squares of the logarithms of those above 0; nan: too few."""
    points = [(math.log(dt), math.log(error)) for dt, error in zip(dts, errors, strict=True) if error > 0]
    return float(np.polyfit(*zip(*points, strict=True), 1)[0]) if len(points) > 2 else math.nan


def row(neuron, length, seed, ticks=TICKS, steps=None):
    """The figures of one neuron; steps : of Brian2, None: `STEPS` where it is installed."""
    if steps is None:
        steps = STEPS if importlib.util.find_spec("brian2") else ()
    scene = Scene(neuron, length, seed)
    wanted = scene.closed_form()
    n = sum(map(len, wanted))

    def measured(dt, found):
        alone, apart = compare(found, wanted)
        return {"dt": dt, "alone": alone / (alone + 2 * len(apart)), "shift_ms": float(np.abs(apart).mean()),
                "most_ms": float(np.abs(apart).max())}

    grid = [measured(dt, scene.grid(dt)) for dt in ticks]
    fine = [one for one in grid if one["dt"] <= FITTED]
    return {
        "spikes": n, "exact": measured(0.0, scene.exact()), "grid": grid,
        "brian": [measured(dt, scene.brian(dt)) for dt in steps],
        **{f"order_{what}": order([one["dt"] for one in fine], [one[what] for one in fine])
           for what in ("shift_ms", "alone")},
    }


def show(rows):
    """Print the tables."""
    def cells(one):
        return f"{1000 * one['shift_ms']:.3g}", f"{100 * one['alone']:.2g}"

    console = rich.console.Console(width=200)
    console.print("Against the closed form: most that a spike is off on the exact clock, spikes without a partner, and "
                  f"the orders with\nwhich both fall on the grid, from a tick of {FITTED:g} ms on")
    console.print(plain_table(("neuron", "spikes", "most ms", "alone %", "order of shift", "order of alone"), [
        (name, f"{one['spikes']:,}", f"{one['exact']['most_ms']:.1e}", f"{100 * one['exact']['alone']:.2g}",
         f"{one['order_shift_ms']:.2f}", f"{one['order_alone']:.2f}") for name, one in rows.items()]))
    for who, what in (("grid", "tick"), ("brian", "step of Brian2")):
        dts = [one["dt"] for one in next(iter(rows.values()))[who]]
        if dts:
            console.print(f"\nBy the {what} in ms: mean shift in us, and spikes without a partner in %")
            console.print(plain_table(("neuron", *(text for dt in dts for text in (f"{dt:g}", "alone"))), [
                (name, *(text for measured in one[who] for text in cells(measured))) for name, one in rows.items()]))


def main(arguments=None):
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=1000, help="ms of input, at least 50 (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all chance (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    choices = parser.parse_args(arguments)
    if choices.length < 50:
        parser.error(f"--length is {choices.length}; choose at least 50, for too few spikes say nothing")
    rows = {}
    for name, neuron in NEURONS.items():
        begin = time.monotonic()
        rows[name] = row(neuron, choices.length, choices.seed)
        print(f"{name}: {time.monotonic() - begin:.1f} s", file=sys.stderr)
    show(rows)
    if choices.json:
        choices.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    sys.exit(main())
