"""Leaky integrators, whose potential is the answer of a network."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventsim import checks
from eventsim.model.neurons.base import Neuron

READOUTS = ("mean", "last", "max")


@dataclass(frozen=True)
class LI(Neuron):
    r"""Leaky integrator: the membrane of `LIF`, which never spikes.

    .. math::
        \tau_{mem} \dot v_i(t) = -v_i(t) + \tau_{mem} \sum_j w_{ij} \sum_f \delta(t - t_j^f)

    It is for the last layer of a network. What is read of v, by every neuron and sample, is its *score*: the mean over
    the ticks, the last tick's, or the largest of any tick. On the grid v is decayed by :math:`e^{-dt/\tau_{mem}}` and
    the input of the tick is added; in continuous time the mean is one over time, the last potential that at the end of
    the sample, and the largest that of any instant.

    Not implemented: a resistance and a resting potential, which scale weights and shift potentials.
    """

    tau_mem: float = 20.0  # ms, in which the potential falls to 1/e; inf: never
    readout: str = "mean"

    family = "li"
    fires = False
    may_be_infinite = ("tau_mem",)
    # What the spiking models have as parameters: no potential reaches a threshold, nobody is dead, and where the
    # potential is read its derivative is that of the score, without a surrogate.
    theta: ClassVar[float] = math.inf
    t_abs: ClassVar[None] = None
    rho_width: ClassVar[float] = 1.0
    rho_peak: ClassVar[float] = 1.0

    def __post_init__(self):
        super().__post_init__()
        checks.choice("readout", self.readout, READOUTS)

    def constants(self, dt: float):
        """float32[10], what the adjoint needs: those of a leaky neuron without a reset, see `kernels.layout`."""
        return np.array([math.exp(-dt / self.tau_mem), 1.0, 0.0, 0.0, math.inf, 0.0, 0.0, 0.0, 0.0, 0.0], np.float32)

    def adjoint_constants(self, dt: float):
        """float32[10], the same in continuous time, where the mean is read of the potential's integral.

        The potential is to its integral what the current of a synapse is to a potential that does not leak.
        """
        if self.readout != "mean":
            return self.constants(dt)
        held = dt if math.isinf(self.tau_mem) else -self.tau_mem * math.expm1(-dt / self.tau_mem)
        return np.array([1.0, 0.0, math.exp(-dt / self.tau_mem), 1.0, math.inf, held, 0.0, 0.0, 0.0, 0.0], np.float32)

    def shares(self, dt: float):
        """float64[4], what an input ahead of a tick counts there, of what `adjoint_lif` keeps; see `layout`."""
        rate = 1.0 / self.tau_mem
        if self.readout != "mean":
            return np.array([rate, rate, 0.0, 0.0])
        return np.array([rate, 0.0, 0.0, -self.tau_mem] if rate else [0.0, 0.0, 1.0, 0.0])

    def share(self, n_ticks: int, dt: float):
        """What a unit of input in each tick adds to the mean or the last potential of a sample, float64[T]."""
        left = np.arange(n_ticks - 1, -1, -1)  # ticks that follow
        rate = dt / self.tau_mem
        if self.readout == "last":
            return np.exp(-rate * left)
        held = left + 1.0 if rate == 0.0 else np.expm1(-rate * (left + 1)) / np.expm1(-rate)
        return held / n_ticks

    def share_at(self, time, end: float):
        """What a unit of input at each ``time`` before ``end``, ms, adds to the same in continuous time, float64[K]."""
        left = end - time
        if self.readout == "last":
            return np.exp(-left / self.tau_mem)
        return (left if math.isinf(self.tau_mem) else -self.tau_mem * np.expm1(-left / self.tau_mem)) / end

    def settled_at(self, end: float) -> float:
        """What a constant input of 1 a ms up to ``end``, ms, adds to either."""
        x = end / self.tau_mem
        if x == 0.0:
            return end if self.readout == "last" else end / 2.0
        return self.tau_mem * (-math.expm1(-x) if self.readout == "last" else 1.0 + math.expm1(-x) / x)
