"""The spike response model with alpha kernels."""

import math
import numbers
from dataclasses import dataclass, fields

import numpy as np

from eventsim.errors import ConfigError

# slayerPytorch ends a kernel before the first value below this, past its peak.
_TAP_FLOOR = 0.01
_MAY_BE_ZERO = ("scale_ref",)
# Beyond these, products of two parameters would leave float32.
_LEAST, _MOST = 1e-9, 1e9
# ms: a microsecond, recordings' resolution; without a dead time a strong drive fires without end in continuous time.
_LEAST_DEAD_TIME = 1e-3
# Longer than any window, and still an int32 when a tick is added to it.
_MOST_DEAD_TICKS = 2**30


@dataclass(frozen=True)
class SRM:
    r"""Spike response model (Shrestha & Orchard 2018, eq. 1-5).

    .. math::
        u_i(t) = \sum_j w_{ij} \sum_f \epsilon(t - t_j^f) + \sum_f \nu(t - t_i^f)

    with :math:`\epsilon(t) = (t/\tau_{syn}) e^{1 - t/\tau_{syn}}` and
    :math:`\nu(t) = -scale_{ref}\,\theta\,(t/\tau_{ref}) e^{1 - t/\tau_{ref}}` for t >= 0. A neuron that is not dead
    spikes where u >= theta; the refractory response acts from then on and never resets u. Its surrogate derivative is
    :math:`\rho(u) = scale_\rho/(\tau_\rho\theta)\, e^{-|u - \theta|/(\tau_\rho\theta)}`.

    The defaults are those of slayerPytorch's N-MNIST example. Not implemented: that code's truncated refractory kernel
    (its psp's truncation is the oracle mode ``truncate`` of `eventsim.engine.forward`).
    """

    theta: float = 10.0  # threshold; potentials are in its units
    tau_syn: float = 10.0  # ms, peak of the psp
    tau_ref: float = 1.0  # ms, peak of the refractory response
    scale_ref: float = 2.0  # refractory response's peak, in thresholds
    t_abs: float | None = None  # ms, dead time after a spike; None: one tick
    tau_rho: float = 1.0  # surrogate's width, in thresholds
    scale_rho: float = 1.0  # surrogate's area is 2 scale_rho

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "t_abs":
                continue
            may_be_zero = field.name in _MAY_BE_ZERO
            smallest = _LEAST_DEAD_TIME if field.name == "t_abs" else _LEAST
            number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
            if not (smallest <= number <= _MOST or (number == 0 and may_be_zero)):
                least = ">= 0" if may_be_zero else "> 0"
                raise ConfigError(
                    f"neuron parameter {field.name} must be a finite number {least}, from {smallest:g} to {_MOST:g} in "
                    f"size, got {value!r}"
                )
            object.__setattr__(self, field.name, number)

    def dead_ticks(self, dt: float) -> int:
        """Ticks from a spike to the first tick that may hold the next one."""
        return 1 if self.t_abs is None else min(max(1, round(self.t_abs / dt)), _MOST_DEAD_TICKS)

    def n_taps(self, dt: float) -> int:
        """Taps of the psp kernel as slayerPytorch truncates it: up to the first value below 0.01 past the peak."""
        k = 0
        while True:
            x = k * dt / self.tau_syn
            if k * dt > self.tau_syn and x * math.exp(1.0 - x) < _TAP_FLOOR:
                return k
            k += 1

    def constants(self, dt: float, n_taps: int = 0):
        """float32[7], what the tick kernels need: decays, gains, threshold, and what a psp of ``n_taps`` ends with."""
        alpha_syn, gain_syn = math.exp(-dt / self.tau_syn), math.e * dt / self.tau_syn
        alpha_ref = math.exp(-dt / self.tau_ref)
        gain_ref = -self.scale_ref * self.theta * math.e * dt / self.tau_ref
        age = n_taps - 1
        cut_p = gain_syn * alpha_syn**age if n_taps else 0.0
        return np.array(
            [alpha_syn, gain_syn, alpha_ref, gain_ref, self.theta, cut_p, cut_p * age], np.float32
        )

    def exact_constants(self, dt: float):
        """float64[6], what the exact clock's kernels need; times in ms. The dead time defaults to a tick of ``dt``."""
        lam, mu = 1.0 / self.tau_syn, 1.0 / self.tau_ref
        t_abs = dt if self.t_abs is None else self.t_abs
        return np.array([lam, mu, math.e * lam, -self.scale_ref * self.theta * math.e * mu, self.theta, t_abs])

    @property
    def rho_width(self) -> float:
        """Potential over which the surrogate falls by 1/e."""
        return self.tau_rho * self.theta

    @property
    def rho_peak(self) -> float:
        """The surrogate at threshold."""
        return self.scale_rho / self.rho_width
