"""Weights in fewer bits: what they keep, what they refuse, and that they are copies."""

import numpy as np
import pytest

from eventsim.errors import ConfigError
from eventsim.model import Network
from eventsim.model.layers import Dense
from eventsim.trainer import Trainer, save


@pytest.fixture
def layer(rng):
    layer = Dense(40, 70)
    layer.weight = rng.normal(size=(40, 70)) * np.logspace(-20, 20, 70)
    return layer


def test_int8_is_within_half_a_scale_of_every_neuron_s_own(layer):
    small = layer.with_weights("int8")
    assert (small.packed.dtype, small.precision) == (np.int8, "int8")
    most = np.abs(layer.weight).max(axis=0)
    np.testing.assert_allclose(small.scale.reshape(-1)[:70], most / 127, rtol=1e-6)
    assert np.all(np.abs(small.weight - layer.weight) <= most / 254 * (1 + 1e-5))
    assert small.packed.max() == 127 or small.packed.min() == -127
    assert not small.packed[1, :, 6:].any()  # padding lanes


@pytest.mark.parametrize("wrong", ["float64", "", None, 8], ids=repr)
def test_a_layer_has_no_other_precisions(layer, wrong):
    with pytest.raises(ConfigError, match="weights must be"):
        layer.with_weights(wrong)


def test_a_neuron_without_weights_has_none_in_int8():
    small = Dense(3, 2).with_weights("int8")
    assert not small.weight.any() and np.all(np.isfinite(small.scale))


def test_float16_keeps_eleven_bits_whatever_the_size_of_a_neuron_s_weights(layer):
    small = layer.with_weights("float16")
    assert (small.packed.dtype, small.precision) == (np.uint16, "float16")
    mantissa, exponent = np.frexp(layer.weight.astype(float))
    np.testing.assert_array_equal(small.weight, np.ldexp(np.rint(mantissa * 2**11), exponent - 11))
    used = small.scale.reshape(-1)[:70]
    np.testing.assert_array_equal(np.frexp(used)[0], 0.5)  # powers of two


@pytest.mark.parametrize("precision", ["float16", "int8"])
@pytest.mark.parametrize("size", [1e-45, 2.66e-43, 1e-38, 1e38, 3.4e38])
def test_weights_at_the_ends_of_float32_keep_their_sign_and_stay_finite(precision, size):
    layer = Dense(2, 2)
    layer.weight = np.array([[size, -size], [0.0, size / 3]])
    small = layer.with_weights(precision)
    assert np.all(np.isfinite(small.weight)) and np.all(np.sign(small.weight) * np.sign(layer.weight) >= 0)
    assert np.all(np.abs(small.weight - layer.weight) <= np.maximum(size / 254 * 1.01, 2e-37))


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_a_network_in_fewer_bits_is_a_copy_that_cannot_be_trained(precision):
    network = Network("6x5x2-70-3")
    small = network.with_weights(precision)
    assert (small.weights, network.weights) == (precision, "float32")
    assert small.config() == network.config()
    before = small.layers[0].weight
    network.layers[0].weight = np.zeros((60, 70))
    np.testing.assert_array_equal(small.layers[0].weight, before)
    with pytest.raises(ConfigError, match=f"are {precision} and cannot be changed"):
        small.layers[0].weight = before
    with pytest.raises(ConfigError, match=f"weights of {precision} are for inference"):
        Trainer(small)
    with pytest.raises(ConfigError, match=f"weights of {precision} are for inference and are not saved"):
        save("model.h5", small)
    with pytest.raises(ConfigError, match=f"are {precision} already"):
        small.with_weights("float32")


def test_the_same_precision_is_the_same_network():
    network = Network("4-3")
    assert network.with_weights("float32") is network
    assert network.with_weights("int8").with_weights("int8").weights == "int8"


@pytest.mark.parametrize("arch", ["9-8-7r", "9-8@d2-7", "9-8-7@d0"])
@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_delays_and_recurrence_stay_in_float32(arch, precision):
    network = Network(arch)
    assert network.with_weights("float32") is network
    with pytest.raises(ConfigError, match=f"cannot be {precision}: delays and recurrence run in float32"):
        network.with_weights(precision)


@pytest.mark.parametrize("wrong", ["float64", "", None, 8, ["int8"]], ids=repr)
def test_other_precisions_are_refused(wrong):
    with pytest.raises(ConfigError, match="weights must be"):
        Network("4-3").with_weights(wrong)
