"""Batch normalisation of spikes."""

import copy

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE, n_tiles
from eventsim.kernels.memory import aligned_zeros
from eventsim.model.shape import Shape

EPSILON = 1e-5
_MOMENTUM = 0.1
_MOST = 1e18  # of any of its numbers, so that no product with a weight leaves float32


class BatchNorm:
    """y = gamma (x - mean) / sqrt(var + 1e-5) + beta for every channel of what spikes drive (Ioffe & Szegedy 2015).

    Mean and variance go over samples, positions and ticks. Training takes those of the batch; inference the running
    ones, which take in a tenth of every batch's.

    Attributes
    ----------
    gamma, beta, running_mean, running_var : float32[channels]; assign to change them
    parameters : gamma and beta as the optimiser takes them, float32[n_tiles, 64]
    """

    kind = "batch_norm"

    def __init__(self, given: Shape):
        self.given = self.shape = given
        self.parameters = tuple(aligned_zeros((n_tiles(given.channels), TILE), np.float32) for _ in range(2))
        self._running = np.zeros((2, given.channels), np.float32)
        self.gamma, self.running_var = np.ones((2, given.channels), np.float32)

    def __repr__(self):
        return f"BatchNorm({self.given})"

    def _set(self, name, target, values):
        values = checks.column(f"{name} of {self}", values)
        if values.dtype.kind not in "iuf" or values.shape != target.shape:
            raise ConfigError(f"{name} of {self} must be {len(target)} numbers, got {values.dtype}{list(values.shape)}")
        wrong = values[~(np.abs(values) <= _MOST)]
        if len(wrong):
            raise ConfigError(f"{name} of {self} must be finite and at most {_MOST:g} in size, got {wrong[0]:g}")
        target[:] = values

    def _get(self, index):
        return self.parameters[index].reshape(-1)[: self.given.channels]

    @property
    def gamma(self):
        """Scale of every channel."""
        return self._get(0).copy()

    @gamma.setter
    def gamma(self, values):
        self._set("gamma", self._get(0), values)

    @property
    def beta(self):
        """Offset of every channel."""
        return self._get(1).copy()

    @beta.setter
    def beta(self, values):
        self._set("beta", self._get(1), values)

    @property
    def running_mean(self):
        """Mean of every channel in inference."""
        return self._running[0].copy()

    @running_mean.setter
    def running_mean(self, values):
        self._set("running_mean", self._running[0], values)

    @property
    def running_var(self):
        """Variance of every channel in inference."""
        return self._running[1].copy()

    @running_var.setter
    def running_var(self, values):
        values = checks.column(f"running_var of {self}", values)
        if values.size and values.dtype.kind in "iuf" and values.min() < 0:
            raise ConfigError(f"running_var of {self} must not be negative, got {values.min():g}")
        self._set("running_var", self._running[1], values)

    def with_constant(self, share: float) -> "BatchNorm":
        """A copy for inference whose offset in every tick is this share of what it was; spikes count what they did."""
        other = copy.deepcopy(self)
        other.beta, other.running_mean = self.beta * np.float32(share), self.running_mean * np.float32(share)
        return other

    def take_in(self, mean, var, n: int):
        """Let the running statistics take in those of a batch, over ``n`` numbers a channel; ``var`` is the biased."""
        unbiased = var * (n / max(n - 1, 1))
        self._running += np.float32(_MOMENTUM) * (np.stack((mean, unbiased)).astype(np.float32) - self._running)

    def affine(self, mean, var):
        """y = scale x + offset: float64[channels] each, by statistics of every channel."""
        scale = self.gamma / np.sqrt(np.asarray(var, np.float64) + EPSILON)
        return scale, self.beta - scale * mean
