"""Adam, in place, one pass over memory."""

import math

from eventsim.kernels.layout import ADAM
from eventsim.trainer.optimizers.base import Optimizer


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015)."""

    rule, kernel, averages = ADAM, "adam_step", ("mean", "square")

    def __init__(self, parameters, *, decayed=None, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(parameters, decayed=decayed)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _root(self):
        """1 / sqrt(1 - beta2^step), what the root of the mean square is short of."""
        return 1.0 / math.sqrt(1.0 - self.beta2**self.n_steps)

    def _settings(self, rate, decayed, *, epsilon=None, of_mean=1.0, of_gradient=0.0, decay=0.0):
        return [
            rate / (1.0 - self.beta1**self.n_steps), self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2,
            self._root(), self.epsilon if epsilon is None else epsilon, of_mean, of_gradient, decay,
        ]
