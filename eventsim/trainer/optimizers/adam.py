"""Adam, in place, one pass over memory."""

import numpy as np

from eventsim import kernels

# Entries that one call of the kernel updates: large enough to hide the call, small enough to share out.
_CHUNK = 1 << 18


class Adam:
    """Adam (Kingma & Ba 2015) over a list of float32 arrays of any shape.

    state : {"step": int, "mean": [...], "square": [...]}, the moments laid out like the weights
    """

    def __init__(self, weights, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.n_steps = 0
        self.mean = [np.zeros_like(w) for w in weights]
        self.square = [np.zeros_like(w) for w in weights]

    def step(self, weights, gradients, rate: float):
        """Update ``weights`` with learning rate ``rate``, and set ``gradients`` to zero."""
        self.n_steps += 1
        bias1 = 1.0 - self.beta1**self.n_steps
        bias2 = 1.0 - self.beta2**self.n_steps
        parts = []
        for arrays in zip(weights, gradients, self.mean, self.square, strict=True):
            flat = [array.reshape(-1) for array in arrays]
            for first in range(0, len(flat[0]), _CHUNK):
                last = min(first + _CHUNK, len(flat[0]))
                parts.append((first, last, rate, self.beta1, self.beta2, bias1, bias2, self.epsilon, *flat))
        kernels.call_parts("adam_step", parts)

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
