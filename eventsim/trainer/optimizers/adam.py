"""Adam, in place, one pass over memory."""

import math

import numpy as np

from eventsim import kernels
from eventsim.engine.backward import Sink
from eventsim.kernels.layout import ADAM, TILE
from eventsim.kernels.memory import aligned_zeros

# Rows that one call of the kernel updates: enough to hide the call, few enough to share out.
_CHUNK = 1 << 12


class Adam:
    """Adam (Kingma & Ba 2015) over a list of float32 arrays in rows of 64, as layers keep their weights.

    state : {"step": int, "mean": [...], "square": [...]}, the moments laid out like the weights
    """

    def __init__(self, weights, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.n_steps = 0
        self.mean = [aligned_zeros(w.shape, np.float32) for w in weights]
        self.square = [aligned_zeros(w.shape, np.float32) for w in weights]

    def _settings(self, rate):
        """What the kernels need for the step that ``n_steps`` counts, see `kernels.cpu.optimizer`."""
        bias1, bias2 = 1.0 - self.beta1**self.n_steps, 1.0 - self.beta2**self.n_steps
        return np.array([
            rate / bias1, self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2, 1.0 / math.sqrt(bias2),
            self.epsilon,
        ], np.float32)

    def sinks(self, rate: float) -> list[Sink]:
        """Begin a step with learning rate ``rate``: where a backward walk over the whole batch takes it."""
        self.n_steps += 1
        settings = self._settings(rate)
        return [Sink(ADAM, settings, mean=m, square=v) for m, v in zip(self.mean, self.square, strict=True)]

    def step(self, weights, gradients, rate: float):
        """Update ``weights`` with learning rate ``rate``, and set ``gradients`` to zero."""
        self.n_steps += 1
        for weight, gradient, mean, square in zip(weights, gradients, self.mean, self.square, strict=True):
            rows = {"weight": weight, "gradient": gradient, "mean": mean, "square": square}
            n_rows = weight.size // TILE
            kernels.call_parts(
                "adam_step",
                {"settings": self._settings(rate), **{name: array.reshape(-1, TILE) for name, array in rows.items()}},
                [{"first": a, "last": min(a + _CHUNK, n_rows)} for a in range(0, n_rows, _CHUNK)],
            )

    def state(self) -> dict:
        """Everything that the next step depends on, as one dict of arrays and numbers."""
        moments = {f"{name}{i}": array for name in ("mean", "square") for i, array in enumerate(getattr(self, name))}
        return {"n_steps": self.n_steps, **moments}

    def load_state(self, state: dict):
        """Take back what `state` gave; raises `KeyError` or `ValueError` where it does not fit."""
        for name in ("mean", "square"):
            for i, array in enumerate(getattr(self, name)):
                array[...] = np.asarray(state[f"{name}{i}"]).reshape(array.shape)
        self.n_steps = int(state["n_steps"])
