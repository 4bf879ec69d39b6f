"""Leaky integrate-and-fire neurons, and their kin."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.kernels.layout import EXACT_KICK_B, EXACT_KICK_C, EXACT_LAM, EXACT_MU, LIF_FAMILY
from eventsim.model.neurons.base import Neuron

RESETS = ("subtract", "hard")
# Time constants that differ by a smaller share are one: there the difference of the two exponentials loses as much to
# rounding as this does.
_SAME = 2e-8
# What a current loses in a tick at least, for the bound of what it adds until it is gone.
_LEAST_LOSS = 1e-9


@dataclass(frozen=True)
class LIF(Neuron):
    r"""Leaky integrate-and-fire.

    .. math::
        \tau_{mem} \dot v_i(t) = -v_i(t) + \tau_{mem} \sum_j w_{ij} \sum_f \delta(t - t_j^f)

    A neuron that is not dead spikes where v >= theta, or if ``strict`` v > theta; then v falls by ``v_drop``
    (``reset="subtract"``) or to v_reset ("hard"). On the grid v is decayed by :math:`e^{-dt/\tau_{mem}}`, the input of
    the tick is added, and then compared: unlike with `SRM`, input acts within its tick. In continuous time what arrives
    at one instant is added up, and then compared: where all inputs are on ticks, and dead times whole ones, spikes and
    gradients are those of the grid. No gradient goes through the reset, and a hard one ends that of all before.

    Not implemented: a resistance and a resting potential, which scale and shift weights and potentials.
    """

    theta: float = 1.0  # threshold; potentials are in its units
    tau_mem: float = 20.0  # ms, in which the potential falls to 1/e; inf: never (integrate-and-fire)
    reset: str = "subtract"
    v_reset: float = 0.0  # what a hard reset leaves; only beside one
    t_abs: float | None = None  # ms, dead time after a spike; None: one tick
    tau_rho: float = 1.0  # surrogate's width, in thresholds
    scale_rho: float = 1.0  # surrogate's area is 2 scale_rho
    strict: bool = False  # whether a potential must exceed the threshold
    v_drop: float | None = None  # what a reset subtracts; None: theta

    family = "lif"
    may_be_infinite = ("tau_mem",)
    may_be_any = ("v_reset",)

    def __post_init__(self):
        super().__post_init__()
        if self.reset not in RESETS:
            raise ConfigError(f"neuron parameter reset must be one of {', '.join(RESETS)}, got {self.reset!r}")
        if self.v_drop is not None:
            if self.reset == "hard":
                raise ConfigError(f"neuron parameter v_drop is for the reset subtract, not hard; leave it out, got "
                                  f"{self.v_drop!r}")
            object.__setattr__(self, "v_drop", self._number("v_drop", self.v_drop))
        if self.reset == "subtract" and self.v_reset != 0.0:
            raise ConfigError(f"neuron parameter v_reset is for the reset hard, not subtract; leave it out, or name "
                              f"that reset, got {self.v_reset!r}")
        object.__setattr__(self, "strict", checks.truth("neuron parameter strict", self.strict))
        if self.reset == "hard" and self.v_reset >= self.theta:
            raise ConfigError(f"neuron parameter v_reset must lie below the threshold {self.theta:g}, got "
                              f"{self.v_reset:g}")

    def constants(self, dt: float):
        """float32[10], what the tick kernels need, see `kernels.layout`."""
        return self._constants(math.exp(-dt / self.tau_mem), 1.0, 0.0, 0.0, 0.0)

    def exact_constants(self, dt: float):
        """float64[11], what the exact clock's kernels need; times in ms. The dead time defaults to a tick of ``dt``."""
        return self._exact_constants(dt, 1.0, 1.0, 0.0, 0.0)

    def shares(self, dt: float):
        """float64[4], what an input ahead of a tick counts there, of what `adjoint_lif` keeps; see `layout`."""
        lam = 1.0 / self.tau_mem
        return np.array([lam, lam, 0.0, 0.0])

    def settled(self, dt: float) -> float:
        """What the potential comes to in the end by a constant input of 1 in every tick, in continuous time."""
        if math.isinf(self.tau_mem):
            raise ConfigError("neurons that do not leak have no constant input in continuous time; give them a "
                              "tau_mem, or run them on the grid")
        return self._gathered() / dt

    def _gathered(self):
        """ms, the integral of what a unit of input leaves in the potential."""
        return self.tau_mem

    def _constants(self, decay, gain, syn_decay, syn_gain, feed):
        """``reach`` bounds what a unit of current adds until it is gone: the sum of its decays, times the feed."""
        reach = abs(feed) / max(1.0 - syn_decay, _LEAST_LOSS)
        theta, hard = self._least(np.float32), self.reset == "hard"
        return np.array([decay, gain, syn_decay, syn_gain, theta, feed, reach, 0.0 if hard else self.taken,
                         self.v_reset, hard], np.float32)

    def _exact_constants(self, dt, mu, kick, kick_c, kick_b):
        return np.array([1.0 / self.tau_mem, mu, kick, -self.taken, self._least(np.float64), self.dead_time(dt),
                         LIF_FAMILY, kick_c, kick_b, self.v_reset, self.reset == "hard"])

    def _least(self, kind):
        """The least potential of a type of numbers at which the neuron fires."""
        theta = kind(self.theta)
        return np.nextafter(theta, kind(np.inf)) if self.strict else theta

    @property
    def forgets(self) -> bool:
        """Whether the reset is hard."""
        return self.reset == "hard"

    @property
    def taken(self) -> float:
        """What a reset subtracts."""
        return self.theta if self.v_drop is None else self.v_drop


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

    def adjoint_constants(self, dt: float):
        """float32[10], `constants` of a current that acts as in continuous time: after the tick, with exact decays."""
        lam, mu, slope, difference = 1.0 / self.tau_mem, 1.0 / self.tau_syn, *self.shares(dt)[2:]
        fall, fade = math.exp(-lam * dt), math.exp(-mu * dt)
        return self._constants(fall, 0.0, fade, 1.0, slope * dt * fall + difference * (fade - fall))

    def shares(self, dt: float):
        """float64[4], what an input ahead of a tick counts there, of what `adjoint_lif` keeps; see `layout`."""
        constants = self.exact_constants(dt)
        return constants[[EXACT_MU, EXACT_LAM, EXACT_KICK_B, EXACT_KICK_C]]

    def exact_constants(self, dt: float):
        """float64[11], what the exact clock's kernels need; times in ms. The dead time defaults to a tick of ``dt``."""
        mu = 1.0 / self.tau_syn
        if math.isinf(self.tau_mem):  # v' = I
            return self._exact_constants(dt, mu, self.tau_syn, -self.tau_syn, 0.0)
        if abs(self.tau_mem - self.tau_syn) < _SAME * self.tau_mem:
            return self._exact_constants(dt, mu, 0.0, 0.0, 1.0 / self.tau_mem)
        share = self.tau_syn / (self.tau_syn - self.tau_mem)
        return self._exact_constants(dt, mu, -share, share, 0.0)

    def _gathered(self):
        return self.tau_syn
