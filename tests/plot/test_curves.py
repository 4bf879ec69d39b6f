"""Learning curves: their points are the histories'."""

import numpy as np
import pytest

from eventsim import plot
from eventsim.errors import ConfigError


def history(n_epochs, n_layers, validation=True, fall=0.9):
    return [
        {"epoch": i + 1, "loss": 5.0 * fall**i, "accuracy": 0.1 + 0.05 * i,
         "rates": [4.0 + i + k for k in range(n_layers)], "silent": [0.01 * k for k in range(n_layers)],
         **({"val_loss": 6.0, "val_accuracy": 0.2} if validation else {})}
        for i in range(n_epochs)
    ]


def points(line):
    return list(zip(line.get_xdata(), line.get_ydata(), strict=True))


def test_one_run():
    run = history(4, 3)
    figure = plot.curves({"runs/a": run})
    loss, accuracy, rates, silent = figure.axes
    assert [axis.get_ylabel() for axis in figure.axes] == [
        "loss a sample", "accuracy (%)", "spikes a neuron and sample", "silent neurons (%)"]
    assert points(loss.lines[0]) == [(one["epoch"], one["loss"]) for one in run]
    assert points(loss.lines[1]) == [(one["epoch"], 6.0) for one in run]
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [10, 15, 20, 25])
    np.testing.assert_allclose(accuracy.lines[1].get_ydata(), 20)
    assert accuracy.lines[1].get_linestyle() == "--"
    for k in range(3):
        np.testing.assert_allclose(rates.lines[k].get_ydata(), [one["rates"][k] for one in run])
        np.testing.assert_allclose(silent.lines[k].get_ydata(), k)
    assert len({line.get_color() for line in rates.lines}) == 3
    said = [[text.get_text() for text in legend.get_texts()] for legend in figure.legends]
    assert said == [["layer 1", "layer 2", "layer 3"], ["runs/a"]]


def test_several_runs_lie_on_top_of_each_other():
    figure = plot.curves({"a": history(4, 3), "b": history(6, 2, validation=False)})
    loss, _, rates, _ = figure.axes
    assert [len(points(line)) for line in loss.lines] == [4, 4, 6, 0]
    a, also_a, b, _ = (line.get_color() for line in loss.lines)
    assert a == also_a != b and [line.get_color() for line in rates.lines] == [a, a, a, b, b]
    assert [line.get_marker() for line in rates.lines] == ["o", "s", "^", "o", "s"]
    assert [text.get_text() for text in figure.legends[1].get_texts()] == ["a", "b"]


def test_a_history_by_itself():
    figure = plot.curves(history(2, 1))
    assert len(figure.legends) == 1 and len(points(figure.axes[0].lines[0])) == 2


def test_names_are_drawn_as_they_are(tmp_path):
    names = [r"r3/a$\frac$", "$x_1$", "_hidden", "r\\$", "runs/" + "long" * 30]
    figure = plot.curves(dict.fromkeys(names, history(3, 1)))
    plot.save(figure, tmp_path / "c.png")
    legend = figure.legends[1]
    assert [text.get_text() for text in legend.get_texts()] == names
    assert not any(text.get_parse_math() for text in legend.get_texts())
    assert plot.curves({"$": history(3, 1)}).legends[1].get_texts()[0].get_text() == "$"


def test_scales_of_nothing_are_whole():
    run = [one | {"silent": [0.0], "rates": [0.0], "accuracy": 0.0} for one in history(3, 1, validation=False)]
    assert [axis.get_ylim() for axis in plot.curves(run).axes[1:]] == [(0.0, 1.0)] * 3


@pytest.mark.parametrize(("fall", "scale"), [(0.9, "linear"), (0.1, "log")])
def test_losses_that_fall_far_have_a_logarithmic_scale(fall, scale):
    figure = plot.curves(history(4, 1, fall=fall))
    assert figure.axes[0].get_yscale() == scale
    figure.draw_without_rendering()


@pytest.mark.parametrize(("histories", "word"), [
    ({}, "dict of name"), ("runs/a", "dict of name"), ({"a": None}, "dict of name"), ({"a": [1]}, "dict of name"),
    ({"a": []}, "a: has no epoch behind it yet"),
])
def test_nonsense(histories, word):
    with pytest.raises(ConfigError, match=word):
        plot.curves(histories)
