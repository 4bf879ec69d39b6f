"""The tables of a profile's page."""

import html

from eventsim.report import numbers

MOST_CLASSES = 30



_INTERVAL = "{:.3g}".format


def _maybe(shown):
    return lambda value: "–" if value is None else shown(value)


# Heading, what it means, the figure, and how it is shown.
_COLUMNS = (
    ("neurons", "", lambda f: f["neurons"], numbers.count),
    ("spikes", "a sample", lambda f: f["spikes"], numbers.large),
    ("a neuron", "mean spikes of a neuron", lambda f: f["spikes_per_neuron"], _maybe("{:.2f}".format)),
    ("median", "over neurons", lambda f: f["quantiles"]["0.5"], _maybe("{:.1f}".format)),
    ("95 %", "95 % of the neurons have no more spikes", lambda f: f["quantiles"]["0.95"], _maybe("{:.1f}".format)),
    ("most", "spikes of the busiest neuron", lambda f: f["quantiles"]["1.0"], _maybe("{:.1f}".format)),
    ("Hz", "mean rate", lambda f: f["rate_hz"], _maybe("{:.1f}".format)),
    ("silent", "in a sample", lambda f: f["silent_in_a_sample"], numbers.share),
    ("never", "silent in every sample", lambda f: f["silent"], numbers.share),
    ("saturated", "half as many spikes as their dead time allows, or more", lambda f: f["saturated"], numbers.share),
    ("interval", "mean, ms", lambda f: f["interval_ms"], _maybe(_INTERVAL)),
    ("CV", "coefficient of variation of all intervals", lambda f: f["variation"], _maybe("{:.2f}".format)),
    ("synchrony", "Golomb's chi; 1: all at once", lambda f: f["synchrony"], _maybe("{:.2f}".format)),
    ("SynOps", "synapses crossed", lambda f: f["synops"], numbers.large),
    ("MACs", "of a dense simulation", lambda f: f["dense_macs"], numbers.large),
    ("ratio", "SynOps of MACs", lambda f: f["ratio"], numbers.share),
    ("zeros", "weights that are zero", lambda f: f["zero_weights"] / f["weights"] if f["weights"] else None,
     numbers.share),
    ("bytes", "weights and spikes that were moved", lambda f: f["bytes"], _maybe(numbers.large)),
    ("time", "on this machine", lambda f: f["seconds"], numbers.seconds),
)


def table(header, rows, css="") -> str:
    """A table; header has (name, explanation) pairs, rows (value to sort by, text or HTML) pairs, first a name.

    A column whose value is None is of words.
    """
    words = [' class="words"' if value is None else "" for value, _ in rows[0]]
    head = "".join(f'<th scope="col"{css} title="{html.escape(why)}">{html.escape(name)}</th>'
                   for css, (name, why) in zip(words, header, strict=True))
    body = "".join(
        "<tr>" + "".join(f'<td{css} data-value="{html.escape(str(value))}">{shown}</td>'
                         for css, (value, shown) in zip(words, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table class="{css}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def layers(subjects, tag) -> str:
    """Every figure of every layer, to be sorted."""
    rows = [
        [(f"{k}.{i}", tag(subjects, i) + html.escape(f["name"])),
         *(("" if value(f) is None else value(f), shown(value(f))) for _, _, value, shown in _COLUMNS)]
        for i, one in enumerate(subjects) for k, f in enumerate(one.figures["layers"])
    ]
    return table([("layer", ""), *((name, why) for name, why, _, _ in _COLUMNS)], rows, "sortable")


def energy(subjects) -> str:
    """Estimates, sources and assumptions."""
    found = [one.figures["energy"] for one in subjects]
    rows = [
        [(e["name"], html.escape(e["name"])), *((o["joules"], numbers.energy(o["joules"])) for o in ours),
         (None, html.escape(e["formula"])), (None, html.escape(e["source"]))]
        for e, *ours in ((estimates[0], *estimates) for estimates in zip(*(f["estimates"] for f in found), strict=True))
    ]
    header = [("of a sample", ""), *((one.name, "") for one in subjects), ("counted as", ""), ("source", "")]
    notes = "".join(f"<li>{html.escape(text)}</li>" for text in found[0]["assumptions"])
    return table(header, rows) + f"<ul>{notes}</ul>"


def neurobench(subjects) -> str:
    """NeuroBench's figures."""
    def flat(figures):
        for name, value in figures.items():
            if isinstance(value, dict):
                yield from ((f"{name} {key}", one) for key, one in value.items())
            else:
                yield name, value

    found = [dict(flat(one.figures["neurobench"])) for one in subjects]
    names = list(dict.fromkeys(name for figures in found for name in figures))
    rows = [
        [(name, html.escape(name) + (" (bytes)" if name == "Footprint" else "")),
         *((figures.get(name, ""), _exactly(figures.get(name))) for figures in found)]
        for name in names
    ]
    return table([("metric", ""), *((one.name, "") for one in subjects)], rows)


def _exactly(value):
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}".rstrip("0").rstrip(".")


def confusion(counts) -> str:
    """A cell a pair of classes, darker where there are more of its row."""
    rows = []
    for i, row in enumerate(counts):
        total = max(int(row.sum()), 1)
        cells = "".join(
            f'<td class="{"right" if i == k else "wrong"}" style="--share:{n / total:.3f}">{n or ""}</td>'
            for k, n in enumerate(row.tolist())
        )
        rows.append(f'<tr><th scope="row">{i}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{k}</th>' for k in range(len(counts)))
    return f'<div class="scroll"><table class="confusion"><tr><td></td>{head}</tr>{"".join(rows)}</table></div>'
