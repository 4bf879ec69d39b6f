"""Imported networks beside slayerPytorch's own modules, written out with torch: convolutions, pools, delays."""

import numpy as np
import pytest
from naive import srm as naive
from scenes import dense as dense_spikes
from scenes import naive_neuron, random_spikes

from eventsim.engine import forward
from eventsim.exchange.slayer import parse_state, set_weights
from eventsim.model import SRM, Network

from .slayer_files import dense

torch = pytest.importorskip("torch", reason="torch is not installed")


def conv3d(s, weight, **settings):
    """Spikes float[C, H, W, T] through a synapse of slayerPytorch."""
    given = torch.from_numpy(s[None]).double()
    return torch.nn.functional.conv3d(given, torch.from_numpy(weight).double(), **settings)[0].numpy()


def padded(s):
    """What slayerPytorch's pool makes of odd sizes."""
    return np.pad(s, ((0, 0), (0, s.shape[1] % 2), (0, s.shape[2] % 2), (0, 0)))


def spikes_of(current, neuron):
    """Spikes float[C, H, W, T] of neurons that a current of that shape drives."""
    flat = current.reshape(-1, current.shape[-1]).T
    eps = naive.alpha(neuron.tau_syn, 1.0, len(flat))
    nu = -neuron.scale_ref * neuron.theta * naive.alpha(neuron.tau_ref, 1.0, len(flat))
    out, u, _ = naive.fire(naive.psp(flat, eps), nu, neuron.theta, naive_neuron(neuron, 1.0).n_abs)
    assert np.abs(u - neuron.theta).min() > 1e-5  # where rounding might decide
    assert out.any()
    return out.T.reshape(current.shape)


def test_a_network_of_slayer_spikes_as_its_modules_do(rng):
    neuron = SRM(tau_syn=3.0)
    state = {"conv1.weight": 6 * rng.normal(0.5, 1.0, (3, 2, 3, 3, 1)),
             "fc1.weight": 8 * dense(rng, (3, 2, 3), 4) + 2.0, "conv2.weight": np.full((1, 1, 2, 2, 1), 11.0)}
    network = Network("7x6x2-3c3-2au-4", neuron, seed=None)
    set_weights(network, parse_state("file", state))
    given = random_spikes(rng, 84, 1, 50, 0.05)
    trace = forward(network, given)
    s = dense_spikes(given, 0).T.reshape(2, 6, 7, 50)
    first = spikes_of(conv3d(s, state["conv1.weight"]), neuron)
    flat = padded(first)
    pooled = conv3d(flat.reshape(1, -1, *flat.shape[2:]), state["conv2.weight"], stride=(2, 2, 1))
    second = spikes_of(pooled.reshape(3, 2, 3, 50), neuron)
    third = spikes_of(conv3d(second, state["fc1.weight"].astype(float)), neuron)
    for layer, want in zip(trace.layers, (first, second, third), strict=True):
        np.testing.assert_array_equal(dense_spikes(layer.spikes, 0).T, want.reshape(-1, 50))


def test_delays_of_slayer_shift_spikes(rng):
    neuron = SRM(tau_syn=3.0)
    state = {"fc1.weight": 20 * dense(rng, 10, 6).astype(float) + 10.0,
             "fc2.weight": 20 * dense(rng, 6, 3).astype(float) + 10.0,
             "delay1.delay": rng.uniform(0.0, 6.0, (6, 1, 1))}
    network = Network("10-6-3", neuron, seed=None)
    set_weights(network, parse_state("file", state))
    given = random_spikes(rng, 10, 1, 50, 0.1)
    trace = forward(network, given)
    hidden = spikes_of(conv3d(dense_spikes(given, 0).T.reshape(10, 1, 1, 50), state["fc1.weight"]), neuron)
    late = np.zeros_like(hidden)
    for i, delay in enumerate(state["delay1.delay"].ravel().astype(int)):
        late[i, ..., delay:] = hidden[i, ..., : 50 - delay]
    out = spikes_of(conv3d(late, state["fc2.weight"]), neuron)
    np.testing.assert_array_equal(dense_spikes(trace.output, 0).T, out.reshape(3, 50))
