"""Potentials that are read in continuous time on a device: those of the CPU, and of the equations."""

import math

import numpy as np
import pytest
from exact_gradient_scenes import random_times
from spatial_scenes import spatial_network

from eventsim import Network
from eventsim.engine.exact import forward_exact
from eventsim.engine.gpu.active import uploaded
from eventsim.engine.gpu.devices import on_device
from eventsim.errors import ConfigError
from eventsim.model import LI, SRM
from eventsim.spikes import Spikes

from .test_exact import assert_same as assert_same_spikes
from .test_exact_backward import assert_close, compare
from .test_whole import course

INF = np.inf


def scene(rng, notation, readout, tau=20.0, n_ticks=70):
    network = spatial_network(rng, notation, SRM(tau_syn=3.0), n_ticks, 0.3, gain=1.5, offset=0.3)
    network.layers[-1].neuron = LI(tau_mem=tau, readout=readout)
    return network, random_times(rng, network.arch.n_inputs, 60, n_ticks, 0.3, n_samples=3, empty=(1,))


def assert_same(network, device, got, want):
    """Scores agree but for how exponentials are rounded, which NumPy does in its own way; the largest have the bits."""
    assert np.ptp(want.scores) > 0 and (got.readout.kind, len(got.output)) == (want.readout.kind, 0)
    np.testing.assert_allclose(got.scores, want.scores, rtol=1e-12, atol=1e-12 * np.abs(want.scores).max())
    assert (got.readout.time is None) == (want.readout.time is None)
    if want.readout.time is not None:
        assert_close(device, got.scores, want.scores, rounding=1e-12)
        assert_close(device, got.readout.time, want.readout.time, rounding=1e-12)
    return assert_same_spikes(network, device, got, want)


def assert_same_layers(network, device, got, want):
    """`assert_same` for networks of which the last layer has no spikes, and so none that are run one by one."""
    assert got.layers[-1].singly is want.layers[-1].singly is None
    for done in (got.layers[-1], want.layers[-1]):
        done.singly = 0.0
    return assert_same(network, device, got, want)


@pytest.mark.parametrize("readout", ["mean", "last", "max"])
@pytest.mark.parametrize("notation, tau", [("30-70-66", 20.0), ("20-5", INF), ("6x5x2-12c3-8c2p1", 5.0),
                                           ("6x5x2-12c3p1-2p-bn-9", 5.0)])
def test_scores_are_those_of_the_cpu(one_device, rng, notation, tau, readout):
    network, spikes = scene(rng, notation, readout, tau)
    assert_same_layers(network, one_device, forward_exact(on_device(network, one_device), spikes),
                       forward_exact(network, spikes))


@pytest.mark.parametrize("readout", ["mean", "last"])
def test_scores_are_those_of_the_equations(one_device, rng, readout):
    """v(t) = sum of w exp(-(t - t_f) / tau) over the spikes until t; what arrives at once is added in float32."""
    network, spikes = scene(rng, "12-7", readout, 8.0)
    got = forward_exact(on_device(network, one_device), spikes).scores
    end, w = spikes.n_ticks * spikes.dt, network.layers[0].weight.astype(float)
    for b in range(3):
        one, total = spikes.sample(b), np.zeros(7)
        for t, j in zip(one.time, one.address, strict=True):
            faded = math.exp(-(end - t) / 8.0)
            total += w[j] * (faded if readout == "last" else 8.0 * (1.0 - faded) / end)
        np.testing.assert_allclose(got[b], total, rtol=0, atol=1e-6 * np.abs(w).max())


@pytest.mark.parametrize("readout, n_ticks", [("mean", 70), ("last", 64), ("mean", 128), ("last", 63)])
@pytest.mark.parametrize("notation", ["30-70-9", "6x5x2-12c3p1-2p-bn-8c2"])
def test_gradients_are_those_of_the_cpu(one_device, rng, notation, readout, n_ticks):
    """Also where the tick at the end is the first of a chunk."""
    network, spikes = scene(rng, notation, readout, n_ticks=n_ticks)
    errors = rng.normal(size=(3, network.arch.n_outputs)).astype(np.float32)
    for done in compare(one_device, network, spikes, [0.5] * len(network.layers), errors, seed=5,
                        assert_spikes=assert_same_layers):
        assert done.active.n_ticks == n_ticks + (done.readout is not None)


@pytest.mark.parametrize("n_ticks, more", [(64, 65), (64, 200), (10, 11), (130, 131)])
def test_an_active_set_among_more_ticks(one_device, rng, n_ticks, more):
    network = spatial_network(rng, "12-70", SRM(tau_syn=3.0), n_ticks)
    spikes = random_times(rng, 12, 60, n_ticks, n_samples=2)
    host = forward_exact(network, spikes, supports=(0.5,)).layers[0].active
    ours = uploaded(one_device, host).until(more)
    want, got = host.until(more), ours.get()
    assert (ours.n_pairs, got.n_ticks) == (want.n_pairs, more)
    for name in ("entry_start", "pair_start", "entry_lane", "entry_ticks", "rho"):
        np.testing.assert_array_equal(getattr(got, name), getattr(want, name), name)
    np.testing.assert_array_equal(ours.entry_block.get(), np.repeat(range(ours.n_blocks), np.diff(want.entry_start)))


@pytest.mark.parametrize("readout", ["mean", "last", "max"])
def test_a_batch_without_samples_or_ticks_or_spikes(one_device, readout):
    network = Network("5-9-3", SRM(), readout=readout)
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], time=[], n_neurons=5, n_ticks=n_ticks)
        supports = None if readout == "max" else [0.5, 0.5]
        want, got = (forward_exact(one, spikes, supports=supports) for one in (network, on_device(network, one_device)))
        np.testing.assert_array_equal(got.scores, want.scores)
        assert supports is None or got.layers[-1].active.n_pairs == want.layers[-1].active.n_pairs


def test_the_largest_potential_is_not_trained(one_device):
    network = on_device(Network("5-3", readout="max"), one_device)
    spikes = Spikes([0, 1], [0], time=[0.0], n_neurons=5, n_ticks=4)
    with pytest.raises(ConfigError, match="are trained on the grid clock only so far"):
        forward_exact(network, spikes, supports=[0.5])


@pytest.mark.parametrize("readout", ["mean", "last"])
def test_training_takes_the_course_of_the_cpu(as_gpu, readout):
    (gains, history, weights), (own_gains, own_history, own_weights) = (
        course(Network("8x8x1-2p-20-4", clock="exact", readout=readout, seed=1), place, epochs=2)
        for place in ("cpu", "gpu"))
    assert history[-1]["loss"] != history[0]["loss"]
    np.testing.assert_allclose(own_gains, gains, rtol=1e-3)
    assert own_history[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=1e-2)
    for ours, theirs in zip(own_weights, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-2 * np.abs(theirs).max())
