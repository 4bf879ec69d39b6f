"""AdamW, in place, one pass over memory."""

from typing import ClassVar

from eventsim.trainer.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2): a step takes rate * weight_decay * w.

    weight_decay : of the parameters that are ``decayed``
    """

    defaults: ClassVar = {"weight_decay": 0.01}

    def __init__(self, parameters, *, decayed=None, weight_decay=0.01, **constants):
        super().__init__(parameters, decayed=decayed, **constants)
        self.weight_decay = weight_decay

    def _settings(self, rate, decayed):
        return super()._settings(rate, decayed, decay=rate * self.weight_decay if decayed else 0.0)
