"""The page: what is shown of a profile, and of another beside it."""

import html
import json
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version

import numpy as np

from eventsim import files
from eventsim.engine import Trace
from eventsim.events import Events
from eventsim.profile import Profile
from eventsim.report import numbers
from eventsim.report.evaluation import accuracy_line
from eventsim.report.html import charts, frames, tables

_LETTERS = "AB"


@dataclass(frozen=True)
class Subject:
    """One profile and a sample of it that is looked at closely.

    name : what to call it; facts : (name, value) pairs about it; figures : `eventsim.report.profile.as_dict`, with the
        scores of a data set
    sample_name, events, trace : of the sample, whose times count from the begin of its window; label : its class
    """

    name: str
    facts: list
    profile: Profile
    figures: dict
    sample_name: str
    events: Events
    trace: Trace
    label: int | None = None


def write(path, *subjects):
    """Write the page about one `Subject`, or two side by side; replaced at the end or not at all."""
    files.write_atomically(path, page(*subjects).encode())


def page(*subjects) -> str:
    """The page as text."""
    sections = [
        _section("Sparsity by layer", "How little of a dense simulation's work is done, and how many neurons have no "
                 "part in it.", _by_layer(subjects)),
        _section("Activity over time", "Means over all samples, by layer.", _activity(subjects)),
        _section(f"One sample: {subjects[0].sample_name}", "What came in, and what every layer made of it.",
                 _sample(subjects)),
        _section("Spikes of a neuron", "Means over samples; left of 0 are the neurons that never fired.",
                 _each_layer(subjects, lambda one, i, name: charts.spikes_a_neuron(
                     one.profile.populations[i + 1], charts.color(i), name))),
        _section("Intervals between spikes", "Between neighbouring spikes of a neuron in a sample; bars get wider as "
                 "intervals get longer.", _each_layer(subjects, lambda one, i, name: charts.intervals(
                     one.profile.populations[i + 1], charts.color(i), name))),
        _section("All figures", "Means a sample. A click on a heading sorts.", [tables.layers(subjects, _tag)]),
        *_scores(subjects),
        _section("Energy", "Estimates, each with its source; what they leave out stands below.",
                 [tables.energy(subjects)], wide=True),
        _section("NeuroBench's names", "The same counts by the names and definitions of NeuroBench.",
                 [tables.neurobench(subjects)], wide=True),
    ]
    title = " and ".join(one.name for one in subjects)
    main = '<main class="two">' if len(subjects) > 1 else "<main>"
    style, script = (resources.files(__package__).joinpath(name).read_text() for name in ("report.css", "report.js"))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}: sparsity</title><style>{style}</style></head>\n<body>"
        f"{_header(subjects)}{main}{''.join(sections)}</main>"
        f"<footer>eventsim {version('eventsim')}</footer><script>{script}</script></body></html>\n"
    )


def _tag(subjects, i):
    """A mark of which of two subjects something belongs to."""
    return f'<span class="tag tag{_LETTERS[i]}">{_LETTERS[i]}</span> ' if len(subjects) > 1 else ""


def _header(subjects):
    parts = []
    for i, one in enumerate(subjects):
        facts = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in one.facts)
        parts.append(f"<div><h1>{_tag(subjects, i)}{html.escape(one.name)}</h1><dl>{facts}</dl></div>")
    tiles = "".join(
        f'<div class="tile"><span class="name">{name}</span>'
        + "".join(f'<span class="value">{_tag(subjects, i)}{html.escape(value(one))}</span>'
                  for i, one in enumerate(subjects))
        + f'<span class="note">{note}</span></div>'
        for name, value, note in _TILES if all(value(one) is not None for one in subjects)
    )
    return (f'<header><button id="theme" title="Light or dark">◐</button><div class="pair">{"".join(parts)}</div>'
            f'<div class="tiles">{tiles}</div></header>')


def _accuracy(one):
    return numbers.share(one.figures["accuracy"]) if "accuracy" in one.figures else None


_TILES = (
    ("Work", lambda one: numbers.share(one.figures["ratio"]), "SynOps, of a dense simulation's MACs"),
    ("SynOps", lambda one: numbers.large(one.figures["synops"]), "synapses crossed, a sample"),
    ("Spikes", lambda one: numbers.large(one.figures["spikes"]), "of all layers, a sample"),
    ("Accuracy", _accuracy, "of the samples profiled"),
    ("Energy", lambda one: numbers.energy(one.figures["energy"]["estimates"][0]["joules"]),
     "SynOps at 45 nm, an estimate: see below"),
    ("Time", lambda one: numbers.seconds(one.figures["seconds"]), "in the layers, a sample, on this machine"),
)


def _section(title, note, cards, wide=False):
    grid = "" if wide else ' class="grid"'
    return (f"<section><h2>{html.escape(title)}</h2><p>{html.escape(note)}</p><div{grid}>{''.join(filter(None, cards))}"
            "</div></section>")


def _card(title, content, css=""):
    return f'<figure class="card {css}"><figcaption>{title}</figcaption>{content}</figure>'


def _by_layer(subjects):
    kinds = [
        ("SynOps of dense MACs", lambda f: f["ratio"], numbers.share),
        ("Neurons and ticks with a spike", lambda f: f["density"], numbers.share),
        ("Neurons silent in a sample", lambda f: f["silent_in_a_sample"], numbers.share),
        ("SynOps a sample", lambda f: f["synops"], numbers.large),
    ]
    if all("backward" in one.figures for one in subjects):
        active = [{f["name"]: f["active"] for f in one.figures["backward"]["layers"]} for one in subjects]
        merged = [[f | {"active": found[f["name"]]} for f in one.figures["layers"]]
                  for one, found in zip(subjects, active, strict=True)]
        kinds.append(("Neurons and ticks of the backward pass", lambda f: f["active"], numbers.share))
    else:
        merged = [one.figures["layers"] for one in subjects]
    for title, value, shown in kinds:
        most = max(value(f) or 0 for layers in merged for f in layers)
        for i, layers in enumerate(merged):
            yield _card(_tag(subjects, i) + title, charts.by_layer(layers, value, shown, title, most))


def _activity(subjects):
    most = max(charts.busiest(one.profile) for one in subjects)
    for i, one in enumerate(subjects):
        legend = "".join(f'<span class="key {charts.color(k)}">{html.escape(name)}</span>'
                         for k, name in enumerate(one.profile.network.spiking.layer_names))
        yield _card(_tag(subjects, i) + "Rate of an average neuron", charts.activity(one.profile, most)
                    + f'<div class="legend">{legend}</div>', "large")


def _sample(subjects):
    first = subjects[0]
    duration = first.trace.input.n_ticks * first.trace.input.dt
    data = json.dumps(frames.of_events(first.events, duration))
    yield _card(f"The recording, {numbers.several(len(first.events), 'event')}",
                f'<div class="player" data-frames="{html.escape(data)}"><canvas></canvas><div class="controls">'
                '<button class="play" title="Play or pause">▶</button><input type="range" min="0" value="0" step="1" '
                'aria-label="time"><output></output></div></div>')
    yield _card("Input", charts.raster(first.trace.input, "input", "Spikes of the input"))
    for i, one in enumerate(subjects):
        what = "spikes" if one.trace.readout is None else f"potentials, {one.trace.readout.kind}"
        yield _card(f"{_tag(subjects, i)}Output {what}: class {one.trace.predict()[0]}",
                    charts.outputs(one.trace, one.label))
    yield from _each_layer(subjects, lambda one, i, name: None if one.trace.layers[i].readout else charts.raster(
        one.trace.layers[i].spikes, charts.color(i), name))


def _each_layer(subjects, draw):
    """A card a layer of what ``draw`` gives for a subject, a layer's number, and what to call the picture."""
    for i in range(max(len(one.profile.costs) for one in subjects)):
        for k, one in enumerate(subjects):
            if i >= len(one.profile.costs):  # so that the one stays left and the other right
                yield '<div class="gap"></div>'
                continue
            name = one.profile.network.layer_names[i]
            drawn = draw(one, i, name)
            yield _card(f"{_tag(subjects, k)}{html.escape(name)}", drawn or '<p class="none">nothing to show</p>')


def _scores(subjects):
    """Accuracy and confusion of a data set."""
    cards = []
    for i, one in enumerate(subjects):
        confusion = np.array(one.figures.get("confusion", ()))
        if len(confusion):
            shown = tables.confusion(confusion) if len(confusion) <= tables.MOST_CLASSES else \
                f'<p class="none">{len(confusion)} classes are too many for a table; --json has it</p>'
            cards.append(_card(f"{_tag(subjects, i)}{accuracy_line(confusion)}", shown))
    return [_section("Classes", "Rows: the class of a sample; columns: the class that the network chose.", cards)] \
        if cards else []
