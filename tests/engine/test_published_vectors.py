"""The vectors published with SLAYER (Shrestha & Orchard 2018): a 250-25-1 network, forward and gradients."""

import numpy as np
import pytest
from naive import srm as naive
from scenes import dense, gradients_of, naive_neuron

from eventsim.engine import forward
from eventsim.model import SRM, Network
from eventsim.spikes import Spikes

DT, N_TICKS, N_TAPS = 0.1, 500, 77
NEURON = {"theta": 10.0, "tau_syn": 1.0, "tau_ref": 1.0, "scale_ref": 2.0}


@pytest.fixture
def folder(shared):
    path = shared / "golden" / "slayer_snnData"
    if not path.is_dir():
        pytest.skip(f"no published vectors at {path}")
    return path


def published_spikes(path, n_neurons):
    """Spikes of a file of (ms, id from 1); a spike at tick 500, past the end of a 50 ms window, is left out."""
    rows = np.loadtxt(path, ndmin=2)
    tick, address = np.rint(rows[:, 0] / DT).astype(int), rows[:, 1].astype(int) - 1
    inside = tick < N_TICKS
    assert np.all(tick[~inside] == N_TICKS)
    order = np.lexsort((address[inside], tick[inside]))
    return Spikes([0, inside.sum()], address[inside][order], tick=tick[inside][order], n_neurons=n_neurons,
                  n_ticks=N_TICKS, dt=DT)


def published_network(folder, which, **neuron):
    network = Network("250-25-1", SRM(**NEURON, **neuron), dt=DT, n_ticks=N_TICKS, seed=None)
    for i, layer in enumerate(network.layers, 1):
        layer.weight = np.loadtxt(folder / f"w{i}{which}.txt", ndmin=2).T
    return network


def test_taps_are_the_published_kernels(folder):
    neuron = SRM(**NEURON)
    assert neuron.n_taps(DT) == naive.n_taps(1.0, DT) == N_TAPS
    psp = np.loadtxt(folder / "h_sr.txt")
    np.testing.assert_allclose(psp[:, 1], naive.alpha(1.0, DT, N_TAPS), atol=6e-5)
    refractory = np.loadtxt(folder / "h_ref.txt")
    np.testing.assert_allclose(refractory[:, 1], -20.0 * naive.alpha(1.0, DT, len(refractory)), atol=6e-5)


def test_the_learned_network_spikes_as_published(folder):
    network = published_network(folder, "learned")
    trace = forward(network, published_spikes(folder / "spikeIn.txt", 250), truncate=True)
    hidden, output = (layer.spikes for layer in trace.layers)
    assert hidden == published_spikes(folder / "spikeHid.txt", 25)
    assert output == published_spikes(folder / "spikeOut.txt", 1)
    assert (len(hidden), len(output)) == (289, 3)


def test_gradients_are_those_published_for_the_initial_network(folder):
    network = published_network(folder, "Initial", tau_rho=0.1, scale_rho=1.0)
    trace = forward(network, published_spikes(folder / "spikeIn.txt", 250), supports=[np.inf, np.inf], truncate=True)
    target = published_spikes(folder / "spikeOut.txt", 1)
    # L = 1/2 dt sum over ticks of (psp of the output - psp of the target)^2.
    kernel = naive.alpha(1.0, DT, N_TICKS, N_TAPS)
    difference = naive.psp(dense(trace.output, 0) - dense(target, 0), kernel)
    error = naive.adjoint_psp(difference, kernel, DT).T.astype(np.float32)
    for i, gradient in enumerate(gradients_of(network, trace, error[None], truncate=True), 1):
        want = np.loadtxt(folder / f"gradW{i}Initial.txt", ndmin=2).T
        assert np.abs(gradient - want).max() <= 1e-4 * np.abs(want).max()


@pytest.mark.parametrize("name, layer, neuron", [("Hid", 0, 0), ("Hid04", 0, 4), ("Out", 1, 0)])
def test_the_naive_layer_has_the_published_potentials(folder, name, layer, neuron):
    """The file's columns: potential before the refractory term and after it, spike (height 1 / dt)."""
    before, after, spike = np.loadtxt(folder / f"spikeFunc{name}.txt")[:N_TICKS].T
    network = published_network(folder, "learned")
    s = dense(published_spikes(folder / ("spikeIn.txt", "spikeHid.txt")[layer], (250, 25)[layer]), 0)
    weight = network.layers[layer].weight.astype(float)[:, [neuron]]
    psp = naive.psp(s, naive.alpha(1.0, DT, N_TICKS, N_TAPS)) @ weight
    out, u, _ = naive.layer(s, weight, naive_neuron(network.neuron, DT), DT, N_TAPS)
    np.testing.assert_allclose(psp[:, 0], before, rtol=0, atol=6e-5)  # six digits are printed
    np.testing.assert_allclose(u[:, 0], after, rtol=0, atol=6e-5)
    np.testing.assert_array_equal(out[:, 0], spike * DT)
