"""How well a network does on a data set."""

import math
import statistics

import numpy as np

from eventsim.report import activity, numbers
from eventsim.report.inputs import input_figures, input_line

_WIDEST_CONFUSION = 12  # classes whose table fits 80 columns
_CONFIDENCE = 0.95


def wilson(right, n, confidence=_CONFIDENCE) -> tuple[float, float]:
    """Bounds of the accuracy that ``right`` of ``n`` samples speak for; ``(0, 1)`` where there are none.

    Wilson 1927, doi:10.1080/01621459.1927.10502953: the rates within z standard errors, each by its own error, of what
    was found. Unlike an interval around the rate found, it holds for few samples and for rates near one.
    """
    if not n:
        return 0.0, 1.0
    z = statistics.NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (right + z * z / 2) / (n + z * z)
    reach = z / (n + z * z) * math.sqrt(right * (n - right) / n + z * z / 4)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def accuracy_line(confusion) -> str:
    """Accuracy, counts and `wilson` bounds of a confusion, int[C, C]."""
    right, n = int(np.trace(confusion)), int(np.sum(confusion))
    low, high = wilson(right, n)
    shown = f"{numbers.count(right)} of {numbers.count(n)}"
    return f"{right / max(n, 1):.4f} ({shown}; 95 % interval {low:.3f} to {high:.3f})"


def _by_class(confusion):
    """Accuracy of every class, None where it has no samples."""
    return [float(row[i] / row.sum()) if row.sum() else None for i, row in enumerate(confusion)]


def input_of(network, metrics) -> dict:
    """See `input_figures`; the ticks of all samples follow from the dense MACs."""
    n_ticks = metrics.dense_macs[0] // network.layers[0].n_synapses
    return input_figures(network, metrics.binning, int(n_ticks), metrics.samples)


def scores(metrics) -> dict:
    """How well it did, as plain values."""
    summary = metrics.summary()
    return {
        "samples": summary["samples"], "accuracy": summary["accuracy"],
        "accuracy_interval": wilson(int(np.trace(metrics.confusion)), summary["samples"]), "loss": summary["loss"],
        "class_accuracy": _by_class(metrics.confusion), "confusion": metrics.confusion.tolist(),
    }


def as_dict(network, metrics) -> dict:
    """All figures as plain values."""
    layers = activity.of_metrics(network, metrics)
    return {
        **scores(metrics), "input": input_of(network, metrics), "layers": activity.as_dicts(layers),
        **activity.totals(layers),
    }


def screen(network, metrics) -> list:
    """The same figures as lines and tables."""
    summary = metrics.summary()
    layers = activity.of_metrics(network, metrics)
    return [
        [("Accuracy", accuracy_line(metrics.confusion)),
         ("Loss", f"{summary['loss']:.3f}"),
         ("Input", f"a sample has {input_line(input_of(network, metrics))}")],
        "", confusion_table(metrics.confusion), "Columns: the class that the network chose.", "",
        *activity.screen(layers, "Figures are means a sample"),
    ]


def confusion_table(confusion):
    """A row a class: its samples by the class that was chosen, and its accuracy."""
    from eventsim.report.tables import plain_table

    classes = range(len(confusion))
    shown = classes if len(confusion) <= _WIDEST_CONFUSION else ()
    rows = [
        (str(i), *("." if confusion[i][k] == 0 else str(confusion[i][k]) for k in shown), str(confusion[i].sum()),
         numbers.share(accuracy))
        for i, accuracy in zip(classes, _by_class(confusion), strict=True)
    ]
    return plain_table(("true", *map(str, shown), "samples", "right"), rows)
