"""Weights: histograms count them, images have them."""

import numpy as np
import pytest
from spatial_scenes import spatial_network

from eventsim import Network, plot
from eventsim.errors import ConfigError
from eventsim.model.layers import Sparse


def images(axis):
    return [np.asarray(image.get_array()) for image in axis.images]


def test_a_histogram_for_every_layer_with_weights():
    network = Network("8x8x2-6c3-2a-20r-5")
    figure = plot.weights(network)
    shown = [("conv1", network.layers[0].weight), ("dense4", network.layers[3].weight)]
    assert [axis.get_title().split("\n")[0] for axis in figure.axes] == ["conv1", "recurrent3", "dense4"]
    for name, weight in shown:
        axis = next(axis for axis in figure.axes if axis.get_title().startswith(name))
        bars = axis.patches[0].get_data()
        count, edges = np.histogram(weight, 60)
        np.testing.assert_array_equal(bars.values, count)
        np.testing.assert_array_equal(bars.edges, edges)
        assert axis.get_xlabel() == "weight (threshold 10)"
    own = figure.axes[1].patches[0].get_data().values.sum()
    assert own == network.layers[2].n_weights > network.layers[2].weight.size  # the recurrent ones, too


def test_receptive_fields_on_the_input():
    network = Network("7x5x2-30-4")
    figure = plot.weights(network, "dense1", neurons=[2, 29])
    histogram, fields, _ = figure.axes
    assert histogram.get_title().startswith("dense1\n2.10 k weights, ")
    assert [text.get_text() for text in fields.get_yticklabels()] == ["OFF", "ON"]
    assert [text.get_text() for text in fields.get_xticklabels()] == ["2", "29"]
    want = network.layers[0].weight.T.reshape(30, 2, 5, 7)
    for image, field in zip(images(fields), (want[i, p] for p in range(2) for i in (2, 29)), strict=True):
        np.testing.assert_array_equal(image, field)
    low, high = fields.images[0].get_clim()
    assert low == -high and fields.get_xlabel() == "neuron"


def test_neurons_are_spread_where_none_are_chosen():
    figure = plot.weights(Network("7x5x2-30-4"), "dense1")
    *bands, _ = figure.axes[1:]
    names = [text.get_text() for band in bands for text in band.get_xticklabels()]
    assert len(names) == 12 and (names[0], names[-1]) == ("0", "29")
    assert sum(len(band.images) for band in bands) == 24


def test_kernels_of_convolutions(rng):
    network = spatial_network(rng, "9x8x2-12c3s1p1-2p-bn-4c2g4-5")
    first = plot.weights(network, "conv1", neurons=[11]).axes[1]
    assert [text.get_text() for text in first.get_yticklabels()] == ["OFF", "ON"] and first.get_xlabel() == "channel"
    for image, channel in zip(images(first), range(2), strict=True):
        np.testing.assert_array_equal(image, network.layers[0].weight[channel, :, :, 11])
    second = plot.weights(network, "conv2").axes[1]
    assert [text.get_text() for text in second.get_yticklabels()] == ["in 0", "in 1", "in 2"]
    assert len(second.images) == 12
    np.testing.assert_array_equal(images(second)[5], network.layers[1].weight[1, :, :, 1])


def test_layers_without_images_have_a_histogram():
    network = Network("8x8x2-2a-20-5")
    for name in ("pool1", "dense2", "dense3"):
        assert len(plot.weights(network, name).axes) == 1
    with pytest.raises(ConfigError, match="dense3 has no images of single neurons"):
        plot.weights(network, "dense3", neurons=[1])


def test_sparse_layers(rng):
    network = Network("30-20")
    network.layers[0] = Sparse.random(30, 20, 6, 60.0, rng)
    bars = plot.weights(network).axes[0].patches[0].get_data()
    assert bars.values.sum() == network.layers[0].n_weights


def test_weights_that_are_all_zero():
    plot.weights(Network("7x5x2-6-4", seed=None), "dense1").draw_without_rendering()


@pytest.mark.parametrize(("layer", "neurons", "word"), [
    ("dense9", None, "layer must be conv1"), ("conv1", [6], "channels must lie in 0..5"),
    ("conv1", 3, "channels must be a list"), ("conv1", [5, 5], "channels to draw must differ, got 5 more than once"),
    ("conv1", [], "channels to draw must be at least one"),
])
def test_nonsense(layer, neurons, word):
    with pytest.raises(ConfigError, match=word):
        plot.weights(Network("8x8x2-6c3-5"), layer, neurons=neurons)


def test_what_is_no_network():
    with pytest.raises(ConfigError, match="network must be a Network, got int"):
        plot.weights(3)


def test_a_network_without_weights():
    with pytest.raises(ConfigError, match="has no weights of its own"):
        plot.weights(Network("8x8x2-2a"))
