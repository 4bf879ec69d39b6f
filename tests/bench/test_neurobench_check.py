"""NeuroBench's package finds our figures, or those that follow from what it can see."""

import numpy as np
import pytest
from conv_scenes import random_conv_network
from scenes import random_spikes

from eventsim import Spikes

pytest.importorskip("neurobench", reason="pip install 'eventsim[bench]'")

import neurobench_check
from tick_network import TickNetwork, as_array, spikes_of

pytestmark = pytest.mark.peers

# Thresholds that potentials may be off, summed up in another order.
NEAR = 1e-4
OPERATIONS = tuple(f"SynapticOperations Effective_{kind}" for kind in ("MACs", "ACs"))


def scene(rng, arch, zeros=0.3, times=1):
    """A network that fires, with some weights that are zero, and samples for it, spikes of some repeated."""
    width, height, channels = map(int, arch.split("-")[0].split("x"))
    spikes = random_spikes(rng, width * height * channels, n_ticks=25)
    network = random_conv_network(rng, arch, spikes)
    for layer in network.layers:
        layer.weight = np.where(rng.random(layer.weight_shape) < zeros, 0.0, layer.weight)
    samples = [as_array(spikes.samples(i, i + 1)) for i in range(spikes.n_samples)]
    for sample in samples:
        sample[::2] *= times
    return network, samples


@pytest.mark.parametrize("arch", ["9x8x2-20-10", "9x8x2-6c3s2p1-8c3p2g2-12-10", "9x8x2-6c4d2p3-10"])
def test_without_stages_all_figures_are_ours(arch, rng):
    found = neurobench_check.compare(*scene(rng, arch))
    assert found["ours"].keys() == found["theirs"].keys() and not found["because"] and not found["unexplained"]
    assert found["spikes"] > 0 and found["farthest"] < NEAR
    assert found["ours"]["ConnectionSparsity"] > 0.2 and found["ours"][OPERATIONS[1]] > 0


@pytest.mark.parametrize("arch", ["9x8x2-6c3-bn-8c3p1g2-bn-12-10", "9x8x2-bn-6c3s2-bn-10"])
def test_normalisation_is_numbers_unless_it_is_in_the_weights(arch, rng):
    network, samples = scene(rng, arch)
    written, folded = (neurobench_check.compare(network, samples, folded) for folded in (False, True))
    assert not written["unexplained"] and not folded["unexplained"]
    assert written["theirs"][OPERATIONS[0]] > written["ours"][OPERATIONS[1]]
    assert folded["because"].keys() == {"ParameterCount", "Footprint"}
    assert max(written["farthest"], folded["farthest"]) < NEAR


def test_pooled_spikes_are_numbers(rng):
    found = neurobench_check.compare(*scene(rng, "9x8x2-6c3p1-2p-8c3-bn-10"))
    assert not found["unexplained"]
    assert found["layers"]["conv2"]["repeats"] > 0 and found["layers"]["conv2"]["macs"] > 0
    assert found["layers"]["conv2"]["resting"] == 0 < found["layers"]["dense3"]["resting"]
    assert any("see below" in line for line in found["because"].values())


def test_inputs_that_count_are_numbers_in_ticks_in_which_one_is_more_than_1(rng):
    network, samples = scene(rng, "9x8x2-20-10", times=3)
    network.input_mode = "count"
    found = neurobench_check.compare(network, samples)
    ours, theirs = ([found[who][name] for name in OPERATIONS] for who in ("ours", "theirs"))
    assert not found["unexplained"] and sum(ours) == pytest.approx(sum(theirs))
    assert ours[0] > theirs[0] > 0


def test_an_array_of_spikes_is_taken_back(rng):
    spikes = random_spikes(rng, 12, n_ticks=9).samples(1, 2)
    assert spikes_of(as_array(spikes), 1.0) == spikes
    twice = Spikes([0, 4], [3, 3, 3, 5], tick=[1, 1, 2, 2], n_neurons=6, n_ticks=4)
    assert spikes_of(as_array(twice), 1.0) == twice


def test_a_spike_that_torch_decides_otherwise_is_counted(rng):
    network, samples = scene(rng, "9x8x2-20-10")
    modules = TickNetwork(network)
    modules.neurons[0].srm[-1] *= 1.05
    modules(samples[0][None])
    first, second = modules.neurons
    assert first.differ > 0 == second.differ and NEAR < first.farthest <= 0.05


def test_what_the_package_does_not_find_is_named(rng, monkeypatch):
    figures = neurobench_check.package_figures
    monkeypatch.setattr(neurobench_check, "package_figures", lambda *of: figures(*of) | {"Footprint": 5})
    found = neurobench_check.compare(*scene(rng, "9x8x2-20-10"))
    assert found["unexplained"] == ["Footprint"]
    assert "NOT EXPLAINED: Footprint" in list(neurobench_check.screen(found))[-1]


def test_a_metric_that_fails_is_not_taken_for_0(rng, monkeypatch):
    from neurobench.metrics import workload

    def fails(*_):
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(workload.SynapticOperations, "__call__", fails)
    network, samples = scene(rng, "9x8x2-20-10")
    with pytest.raises(RuntimeError, match=r"SynapticOperations.*broken"):
        neurobench_check.package_figures(TickNetwork(network), samples)
