"""The picture of neuron models: its curves are those of the engine and of the slow references."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from naive import lif as naive_lif
from naive import srm as naive_srm

from eventsim import plot
from eventsim.engine import forward
from eventsim.errors import ConfigError
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.plot.neurons import _PANELS, spike_times
from eventsim.plot.single import respond
from eventsim.spikes import Spikes

MODELS = [SRM(theta=1.0, tau_syn=5.0, tau_ref=4.0), LIF(tau_mem=15.0), LIF(tau_mem=15.0, reset="hard", t_abs=3.0),
          LIF(tau_mem=np.inf), CubaLIF(tau_mem=15.0, tau_syn=4.0), CubaLIF(tau_mem=15.0, tau_syn=4.0, late=True)]


@pytest.fixture
def given(rng):
    return (rng.random(400) < 0.2) * 1.0


@pytest.mark.parametrize("neuron", MODELS, ids=repr)
def test_one_neuron_does_what_the_engine_does(given, neuron):
    weight = 1.17
    network = Network("1-1", neuron, dt=0.5, seed=None)
    network.layers[0].weight = np.array([[weight]])
    tick = np.flatnonzero(given)
    spikes = Spikes([0, len(tick)], np.zeros(len(tick), int), tick=tick, n_neurons=1, n_ticks=len(given), dt=0.5)
    found = respond(neuron, weight * given, 0.5)
    assert len(found.ticks) > 5
    np.testing.assert_array_equal(found.ticks, forward(network, spikes).output.tick)


@pytest.mark.parametrize("neuron", MODELS, ids=repr)
def test_potentials_are_those_of_the_equations(given, neuron):
    s, w = given[:, None], np.array([[1.17]])
    p = SimpleNamespace(**{"tau_syn": None, "late": False} | vars(neuron), n_abs=neuron.dead_ticks(0.5),
                        drop=getattr(neuron, "taken", None))
    layer = naive_srm.layer if isinstance(neuron, SRM) else naive_lif.layer
    out, u, _ = layer(s, w, p, 0.5)
    found = respond(neuron, 1.17 * given, 0.5)
    np.testing.assert_allclose(found.potential, u[:, 0], rtol=1e-4, atol=1e-4)  # constants are float32
    np.testing.assert_array_equal(found.ticks, np.flatnonzero(out[:, 0]))


@pytest.mark.parametrize("current", [0, 3.5, 10, 90])
def test_every_model_has_a_panel_for_each_input(current):
    figure = plot.neurons(current=current)
    figure.draw_without_rendering()
    inputs, panels = figure.axes[:2], figure.axes[2:]
    assert len(panels) == 2 * len(_PANELS)
    assert inputs[0].get_ylabel() == "input\n(µA/cm²)" and panels[-1].get_xlabel() == "time (ms)"
    said = {text.get_text() for text in figure.texts}
    times = spike_times(current=current)
    for panel, pair in zip(_PANELS, zip(panels[::2], panels[1::2], strict=True), strict=True):
        assert {panel.name, panel.about} <= said
        for axis, spikes in zip(pair, times[panel.name], strict=True):
            assert axis.get_ylabel() == ("mV" if panel.neuron is None else "thresholds")
            np.testing.assert_allclose(axis.collections[0].get_offsets()[:, 0], spikes)
            low, high = axis.get_ylim()
            assert low < axis.lines[0].get_ydata().min() and axis.lines[0].get_ydata().max() < high
            dashed = [line for line in axis.lines if line.get_linestyle() == "--"]
            assert len(dashed) == (panel.neuron is not None and panel.fires)


def test_texts_do_not_reach_each_other_or_the_edge():
    figure = plot.neurons()
    renderer = FigureCanvasAgg(figure).get_renderer()
    right = figure.bbox.width
    boxes = [text.get_window_extent(renderer) for text in figure.texts]
    boxes += [text.get_window_extent(renderer) for axis in figure.axes for text in axis.texts if text.get_text()]
    assert max(box.x1 for box in boxes) < right
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_the_picture_shows_what_it_says():
    times = spike_times()
    for name, (current, train) in times.items():
        rebounds = [at for spikes in (current, train) for at in spikes if at > 84.0]
        assert (len(rebounds) == 2) is (name == "Hodgkin and Huxley"), name
    assert times["Passive membrane"] == [[], []]
    assert len(times["LIF, reset by subtraction"][1]) > len(times["LIF, hard reset"][1])
    slow = spike_times(current=4.0)  # below the rheobase: what never forgets fires, and channels when inputs change
    assert [name for name, (current, _) in slow.items() if current] == ["Hodgkin and Huxley", "Integrate-and-fire"]
    assert len(slow["Hodgkin and Huxley"][0]) == 2


@pytest.mark.parametrize("current", [-1, 100, "a", None, np.nan])
def test_nonsense(current):
    with pytest.raises(ConfigError, match="current must be a number"):
        plot.neurons(current=current)
