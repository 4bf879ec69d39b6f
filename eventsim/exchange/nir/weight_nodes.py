"""What comes before a layer's neurons as NIR's nodes, a line a kind in `NODES`."""

import numpy as np

from eventsim.errors import ConfigError
from eventsim.exchange.nir.file import require


def _folded(layer):
    """The weights with what normalises their input in them, float32, and the bias that it makes, float64 or None."""
    weight, norm = layer.weight, layer.norm
    if norm is None:
        return weight, None
    scale, offset = norm.affine(norm.running_mean, norm.running_var)
    if layer.kind == "dense":
        scale, offset = (np.repeat(values, layer.given.positions)[:, None] for values in (scale, offset))
        return (weight * scale).astype(np.float32), (weight * offset).sum(axis=0)
    if layer.window.padding and offset.any():
        raise ConfigError("normalises the input of a convolution with padding, and at the border its constant input is "
                          "another, which NIR's bias is not; leave out the padding")
    a_group = layer.shape.channels // layer.groups
    group = np.arange(layer.shape.channels) // a_group
    channel = group[None, :] * (layer.given.channels // layer.groups) + np.arange(weight.shape[0])[:, None]
    scale, offset = scale[channel][:, None, None, :], offset[channel][:, None, None, :]
    return (weight * scale).astype(np.float32), (weight * offset).sum(axis=(0, 1, 2))


def _bias(layer, made, n):
    """The bias of ``n`` channels: the layer's, and what was made of a normalisation; None for none."""
    if layer.bias is None:
        return made
    own = np.asarray(layer.bias, np.float64).reshape(n, -1)
    if (own != own[:, :1]).any():
        raise ConfigError("has constant inputs that differ within a channel, which NIR's bias cannot say; give a "
                          "channel one")
    return own[:, 0] if made is None else own[:, 0] + made


def _dense(layer, is_flat):
    nir = require()
    weight, made = _folded(layer)
    bias = _bias(layer, made, layer.n_out)
    weight = np.ascontiguousarray(weight.T)
    if bias is None:
        return [nir.Linear(weight=weight)]
    return [nir.Affine(weight=weight, bias=bias.astype(np.float32))]


def _check_planes(is_flat):
    if is_flat:
        raise ConfigError("looks at planes behind a layer that has none, and NIR has no node that makes them; make it "
                          "dense")


def _pool(layer, is_flat):
    """A convolution that sums each channel's windows with one weight, as NIR's pools do."""
    nir, window = require(), layer.window
    weight = layer.weight.ravel()[0]
    pair = {"kernel_size": np.array([window.size] * 2), "stride": np.array([window.stride] * 2),
            "padding": np.array([window.padding] * 2)}
    shape = layer.shape
    shape = (shape.size,) if is_flat else (shape.channels, shape.height, shape.width)
    scale = [nir.Scale(scale=np.full(shape, weight, np.float32))] if weight != 1.0 else []
    if window.size == window.stride == 1 and not window.padding:
        return scale
    _check_planes(is_flat)
    if weight == np.float32(1.0 / window.size**2):
        return [nir.AvgPool2d(**pair)]
    return [nir.SumPool2d(**pair), *scale]


def _is_pool(layer):
    window = layer.window
    weight = layer.weight
    return (layer.groups == layer.given.channels == layer.shape.channels and window.dilation == 1
            and window.padding < window.size and layer.norm is None and layer.bias is None
            and weight.flat[0] > 0 and (weight == weight.flat[0]).all())


def _conv(layer, is_flat):
    if _is_pool(layer):
        return _pool(layer, is_flat)
    _check_planes(is_flat)
    nir, window = require(), layer.window
    weight, made = _folded(layer)
    bias = _bias(layer, made, layer.shape.channels)
    bias = np.zeros(layer.shape.channels) if bias is None else bias
    return [nir.Conv2d(
        input_shape=(layer.given.height, layer.given.width), weight=np.ascontiguousarray(weight.transpose(3, 0, 1, 2)),
        stride=window.stride, padding=window.padding, dilation=window.dilation, groups=layer.groups,
        bias=bias.astype(np.float32),
    )]


NODES = {"dense": _dense, "recurrent": _dense, "conv": _conv, "pool": _pool}
