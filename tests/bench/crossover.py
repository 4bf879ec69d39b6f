"""At which activity dense simulation takes as long as ours, from a comparison at several rates; also as a curve.

    python tests/bench/compare.py --rates 1,2,4,8,16,32,64 --json curve.json
    python tests/bench/crossover.py curve.json --plot crossover.svg
"""

import argparse
import json
import pathlib
import statistics

import numpy as np

TASKS = ("inference", "training")


def curves(report):
    """{task: {name: (rates, ratios)}}, by which factor of our time others take, at rising rates of spikes a neuron."""
    out = {task: {} for task in TASKS}
    for result in sorted(report["results"], key=lambda result: result["rate"]):
        ours, *others = result["rows"]
        for task in TASKS:
            mine = ours["times"]["training" if task == "training" else "inference float32"]
            for row in others:
                pairs = zip(row["times"][task], mine, strict=True)
                rates, ratios = out[task].setdefault(row["name"], ([], []))
                rates.append(result["rate"])
                ratios.append(statistics.median(theirs / own for theirs, own in pairs))
    return out


def crossover(rates, ratios):
    """The lowest rate from which on a ratio is at most 1, between rates by logarithms; None where it never is."""
    above = np.flatnonzero(np.array(ratios) > 1.0)
    last = above[-1] if len(above) else -1
    if last + 1 == len(rates):
        return None
    if last < 0:
        return rates[0]
    x, y = np.log(rates[last : last + 2]), np.log(ratios[last : last + 2])
    return float(np.exp(x[0] - y[0] * (x[1] - x[0]) / (y[1] - y[0])))


def told(rates, ratios):
    """The crossover in words."""
    found = crossover(rates, ratios)
    if found is None:
        return f"above {rates[-1]:g}"
    return f"below {found:g}" if max(ratios) <= 1.0 else f"{found:.3g}"


def main():
    """Print the crossovers of a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path, help="what compare.py --json wrote")
    parser.add_argument("--plot", type=pathlib.Path, metavar="FILE", help="write the curves as a picture")
    options = parser.parse_args()

    from rich.console import Console

    from eventsim.report.tables import plain_table

    try:
        report = json.loads(options.report.read_text())
        found = curves(report)
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"{options.report} is no comparison that compare.py wrote ({error}); write one with --json")
    rates = sorted(result["rate"] for result in report["results"])
    rows = []
    for task, of_task in found.items():
        for name, curve in of_task.items():
            ratios = dict(zip(*curve, strict=True))  # at some rates a peer may have been left out
            rows.append((task, name, told(*curve), *(f"{ratios[r]:.3g}" if r in ratios else "" for r in rates)))
    header = ("times ours", "who", "1 at", *(f"at {rate:g}" for rate in rates))
    Console(width=160, highlight=False).print(plain_table(header, rows))
    if options.plot:
        draw(found, report, options.plot)


def draw(found, report, path):
    """The ratios over the rates."""
    from eventsim import plot
    from eventsim.plot.canvas import new_figure, tidy

    figure = new_figure(4.2 * len(found), 3.4)
    for axis, (task, of_task) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        for name, (rates, ratios) in of_task.items():
            axis.loglog(rates, ratios, "o-", markersize=4, label=name)
        axis.axhline(1.0, color="black", linewidth=0.8)
        axis.set(xlabel="spikes a neuron and sample", ylabel="times our time", title=f"{report['arch']}, {task}")
        axis.grid(alpha=0.3, which="both")
        axis.legend(fontsize=7, frameon=False)
        tidy(axis)
    plot.save(figure, path)


if __name__ == "__main__":
    main()
