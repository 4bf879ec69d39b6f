"""Learning curves of one run or of several."""

import numpy as np

from eventsim.errors import ConfigError
from eventsim.plot.canvas import CYCLE, INK, as_it_is, new_figure, text_width, tidy

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_BY_LAYER = ("rates", "silent")
# What a history calls it, what the axis says, and its unit in the history's.
_PANELS = (("loss", "loss a sample", 1.0), ("accuracy", "accuracy (%)", 100.0),
           ("rates", "spikes a neuron and sample", 1.0), ("silent", "silent neurons (%)", 100.0))
_NEEDED = {"epoch", *(name for name, _, _ in _PANELS)}
_WIDTH, _POINTS, _AROUND = 7.2, 8, 0.6  # inches, those of the legend's text, and inches around a name in it
_FAR = 10.0  # from the least loss to the most, for a logarithmic scale


def curves(histories):
    """Loss, accuracy, spikes a neuron and the share of silent neurons over the epochs; runs lie on top of each other.

    histories : dict of a run's name to its history, the list that `Trainer.history` is; or one such list

    Lines are training, dashed ones validation. A run has a colour; where there is one run, a layer has. Layers are told
    apart by their marks.
    """
    runs = {"": histories} if isinstance(histories, list) else histories
    _check(runs)
    figure = new_figure(_WIDTH, 5.0)
    grid = figure.subplots(2, 2)
    for axis, (name, label, factor) in zip(grid.ravel(), _PANELS, strict=True):
        for i, history in enumerate(runs.values()):
            if name in _BY_LAYER:
                _draw_layers(axis, name, history, factor, None if len(runs) == 1 else _colour(i))
            else:
                _draw_splits(axis, name, history, factor, _colour(i))
        axis.set_ylabel(label)
        axis.locator_params(axis="x", integer=True)
        axis.grid(axis="y", linewidth=0.4, alpha=0.4)
        tidy(axis)
    _scale_loss(grid[0, 0])
    for axis in grid[1]:
        axis.set_xlabel("epoch")
        axis.set_ylim(bottom=0.0)
    for axis in grid.ravel()[1:]:
        if not any(value > 0 for line in axis.lines for value in line.get_ydata()):
            axis.set_ylim(0.0, 1.0)
    _explain(figure, grid, runs)
    return figure


def _colour(i):
    return CYCLE[i % len(CYCLE)]


def _mark(i):
    return _MARKERS[i % len(_MARKERS)]


def _check(runs):
    fine = isinstance(runs, dict) and runs and all(
        isinstance(history, list) and all(isinstance(one, dict) and set(one) >= _NEEDED for one in history)
        for history in runs.values()
    )
    if not fine:
        raise ConfigError("histories must be a dict of name to a run's history, as Trainer.history is; got "
                          f"{type(runs).__name__}")
    for name, history in runs.items():
        if not history:
            raise ConfigError(f"{name or 'the run'}: has no epoch behind it yet, so there are no curves; train it on")


def _column(history, name, factor):
    """(epochs int64[E], values float64[E] or [E, layers]) of the epochs that say it."""
    found = [one for one in history if name in one]
    return np.array([one["epoch"] for one in found]), factor * np.array([one[name] for one in found], np.float64)


def _draw_splits(axis, name, history, factor, colour):
    for key, style in ((name, "-"), (f"val_{name}", "--")):
        axis.plot(*_column(history, key, factor), style, color=colour, linewidth=1.3, marker=".", markersize=5)


def _draw_layers(axis, name, history, factor, colour):
    """A line a layer; colour None: one for each."""
    epochs, values = _column(history, name, factor)
    for i, layer in enumerate(values.T):
        axis.plot(epochs, layer, color=colour or _colour(i), linewidth=1.1, marker=_mark(i), markersize=3.5,
                  clip_on=False)


def _scale_loss(axis):
    """From 0 on, or where losses fall far by their logarithm."""
    from matplotlib.ticker import LogLocator, NullLocator

    values = [value for line in axis.lines for value in line.get_ydata() if value > 0]
    if not values or max(values) < _FAR * min(values):
        axis.set_ylim(bottom=0.0)
        return
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter("{x:g}")


def _explain(figure, grid, runs):
    """What colours, dashes and marks say, below the panels."""
    from matplotlib.lines import Line2D

    deepest = max(len(history[-1]["rates"]) for history in runs.values())
    is_alone = len(runs) == 1
    splits = [Line2D([], [], color=INK, linestyle=style, linewidth=1.3, label=name)
              for style, name in (("-", "training"), ("--", "validation"))]
    layers = [Line2D([], [], color=_colour(i) if is_alone else INK, marker=_mark(i),
                     markersize=4, linewidth=1.1 if is_alone else 0, label=f"layer {i + 1}") for i in range(deepest)]
    named = [Line2D([], [], color=_colour(i), linewidth=2.5) for i in range(len(runs))]
    style = {"fontsize": _POINTS, "frameon": False}
    grid[0, 1].legend(handles=splits, loc="best", **style)
    figure.legend(handles=layers, loc="outside lower center", ncols=min(8, deepest), handlelength=1.6, **style)
    if not is_alone or "" not in runs:
        names = [str(name) for name in runs]
        widest = max(text_width(name, _POINTS) for name in names) + _AROUND
        columns = min(3, len(names), max(1, int(_WIDTH / widest)))
        texts = figure.legend(named, ["-"] * len(names), loc="outside upper center", ncols=columns, **style).get_texts()
        for text, name in zip(texts, names, strict=True):  # a legend leaves out labels that begin with _
            text.set_text(name)
        as_it_is(*texts)
