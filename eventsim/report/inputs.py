"""What became of the events that went into a network."""

from eventsim.report import numbers


def input_figures(network, report, n_ticks, samples=1, skipped=None) -> dict:
    """Counts of a `BinningReport` over ``samples`` samples of ``n_ticks`` ticks in all; means where there are several.

    density is the share of (address, tick) pairs that hold a spike; skipped are the records that a reader left out.
    """
    names = ("events", "spikes", "merged", "out_of_window")
    counts = {name: getattr(report, name) for name in names}
    if skipped is not None:
        counts["skipped"] = sum(skipped.values())
    if samples > 1:
        counts = {name: n / samples for name, n in counts.items()}
    pairs = network.arch.n_inputs * n_ticks
    return counts | {"density": report.spikes / pairs if pairs else 0.0}


def input_line(figures) -> str:
    """The same as a sentence."""
    text = {name: f"{n:,.1f}" if isinstance(n, float) else numbers.count(n) for name, n in figures.items()}
    events, skipped = (f"{text[name]} {noun}{'s' * (text[name] != '1')}" if name in text else ""
                       for name, noun in (("events", "event"), ("skipped", "record")))
    return (f"{events}, {text['merged']} merged in their tick, {text['out_of_window']} outside the window"
            f"{skipped and f', {skipped} skipped'}; density {numbers.share(figures['density'])}")
