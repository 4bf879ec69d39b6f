"""What became of one recording in a network."""

import numpy as np

from eventsim.report import activity, numbers


def _counts(trace):
    """Spikes of every output neuron, the class, and the classes that have as many spikes as it."""
    counts = trace.output.counts()[0]
    chosen = int(trace.predict()[0])
    return counts, chosen, [int(i) for i in np.flatnonzero(counts == counts[chosen]) if i != chosen]


def input_figures(events, report) -> dict:
    """What became of the events of a recording."""
    return {
        "events": report.events, "spikes": report.spikes, "merged": report.merged,
        "out_of_window": report.out_of_window, "skipped": sum(events.skipped.values()),
    }


def as_dict(network, events, trace, clock) -> dict:
    """All figures as plain values."""
    counts, chosen, tied = _counts(trace)
    layers = activity.of_trace(trace)
    return {
        "arch": network.arch.notation, "clock": clock, "dt": network.dt, "n_ticks": trace.input.n_ticks,
        "class": chosen, "tied": tied, "counts": counts.tolist(), "input": input_figures(events, trace.binning),
        "layers": activity.as_dicts(layers), **activity.totals(layers),
    }


def input_line(events, report, duration) -> str:
    """What became of the events of a recording, as a sentence."""
    figures = {name: numbers.count(n) for name, n in input_figures(events, report).items()}
    return (f"{figures['events']} events, {figures['merged']} merged in their tick, {figures['out_of_window']} after "
            f"{duration:g} ms, {figures['skipped']} records skipped")


def screen(network, events, trace, clock) -> list:
    """The same figures as lines and tables."""
    from eventsim.report.tables import plain_table

    counts, chosen, tied = _counts(trace)
    duration = trace.input.n_ticks * network.dt
    ticks = "exact" if clock == "exact" else f"{trace.input.n_ticks} ticks of {network.dt:g} ms"
    if counts[chosen] == 0:
        verdict = f"Class {chosen}, but the output is silent: it says nothing"
    elif tied:
        verdict = f"Class {chosen}, tied with {', '.join(map(str, tied))}: the lowest goes first"
    else:
        verdict = f"Class {chosen}"
    lines = [
        [("Input", input_line(events, trace.binning, duration)), ("Clock", f"{ticks}, {duration:g} ms")],
        "",
        verdict,
        plain_table(("output", *map(str, range(len(counts)))), [("spikes", *map(str, counts))]),
        "",
        activity.table(activity.of_trace(trace)),
    ]
    return lines
