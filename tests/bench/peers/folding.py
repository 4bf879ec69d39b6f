"""Normalisation folded into the synapses behind it, forward and backward, so that it costs nothing a tick.

With x the pooled spikes, y = scale x + offset of every channel is what a layer's weights W see. Currents are those of x
by the weights scale W, and constant ones, of offset. Backward (Ioffe & Szegedy 2015, section 3), with D the gradient of
weights that see x, and Q that of weights that see 1 where there is an x, n numbers a channel:

    dL/dW      = scale D + offset Q
    dL/dbeta   = sum of W Q               over all that a channel weighs
    dL/dgamma  = (sum of W D - mean dL/dbeta) / sigma
    dL/dx      = scale (dL/dy - dL/dbeta / n - (x - mean) / sigma dL/dgamma / n)
"""

from typing import NamedTuple

import torch

from .stages import EPSILON, filled, in_memory


class Wired(NamedTuple):
    """Weights for pooled spikes, and the currents besides, [B * N] or none."""

    weight: torch.Tensor
    constants: tuple = ()


def _affine(norm, statistics):
    """(1 / sigma, scale, offset), [C] each."""
    inverse = 1.0 / torch.sqrt(statistics.var + EPSILON)
    scale = norm.gamma.detach() * inverse
    return inverse, scale, norm.beta.detach() - scale * statistics.mean


def fold(layer, statistics, image, n_samples, dtype):
    """The `Wired` synapses of a layer for images like ``image``, with weights of a ``dtype``."""
    weight, synapses = layer.weight.detach(), layer.synapses
    if layer.norm is None:
        return Wired(synapses.packed(weight.to(dtype)))
    _, scale, offset = _affine(layer.norm, statistics)
    scaled = (synapses.by_channel(weight, len(scale)) * synapses.spread(scale)).view_as(weight)
    constant = synapses.currents(filled(offset, image), weight)
    return Wired(synapses.packed(scaled.to(dtype)), (in_memory(constant, 1)[0].repeat(n_samples),))


def unfold(run, gradients):
    """Set the gradients of a layer's parameters by those of its currents, image by image, the last one first.

    Returns what `through_stages` corrects errors by: (slope, shift) that broadcast with images, or None.
    """
    layer, synapses, total, by_spikes = run.layer, run.layer.synapses, 0.0, 0.0
    for g, image in zip(gradients, reversed(run.images), strict=True):
        by_spikes = by_spikes + synapses.weight_gradient(g, image).float()
        if layer.norm:
            total = total + g.sum(0, keepdim=True, dtype=torch.float32)
    if layer.norm is None:
        layer.weight.grad = by_spikes.contiguous()
        return None
    statistics, norm = run.statistics, layer.norm
    inverse, scale, offset = _affine(norm, statistics)
    by_constant = synapses.weight_gradient(total, filled(torch.ones_like(scale), run.images[0]))
    weight, spikes, ones = (
        synapses.by_channel(values, len(scale)) for values in (layer.weight, by_spikes, by_constant)
    )
    layer.weight.grad = (spikes * synapses.spread(scale) + ones * synapses.spread(offset)).view_as(layer.weight)
    beta = synapses.summed(weight.double() * ones)
    gamma = (synapses.summed(weight.double() * spikes) - statistics.mean * beta) * inverse
    norm.beta.grad, norm.gamma.grad = beta.float(), gamma.float()
    norm.take_in(statistics)
    slope = -scale * inverse * norm.gamma.grad / statistics.n
    shift = -scale * norm.beta.grad / statistics.n - slope * statistics.mean

    sizes = 1, -1, *[1] * (run.images[0].dim() - 2)
    return slope.view(sizes), shift.view(sizes)


# Eager, this took 8 ms of 75 a sample, a step on one core.
@torch.compile(fullgraph=True)
def through_stages(errors, image, correction, pool):
    """dL/ds of the spikes s of a window from dL/dy; ``errors`` have been multiplied with the scale."""
    if correction is not None:
        slope, shift = correction
        errors = errors + slope * image + shift
    return errors / pool**2
