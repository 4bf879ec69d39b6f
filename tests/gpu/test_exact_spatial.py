"""Convolutions, pools and stages in continuous time on a device: the bits of the CPU."""

import numpy as np
import pytest
from exact_gradient_scenes import NEURONS, errors_for
from exact_gradient_scenes import random_times as times_on_ticks
from lif_scenes import NEURONS as LEAKY
from lif_scenes import strength
from queue_scenes import compare_with_equations
from spatial_scenes import GEOMETRIES, random_times, spatial_network

import eventsim as es
from eventsim.engine import Sink, backward, windows
from eventsim.engine.exact import forward_exact
from eventsim.engine.gpu import keeping
from eventsim.engine.gpu.devices import on_device
from eventsim.kernels.memory import zeros_like
from eventsim.profile import Profile
from eventsim.spikes import Spikes

from .test_exact import assert_same
from .test_exact_backward import assert_close, compare
from .test_whole import course, without_times

INF = np.inf
# Networks, and supports of their layers.
CASES = {
    "two tiles a position": ("4x3x2-70c2p1-7c2-4", (0.3, 1.5, INF)),
    "strides and groups": ("7x6x4-8c3s2p1g2-16c2g4-5", (INF, 0.5, 1.0)),
    "spiking pool": ("6x6x2-8c3p1-2a-5", (0.5, INF, 0.5)), "average pool": ("7x6x2-8c3p1-2p-5", (0.5, INF)),
    "normalised": ("5x5x2-6c3p1-bn-8c2-5", (0.5, 0.5, INF)), "pool behind stages": ("8x8x2-2p-bn-2a-5", (0.5, 0.5)),
    "all stages": ("6x6x2-bn-8c3p1-2p-bn-16c2p1-do0.3-7", (1.5, 0.5, INF)),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_spikes_of_every_geometry_are_those_of_the_cpu(one_device, rng, name):
    network = spatial_network(rng, GEOMETRIES[name])
    spikes = random_times(rng, network, 40, n_samples=2)
    want = forward_exact(network, spikes)
    assert all(len(done.spikes) > 0 for done in want.layers)
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes), want)


@pytest.mark.parametrize("name", ["pooled and normalised", "stride and groups"])
def test_spikes_are_those_of_the_equations(one_device, rng, name):
    network = spatial_network(rng, GEOMETRIES[name])
    trace = forward_exact(on_device(network, one_device), random_times(rng, network, 40))
    assert compare_with_equations(network, trace) > 30


@pytest.mark.parametrize("kind", LEAKY)
def test_spikes_of_leaky_neurons_are_those_of_the_cpu(one_device, rng, kind):
    neuron = LEAKY[kind]
    network = spatial_network(rng, "6x5x2-12c3p1-2p-8c2-7", neuron, 40, gain=2.0 * strength(neuron) / neuron.theta)
    spikes = times_on_ticks(rng, network.arch.n_inputs, 60, 40, n_samples=3, empty=(1,))
    want = forward_exact(network, spikes)
    assert len(want.output) > 0
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes), want)


@pytest.mark.parametrize("name", CASES)
def test_active_sets_and_gradients_are_those_of_the_cpu(one_device, rng, name):
    notation, supports = CASES[name]
    network = spatial_network(rng, notation, NEURONS["plain"], 70, 0.3, gain=1.5)
    spikes = times_on_ticks(rng, network.arch.n_inputs, 60, 70, 0.3, n_samples=3, empty=(1,))
    compare(one_device, network, spikes, supports, errors_for(network, spikes, rng), seed=5)


@pytest.mark.parametrize("kind", ["dead for ticks", "slow refractory response", "hard", "current", "as fast"])
def test_neurons_of_every_kind_are_trained_alike(one_device, rng, kind, little_room, monkeypatch):
    """Also where there is no room for g of more than a sample, and for many chunks of active sets."""
    neuron, gain = NEURONS.get(kind), 1.2
    if neuron is None:
        neuron, gain = LEAKY[kind], 2.0 * strength(LEAKY[kind]) / LEAKY[kind].theta
    network = spatial_network(rng, "6x6x2-2p-bn-8c2p1-16c2-5", neuron, 40, gain=gain)
    spikes = times_on_ticks(rng, network.arch.n_inputs, 60, 40, n_samples=2)
    compare(one_device, network, spikes, (0.5, INF, 0.5), errors_for(network, spikes, rng), seed=5)
    little_room(one_device)
    monkeypatch.setattr(keeping, "_FIRST_SHARE", 0.02)
    compare(one_device, network, spikes, (0.5, INF, 0.5), errors_for(network, spikes, rng), seed=5)


def test_spikes_stay_on_the_device_until_they_are_asked_for(one_device, rng):
    network = on_device(spatial_network(rng, "6x6x2-8c3p1-2p-bn-8c2-9-5", gain=2.0), one_device)
    spikes = random_times(rng, network, 40, n_samples=2)
    trace = forward_exact(network, spikes, supports=[0.5] * 4, rng=np.random.default_rng(0))
    backward(network, trace, errors_for(network, spikes, rng).__getitem__,
             [Sink(gradient=zeros_like(array)) for array in network.parameters])
    for done in trace.layers:
        assert done.spikes._fetched == done.feed.spikes._fetched == done.wiring.lists._fetched == [None, None]
    assert len(trace.output.time) == len(trace.output) > 0


def test_threads_wait_for_each_other(device, rng):
    """Blocks cut windows while some of their threads are still at work in the one before."""
    for neuron in (NEURONS["plain"], LEAKY["current"]):
        network = spatial_network(rng, "5x4x2-20c3p1-5", neuron, 30, gain=2.0 if neuron is NEURONS["plain"] else 4.0)
        spikes = times_on_ticks(rng, 40, 60, 30, n_samples=2)
        assert_same(network, device, forward_exact(on_device(network, device), spikes), forward_exact(network, spikes))
        compare(device, network, spikes, (0.5, 1.0), errors_for(network, spikes, rng))


def test_samples_are_summed_in_the_groups_of_the_cpu(one_device, rng):
    network = spatial_network(rng, "5x4x2-12c3p1-5", NEURONS["plain"], 20, gain=1.5)
    spikes = times_on_ticks(rng, network.arch.n_inputs, 30, 20, n_samples=11)
    compare(one_device, network, spikes, (0.5, INF), errors_for(network, spikes, rng))


@pytest.mark.parametrize("neuron", [es.SRM(tau_syn=200.0, tau_ref=0.1), es.CubaLIF(theta=3.0, tau_syn=60.0)])
def test_patches_at_rest_are_left_alone_over_long_silences(one_device, neuron):
    network = es.Network("40x40x1-2c3-1", neuron, n_ticks=10**5, seed=None)
    network.layers[0].weight = np.full((1, 3, 3, 2), 10.5)
    spikes = Spikes([0, 2], [45, 45], time=[3.25, 90_000.0], n_neurons=1600, n_ticks=10**5)
    want = forward_exact(network, spikes)
    assert want.layers[0].spikes.time[-1] > 90_000
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes), want)


@pytest.mark.parametrize("neuron", [es.SRM(tau_syn=4.0), es.LIF(theta=1.0)])
def test_more_spikes_at_once_than_a_window_holds(one_device, rng, neuron):
    network = spatial_network(rng, "4x4x3-12c3-5", neuron, gain=1.0)
    address = rng.integers(0, 48, 200)
    time = np.repeat([1.0, 2.5, 7.0, 7.0 + 1e-9], 50)
    spikes = Spikes([0, 200], address[np.lexsort((address, time))], time=np.sort(time), n_neurons=48, n_ticks=20)
    want = forward_exact(network, spikes)
    assert len(want.output) > 0
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes), want)


@pytest.mark.parametrize("longest", [0.01, 1.0])
def test_windows_of_any_length_are_those_of_the_cpu(one_device, rng, monkeypatch, longest):
    monkeypatch.setattr(windows, "_LONGEST", longest)
    network = spatial_network(rng, "6x5x2-8c3-9")
    spikes = random_times(rng, network, 40)
    assert_same(network, one_device, forward_exact(on_device(network, one_device), spikes),
                forward_exact(network, spikes))


def test_a_batch_without_samples_or_ticks_or_spikes(one_device, rng):
    network = spatial_network(rng, "4x4x2-3c3-bn-2")
    for n_samples, n_ticks in ((0, 8), (2, 0), (2, 8)):
        nothing = Spikes(np.zeros(n_samples + 1, int), [], time=[], n_neurons=32, n_ticks=n_ticks)
        want, got = (forward_exact(one, nothing, supports=(INF, 0.5), rng=np.random.default_rng(0))
                     for one in (network, on_device(network, one_device)))
        for ours, theirs in zip(got.layers, want.layers, strict=True):
            assert ours.spikes == theirs.spikes and ours.active.n_pairs == theirs.active.n_pairs


def test_training_takes_the_course_of_the_cpu(as_gpu):
    arch = "8x8x1-4c3s2p1-2p-bn-6c2-do0.2-4"
    (gains, history, weights), (own_gains, own_history, own_weights) = (
        course(es.Network(arch, clock="exact", seed=1), place, epochs=2) for place in ("cpu", "gpu"))
    assert history[-1]["loss"] != history[0]["loss"]
    if as_gpu.name == "host":
        assert (own_gains, own_history) == (gains, history)
    assert own_history[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=1e-2)
    for ours, theirs in zip(own_weights, weights, strict=True):
        assert_close(as_gpu, ours, theirs, rounding=1e-2)


def test_a_profile_and_a_prediction_are_those_of_the_cpu(as_gpu, rng):
    network = spatial_network(rng, "8x8x1-6c3-2p-9-4", n_ticks=40, gain=2.0)
    spikes, figures = random_times(rng, network, 80, n_samples=3), []
    for place in ("cpu", "gpu"):
        profile = Profile(network.to(place))
        trace = forward_exact(profile.network, spikes)
        profile.add(trace)
        figures.append((without_times(profile.layer_figures()), trace.predict().tolist()))
    assert figures[0][0][-1]["spikes"] > 0
    if as_gpu.name == "host":
        assert figures[0] == figures[1]
