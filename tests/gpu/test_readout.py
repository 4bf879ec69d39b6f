"""Potentials that are read on a device: the bits of the CPU."""

import numpy as np
import pytest
from conv_scenes import random_conv_network
from scenes import random_spikes

from eventsim import Network
from eventsim.engine import forward
from eventsim.engine.gpu.devices import on_device
from eventsim.model import LI, SRM
from eventsim.spikes import Spikes

from .test_backward import assert_same as assert_same_arrays
from .test_spatial import training

INF = np.inf


def scene(rng, notation, readout, tau=20.0):
    plain = Network(notation, SRM(tau_syn=3.0), seed=None)
    spikes = random_spikes(rng, plain.arch.n_inputs, 3, 70, 0.1, repeats=True, empty=(1,))
    network = random_conv_network(rng, notation, spikes, SRM(tau_syn=3.0))
    network.layers[-1].neuron = LI(tau_mem=tau, readout=readout)
    return network, spikes


def assert_same(got, want):
    assert np.ptp(want.scores) > 0
    np.testing.assert_array_equal(got.scores, want.scores)
    assert (got.readout.kind, got.readout.time is None) == (want.readout.kind, want.readout.time is None)
    if want.readout.time is not None:
        np.testing.assert_array_equal(got.readout.time, want.readout.time)
    assert len(got.output) == 0 and got.synops == want.synops


@pytest.mark.parametrize("readout", ["mean", "last", "max"])
@pytest.mark.parametrize("notation, tau", [
    ("30-70-66", 20.0), ("20-5", INF), ("6x5x2-12c3-8c2p1", 5.0), ("6x5x2-12c3-2p-bn-9", 5.0),
])
def test_scores_and_gradients_have_the_bits_of_the_cpu(one_device, rng, by_patches, notation, tau, readout):
    network, spikes = scene(rng, notation, readout, tau)
    ours = on_device(network, one_device)
    assert_same(forward(ours, spikes), forward(network, spikes))
    errors = rng.normal(size=(3, network.arch.n_outputs)).astype(np.float32)
    supports = [0.5] * len(network.layers)
    want, arrays = training(network, spikes, supports, errors)
    got, own_arrays = training(ours, spikes, supports, errors)
    assert_same(got, want)
    assert_same_arrays(own_arrays, arrays)


@pytest.mark.parametrize("readout", ["mean", "last", "max"])
def test_a_batch_without_samples_or_ticks_or_spikes(one_device, readout):
    network = Network("5-9-3", SRM(), readout=readout)
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=5, n_ticks=n_ticks)
        want = forward(network, spikes, supports=[0.5, 0.5])
        got = forward(on_device(network, one_device), spikes, supports=[0.5, 0.5])
        np.testing.assert_array_equal(got.scores, want.scores)
        assert got.layers[-1].active.n_pairs == want.layers[-1].active.n_pairs
