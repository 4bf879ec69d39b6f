"""Weights: how they are spread, and what they look like on the input and in kernels."""

import math

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.model import Network
from eventsim.plot.canvas import BLUE, GREY, different, diverging, framed, new_figure, tidy
from eventsim.report import numbers
from eventsim.report.sampling import some_of

_MOST_FIELDS = 12  # neurons whose receptive fields are shown
_MOST_KERNELS, _MOST_INPUTS = 16, 8  # channels of a convolution that are shown, on either side
_BINS = 60
_POLARITIES = ("OFF", "ON")
# The share of weights that colours tell apart; the few beyond look alike.
_TOLD_APART = 0.999
_COLUMNS = 8  # images side by side, twice as many where there are many rows
_WIDTH, _MOST_SIZE = 6.0, 0.9  # inches
_GAP = 0.04  # of an image, around it


def weights(network, layer=None, *, neurons=None):
    """A histogram of the weights of every layer; of one ``layer`` also what they look like, where that is an image.

    layer : its name; None: all that have weights
    neurons : whose receptive fields, or which channels' kernels; None: at most 12 (16 channels), evenly spread

    A dense layer on the input has receptive fields, an image for each polarity; a convolution has kernels.
    """
    if not isinstance(network, Network):
        raise ConfigError(f"network must be a Network, got {type(network).__name__}; eventsim.load gives one")
    if layer is None:
        chosen = [(name, one, neuron.theta) for name, one, neuron in zip(
            network.layer_names, network.layers, network.neurons, strict=True) if one.n_weights]
        if not chosen:
            raise ConfigError(f"{network.arch.notation} has no weights of its own to draw")
        return _histograms(chosen)
    index = network.layer_names.index(checks.choice("layer", layer, network.layer_names))
    one = network.layers[index]
    images = _images(one, index == 0, neurons)
    if images is None and neurons is not None:
        raise ConfigError(f"{layer} has no images of single neurons: those are of convolutions and of a dense layer on "
                          "the input; leave out neurons")
    theta = network.neurons[index].theta
    return _histograms([(layer, one, theta)]) if images is None else _with_images(layer, one, theta, *images)


def _values(layer):
    """All weights of a layer, its recurrent ones included, float32[n]."""
    if layer.kind == "sparse":
        return layer.weight
    return np.concatenate([part.weight.ravel() for part in layer.projections or (layer,)])


def _histograms(chosen):
    columns = 2 if len(chosen) == 4 else min(3, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    figure = new_figure(max(3.4, 2.4 * columns), 2.1 * rows + 0.2)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axis, one in zip(grid.ravel(), chosen, strict=False):
        _histogram(axis, *one)
    for axis in grid.ravel()[len(chosen) :]:
        axis.remove()
    for axis in grid[:, 0]:
        axis.set_ylabel("weights")
    return figure


def _histogram(axis, name, layer, theta):
    values = _values(layer)
    count, edges = np.histogram(values, _BINS)
    axis.stairs(count, edges, fill=True, color=BLUE, alpha=0.85)
    axis.axvline(0.0, color=GREY, linewidth=0.6)
    axis.set_yscale("log")
    axis.set_ylim(0.7, 2.0 * max(count.max(), 1))
    axis.set_xlabel(f"weight (threshold {theta:g})" if math.isfinite(theta) else "weight")
    mean, deviation = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    digits = max(0, 1 - math.floor(math.log10(deviation))) if deviation else 2
    about = f"{numbers.large(len(values))} weights, {mean:z.{digits}f} ± {deviation:.{digits}f}"
    axis.set_title(f"{name}\n{about}", fontsize=8)
    tidy(axis)


def _chosen(name, neurons, n, most):
    """Which of ``n`` are shown, int64."""
    if neurons is None:
        return some_of(n, most)
    chosen = different(name, neurons, n)
    if not len(chosen):
        raise ConfigError(f"{name} to draw must be at least one; choose some, or leave them out")
    return chosen


def _images(layer, is_first, neurons):
    """(what columns are, images float32[rows, columns, h, w], names of rows, of columns); None: a layer has none."""
    if layer.kind == "conv":
        into, out = layer.weight_shape[0], layer.shape.channels
        shown = _chosen("channels", neurons, out, _MOST_KERNELS)
        given = some_of(into, _MOST_INPUTS)
        kernels = layer.weight[given][..., shown].transpose(0, 3, 1, 2)
        rows = _POLARITIES if is_first and into == 2 else [f"in {i}" for i in given]
        return "channel", kernels, rows, [str(i) for i in shown]
    if layer.kind in ("dense", "recurrent") and is_first and layer.given.height > 1:
        given = layer.given
        shown = _chosen("neurons", neurons, layer.n_out, _MOST_FIELDS)
        fields = layer.weight[:, shown].T.reshape(len(shown), given.channels, given.height, given.width)
        rows = _POLARITIES if given.channels == 2 else [f"in {i}" for i in range(given.channels)]
        return "neuron", fields.transpose(1, 0, 2, 3), rows, [str(i) for i in shown]
    return None


def _with_images(name, layer, theta, what, images, row_names, column_names):
    """The histogram above the images, which come in bands of columns."""
    rows, n, height, width = images.shape
    bands = math.ceil(n / (_COLUMNS if rows <= 2 else 2 * _COLUMNS))
    columns = math.ceil(n / bands)
    size = min(_MOST_SIZE, _WIDTH / columns)
    tall = bands * (rows * size * height / width + 0.25) + 0.2
    figure = new_figure(max(4.0, columns * size + 1.2), 2.0 + tall)
    axes = figure.subplots(1 + bands, height_ratios=[1.7, *[tall / bands] * bands])
    _histogram(axes[0], name, layer, theta)
    axes[0].set_ylabel("weights")
    values = np.abs(_values(layer))
    most = float(np.quantile(values, _TOLD_APART)) or 1.0
    for band, axis in enumerate(axes[1:]):
        part = slice(band * columns, (band + 1) * columns)
        shown = _mosaic(axis, images[:, part], most, row_names, column_names[part], columns)
    axes[1].set_xlabel(what)
    axes[1].xaxis.set_label_position("top")
    bar = figure.colorbar(shown, ax=axes[1:], shrink=min(1.0, 1.6 / tall), aspect=14, pad=0.02,
                          extend="both" if values.max() > most else "neither")
    bar.set_label("weight", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return figure


def _mosaic(axis, images, most, row_names, column_names, columns):
    """Images [rows, n, h, w] in places one wide; returns one of them as drawn. There is room for ``columns``."""
    rows, n, height, width = images.shape
    tall = height / width
    for row, column in np.ndindex(rows, n):
        left, top = column + _GAP, row * tall + _GAP
        shown = axis.imshow(images[row, column], cmap=diverging(), vmin=-most, vmax=most, interpolation="nearest",
                            extent=(left, left + 1 - 2 * _GAP, top + tall - 2 * _GAP, top))
        axis.add_patch(framed(left, top, 1 - 2 * _GAP, tall - 2 * _GAP))
    axis.set(xlim=(0, columns), ylim=(rows * tall, 0))
    axis.set_xticks(np.arange(n) + 0.5, column_names)
    axis.set_yticks((np.arange(rows) + 0.5) * tall, row_names)
    axis.tick_params(length=0, pad=1, labelsize=7 if rows > 2 else 8, top=False, labeltop=True, labelbottom=False)
    axis.xaxis.label.set_size(8)
    axis.spines[:].set_visible(False)
    return shown
