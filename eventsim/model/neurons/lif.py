"""Leaky integrate-and-fire neurons, and their kin."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.model.neurons.base import Neuron

RESETS = ("subtract", "hard")
# The feed of a current into a potential that forgets as fast, for rounding.
_SAME = 1e-9


@dataclass(frozen=True)
class LIF(Neuron):
    r"""Leaky integrate-and-fire.

    .. math::
        \tau_{mem} \dot v_i(t) = -v_i(t) + \tau_{mem} \sum_j w_{ij} \sum_f \delta(t - t_j^f)

    A neuron that is not dead spikes where v >= theta, or if ``strict`` v > theta; then v falls by ``drop``
    (``reset="subtract"``) or to v_reset ("hard"). On the grid v is decayed by :math:`e^{-dt/\tau_{mem}}`, the input of
    the tick is added, and then compared: unlike with `SRM`, input acts within its tick. For simulation on the grid so
    far.

    Not implemented: a resistance and a resting potential, which scale and shift weights and potentials.
    """

    theta: float = 1.0  # threshold; potentials are in its units
    tau_mem: float = 20.0  # ms, in which the potential falls to 1/e; inf: never (integrate-and-fire)
    reset: str = "subtract"
    v_reset: float = 0.0  # what a hard reset leaves
    t_abs: float | None = None  # ms, dead time after a spike; None: one tick
    tau_rho: float = 1.0  # surrogate's width, in thresholds
    scale_rho: float = 1.0  # surrogate's area is 2 scale_rho
    strict: bool = False  # whether a potential must exceed the threshold
    drop: float | None = None  # what a reset subtracts; None: theta

    kernels = "lif"
    may_be_infinite = ("tau_mem",)
    may_be_any = ("v_reset",)

    def __post_init__(self):
        super().__post_init__()
        if self.reset not in RESETS:
            raise ConfigError(f"neuron parameter reset must be one of {', '.join(RESETS)}, got {self.reset!r}")
        if self.drop is not None:
            if self.reset == "hard":
                raise ConfigError(f"neuron parameter drop is for the reset subtract, not hard; leave it out, got "
                                  f"{self.drop!r}")
            object.__setattr__(self, "drop", self._number("drop", self.drop))
        object.__setattr__(self, "strict", checks.truth("neuron parameter strict", self.strict))
        if self.reset == "hard" and self.v_reset >= self.theta:
            raise ConfigError(f"neuron parameter v_reset must lie below the threshold {self.theta:g}, got "
                              f"{self.v_reset:g}")

    def constants(self, dt: float):
        """float32[10], what the tick kernels need, see `kernels.layout`."""
        return self._constants(math.exp(-dt / self.tau_mem), 1.0, 0.0, 0.0, 0.0)

    def _constants(self, decay, gain, syn_decay, syn_gain, feed):
        """``reach`` bounds what a unit of current adds until it is gone: the sum of its decays, times the feed."""
        reach = abs(feed) / max(1.0 - syn_decay, _SAME)
        theta, drop = np.float32(self.theta), self.theta if self.drop is None else self.drop
        if self.strict:  # no number of float32 lies between
            theta = np.nextafter(theta, np.float32(np.inf))
        hard = self.reset == "hard"
        return np.array([decay, gain, syn_decay, syn_gain, theta, feed, reach, 0.0 if hard else drop, self.v_reset,
                         hard], np.float32)


@dataclass(frozen=True)
class CubaLIF(LIF):
    r"""Leaky integrate-and-fire with a current in its synapses.

    .. math::
        \tau_{syn} \dot I_i = -I_i + \tau_{syn} \sum_j w_{ij} \sum_f \delta(t - t_j^f), \qquad
        \tau_{mem} \dot v_i = -v_i + I_i

    On the grid, with a tick's exact decays, :math:`v \leftarrow e^{-dt/\tau_{mem}} v + (1 - e^{-dt/\tau_{mem}}) I`; I
    is that with the input of the tick (``late=False``) or without it, so that it acts from the next tick on. The rest
    is as in `LIF`.
    """

    tau_syn: float = 10.0  # ms, in which the current falls to 1/e
    late: bool = False  # whether the current of a tick acts from the next one on

    def constants(self, dt: float):
        """float32[10], what the tick kernels need, see `kernels.layout`."""
        decay, syn_decay = math.exp(-dt / self.tau_mem), math.exp(-dt / self.tau_syn)
        share = 1.0 - decay if math.isfinite(self.tau_mem) else dt
        feed, gain = (share, 0.0) if self.late else (share * syn_decay, share)
        return self._constants(decay, gain, syn_decay, 1.0, feed)
