"""Errors that the backward pass starts from: derivatives of a loss by output spikes."""

from dataclasses import dataclass

import numpy as np

from eventsim.engine.active import ActiveSet


@dataclass(frozen=True)
class CountGradient:
    """The derivative of a loss on numbers of spikes: the same for all spikes of a neuron in a window, and 0 outside.

    Called with a sample it gives what any such derivative gives, float32[N, T]; but who knows it needs no more than a
    number for each neuron.

    value : float32[B, N]; n_ticks : of a sample; first, last : the window is the ticks first..last-1
    """

    value: np.ndarray
    n_ticks: int
    first: int
    last: int

    def __call__(self, b):
        out = np.zeros((self.value.shape[1], self.n_ticks), np.float32)
        out[:, self.first : self.last] = self.value[b][:, None]
        return out


def at_pairs(active: ActiveSet, error):
    """float32[1, P], the error at the pairs of an active set; ``error(b)`` is float32[N, T]."""
    out = np.empty((1, active.n_pairs), np.float32)
    for b in range(active.n_samples):
        pair, address, tick = active.coordinates(b)
        out[0, pair] = np.where(address >= 0, error(b)[address, tick], 0.0)
    return out
