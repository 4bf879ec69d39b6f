"""Membranes: their curves are the engine's potentials, their bars the weights that arrive."""

import numpy as np
import pytest
from scenes import random_network, random_spikes
from spatial_scenes import random_times, spatial_network

from eventsim import plot
from eventsim.engine import forward, membranes, potentials, run
from eventsim.errors import ConfigError
from eventsim.model import LI


@pytest.fixture
def network(rng):
    return random_network(rng, [50, 30, 5], [1.0, 1.5])


@pytest.fixture
def trace(rng, network):
    return forward(network, random_spikes(rng, 50, rate=0.1))


def test_curves_bars_and_spikes(network, trace):
    figure = plot.membrane(network, trace, "dense1", [3, 17], sample=1)
    given, *panels = figure.axes
    assert given.get_ylabel() == "input\nall 50" and len(panels) == 4
    found = membranes(network, trace, "dense1", [3, 17], 1)
    for one, arriving, potential in zip(found, panels[::2], panels[1::2], strict=True):
        psp, u, threshold = potential.lines
        np.testing.assert_array_equal(u.get_ydata(), one.potential)
        np.testing.assert_array_equal(u.get_xdata(), one.time)
        np.testing.assert_array_equal(psp.get_ydata(), one.psp)
        assert set(threshold.get_ydata()) == {network.neuron.theta}
        np.testing.assert_array_equal(potential.collections[0].get_offsets()[:, 0], one.spikes)
        assert potential.get_ylabel() == f"dense1, {one.neuron}\npotential"
        above, below = (patch.get_data().values for patch in arriving.patches)
        want = np.bincount(one.arrival.astype(int), one.weight, 40)
        np.testing.assert_allclose(above + below, want, atol=1e-12)
        assert above.min() >= 0 >= below.max() and above.max() > 0 > below.min()
    said = [text.get_text() for text in panels[1].get_legend().get_texts()]
    assert said == ["psp of its input", "potential", "threshold, 10", "spikes"]


def test_the_busiest_neurons_of_the_last_layer_by_default(network, trace):
    figure = plot.membrane(network, trace)
    counts = trace.output.counts()[0]
    chosen = [int(axis.get_ylabel().split("\n")[0].split(", ")[1]) for axis in figure.axes[2::2]]
    assert chosen == plot.busiest(trace, "dense2").tolist()
    assert counts[chosen].min() >= np.delete(counts, chosen).max() and counts[chosen].min() > 0
    assert figure.axes[0].get_ylabel().startswith("dense1\n")


def test_silent_neurons_are_not_busy(rng, network):
    silent = forward(network, random_spikes(rng, 50, rate=0.0))
    assert plot.busiest(silent, "dense1").tolist() == [0]
    plot.membrane(network, silent).draw_without_rendering()


def test_the_busiest_within_a_span(network, trace):
    inside = trace.layers[0].spikes.sample(0)
    counts = np.bincount(inside.address[(inside.tick >= 20) & (inside.tick < 30)], minlength=30)
    found = plot.busiest(trace, "dense1", 2, span=(20, 30))
    assert sorted(counts)[-2:] == sorted(counts[found])
    figure = plot.membrane(network, trace, "dense1", span=(20, 30))
    assert figure.axes[2].get_ylabel().startswith(f"dense1, {plot.busiest(trace, 'dense1', span=(20, 30))[0]}\n")


def test_a_long_span_has_bars_of_several_ticks(rng):
    network = random_network(rng, [5, 3], [1.0])
    trace = forward(network, random_spikes(rng, 5, n_samples=1, n_ticks=6000, rate=0.1))
    arriving = plot.membrane(network, trace, "dense1", [1]).axes[1]
    one, = membranes(network, trace, "dense1", [1])
    bars = sum(patch.get_data().values for patch in arriving.patches)
    assert arriving.get_ylabel() == "weights in\n4 ms" and len(bars) == 1500
    np.testing.assert_allclose(bars, np.bincount(one.arrival.astype(int) // 4, one.weight, 1500), atol=1e-9)


def test_continuous_time_is_sampled_finely(rng):
    network = spatial_network(rng, "20-9")
    trace = run(network, random_times(rng, network, 60))
    figure = plot.membrane(network, trace, "dense1", [2], span=(10, 30))
    curve = figure.axes[2].lines[1]
    time = np.linspace(10, 30, 201)
    np.testing.assert_array_equal(curve.get_xdata(), time)
    np.testing.assert_allclose(curve.get_ydata(), potentials(network, trace, "dense1", [2], time=time)[0])
    assert figure.axes[-1].get_xlim() == (10, 30)


def test_far_below_threshold_the_scale_is_logarithmic(network, trace):
    network.layers[1].weight = np.full((30, 5), -100.0)
    trace = forward(network, trace.input)
    axis = plot.membrane(network, trace, "dense2", [0]).axes[2]
    assert axis.get_yscale() == "symlog" and axis.get_title("left") == "log beyond ±20"
    assert axis.get_ylim()[0] < axis.lines[1].get_ydata().min() and axis.get_ylim()[1] > 10
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert "0" in labels and "20" in labels and "-200" in labels


@pytest.mark.parametrize(("change", "word"), [
    ({"layer": "conv1"}, "layer must be dense1 or dense2"), ({"neurons": [7]}, "must lie in 0..4"),
    ({"neurons": 3}, "neurons of dense2 must be a list"), ({"trace": "t"}, "must be a Trace"),
    ({"neurons": []}, "must be 1 to 12, got 0"), ({"neurons": [0] * 13}, "must be 1 to 12, got 13"),
    ({"sample": 9}, "sample must be"), ({"span": (3, 2)}, "two times"), ({"neurons": [1, 4, 1]}, "differ, got 1 more"),
    ({"span": (40, 60)}, "span 40 to 60 ms holds nothing"), ({"network": 3}, "network must be a Network"),
])
def test_nonsense(network, trace, change, word):
    with pytest.raises(ConfigError, match=word):
        plot.membrane(**{"network": network, "trace": trace, **change})


@pytest.mark.parametrize(("change", "word"), [
    ({"trace": 3}, "must be a Trace"), ({"layer": "x"}, "layer must be"), ({"n": 0}, "n must be"),
    ({"sample": 9}, "sample must be"), ({"span": (41, 42)}, "holds nothing"),
])
def test_nobody_is_busy(trace, change, word):
    with pytest.raises(ConfigError, match=word):
        plot.busiest(**{"trace": trace, "layer": "dense1", **change})


@pytest.mark.parametrize("readout", ["mean", "last", "max"])
def test_what_is_read_stands_in_place_of_threshold_and_spikes(rng, readout):
    network = random_network(rng, [50, 30, 5], [1.0, 1.5])
    network.layers[1].neuron = LI(tau_mem=6.0, readout=readout)
    trace = run(network, random_spikes(rng, 50, rate=0.1))
    wanted = trace.readout.score[1]
    figure = plot.membrane(network, trace, sample=1)
    shown = np.sort(np.argsort(-wanted)[:3])
    for i, panel in zip(shown, figure.axes[2::2], strict=True):
        assert panel.get_ylabel() == f"dense2, {i}\npotential"
        u, _, mark = panel.lines
        np.testing.assert_array_equal(u.get_ydata(), potentials(network, trace, "dense2", [i], 1)[0])
        assert mark.get_ydata()[0] == wanted[i] and mark.get_label() == f"{readout}, {wanted[i]:.3g}"
        if readout != "mean":
            assert mark.get_xdata()[0] == (40.0 if readout == "last" else trace.readout.time[1, i])
        assert not panel.collections
    assert [text.get_text() for text in figure.axes[2].get_legend().get_texts()] == [
        "potential", f"{readout}, {wanted[shown[0]]:.3g}"]
    assert len(plot.raster(trace).axes) == 2  # input and first layer
