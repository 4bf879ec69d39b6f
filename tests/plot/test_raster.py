"""Rasters: their marks are the spikes."""

import io
import time

import matplotlib.image
import numpy as np
import pytest
from scenes import random_network, random_spikes
from spatial_scenes import random_times, spatial_network

from eventsim import Spikes, plot
from eventsim.engine import forward, run
from eventsim.errors import ConfigError
from eventsim.plot import canvas
from eventsim.report.sampling import some_of


@pytest.fixture
def trace(rng):
    return forward(random_network(rng, [200, 30, 5], [1.5, 4.0]), random_spikes(rng, 200, rate=0.05))


def marks(axis):
    """(time, address) of the marks of a panel."""
    return {tuple(point) for point in axis.collections[0].get_offsets().tolist()}


def spikes_of(spikes, b, shown=None):
    part = spikes.sample(b)
    return {(time, address) for time, address in zip(part.times.tolist(), part.address.tolist(), strict=True)
            if shown is None or address in shown}


def test_a_panel_for_every_layer(trace):
    figure = plot.raster(trace, sample=1)
    assert [axis.get_ylabel() for axis in figure.axes] == ["input\n150 of 200", "dense1\nall 30", "dense2\nall 5"]
    assert figure.axes[-1].get_xlabel() == "time (ms)"
    layers = [trace.input, *(layer.spikes for layer in trace.layers)]
    for axis, spikes in zip(figure.axes, layers, strict=True):
        shown = set(some_of(spikes.n_neurons, 150).tolist())
        assert marks(axis) == spikes_of(spikes, 1, shown) != set()
        n = len(spikes.sample(1))
        assert axis.get_title("right").endswith(f"{n:,} spikes, {n / spikes.n_neurons:.3g} a neuron")


def test_the_class_is_marked(trace):
    axis = plot.raster(trace).axes[-1]
    chosen, count = trace.predict()[0], trace.output.counts()[0].max()
    assert axis.get_title("right").startswith(f"class {chosen}: {count} of ")
    colours = {tuple(colour) for point, colour in zip(
        axis.collections[0].get_offsets(), axis.collections[0].get_facecolors(), strict=True) if point[1] == chosen}
    assert len(colours) == 1


def test_a_part_of_the_time_and_of_the_neurons(trace):
    figure, chosen = plot.raster(trace, most=3, span=(10, 20)), some_of(30, 3).tolist()
    assert figure.axes[0].get_xlim() == (10, 20)
    assert len(chosen) == 3 and marks(figure.axes[1]) == {
        spike for spike in spikes_of(trace.layers[0].spikes, 0, chosen) if 10 <= spike[0] < 20
    }
    n = sum(10 <= time < 20 for time, _ in spikes_of(trace.layers[0].spikes, 0))
    assert figure.axes[1].get_title("right").startswith(f"{n} spikes, ")


def test_a_span_beyond_the_end_is_refused(trace):
    with pytest.raises(ConfigError, match="span 40 to 50 ms holds nothing: the time of the spikes ends at 40 ms"):
        plot.raster(trace, span=(40, 50))
    assert plot.raster(trace, span=(30, 50)).axes[0].get_xlim() == (30, 50)


def many(rng, n=300_000, n_neurons=64, n_ticks=1_000_000):
    """Spikes of a long recording."""
    tick, address = np.sort(rng.integers(0, n_ticks, n)), rng.integers(0, n_neurons, n)
    order = np.lexsort((address, tick))
    return Spikes([0, n], address[order], tick=tick[order], n_neurons=n_neurons, n_ticks=n_ticks)


def pixels(figure):
    """A figure as its PNG has it, float[h, w, 4] in 0..1."""
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=200)
        file.seek(0)
        return matplotlib.image.imread(file)


def test_marks_on_the_same_spot_are_merged_and_it_looks_the_same(rng, monkeypatch):
    spikes = many(rng, 100_000, 150)
    merged = plot.raster(spikes)
    assert merged.axes[0].collections[0].get_rasterized() and marks(merged.axes[0]) < spikes_of(spikes, 0)
    assert merged.axes[0].get_title("right") == "100,000 spikes, 667 a neuron"
    monkeypatch.setattr(canvas, "_MOST_MARKS", 10**9)
    whole = plot.raster(spikes)
    assert marks(whole.axes[0]) == spikes_of(spikes, 0)
    difference = np.abs(pixels(merged) - pixels(whole))
    assert difference.mean() < 0.01 and pixels(whole).std() > 0.1


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_long_recordings_are_small_and_quick(rng, tmp_path, suffix):
    spikes, path = many(rng), tmp_path / f"r.{suffix}"
    started = time.perf_counter()
    plot.save(plot.raster(dict.fromkeys("abcd", spikes)), path)
    assert path.stat().st_size < 1_000_000 and time.perf_counter() - started < 20


def test_continuous_time(rng):
    network = spatial_network(rng, "20-9")
    trace = run(network, random_times(rng, network, 60))
    assert marks(plot.raster(trace).axes[1]) == spikes_of(trace.output, 0) != set()


def test_spikes_by_themselves_and_by_name(trace):
    figure = plot.raster(trace.output)
    assert len(figure.axes) == 1 and marks(figure.axes[0]) == spikes_of(trace.output, 0)
    figure = plot.raster({"mine": trace.output, "others": trace.input})
    assert [axis.get_ylabel().split("\n")[0] for axis in figure.axes] == ["mine", "others"]


def test_silence_is_drawn(rng):
    trace = forward(random_network(rng, [20, 6], [3.0]), random_spikes(rng, 20, rate=0.0))
    figure = plot.raster(trace)
    assert marks(figure.axes[1]) == set() and figure.axes[1].get_title("right") == "0 spikes, 0 a neuron"
    figure.draw_without_rendering()


def test_figures_and_names_are_readable(rng):
    figure = plot.raster({"a$x_1$b": many(rng)})
    assert figure.axes[0].get_title("right") == "300,000 spikes, 4,688 a neuron"
    assert figure.axes[0].get_ylabel() == "a$x_1$b\nall 64" and not figure.axes[0].yaxis.label.get_parse_math()
    figure.draw_without_rendering()
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()][-1].startswith("1000000")


@pytest.mark.parametrize(("spikes", "rest", "word"), [
    (None, {"sample": 3}, "sample must be"), (None, {"most": 0}, "most must be"), (None, {"span": (9, 1)}, "two times"),
    ("x.h5", {}, "a raster is that of"), ({}, {}, "a raster is that of"), ({"a": 1}, {}, "a raster is that of"),
])
def test_nonsense(trace, spikes, rest, word):
    with pytest.raises(ConfigError, match=word):
        plot.raster(trace if spikes is None else spikes, **rest)
