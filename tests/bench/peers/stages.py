"""Networks as lists of plain dictionaries, and the layers of neurons that these make.

    {"kind": "conv", "weight": float32[C_out, C_in / groups, k, k], "stride", "padding", "dilation", "groups"}
    {"kind": "dense", "weight": float32[N_in, N_out]}
    {"kind": "average_pool", "size"}
    {"kind": "batch_norm", "gamma", "beta", "mean", "var"}, float32[C] each

The first two have neurons behind them. The others are what becomes of spikes on their way to the next of these, a pool
before a normalisation. Spikes of some ticks are an *image*: [ticks * B, C, H, W], whose channels are contiguous in
memory, or [ticks * B, N].
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import functional

EPSILON, MOMENTUM = 1e-5, 0.1


def layers_of(stages):
    """The `Layer` s that the dictionaries make; raises `ValueError` for what is no network."""
    layers, pool, norm = [], 1, None
    for stage in stages:
        kind = stage["kind"]
        if kind in SYNAPSES:
            layers.append(Layer(SYNAPSES[kind](stage), pool, norm))
            pool, norm = 1, None
        elif kind == "average_pool" and pool == 1 and norm is None:
            pool = stage["size"]
        elif kind == "batch_norm" and norm is None:
            norm = BatchNorm(stage)
        else:
            raise ValueError(f"there is no place for {kind!r} after {len(layers)} layers; a pool comes first, then a "
                             "batch normalisation, each at most once between two layers")
    return layers


# Two milliseconds a sample faster than avg_pool2d, on one core, of 35 of an inference and 85 to 105 of training steps.
@torch.compile(fullgraph=True)
def average(image, size):
    """The mean over windows of size x size of every channel, side by side."""
    image = image.permute(0, 2, 3, 1)
    rows, columns = (n // size * size for n in image.shape[1:3])
    offsets = [(y, x) for y in range(size) for x in range(size)]
    total = sum(image[:, y:rows:size, x:columns:size] for y, x in offsets)
    return (total / size**2).permute(0, 3, 1, 2)


@torch.compile(fullgraph=True)
def _sums(rows):
    """Sums and sums of squares [C] of rows [n, C]."""
    rows = rows.float()
    return rows.sum(0), (rows * rows).sum(0)


def parameter(values):
    """A float32 parameter, contiguous."""
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float32).contiguous())


def in_memory(image, n_samples):
    """The image as [ticks, B * N], neurons in the order that they have in memory."""
    if image.dim() == 4:
        image = image.permute(0, 2, 3, 1)
    return image.reshape(len(image) // n_samples, -1)


def as_image(flat, shape):
    """An image of neurons of the shape (C, H, W) or (N,) from [ticks, B * N] in the order of memory."""
    if len(shape) == 1:
        return flat.view(-1, *shape)
    channels, height, width = shape
    return flat.view(-1, height, width, channels).permute(0, 3, 1, 2)


def unpooled(errors, pool, shape, n_samples):
    """Errors of neurons of a ``shape``, each that of its window of ``pool`` x ``pool``, for the ticks of an image.

    [ticks, B * N] in the order of memory; or where windows cover the plane [ticks, B, y, pool, x, pool, C], in which
    those of a window share one number in memory.
    """
    if pool == 1:
        return in_memory(errors, n_samples)
    (rows, columns), (channels, height, width) = errors.shape[2:], shape
    if (rows * pool, columns * pool) != (height, width):
        return _spread(errors, pool, height, width).reshape(len(errors) // n_samples, -1)
    errors = errors.permute(0, 2, 3, 1).reshape(-1, n_samples, rows, 1, columns, 1, channels)
    return errors.expand(-1, -1, -1, pool, -1, pool, -1)


@torch.compile(fullgraph=True)
def _spread(errors, pool, height, width):
    """Errors of windows at every neuron, [n, y, x, C], 0 at the border that windows leave."""
    n, rows, columns, channels = errors.permute(0, 2, 3, 1).shape
    errors = errors.permute(0, 2, 3, 1).reshape(n, rows, 1, columns, 1, channels).expand(-1, -1, pool, -1, pool, -1)
    errors = errors.reshape(n, rows * pool, columns * pool, channels)
    return functional.pad(errors, (0, 0, 0, width - columns * pool, 0, height - rows * pool))


def filled(values, image):
    """An image of one sample and tick, like ``image``, that has ``values`` [C] everywhere in their channels."""
    return values.view(1, -1, *[1] * (image.dim() - 2)).expand(1, *image.shape[1:])


class Moments(NamedTuple):
    """Mean and biased variance [C] of every channel, and the numbers in one."""

    mean: torch.Tensor
    var: torch.Tensor
    n: int


def moments(images):
    """`Moments` of images."""
    first = second = n = 0
    for image in images:
        if image.dim() == 4:
            image = image.permute(0, 2, 3, 1)
        rows = image.reshape(-1, image.shape[-1])
        sums = _sums(rows)
        first, second, n = first + sums[0].double(), second + sums[1].double(), n + len(rows)
    mean = first / n
    return Moments(mean.float(), (second / n - mean**2).clamp(min=0.0).float(), n)


class BatchNorm:
    """Normalisation of every channel over samples, positions and ticks, by statistics of the batch in training."""

    def __init__(self, stage):
        self.gamma, self.beta = parameter(stage["gamma"]), parameter(stage["beta"])
        self.mean, self.var = (torch.tensor(stage[name], dtype=torch.float32) for name in ("mean", "var"))

    @property
    def parameters(self):
        """What training changes."""
        return [self.gamma, self.beta]

    def __call__(self, image, training):
        """The image normalised, by torch itself."""
        return functional.batch_norm(image, self.mean, self.var, self.gamma, self.beta, training, MOMENTUM, EPSILON)

    def take_in(self, batch, momentum=MOMENTUM):
        """Let the running statistics take in the `Moments` of a batch."""
        self.mean.lerp_(batch.mean, momentum)
        self.var.lerp_(batch.var * (batch.n / max(batch.n - 1, 1)), momentum)


class Convolution:
    """Weights [C_out, C_in / groups, k, k] that look wherever they fit; cross-correlation, no bias."""

    def __init__(self, stage):
        self.weight = parameter(stage["weight"])
        self.groups = stage["groups"]
        self.options = {name: stage[name] for name in ("stride", "padding", "dilation", "groups")}

    def gathered(self, images):
        """The images that are run at once: one by one, since currents of many ticks do not stay in cache."""
        return images

    def gathered_back(self, images):
        """What `gathered` is to images that come in the other order."""
        return images

    def packed(self, weight):
        """The weights in the order in memory that images have."""
        return weight.contiguous(memory_format=torch.channels_last)

    def currents(self, image, weight):
        """An image of the currents into the neurons."""
        return functional.conv2d(image, weight, **self.options)

    def by_channel(self, weight, n_channels):
        """The weights [groups, C_out / groups, C_in / groups, k * k]."""
        return weight.reshape(self.groups, len(weight) // self.groups, n_channels // self.groups, -1)

    def spread(self, values):
        """Numbers [C_in] as factors of weights `by_channel`."""
        return values.view(self.groups, 1, -1, 1)

    def summed(self, products):
        """The sums [C_in] of numbers like weights `by_channel`."""
        return products.sum((1, 3)).flatten()

    def weight_gradient(self, g, image):
        """The gradient of the weights by that of the currents."""
        return self._backward(g, image, self.weight.to(g.dtype), [False, True, False])[1]

    def image_gradient(self, g, image, weight):
        """The gradient of the image by that of the currents."""
        return self._backward(g, image, weight, [True, False, False])[0]

    def _backward(self, g, image, weight, wanted):
        pairs = ([self.options[name]] * 2 for name in ("stride", "padding", "dilation"))
        return torch.ops.aten.convolution_backward(g, image, weight, None, *pairs, False, [0, 0], self.groups, wanted)


class Dense:
    """All-to-all weights [N_out, N_in], as torch.nn.Linear holds them; neurons of an image in the order of addresses.

    linear : how x is multiplied with weights transposed
    """

    def __init__(self, stage):
        self.weight = parameter(stage["weight"].T)
        self.linear = functional.linear

    def gathered(self, images):
        """The images that are run at once: all ticks in one GEMM."""
        images = list(images)
        return [images[0] if len(images) == 1 else torch.cat(images)]

    def gathered_back(self, images):
        """What `gathered` is to images that come in the other order."""
        return self.gathered(list(images)[::-1])

    def packed(self, weight):
        """The weights as they are."""
        return weight

    def currents(self, image, weight):
        """An image of the currents into the neurons."""
        return self.linear(image.flatten(1), weight)

    def by_channel(self, weight, n_channels):
        """The weights [N_out, C_in, positions]."""
        return weight.view(len(weight), n_channels, -1)

    def spread(self, values):
        """Numbers [C_in] as factors of weights `by_channel`."""
        return values.view(1, -1, 1)

    def summed(self, products):
        """The sums [C_in] of numbers like weights `by_channel`."""
        return products.sum((0, 2))

    def weight_gradient(self, g, image):
        """The gradient of the weights by that of the currents."""
        return self.linear(g.t(), image.flatten(1).t())

    def image_gradient(self, g, image, weight):
        """The gradient of the image by that of the currents."""
        return self.linear(g, weight.t()).view(image.shape)


SYNAPSES = {"conv": Convolution, "dense": Dense}


@dataclass
class Layer:
    """Neurons, the synapses before them, and what spikes go through before these: windows of a pool, normalisation."""

    synapses: Convolution | Dense
    pool: int = 1
    norm: BatchNorm | None = None

    @property
    def weight(self):
        """The weights, a parameter."""
        return self.synapses.weight

    @property
    def parameters(self):
        """What training changes."""
        return [self.weight, *(self.norm.parameters if self.norm else [])]

    def pooled(self, images):
        """The images after pooling, one by one."""
        return images if self.pool == 1 else (average(image, self.pool) for image in images)

    def normalised(self, images, training):
        """The images after normalisation, one by one; all at once where they normalise themselves."""
        if self.norm is None:
            return images
        if training:
            images = list(images)
            return self.norm(torch.cat(images), True).split([len(image) for image in images])
        return (self.norm(image, False) for image in images)

    def observe(self, images):
        """Let the running statistics become those of spikes of the layer before."""
        if self.norm:
            self.norm.take_in(moments(self.pooled(images)), momentum=1.0)
