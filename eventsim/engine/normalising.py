"""Gradients behind stages: of a layer's weights and of batch normalisation, in closed form from sums over spikes.

With x = unit * (spikes of an address in a tick), y = s x + c for every channel, where s = gamma / sigma and
c = beta - s mean, and n numbers a channel (Ioffe & Szegedy 2015, section 3):

    dL/dW      = s unit D + c Q            D: of rows over spikes,   Q: g summed over ticks, where the row is inside
    dL/dbeta   = sum of W Q                over the channel's rows and all lanes
    dL/dgamma  = (sum of W unit D - mean dL/dbeta) / sigma
    dL/dx      = s (dL/dy - dL/dbeta / n - (x - mean) / sigma dL/dgamma / n)
"""

import numpy as np

from eventsim.engine.wiring import by_input, unscaled_rows
from eventsim.kernels.layout import TILE
from eventsim.model.stages.batch_norm import EPSILON


def weight_gradient(layer, given, adjoint):
    """The gradient of a layer's weights, laid out as ``packed``, from its `Adjoint` and `Feed`."""
    scale = given.unit if given.scale is None else by_input(layer, given.scale)[:, None]
    rows = adjoint.rows if given.is_plain else adjoint.rows * scale
    if given.constant is not None:
        rows = rows + by_input(layer, given.constant)[:, None] * _constant_rows(layer, adjoint.g_sum)
    return rows if layer.patches is None else layer.patches.fold(rows, layer.packed)


def _constant_rows(layer, g_sum):
    """Q, float64[tiles, rows or 1, 64]."""
    if layer.patches is None:
        return g_sum[:, None, :].astype(np.float64)
    kinds, kind = layer.patches.borders
    by_patch = g_sum.reshape(layer.patches.channel_tiles, -1, TILE)
    out = np.zeros((len(by_patch), layer.patches.n_rows, TILE))
    for k, inside in enumerate(kinds):
        out[:, inside] += by_patch[:, kind == k].sum(axis=1, dtype=np.float64)[:, None]
    return out


def row_sums(layer, adjoint):
    """float64[2, tiles, rows], the sums over lanes of W Q and of W D.

    NumPy adds 64 numbers up in eight sums of every eighth, and these two by two; `sum_lanes` on a device does so, too.
    """
    rows = unscaled_rows(layer).astype(np.float64)
    return np.stack([(rows * values).sum(axis=2) for values in (_constant_rows(layer, adjoint.g_sum), adjoint.rows)])


def norm_gradient(layer, given, sums):
    """``(dL/dgamma, dL/dbeta, shift, slope)`` of normalisation, float64 and float32[channels] in pairs; see `row_sums`.

    What it adds to dL/ds of a spike s of the layer before is shift + slope (spikes of its address in the tick), if the
    statistics are those of the batch. Then it has to do with all of the batch, the gradients with the share alone.
    """
    norm = layer.norm
    mean, var, n = norm.running_mean, norm.running_var.astype(np.float64), 1
    if given.statistics is not None:
        mean, var, n = given.statistics.mean, given.statistics.var, max(given.statistics.n, 1)
    sigma = np.sqrt(var + EPSILON)
    beta, of_rows = sums.sum(axis=1).reshape(2, layer.given.channels, -1).sum(axis=2)
    gamma = (of_rows * given.unit - mean * beta) / sigma
    of_batch = np.stack((gamma, beta))
    if given.statistics is not None:
        of_batch = given.statistics.share.summed(of_batch)
    unit = given.unit * norm.gamma / sigma
    slope = -unit / sigma * of_batch[0] / n
    shift = -unit * of_batch[1] / n - slope * mean
    return gamma, beta, shift.astype(np.float32), (slope * given.unit).astype(np.float32)
