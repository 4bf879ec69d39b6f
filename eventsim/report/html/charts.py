"""The charts of a profile. Bars by layer and activity over time of two profiles side by side have one scale."""

import numpy as np

from eventsim.report import numbers
from eventsim.report.html import svg
from eventsim.report.sampling import some_of

_RASTER_ROWS = 160
_MOST_MARKS = 8000  # of a raster; more spikes are drawn as dashes as wide as what can be told apart
_MOST_OUTPUTS = 12
_BINS = 32
_NAMED_BARS = 8
_POINTS = 300  # of a line
_WIDE = 720


def color(i) -> str:
    """The classes of layer ``i``: eight colours, and lines that differ where there are more layers."""
    return f"c{i % 8} d{i // 8 % 3}"


def by_layer(layers, value, shown, label, most=None) -> str:
    """A bar a layer of what ``value`` gives of its figures; ``shown`` says it as text."""
    rows = [(f["name"], value(f), shown(value(f)), color(i)) for i, f in enumerate(layers)]
    return svg.lying_bars(rows, label, most)


def activity(profile, y_most) -> str:
    """Spikes a second of an average neuron, over a sample, a line a layer: for wide pages, and for narrow ones."""
    series, given, drawn = activity_series(profile), profile.populations[0], []
    duration = given.ticks / max(given.n_samples, 1) * given.dt
    for css, width in (("for-wide", _WIDE), ("for-narrow", svg.WIDTH)):
        axes = svg.Axes(duration, y_most, "ms", "spikes a second", width=width)
        lines = [svg.polyline(axes, x, y, color(i), f"{name}, at most {y.max():.3g} Hz")
                 for i, (name, x, y) in enumerate(series) if len(x)]
        drawn.append(f'<div class="{css}">{axes.chart("Activity over time", *lines)}</div>')
    return "".join(drawn)


def activity_series(profile):
    """(name, ms, Hz) of every layer, at most `_POINTS` points of each."""
    out = []
    for name, population in zip(profile.network.layer_names, profile.populations[1:], strict=True):
        if not population.fires:
            continue
        counts = population.activity
        step = max(1, -(-len(counts) // _POINTS))
        sums = np.add.reduceat(counts, np.arange(0, len(counts), step)) if len(counts) else counts
        end = population.ticks / max(population.n_samples, 1) * population.dt
        edges = np.minimum(np.append(np.arange(0, len(counts), step), len(counts)) * population.bin_ms, end)
        width = np.maximum(np.diff(edges), population.dt)
        hertz = 1000.0 * sums / (width * population.n_neurons * max(population.n_samples, 1))
        out.append((name, edges[:-1] + width / 2, hertz))
    return out


def busiest(profile) -> float:
    """The most that `activity` shows."""
    return max((float(y.max()) for _, _, y in activity_series(profile) if len(y)), default=1.0)


def raster(spikes, css, label) -> str:
    """Spikes of one sample, of neurons that are evenly spread over all."""
    n = spikes.n_neurons
    rows = min(n, _RASTER_ROWS)
    chosen = some_of(n, rows)
    row = np.full(n, -1)
    row[chosen] = np.arange(rows)
    of_spike = row[spikes.address]
    shown = of_spike >= 0
    when, of_spike = spikes.times[shown], of_spike[shown]
    y_label = f"{rows} of {n:,} neurons" if rows < n else "neuron"
    axes = svg.Axes(spikes.n_ticks * spikes.dt, rows, "ms", y_label, y_ticks=() if rows < n else None)
    draw = svg.marks if len(when) <= _MOST_MARKS else svg.dashes
    return axes.chart(label, draw(axes, when, of_spike, css))


def spikes_a_neuron(population, css, label) -> str | None:
    """How many neurons have how many spikes a sample; those without any have a bar of their own, left of 0.

    None where they never spike.
    """
    if not population.fires:
        return None
    mean = population.spikes / max(population.n_samples, 1)
    fired, most = mean[mean > 0], float(mean.max(initial=0.0)) or 1.0
    counts, edges = np.histogram(fired, _BINS - 1, (0.0, most))
    step = edges[1]
    share = np.concatenate(([np.mean(mean == 0)], counts / len(mean)))
    titles = [f"no spike: {numbers.share(share[0])} of neurons"]
    titles += [f"{a:.3g} to {b:.3g} spikes: {numbers.share(s)} of neurons"
               for a, b, s in zip(edges[:-1], edges[1:], share[1:], strict=True)]
    ticks = [(tick + step, svg.short(tick)) for tick in svg.round_ticks(most)]
    axes = svg.Axes(most + step, 100 * share.max(), "mean spikes a sample (left of 0: none)", "% of neurons",
                    x_ticks=ticks)
    return axes.chart(label, svg.bars(axes, np.concatenate(([0.0], edges + step)), 100 * share, css, titles))


def intervals(population, css, label) -> str | None:
    """Intervals between a neuron's spikes, four bars for every doubling; None where there are none."""
    bins = population.interval_bins
    found = np.flatnonzero(bins)
    if not len(found):
        return None
    end = int(found[-1]) + 1
    starts = np.unique(np.floor(2.0 ** (np.arange(0, 4 * int(np.ceil(np.log2(end + 1)))) / 4)).astype(np.int64))
    starts = np.concatenate(([0], starts)) if bins[0] else starts
    starts = starts[starts < end]
    share = np.add.reduceat(bins[:end], starts) / bins.sum()
    last = np.append(starts[1:], end) - 1
    dt = population.interval_ms
    titles = [f"{a * dt:g} ms: {numbers.share(s)}" if a == b else f"{a * dt:g} to {b * dt:g} ms: {numbers.share(s)}"
              for a, b, s in zip(starts.tolist(), last.tolist(), share, strict=True)]
    every = -(-len(starts) // _NAMED_BARS)
    ticks = [(i + 0.5, f"{a * dt:g}") for i, a in enumerate(starts.tolist()) if i % every == 0]
    axes = svg.Axes(len(starts), float(100 * share.max()), "ms between spikes, from", "% of intervals", x_ticks=ticks)
    return axes.chart(label, svg.bars(axes, np.arange(len(starts) + 1.0), 100 * share, css, titles))


def outputs(trace, label=None) -> str:
    """Scores of the output neurons, of many the highest; the chosen one stands out, the true one is marked.

    Bars are as long as spikes are many, or potentials above the lowest.
    """
    scores, chosen, is_read = trace.scores[0], int(trace.predict()[0]), trace.readout is not None
    shown = np.argsort(-scores, kind="stable")[:_MOST_OUTPUTS] if len(scores) > _MOST_OUTPUTS else range(len(scores))
    text, base = (numbers.potential, scores.min()) if is_read else (numbers.count, 0)
    rows = [(f"{i}{' (true)' if i == label else ''}", float(scores[i] - base), text(scores[i]),
             "chosen" if i == chosen else "other") for i in shown]
    rest = f'<p class="none">the {_MOST_OUTPUTS} of {len(scores):,} with most</p>' if len(rows) < len(scores) else ""
    return svg.lying_bars(rows, f"{'Potentials' if is_read else 'Spikes'} of the output neurons") + rest
