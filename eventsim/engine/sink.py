"""Where gradients go."""

from dataclasses import dataclass, field

import numpy as np

from eventsim.kernels.layout import ADD, TILE

_NO_ROWS = np.empty((0, 0, TILE), np.float32)
_NO_SETTINGS = np.empty(0, np.float32)


@dataclass(frozen=True)
class Sink:
    """Where the gradient of a parameter goes: into ``gradient``, or into a step of an optimiser at once.

    rule : of `kernels.layout`; settings : float32, what the rule's kernel needs
    gradient : float32, laid out as the parameter, that is added to (rule ADD)
    mean, square : what the optimiser keeps, in the same layout (other rules; SGD its velocity, in ``mean``)
    """

    rule: int = ADD
    settings: np.ndarray = field(default_factory=lambda: _NO_SETTINGS)
    gradient: np.ndarray = field(default_factory=lambda: _NO_ROWS)
    mean: np.ndarray = field(default_factory=lambda: _NO_ROWS)
    square: np.ndarray = field(default_factory=lambda: _NO_ROWS)
