"""Rasters: their marks are the spikes."""

import pytest
from scenes import random_network, random_spikes
from spatial_scenes import random_times, spatial_network

from eventsim import plot
from eventsim.engine import forward, run
from eventsim.errors import ConfigError
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
        assert f"{len(spikes.sample(1)):,} spikes, " in axis.get_title("right")


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


@pytest.mark.parametrize(("spikes", "rest", "word"), [
    (None, {"sample": 3}, "sample must be"), (None, {"most": 0}, "most must be"), (None, {"span": (9, 1)}, "two times"),
    ("x.h5", {}, "a raster is that of"), ({}, {}, "a raster is that of"), ({"a": 1}, {}, "a raster is that of"),
])
def test_nonsense(trace, spikes, rest, word):
    with pytest.raises(ConfigError, match=word):
        plot.raster(trace if spikes is None else spikes, **rest)
