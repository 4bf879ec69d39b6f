"""What layers are made of."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pool:
    """A pool before neurons or weights: its window, and what a spike counts in it."""

    where: str
    size: int
    stride: int
    padding: int
    weight: float


@dataclass(frozen=True)
class Synapses:
    """The field of a layer in the notation, its weights as the layer takes them, and its bias by channel or None.

    delay : ms, as `Dense.delay`
    """

    field: str
    weight: np.ndarray
    bias: np.ndarray | None
    delay: np.ndarray | None = None


@dataclass(frozen=True)
class Made:
    """What one layer is made of; ``back`` are the synapses from its own spikes or None."""

    where: str
    synapses: Synapses
    back: Synapses | None
    neuron: object

    @property
    def field(self) -> str:
        """The layer in the notation, which has a delay that all its synapses share."""
        kind, delay = "" if self.back is None else "r", self.synapses.delay
        if delay is None or delay.ndim or (self.back is not None and not np.array_equal(self.back.delay, delay)):
            return self.synapses.field + kind
        return f"{self.synapses.field}{kind}@d{np.format_float_positional(delay, trim='-')}"
