"""`Trace` in a notebook: the class, and what every layer did."""

from dataclasses import replace

import numpy as np

from eventsim.report import activity, numbers, simulation
from eventsim.report.notebook.markup import fragment

_SUMMED = ("spikes", "spikes_per_neuron", "rate_hz", "synops", "dense_macs", "seconds")


def show(trace) -> str:
    """HTML of a run over a recording, or means over a batch."""
    if trace.input.n_samples == 1:
        return fragment("Trace", *simulation.screen(trace))
    return fragment("Trace", *_batch(trace))


def _batch(trace):
    from eventsim.report.tables import wide_rows

    n = trace.input.n_samples
    if not n:
        return ["no samples"]
    chosen = np.bincount(trace.predict(), minlength=trace.output.n_neurons)
    layers = [replace(layer, **{name: value / n for name in _SUMMED if (value := getattr(layer, name)) is not None})
              for layer in activity.of_trace(trace)]
    return [f"{numbers.several(n, 'sample')}; of each class:",
            wide_rows(("class", range(len(chosen))), ("samples", chosen)),
            "Means a sample, and neurons silent in all of them:", *activity.screen(layers)]
