"""eventsim against dense simulation and against other packages: one command, one table, one JSON.

    pip install -e ".[bench]"
    python tests/bench/compare.py --data N-MNIST/ --json compare.json
    python tests/bench/compare.py --device gpu --batch 512 --rates 1,2,4,8,16,32,64 --json curve.json

Everybody gets the same samples and the same widths; those who compute our model also get the same weights, the others
are scaled, layer by layer, until their layers fire as ours do. Each runs in a process of its own, so that neither
threads nor memory of the one are in the way of the other, and they take turns: in every round each runs once, so that a
machine that gets slower gets slower for all. Results are verified before anything is timed. Medians; compilation and
two runs before the first round do not count.
"""

import argparse
import json
import multiprocessing
import pathlib
import statistics
import sys
import tempfile
import time

import contestants
import numpy as np

from eventsim.bench import gpu, machine, scene
from eventsim.engine.gpu.devices import open_device
from eventsim.report import numbers
from eventsim.report.benchmark import gpu_facts, machine_facts, memory
from eventsim.report.tables import fact_lines, plain_table

# Seconds between turns, in which the threads of the one before fall asleep.
_PAUSE = 0.02
# Seconds that a process has to end.
_PATIENCE = 10.0
# Who computes our model may differ in this share of its output spikes: sums in another order decide near threshold.
_MOST_DIFFERENT = 0.05
# Others must fire like us, within this share, in every layer.
_ACTIVITY = 0.15


class Worker:
    """A contestant in a process of its own, on "cpu" or "gpu"."""

    def __init__(self, name, path, threads, device):
        self.name = name
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(
            target=contestants.serve, args=(name, path, threads, device, other), daemon=True
        )
        self.process.start()
        other.close()

    def ask(self, *request):
        """What the contestant answers to a request; raises `RuntimeError` with its reason where it failed."""
        self.pipe.send(request)
        try:
            good, answer = self.pipe.recv()
        except EOFError:
            good, answer = False, "its process ended"
        if not good:
            raise RuntimeError(f"{self.name}: {answer}")
        return answer

    def close(self):
        """End the process, by itself where it can."""
        self.pipe.close()
        self.process.join(_PATIENCE)
        self.process.kill()
        self.process.join()


def verified(workers, ours):
    """The workers whose results are what they should be; the others are named on stderr and left out."""
    out = []
    for worker in workers:
        try:
            about = worker.about = worker.ask("prepare")
        except RuntimeError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        if about["exact"]:
            off = np.abs(about["counts"] - ours["counts"]).sum() / max(1, ours["counts"].sum())
            fine, what = off <= _MOST_DIFFERENT, f"{off:.1%} of its output spikes differ"
        else:
            rates = zip(about["activity"], ours["activity"], strict=True)
            off = max(abs(a - b) / max(b, 1e-9) for a, b in rates)
            fine, what = off <= _ACTIVITY, f"a layer's activity is off by {off:.0%}"
        worker.about["difference"] = float(off)
        if not fine:
            print(f"left out: {worker.name}: {what}", file=sys.stderr)
            continue
        out.append(worker)
    return out


def rounds(workers, repeats):
    """Times a sample, s, of everything that everybody does: {(name, task): [...]}, in turns.

    Who fails on the way is named on stderr, and is not in the result.
    """
    tasks = [(worker, task) for worker in workers for task in worker.about["tasks"]]
    times = {(worker.name, task): [] for worker, task in tasks}
    for turn in range(repeats + 2):
        for worker, task in tasks:
            if (worker.name, task) not in times:
                continue
            time.sleep(_PAUSE)
            try:
                took = worker.ask("run", task)
            except RuntimeError as error:
                print(f"left out: {error}", file=sys.stderr)
                times = {key: values for key, values in times.items() if key[0] != worker.name}
                continue
            if turn >= 2:
                times[worker.name, task].append(took)
        print(f"\rround {turn + 1} of {repeats + 2}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return times


def compare(built, names, repeats, threads, device="cpu"):
    """Rows of figures of one scene, ours first."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "scene.npz"
        contestants.save(built, path)
        workers = [Worker(name, path, threads, device) for name in names]
        try:
            ours = workers[0].about = workers[0].ask("prepare")
            workers = [workers[0], *verified(workers[1:], ours)]
            times = rounds(workers, repeats)
            return [row(worker, times) for worker in workers if (worker.name, "training") in times]
        finally:
            for worker in workers:
                worker.close()


def row(worker, times):
    """The figures of a contestant, as plain values."""
    return {
        "name": worker.name, "version": worker.about["version"], "neuron": worker.about["neuron"],
        "activity": worker.about["activity"], "difference": worker.about.get("difference", 0.0),
        "memory": worker.ask("memory"), "layers": worker.about.get("layers", []),
        "seconds": {task: statistics.median(times[worker.name, task]) for task in worker.about["tasks"]},
        "times": {task: times[worker.name, task] for task in worker.about["tasks"]},
    }


def ratio(row, task, ours, our_task):
    """How many times as long as ours: the median over the rounds."""
    pairs = zip(row["times"][task], ours["times"][our_task], strict=True)
    return statistics.median(a / b for a, b in pairs)


def tables(rows):
    """A table of everybody's times and memory, and how many times ours they are."""
    ours = rows[0]
    out = []
    for row in rows:
        for task, took in row["seconds"].items():
            kind, _, precision = task.partition(" ")
            factor = ratio(row, task, ours, "training" if kind == "training" else "inference float32")
            out.append((
                kind, row["name"] + (f", {precision}" if precision else ""), row["neuron"], f"{1e3 * took:.2f} ms",
                f"{factor:.2f}", numbers.rates(row["activity"]),
                memory(row["memory"]["peak"] - row["memory"]["before"]),
            ))
    out.sort(key=lambda cells: cells[0])
    header = ("task", "who", "neuron", "a sample", "times ours", "spikes a neuron", "memory")
    return plain_table(header, out)


def layer_table(row):
    """What our layers took of an inference, and the share of their places and ticks in which input arrives."""
    cells = [
        (layer["name"], f"{1e3 * layer['seconds']:.2f} ms", numbers.share(layer["touched"])) for layer in row["layers"]
    ]
    return plain_table(("layer", "a sample", "touched"), cells)


def measured_gpu():
    """The `Rates` of the first GPU."""
    return gpu.measure(open_device("gpu"))


def main():
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="smlp")
    parser.add_argument("--data", default="synthetic", help="path of a data set, or synthetic")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rates", default="4,11.5", help="spikes a neuron and sample, one comparison each")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=machine.available_cores())
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="where everybody computes")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these peers; default all that are installed")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()

    from rich.console import Console

    console = Console(width=160, highlight=False)
    try:
        names = [contestants.OURS, *contestants.installed(options.only)]
    except ValueError as error:
        parser.error(str(error))
    if options.device == "gpu":
        with multiprocessing.get_context("spawn").Pool(1) as process:  # which gives the GPU's memory back
            facts = process.apply(measured_gpu)
        told = gpu_facts(facts)
    else:
        facts = machine.measure()
        told = machine_facts(facts)
    for line in fact_lines(told):
        console.print(line)
    results = []
    for rate in map(float, options.rates.split(",")):
        built = scene.build(options.arch, options.data, options.batch, rate)
        try:
            contestants.stages_of(built.network)
        except ValueError as error:
            parser.error(f"{options.arch}: {error}")
        rows = compare(built, names, options.repeats, options.threads, options.device)
        results.append({"rate": rate, "rows": rows})
        place = f"{options.threads} threads" if options.device == "cpu" else "on the GPU"
        console.print(f"\n{options.arch}, {rate:g} spikes a neuron, batch {options.batch}, {place}")
        console.print(tables(rows))
        console.print(layer_table(rows[0]))
    if options.json:
        report = {"machine": vars(facts), "arch": options.arch, "data": options.data, "batch": options.batch,
                  "device": options.device, "threads": options.threads, "results": results}
        options.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
