"""Convolution, pooling, normalisation and dropout as their definitions read, and their adjoints, float64.

Arrays: maps x float[..., C, H, W], whose leading axes (ticks, samples) mix in the normalisation only; weights of a
convolution w float[C / groups, k, k, C_out]. An adjoint takes e, the derivative by what its function gives.
"""

import itertools

import numpy as np


def positions(n, k, stride=1, padding=0, dilation=1):
    """How often a kernel of k taps fits along n inputs; what is left over at the end is not looked at."""
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1


def taps(height, width, k, stride, padding, dilation):
    """Every (y, x, dy, dx, row, column): output position, tap of the kernel, and the input position under it."""
    size = positions(height, k, stride, padding, dilation), positions(width, k, stride, padding, dilation)
    for y, x, dy, dx in itertools.product(*map(range, size), range(k), range(k)):
        row, column = y * stride - padding + dy * dilation, x * stride - padding + dx * dilation
        if 0 <= row < height and 0 <= column < width:
            yield y, x, dy, dx, row, column


def group_slices(w, groups):
    """Input channels and output channels of every group."""
    n_in, n_out = w.shape[0], w.shape[3] // groups
    return [(slice(i * n_in, (i + 1) * n_in), slice(i * n_out, (i + 1) * n_out)) for i in range(groups)]


def conv(x, w, stride=1, padding=0, dilation=1, groups=1):
    """out[o, y, x] = sum over c, dy, dx of w[c, dy, dx, o] x[c, y stride - padding + dy dilation, ...]; no flip."""
    *lead, _, height, width = x.shape
    k = w.shape[1]
    size = positions(height, k, stride, padding, dilation), positions(width, k, stride, padding, dilation)
    out = np.zeros((*lead, w.shape[3], *size))
    for i, j, di, dj, row, column in taps(height, width, k, stride, padding, dilation):
        for ins, outs in group_slices(w, groups):
            out[..., outs, i, j] += x[..., ins, row, column] @ w[:, di, dj, outs]
    return out


def conv_to_input(e, w, shape, stride=1, padding=0, dilation=1, groups=1):
    """Adjoint of `conv` in x, whose last axes are ``shape`` (C, H, W)."""
    out = np.zeros((*e.shape[:-3], *shape))
    for i, j, di, dj, row, column in taps(*shape[1:], w.shape[1], stride, padding, dilation):
        for ins, outs in group_slices(w, groups):
            out[..., ins, row, column] += e[..., outs, i, j] @ w[:, di, dj, outs].T
    return out


def conv_to_weights(x, e, w, stride=1, padding=0, dilation=1, groups=1):
    """Adjoint of `conv` in w, summed over the leading axes; of w only the shape matters."""
    out = np.zeros(w.shape)
    for i, j, di, dj, row, column in taps(*x.shape[-2:], w.shape[1], stride, padding, dilation):
        for ins, outs in group_slices(w, groups):
            under, here = x[..., ins, row, column], e[..., outs, i, j]
            out[:, di, dj, outs] += under.reshape(-1, under.shape[-1]).T @ here.reshape(-1, here.shape[-1])
    return out


def conv_matrix(w, shape, stride=1, padding=0, dilation=1, groups=1, rounds_up=False):
    """The convolution of maps of ``shape`` (C, H, W) as dense weights [N_in, N_out]; (c, y, x) is c H W + y W + x.

    rounds_up : maps get rows and columns of zeros at their ends, until windows fill them
    """
    channels, height, width = shape
    k = w.shape[1]
    if rounds_up:
        more = [max(k - n, (k - n) % stride) for n in (height, width)]
        whole = conv_matrix(w, (channels, height + more[0], width + more[1]), stride, padding, dilation, groups)
        whole = whole.reshape(channels, height + more[0], width + more[1], -1)
        return whole[:, :height, :width].reshape(channels * height * width, -1)
    size = positions(height, k, stride, padding, dilation), positions(width, k, stride, padding, dilation)
    matrix = np.zeros((*shape, w.shape[3], *size))
    for i, j, di, dj, row, column in taps(height, width, k, stride, padding, dilation):
        for ins, outs in group_slices(w, groups):
            matrix[ins, row, column, outs, i, j] = w[:, di, dj, outs]
    return matrix.reshape(np.prod(shape), -1)


def sum_pool(x, k, rounds_up=False):
    """Sums over windows of k x k, channel by channel; rows and columns that fill none are left out, or have one."""
    height, width = ((n + k - 1) // k if rounds_up else n // k for n in x.shape[-2:])
    out = np.zeros((*x.shape[:-2], height, width))
    for i, j in itertools.product(range(height), range(width)):
        out[..., i, j] = x[..., i * k : (i + 1) * k, j * k : (j + 1) * k].sum(axis=(-2, -1))
    return out


def sum_pool_to_input(e, k, shape):
    """Adjoint of `sum_pool`, whose input's last axes are ``shape`` (C, H, W)."""
    out = np.zeros((*e.shape[:-3], *shape))
    for i, j in itertools.product(range(e.shape[-2]), range(e.shape[-1])):
        out[..., i * k : (i + 1) * k, j * k : (j + 1) * k] = e[..., i : i + 1, j : j + 1]
    return out


def average_pool(x, k):
    """Means over windows of k x k."""
    return sum_pool(x, k) / k**2


def average_pool_to_input(e, k, shape):
    """Adjoint of `average_pool`."""
    return sum_pool_to_input(e, k, shape) / k**2


def statistics(x):
    """Mean and biased variance of every channel, over positions and all leading axes."""
    by_channel = np.moveaxis(x, -3, 0).reshape(x.shape[-3], -1)
    mean = by_channel.sum(axis=1) / by_channel.shape[1]
    return mean, ((by_channel - mean[:, None]) ** 2).sum(axis=1) / by_channel.shape[1]


def standardize(x, mean, var, epsilon=1e-5):
    """(x - mean) / sqrt(var + epsilon), channel by channel."""
    return (x - mean[:, None, None]) / np.sqrt(var + epsilon)[:, None, None]


def batch_norm(x, gamma, beta, mean, var):
    """gamma (x - mean) / sqrt(var + 1e-5) + beta, channel by channel."""
    return gamma[:, None, None] * standardize(x, mean, var) + beta[:, None, None]


def batch_norm_adjoint(x, e, gamma, epsilon=1e-5):
    """Derivatives by x, gamma and beta of a batch norm with the `statistics` of x (Ioffe & Szegedy 2015, section 3)."""
    mean, var = statistics(x)
    axes = (*range(x.ndim - 3), -2, -1)
    n = x.size // x.shape[-3]
    by_standard = e * gamma[:, None, None]
    away = x - mean[:, None, None]
    by_var = (by_standard * away).sum(axis=axes) * -0.5 * (var + epsilon) ** -1.5
    root = np.sqrt(var + epsilon)
    by_mean = -by_standard.sum(axis=axes) / root - by_var * 2 * away.sum(axis=axes) / n
    by_x = by_standard / root[:, None, None] + (by_var[:, None, None] * 2 * away + by_mean[:, None, None]) / n
    return by_x, (e * standardize(x, mean, var)).sum(axis=axes), e.sum(axis=axes)


def running(old_mean, old_var, x, momentum=0.1):
    """Running mean and variance after a batch x; the batch's variance counts without its bias."""
    mean, var = statistics(x)
    n = x.size // x.shape[-3]
    unbiased = var * n / (n - 1)
    return old_mean + momentum * (mean - old_mean), old_var + momentum * (unbiased - old_var)


def dropout(x, mask, p):
    """Values of the survivors in ``mask`` over 1 - p, 0 for the others; it is its own adjoint."""
    return np.where(mask, x / (1 - p), 0.0)
