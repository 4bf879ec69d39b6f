"""What a profile found, as plain values and as tables."""

import csv
import io
import textwrap

from eventsim.profile import energy, neurobench
from eventsim.report import activity, numbers
from eventsim.report.inputs import input_figures

_MOST_CLASSES = 20  # rows of the table by class


def as_dict(profile, binning, *, skipped=None, backward=None) -> dict:
    """All figures as plain values, means a sample.

    binning : `BinningReport` of all samples; skipped : of the recording; backward : a `BackwardProfile`, where it ran
    """
    layers = profile.layer_figures()
    given = profile.populations[0]
    out = {
        "samples": profile.n_samples,
        "input": input_figures(profile.network, binning, given.ticks, profile.n_samples, skipped),
        "layers": layers, **totals(layers), "neurobench": neurobench.figures(profile),
        "energy": energy.as_dict(_energy(profile, layers)), "classes": profile.class_figures(),
    }
    return out | ({"backward": backward.figures()} if backward else {})


def totals(layers) -> dict:
    """Spikes, SynOps, dense MACs, their ratio, bytes and time of all layers."""
    moved = [layer["bytes"] for layer in layers]
    return activity.totals(activity.of_figures(layers)) | {"bytes": None if None in moved else sum(moved)}


def _energy(profile, layers):
    n, populations = max(profile.n_samples, 1), profile.populations[1:]
    updates = sum(population.n_neurons * population.ticks for population in populations) / n
    active = sum(population.pairs for population in populations) / n
    synops, macs = (sum(layer[name] for layer in layers) for name in ("synops", "dense_macs"))
    return energy.estimates(synops, macs, updates, active, profile.network.weights)


def firing_table(layers):
    """How the neurons of every layer fire."""
    from eventsim.report.tables import plain_table

    rows = [
        (f["name"], *(numbers.optional(f["quantiles"][q], "{:.1f}") for q in ("0.5", "0.95", "1.0")),
         numbers.share(f["silent_in_a_sample"]), numbers.share(f["saturated"]),
         numbers.optional(f["interval_ms"], "{:.1f}"), numbers.optional(f["median_interval_ms"], "{:g}"),
         numbers.optional(f["variation"]), numbers.optional(f["synchrony"]),
         numbers.share(f["zero_weights"] / f["weights"] if f["weights"] else None),
         "-" if f["bytes"] is None else numbers.large(f["bytes"]))
        for f in layers
    ]
    return plain_table(("layer", "median", "95 %", "most", "idle", "sat.", "ISI ms", "median", "CV", "chi",
                        "zeros", "bytes"), rows)


_WIDTH = 80


def _wrapped(text):
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


_LEGEND = (
    "Spikes a neuron and sample (median, 95 % of neurons, most); neurons idle or saturated (sat.) in a sample; "
    "intervals between spikes (mean, median, coefficient of variation); synchrony (Golomb's chi, 1: all at once); "
    "weights that are zero; bytes of weights and spikes that were moved."
)


def backward_screen(f) -> list:
    """The table of `BackwardProfile.figures`."""
    from eventsim.report.tables import plain_table

    rows = [
        (layer["name"], numbers.share(layer["active"]), numbers.large(layer["synops_gradient"]),
         numbers.large(layer["synops_error"]), numbers.large(layer["dense_macs"]), numbers.share(layer["ratio"]))
        for layer in f["layers"]
    ]
    time = f"{numbers.seconds(f['forward_seconds'])} forward, {numbers.seconds(f['backward_seconds'])} backward"
    return ["", plain_table(("backward", "active", "gradient", "error", "MACs", "ratio"), rows),
            f"A training step takes {time}, a sample; active: neurons and ticks at which the surrogate counts."]


def _energy_lines(f):
    yield "Energy, estimates of a sample:"
    for one in f["estimates"]:
        yield f"  {one['name']:<18} {numbers.energy(one['joules']):>8}  {one['formula']}"
    for text in (*f["assumptions"], *dict.fromkeys(one["source"] for one in f["estimates"])):
        yield from _wrapped(text)


def _class_table(f):
    from eventsim.report.tables import plain_table

    rows = [
        (str(one["class"]), numbers.count(one["samples"]), numbers.share(one["accuracy"]),
         numbers.large(sum(one["spikes"])), numbers.large(sum(one["synops"])))
        for one in f["classes"][:_MOST_CLASSES]
    ]
    return plain_table(("class", "samples", "right", "spikes", "SynOps"), rows)


def screen(profile, figures) -> list:
    """The figures of `as_dict` as lines and tables."""
    remark = "Figures are means a sample" if figures["samples"] > 1 else None
    out = [*activity.screen(activity.of_figures(figures["layers"]), remark), "", firing_table(figures["layers"]),
           *_wrapped(_LEGEND)]
    if len(figures["classes"]) > 1:
        out += ["", _class_table(figures)]
        if len(figures["classes"]) > _MOST_CLASSES:
            out.append(f"Of {len(figures['classes'])} classes, the first {_MOST_CLASSES}; --json has all.")
    if "backward" in figures:
        out += backward_screen(figures["backward"])
    return [*out, "", *_energy_lines(figures["energy"])]


def samples_csv(profile, names) -> bytes:
    """A table, a line a sample: its name, label, the class chosen; by layer spikes, silent neurons and SynOps.

    A layer whose potentials are read has no silent neurons.
    """
    network, out = profile.network, io.StringIO()
    columns = [f"{what}_{layer}" for what, named in (("spikes", network), ("silent", network.spiking),
                                                     ("synops", network)) for layer in named.layer_names]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("sample", "label", "predicted", *columns))
    labels = ("" if label < 0 else label for label in profile.labels.tolist())
    silent = profile.silent()[:, : len(network.spiking.layers)]
    counts = zip(profile.spikes().tolist(), silent.tolist(), profile.synops().tolist(), strict=True)
    for name, label, predicted, (spikes, silent, synops) in zip(
        names, labels, profile.predicted.tolist(), counts, strict=True
    ):
        writer.writerow((name, label, predicted, *spikes, *silent, *synops))
    return out.getvalue().encode()
