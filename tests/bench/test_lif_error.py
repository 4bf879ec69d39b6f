"""The closed form is that of scanning, the exact clock is the closed form, and the grid tends to it at first order."""

import json
import math

import numpy as np
import pytest
from closed_form import spike_times
from lif_error import NEURONS, Scene, compare, main, order, row
from lif_scenes import parameters
from naive import exact_lif as naive


@pytest.mark.parametrize("name", NEURONS)
def test_the_closed_form_is_that_of_scanning(name):
    scene = Scene(NEURONS[name], 200.0, seed=3)
    p = parameters(scene.neuron, 1.0)
    p.t_abs = scene.neuron.t_abs
    n = 0
    for i in range(12):
        weights = scene.weights[scene.address, i].astype(float)
        found = spike_times(scene.time, weights, scene.neuron, 200.0, scene.current)
        wanted = naive.neuron(scene.time, weights, p, 200.0, drive=scene.current)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)
        n += len(found)
    assert n > 20


@pytest.mark.parametrize("name", NEURONS)
def test_the_exact_clock_is_exact_and_the_grid_tends_to_it(name):
    found = row(NEURONS[name], 300.0, 1, ticks=(0.1, 0.05, 0.02, 0.01), steps=())
    assert found["spikes"] > 500 and found["exact"]["alone"] == 0 and found["exact"]["most_ms"] < 1e-10
    assert 0.7 < found["order_shift_ms"] < 1.3 and 0.6 < found["order_alone"] < 1.6
    assert found["grid"][-1]["shift_ms"] < 0.15 and found["grid"][-1]["alone"] < 0.04
    assert found["brian"] == []


def test_spikes_are_paired_in_order():
    alone, apart = compare([np.array([1.0, 5.0, 9.0]), np.empty(0)], [np.array([1.25, 9.5, 20.0]), np.array([3.0])])
    assert alone == 3 and apart.tolist() == [-0.25, -0.5]


def test_the_order_is_that_of_the_power():
    assert order((1.0, 0.5, 0.25), (8.0, 2.0, 0.5)) == pytest.approx(2.0)
    assert order((1.0, 0.5, 0.25, 0.1), (3.0, 1.5, 0.75, 0.0)) == pytest.approx(1.0)
    assert math.isnan(order((1.0, 0.5), (1.0, 0.5)))


def test_it_prints_tables(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lif_error.NEURONS", {"LIF, hard": NEURONS["LIF, hard"]})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    main(["--length", "100", "--json", str(tmp_path / "out.json")])
    one = json.loads((tmp_path / "out.json").read_text())["LIF, hard"]
    printed = capsys.readouterr().out
    assert f"LIF, hard {one['spikes']} " in " ".join(printed.split())
    assert "order of shift" in printed and "By the tick in ms" in printed and "Brian2" not in printed


def test_lengths_that_say_nothing_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--length", "49"])
    assert "--length is 49; choose at least 50" in capsys.readouterr().err


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NEURONS)
def test_brian2_tends_to_the_same(name):
    pytest.importorskip("brian2")
    found = row(NEURONS[name], 200.0, 2, ticks=(), steps=(0.1, 0.02, 0.005))["brian"]
    errors = [one["shift_ms"] for one in found]
    assert 0.7 < order((0.1, 0.02, 0.005), errors) < 1.3 and found[-1]["alone"] < 0.06 and errors[-1] < 0.05
