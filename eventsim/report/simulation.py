"""What became of one recording in a network."""

import numpy as np

from eventsim.report import activity, numbers
from eventsim.report.inputs import input_figures, input_line


def _output(trace):
    """Spikes of every output neuron, the class, and the other classes that have as many spikes as it."""
    counts = trace.output.counts()[0]
    chosen = int(trace.predict()[0])
    return counts, chosen, [int(i) for i in np.flatnonzero(counts == counts[chosen]) if i != chosen]


def figures(network, events, trace) -> dict:
    """Input, activity of every layer and totals, as plain values."""
    layers = activity.of_trace(trace)
    given = input_figures(network, trace.binning, trace.input.n_ticks, skipped=events.skipped)
    return {"input": given, "layers": activity.as_dicts(layers), **activity.totals(layers)}


def as_dict(network, events, trace) -> dict:
    """All figures as plain values."""
    counts, chosen, tied = _output(trace)
    return {
        "arch": network.arch.notation, "clock": network.clock, "dt": network.dt, "n_ticks": trace.input.n_ticks,
        "class": chosen, "tied": tied, "counts": counts.tolist(), **figures(network, events, trace),
    }


def facts(network, events, trace) -> list:
    """Names and values of the input and the clock."""
    given = input_figures(network, trace.binning, trace.input.n_ticks, skipped=events.skipped)
    n, dt = trace.input.n_ticks, network.dt
    ticks = "exact" if network.clock == "exact" else f"{numbers.several(n, 'tick')} of {dt:g} ms"
    return [("Input", input_line(given)), ("Clock", f"{ticks}, {n * dt:g} ms")]


def verdict(trace) -> str:
    """The class, and what speaks against it."""
    counts, chosen, tied = _output(trace)
    if counts[chosen] == 0:
        return f"Class {chosen}, but no output neuron fired: it says nothing"
    if tied:
        return f"Class {chosen}, tied with {', '.join(map(str, tied))}: of equals, the lowest is taken"
    return f"Class {chosen}"


def screen(trace) -> list:
    """The class, the output spikes and the layers, as lines and tables."""
    from eventsim.report.tables import wide_rows

    counts = _output(trace)[0]
    rows = wide_rows(("output", range(len(counts))), ("spikes", counts))
    return [verdict(trace), rows, "", *activity.screen(activity.of_trace(trace))]
