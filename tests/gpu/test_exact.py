"""Layers in continuous time on a device: the spikes of the CPU, and of the equations."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
from lif_scenes import same_but_for_rounding
from naive import exact as naive
from queue_scenes import NEURONS, by_neuron, parameters, random_network, random_times
from spatial_scenes import random_times as times_for
from spatial_scenes import spatial_network

import eventsim as es
from eventsim.engine.exact import forward_exact
from eventsim.engine.gpu import exact as gpu
from eventsim.engine.gpu.devices import on_device
from eventsim.spikes import Spikes

from .test_whole import command, compare_files

FEED_FORWARD = [("none", None)]


def sample_of(trace, b):
    """A sample of a run, as far as spikes go."""
    layers = [SimpleNamespace(spikes=done.spikes.sample(b)) for done in trace.layers]
    return SimpleNamespace(input=trace.input.sample(b), layers=layers)


def assert_same(network, device, got, want):
    """Two runs of a batch have the same spikes; the first was on a device.

    On the host they have the same bits. A GPU rounds exponentials in its own way, which may decide whether a potential
    that touches the threshold crosses it; such a crossing is excused, once. Returns how many were.
    """
    excused = sum(same_but_for_rounding(network, sample_of(got, b), sample_of(want, b))
                  for b in range(want.input.n_samples))
    assert excused <= (device.name != "host")
    for ours, theirs in zip(got.layers, want.layers, strict=True):
        ours.spikes.check()
        assert (ours.dense_macs, theirs.dense_macs > 0) == (theirs.dense_macs, True)
        if not excused:
            assert (ours.synops, ours.rows) == (theirs.synops, theirs.rows)
            assert ours.singly == pytest.approx(theirs.singly, rel=1e-3)
        if device.name == "host":
            assert ours.spikes == theirs.spikes and ours.singly == theirs.singly
    return excused


@pytest.mark.parametrize("gain", [2.0, 6.0])
@pytest.mark.parametrize("kind", NEURONS)
def test_spikes_are_those_of_the_cpu(one_device, rng, kind, gain):
    network = random_network(rng, (30, 130, 70, 7), NEURONS[kind], FEED_FORWARD, gain=gain)
    spikes = random_times(rng, 30, 120, n_samples=3)
    want = forward_exact(network, spikes)
    assert all(len(done.spikes) > 0 and 0 < done.singly < 1 for done in want.layers)
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes), want)


@pytest.mark.parametrize("kind", ["default", "equal-taus", "long-recovery"])
def test_spikes_are_those_of_the_equations(one_device, rng, kind):
    network = random_network(rng, (12, 4), NEURONS[kind], FEED_FORWARD, n_ticks=30)
    spikes = random_times(rng, 12, 40, n_ticks=30)
    got = forward_exact(on_device(network, one_device), spikes).output
    wanted = naive.layer(spikes.time, spikes.address, network.layers[0].weight.astype(float),
                         parameters(NEURONS[kind], 1.0), 30.0)
    times, addresses = np.array(wanted).T
    for mine, other in zip(by_neuron(got.time, got.address, 4), by_neuron(times, addresses, 4), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("notation", ["6x6x2-2p-bn-70", "5x4x2-bn-66-do0.3-9", "30-70-bn-9"])
def test_stages_and_constant_inputs(one_device, rng, notation):
    network = spatial_network(rng, notation, offset=0.3)
    spikes = times_for(rng, network, 80, n_samples=3)
    want = forward_exact(network, spikes)
    assert len(want.output) > 0
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes), want)


@pytest.mark.parametrize("room", [1, 7])
def test_a_neuron_with_more_spikes_than_there_is_room_for_at_first_loses_none(one_device, rng, monkeypatch, room):
    network = random_network(rng, (12, 70), NEURONS["default"], FEED_FORWARD)
    spikes = random_times(rng, 12, 60, n_samples=2)
    ours = on_device(network, one_device)
    want = forward_exact(ours, spikes).output
    monkeypatch.setattr(gpu, "_FIRST_ROOM", room)
    assert np.bincount(want.address).max() > room
    assert forward_exact(ours, spikes).output == want


def test_a_batch_without_samples_or_ticks_or_spikes_has_no_output(one_device):
    network = on_device(random_network(np.random.default_rng(0), (5, 70), es.SRM(), FEED_FORWARD), one_device)
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], time=[], n_neurons=5, n_ticks=n_ticks)
        trace = forward_exact(network, spikes)
        trace.output.check()
        assert (trace.output.n_samples, len(trace.output), trace.output.n_neurons) == (n_samples, 0, 70)


@pytest.mark.parametrize("arch, kernel", [
    ("34x34x2-70-10", "exact_forward"), ("34x34x2-6c5s3-2p-bn-8c3-10", "exact_patches_forward"),
])
def test_simulate_on_the_command_line(as_gpu, tmp_path, monkeypatch, arch, kernel):
    monkeypatch.chdir(tmp_path)
    command("generate", "sample.bin", "--seed", 3)
    network = es.Network(arch, seed=1, n_ticks=100)
    for layer in network.layers:
        layer.weight = 3.0 * layer.weight
    es.Trainer(network, epochs=1, out="run", calibrate=False, provenance={}).save()
    outputs = [command("simulate", "sample.bin", "--model", "run", "--clock", "exact", "--device", place, "--json",
                       "--out", f"{place}.h5") for place in ("cpu", "gpu")]
    assert [out["device"] for out in outputs] == ["cpu", "gpu"]
    for ours, theirs in zip(outputs[1]["layers"], outputs[0]["layers"], strict=True):
        # A crossing that a GPU decides in another way may be one spike more or less, and what follows from it.
        assert theirs["spikes"] > 0 and abs(ours["spikes"] - theirs["spikes"]) <= 3 * (as_gpu.name != "host")
    assert kernel in getattr(as_gpu, "launched", [kernel])
    layers = [out["layers"] for out in outputs]
    if all(ours["spikes"] == theirs["spikes"] for ours, theirs in zip(*layers, strict=True)):
        assert [layer["synops"] for layer in layers[0]] == [layer["synops"] for layer in layers[1]]
        compare_files(functools.partial(np.testing.assert_allclose, rtol=0, atol=1e-9))
