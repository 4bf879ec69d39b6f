"""Losses on what is read of the potentials of output neurons that never spike."""

from typing import ClassVar

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.trainer.losses.base import LossResult


class CrossEntropy:
    """L = log sum_i exp(s_i) - s_label: the negative log likelihood of the class, of which scores s are the logits."""

    takes = "potentials"
    defaults: ClassVar[dict] = {}

    def __call__(self, readout, labels) -> LossResult:
        """Value and error for a batch of `Readout` with labels int64[B]."""
        score = readout.score
        labels = checks.indices("labels", labels, score.shape[1])
        rows = np.arange(len(score))
        above = score - score.max(axis=1, keepdims=True)
        weight = np.exp(above)
        total = weight.sum(axis=1)
        error = weight / total[:, None]
        error[rows, labels] -= 1.0
        return LossResult(np.log(total) - above[rows, labels], error.astype(np.float32).__getitem__)


class PotentialError:
    """L = 1/2 sum_i (s_i - target_i)^2; from labels, the score of the class shall be 1 and those of the others 0."""

    takes = "potentials"
    defaults: ClassVar[dict] = {}

    def __call__(self, readout, target) -> LossResult:
        """Value and error for a batch of `Readout`; ``target`` is float[B, N], or labels int64[B]."""
        score = readout.score
        if np.ndim(target) == 1:
            target = np.eye(score.shape[1])[checks.indices("labels", target, score.shape[1])]
        target = np.asarray(target)
        if target.shape != score.shape or target.dtype.kind not in "iuf":
            raise ConfigError(f"targets must be labels, or numbers of the shape {score.shape}, one for each score; got "
                              f"{target.dtype}{list(target.shape)}")
        error = score - target
        return LossResult(0.5 * (error**2).sum(axis=1), error.astype(np.float32).__getitem__)
