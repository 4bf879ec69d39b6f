"""Weights of int8 and float16 on a device: the bits of the CPU."""

import numpy as np
import pytest
from lif_scenes import NEURONS as LEAKY
from lif_scenes import network_of
from scenes import random_network, random_spikes, some_but_not_all

from eventsim import Network
from eventsim.engine import forward
from eventsim.engine.gpu.devices import on_device
from eventsim.model import LI, SRM
from eventsim.model.layers import Dense
from eventsim.model.precision import quantized

from .test_forward import assert_same
from .test_readout import assert_same as assert_same_scores
from .test_readout import scene as readout_scene
from .test_spatial import scene as spatial_scene

PRECISIONS = ("int8", "float16")


def compare(network, spikes, device, precision, same=assert_same):
    """The run of a network in fewer bits on the CPU; that on the device is the same."""
    small = network.with_weights(precision)
    want = forward(small, spikes)
    got = forward(on_device(small, device), spikes)
    same(got, want)
    return want


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("neuron", [SRM(tau_syn=4.0), SRM(tau_syn=3.0, t_abs=4.0)], ids=["plain", "dead"])
def test_dense_layers(device, rng, neuron, precision):
    network = random_network(rng, (50, 130, 20), (3.0, 4.0), neuron)
    spikes = random_spikes(rng, 50, 3, 100, 0.1, repeats=True, empty=(1,))
    want = compare(network, spikes, device, precision)
    assert some_but_not_all(want.output)
    if precision == "int8":
        assert want.output != forward(network, spikes).output


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["subtract", "current, hard"])
def test_leaky_neurons(one_device, rng, name, precision):
    network = network_of(rng, LEAKY[name], (30, 70, 9), gain=0.35)
    spikes = random_spikes(rng, 30, 3, 70, 0.1, empty=(1,))
    assert some_but_not_all(compare(network, spikes, one_device, precision).output)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("notation", [
    "13x12x2-12c3-2p-bn-6c2p1-do0.3-9c2s2-5", "6x5x2-100c3-5", "12x11x2-6c3-2a-16c2g2-2au-5", "9x8x2-bn-12c3p1-bn-7",
])
def test_convolutions_and_what_stands_behind_stages(one_device, rng, notation, precision):
    network, spikes = spatial_scene(rng, notation)
    assert some_but_not_all(compare(network, spikes, one_device, precision).output)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("readout", ["mean", "max"])
@pytest.mark.parametrize("notation", ["30-70-66", "6x5x2-12c3-2p-bn-9"])
def test_potentials_that_are_read(one_device, rng, notation, readout, precision):
    network, spikes = readout_scene(rng, notation, readout, 5.0)
    compare(network, spikes, one_device, precision, assert_same_scores)


def test_many_spikes_in_a_tick_add_up_to_more_than_16_bits(one_device):
    layer = Dense(600, 70)
    layer.weight = np.linspace(0.9, 1.0, 70)[None] * np.ones((600, 1))
    network = Network("600-70", SRM(theta=3000.0), seed=None)
    network.layers[0] = layer
    spikes = random_spikes(np.random.default_rng(0), 600, 2, 12, 0.9)
    assert some_but_not_all(compare(network, spikes, one_device, "int8").output)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_rows_are_rounded_as_on_the_host(one_device, rng, precision):
    """Of all sizes, those subnormal in float16 and halfway between two numbers among them; lanes without weights."""
    rows = (rng.normal(size=(2, 70, 64)) * 2.0 ** rng.integers(-40, 3, (2, 70, 64))).astype(np.float32)
    rows[0, :, 3] = 0.0
    rows[0, :, 4] = np.arange(70) + np.float32(0.5)
    rows[0, 69, 4] = 127.0
    rows[1, :, 5] = 1.0 + np.arange(70) * 2.0**-12
    rows[1, :, 6] *= np.float32(2.0**100)
    rows[1, :, 7] *= np.float32(2.0**-80)
    want, want_scale = quantized(rows, precision)
    given = {"n_in": 70, "rows": one_device.put(rows)}
    scale, few = one_device.empty((2, 64), np.float32), one_device.empty(rows.shape, want.dtype)
    one_device.launch("find_scales", n_tiles=2, is_whole=precision == "int8", scale=scale, **given)
    one_device.launch(f"round_{precision}", n=rows.size, scale=scale, few=few, **given)
    np.testing.assert_array_equal(scale.get(), want_scale)
    np.testing.assert_array_equal(few.get(), want)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_networks_move_with_their_precision(as_gpu, rng, precision):
    network = random_network(rng, (20, 70, 5), (3.0, 4.0))
    small = network.with_weights(precision)
    ours = small.to("gpu")
    assert ours.weights == precision
    for got in (ours, ours.to("cpu"), network.to("gpu").with_weights(precision)):
        for a, b in zip(small.layers, got.layers, strict=True):
            np.testing.assert_array_equal(a.weight, b.weight)
            np.testing.assert_array_equal(a.scale, b.scale)
            assert (a.packed.dtype, a.precision) == (b.packed.dtype, b.precision)
    assert network.to("gpu").with_weights(precision).layers[1].packed.nbytes == small.layers[1].packed.nbytes


@pytest.mark.parametrize("neuron", [SRM(tau_syn=3.0), LEAKY["subtract"], LI(readout="max")], ids=["srm", "lif", "li"])
def test_a_constant_input_and_a_bias_add_up(one_device, rng, neuron):
    """Behind normalisation and with a bias, with borders, in tiles with lanes of no neuron."""
    notation = "6x5x2-bn-12c3p1-7" if neuron.fires else "6x5x2-8c2-bn-12c3p1"
    network, spikes = spatial_scene(rng, notation, 40)
    layer = network.layers[0 if neuron.fires else -1]
    layer.neuron, layer.bias = neuron, 0.1 * rng.normal(1.0, 1.0, layer.n_out)
    (assert_same if neuron.fires else assert_same_scores)(
        forward(on_device(network, one_device), spikes), forward(network, spikes))
