"""The two clocks beside each other: how the grid tends to continuous time, and what continuous time costs.

    python tests/bench/clocks.py --data N-MNIST/ --json clocks.json

Convergence: recordings through a network on grids of ever shorter ticks, the dead time fixed, beside the same on the
exact clock. Cost: single recordings on both clocks in turns, one thread and all; medians after a warm-up.
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import statistics
import sys
import time

import numpy as np
import rich.console

from eventsim import kernels
from eventsim.bench import scene
from eventsim.cli.clocks import on_clock
from eventsim.kernels.launch import available_cores
from eventsim.report import numbers
from eventsim.report.tables import plain_table

TICKS = (1.0, 0.5, 0.1, 0.05, 0.01)  # ms
ARCHITECTURES = ("mlp512", "smlp")


def recordings(data, n):
    """The first training recordings that a scene takes."""
    source, order = scene.training_samples(data, n, 0)
    return [source.events(int(i)) for i in order]


def by_neuron(spikes, times):
    return [times[spikes.address == i] for i in range(spikes.n_neurons)]


def distance(grid, exact):
    """(time errors in ms of the spikes of neurons that fire equally often, differing counts) of a layer."""
    pairs = list(zip(by_neuron(grid, grid.tick * grid.dt), by_neuron(exact, exact.time), strict=True))
    apart = [np.abs(a - b) for a, b in pairs if len(a) == len(b)]
    return np.concatenate([np.empty(0), *apart]), sum(abs(len(a) - len(b)) for a, b in pairs)


def convergence(network, events):
    """Rows (dt, median time error, count error) of every layer, and the order of the time error from row to row."""
    network = on_clock(network, ("exact", None))
    network.neuron = dataclasses.replace(network.neuron, t_abs=1.0)
    exact = [network.simulate(one) for one in events]
    rows = []
    for dt in TICKS:
        grid = on_clock(network, ("grid", dt))
        grid.input_mode = "count"
        layers = [[] for _ in network.layers]
        for one, other in zip(events, exact, strict=True):
            for found, a, b in zip(layers, grid.simulate(one).layers, other.layers, strict=True):
                found.append((*distance(a.spikes, b.spikes), len(b.spikes)))
        rows.append({"dt": dt, "layers": [
            {"time_error_ms": float(np.median(np.concatenate([one[0] for one in found]))),
             "count_error": sum(one[1] for one in found) / sum(one[2] for one in found)} for found in layers
        ]})
    for before, row in itertools.pairwise(rows):
        span = np.log(row["dt"] / before["dt"])
        row["order"] = [float(np.log(layer["time_error_ms"] / earlier["time_error_ms"]) / span)
                        for layer, earlier in zip(row["layers"], before["layers"], strict=True)]
    return rows


def cost(network, events, turns):
    """Median seconds of a recording on both clocks, which take turns, and what they did."""
    both = {clock: on_clock(network, (clock, None)) for clock in ("grid", "exact")}
    took = {clock: [] for clock in both}
    for turn in range(turns + 1):
        for one in events:
            for clock, runner in both.items():
                started = time.perf_counter()
                runner.simulate(one)
                if turn:
                    took[clock].append(time.perf_counter() - started)
    traces = {clock: [runner.simulate(one) for one in events] for clock, runner in both.items()}
    out = {clock: {"seconds": statistics.median(took[clock]),
                   "synops": sum(trace.synops for trace in traces[clock]) / len(events),
                   "spikes": [sum(len(trace.layers[k].spikes) for trace in traces[clock]) / len(events) / layer.n_out
                              for k, layer in enumerate(network.layers)]} for clock in both}
    out["singly"] = [float(np.mean([trace.layers[k].singly for trace in traces["exact"]]))
                     for k in range(len(network.layers))]
    out["ratio"] = out["exact"]["seconds"] / out["grid"]["seconds"]
    return out


def show(results):
    """Print the tables."""
    for run in results["cost"]:
        grid, exact = run["grid"], run["exact"]
        print(
            f"{run['arch']}, weights for {run['rate']:g} spikes a neuron, {numbers.several(run['threads'], 'thread')}: "
            f"grid {numbers.seconds(grid['seconds'])}, exact {numbers.seconds(exact['seconds'])} ({run['ratio']:.2f} "
            f"times), with {numbers.large(grid['synops'])} and {numbers.large(exact['synops'])} SynOps, "
            f"{numbers.rates(grid['spikes'])} and {numbers.rates(exact['spikes'])} spikes a neuron; one event at a "
            f"time {', '.join(map(numbers.share, run['singly']))} of the neurons"
        )
    for arch, rows in results["convergence"].items():
        table = [(f"{row['dt']:g}", *(f"{1000 * layer['time_error_ms']:.3g}" for layer in row["layers"]),
                  *(numbers.share(layer["count_error"]) for layer in row["layers"]),
                  *(f"{order:.2f}" for order in row.get("order", []))) for row in rows]
        n = len(rows[0]["layers"])
        table = [(*row, *[""] * (1 + 3 * n - len(row))) for row in table]
        header = ("dt ms", *(f"us {k + 1}" for k in range(n)), *(f"counts {k + 1}" for k in range(n)),
                  *(f"order {k + 1}" for k in range(n)))
        print(f"\n{arch}: median time error, count error and order by layer, grid beside exact")
        rich.console.Console(width=200).print(plain_table(header, table))


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic", help="where recordings are from (default: %(default)s)")
    parser.add_argument("--recordings", type=int, default=8, help="how many (default: %(default)s)")
    parser.add_argument("--rates", default="4,11.5", help="spikes a neuron on the grid (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=15, help="runs of every recording (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    choices = parser.parse_args()
    events = recordings(choices.data, choices.recordings)
    results = {"cost": [], "convergence": {}}
    for arch in ARCHITECTURES:
        for rate in map(float, choices.rates.split(",")):
            network = scene.build(arch, choices.data, choices.recordings, rate).network
            for n in (1, available_cores()):
                kernels.set_threads(n)
                results["cost"].append({"arch": arch, "rate": rate, "threads": n,
                                        **cost(network, events, choices.turns)})
            if rate == float(choices.rates.split(",")[0]):
                results["convergence"][arch] = convergence(network, events)
    show(results)
    if choices.json:
        choices.json.write_text(json.dumps(results))


if __name__ == "__main__":
    sys.exit(main())
