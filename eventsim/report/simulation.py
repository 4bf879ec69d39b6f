"""What became of one recording in a network."""

import numpy as np

from eventsim.report import activity, numbers
from eventsim.report.inputs import input_figures, input_line


def _output(trace):
    """Score of every output neuron, the class, and the other classes that have the same score."""
    scores = trace.scores[0]
    chosen = int(trace.predict()[0])
    return scores, chosen, [int(i) for i in np.flatnonzero(scores == scores[chosen]) if i != chosen]


def _scores(trace) -> dict:
    """What the class was chosen by, as plain values: spikes, or what was read of the potentials and when."""
    scores = trace.scores[0].tolist()
    if trace.readout is None:
        return {"counts": scores}
    time = trace.readout.time
    return {"readout": trace.readout.kind, "scores": scores, **({} if time is None else {"times": time[0].tolist()})}


def figures(network, events, trace) -> dict:
    """Input, activity of every layer and totals, as plain values."""
    layers = activity.of_trace(trace)
    given = input_figures(network, trace.binning, trace.input.n_ticks, skipped=events.skipped)
    return {"input": given, "layers": activity.as_dicts(layers), **activity.totals(layers)}


def as_dict(network, events, trace) -> dict:
    """All figures as plain values."""
    _, chosen, tied = _output(trace)
    return {
        "arch": network.arch.notation, "clock": network.clock, "dt": network.dt, "n_ticks": trace.input.n_ticks,
        "class": chosen, "tied": tied, **_scores(trace), **figures(network, events, trace),
    }


def facts(network, events, trace) -> list:
    """Names and values of the input and the clock."""
    given = input_figures(network, trace.binning, trace.input.n_ticks, skipped=events.skipped)
    n, dt = trace.input.n_ticks, network.dt
    ticks = "exact" if network.clock == "exact" else f"{numbers.several(n, 'tick')} of {dt:g} ms"
    return [("Input", input_line(given)), ("Clock", f"{ticks}, {n * dt:g} ms")]


def verdict(trace) -> str:
    """The class, and what speaks against it."""
    scores, chosen, tied = _output(trace)
    if trace.readout is not None and len(scores) > 1 and len(tied) == len(scores) - 1:
        return f"Class {chosen}, but all output potentials are equal: they say nothing"
    if trace.readout is None and scores[chosen] == 0:
        return f"Class {chosen}, but no output neuron fired: it says nothing"
    if tied:
        return f"Class {chosen}, tied with {', '.join(map(str, tied))}: of equals, the lowest is taken"
    return f"Class {chosen}"


def screen(trace) -> list:
    """The class, the output's scores and the layers, as lines and tables."""
    from eventsim.report.tables import wide_rows

    shown = _output(trace)[0]
    rows = [("output", range(len(shown))), ("spikes", shown)]
    if trace.readout is not None:
        rows[1:] = [(trace.readout.kind, map(numbers.potential, shown))]
        if trace.readout.time is not None:
            rows.append(("at ms", [f"{t:.4g}" for t in trace.readout.time[0]]))
    return [verdict(trace), wide_rows(*rows), "", *activity.screen(activity.of_trace(trace))]
