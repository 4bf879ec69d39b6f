"""Stochastic gradient descent with momentum, in place, one pass over memory."""

from typing import ClassVar

from eventsim.kernels.layout import SGD as RULE
from eventsim.trainer.optimizers.base import Optimizer


class SGD(Optimizer):
    """Gradient descent: velocity = momentum * velocity + gradient, and a weight moves by -rate * velocity."""

    rule, kernel, averages = RULE, "sgd_step", ("velocity",)
    defaults: ClassVar = {"momentum": 0.9}

    def __init__(self, parameters, *, decayed=None, momentum=0.9):
        super().__init__(parameters, decayed=decayed)
        self.momentum = momentum

    def _settings(self, rate, decayed):
        return [rate, self.momentum]
