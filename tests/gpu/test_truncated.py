"""The psp cut off where slayerPytorch does, on a device: the bits of the CPU, and the naive reference."""

import numpy as np
import pytest
from conv_scenes import random_errors
from scenes import dense, excused_spikes, naive_layer, random_network, random_spikes, some_but_not_all

from eventsim import Network
from eventsim.engine import Sink, backward, forward
from eventsim.engine.gpu.devices import on_device
from eventsim.errors import ConfigError
from eventsim.kernels.memory import zeros_like
from eventsim.model import LIF, SRM

from .test_backward import assert_same as assert_same_gradients
from .test_backward import gradients
from .test_forward import assert_same
from .test_forward import scene as dense_scene
from .test_spatial import scene

INF = np.inf


@pytest.mark.parametrize("kind, rate, n_ticks", [
    ("plain", 0.1, 100), ("plain", 0.002, 300), ("dead ticks", 0.004, 100), ("dyadic", 0.1, 70)])
@pytest.mark.parametrize("supports", [None, (0.3, 1.5, 0.5), (INF, INF, INF)])
def test_a_run_has_the_bits_of_the_cpu(one_device, rng, kind, rate, n_ticks, supports):
    network, spikes = dense_scene(rng, kind, rate, n_ticks)
    want = forward(network, spikes, supports=supports, truncate=True)
    assert any(some_but_not_all(done.spikes) for done in want.layers)
    ours = on_device(network, one_device)
    assert_same(forward(ours, spikes, supports=supports, truncate=True), want)
    assert forward(ours, spikes).layers[0].spikes != want.layers[0].spikes or rate < 0.01


def test_spikes_are_those_of_the_naive_reference(device, rng):
    network = random_network(rng, (50, 70), (3.0,), SRM(tau_syn=2.0))
    spikes, excuses = random_spikes(rng, 50, 3, 60, 0.02, empty=(1,)), 0
    got = forward(on_device(network, device), spikes, truncate=True).output
    assert some_but_not_all(got)
    for b in range(3):
        out, u, _, margin = naive_layer(network.layers[0].weight, network.neuron, spikes, b, truncate=True)
        excuses += len(excused_spikes(dense(got, b), out, u, margin, network.neuron.theta))
    assert excuses <= 2


@pytest.mark.parametrize("supports", [(0.3, 0.3, 0.5), (INF, INF, INF)])
@pytest.mark.parametrize("is_held_at_once", [True, False])
def test_gradients_have_the_bits_of_the_cpu(one_device, rng, supports, is_held_at_once, little_room):
    """Of 150 ticks, so that psps end in other chunks than they begin in; and one block of samples after the other."""
    if not is_held_at_once:
        little_room(one_device)
    network, spikes = dense_scene(rng, "plain", 0.05, 150)
    errors = rng.normal(size=(3, 20, 150)).astype(np.float32)
    want = gradients(network, spikes, supports, errors, truncate=True)
    assert_same_gradients(gradients(on_device(network, one_device), spikes, supports, errors, truncate=True), want)
    assert (gradients(network, spikes, supports, errors)[0] != want[0]).any()


def test_convolutions(one_device, rng):
    network, spikes = scene(rng, "9x9x2-12c3-2a-6c2-4", 70, SRM(tau_syn=2.0))
    supports, errors, ours = (0.5, INF, 0.5, INF), random_errors(rng, network, spikes), on_device(network, one_device)
    assert_same(forward(ours, spikes, supports=supports, truncate=True),
                forward(network, spikes, supports=supports, truncate=True))
    assert_same_gradients(gradients(ours, spikes, supports, errors, truncate=True),
                          gradients(network, spikes, supports, errors, truncate=True))


@pytest.mark.parametrize("is_on_device", [False, True])
def test_what_has_no_psp_to_truncate_is_refused(one_device, rng, is_on_device):
    place = one_device if is_on_device else None
    for network, what in (
        (Network("20-5", LIF()), "LIF neurons of .* have no psp that could be truncated"),
        (Network("20-5", readout="max"), "LI neurons of .* have no psp that could be truncated"),
        (Network("20-bn-5"), "cannot be truncated behind batch normalisation"),
    ):
        network, spikes = on_device(network, place), random_spikes(rng, 20, 2, 20)
        with pytest.raises(ConfigError, match=what):
            forward(network, spikes, truncate=True)
    network = on_device(Network("20-5", LIF()), place)
    with pytest.raises(ConfigError, match="have no psp that could be truncated"):
        gradients_of_plain_run(network, spikes)


def gradients_of_plain_run(network, spikes):
    """Walk back with a truncated psp through a run without."""
    trace = forward(network, spikes, supports=(0.5,))
    errors = np.zeros((2, 5, 20), np.float32)
    backward(network, trace, errors.__getitem__, [Sink(gradient=zeros_like(network.parameters[0]))], truncate=True)
