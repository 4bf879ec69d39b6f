"""The spike response model with alpha kernels."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim.kernels.layout import SRM_FAMILY
from eventsim.model.neurons.base import Neuron

# slayerPytorch ends a kernel before the first value below this, past its peak.
_TAP_FLOOR = 0.01


@dataclass(frozen=True)
class SRM(Neuron):
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

    family = "srm"
    may_be_zero = ("scale_ref",)

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
        """float64[7], what the exact clock's kernels need; times in ms. The dead time defaults to a tick of ``dt``."""
        lam, mu = 1.0 / self.tau_syn, 1.0 / self.tau_ref
        recoil = -self.scale_ref * self.theta * math.e * mu
        return np.array([lam, mu, math.e * lam, recoil, self.theta, self.dead_time(dt), SRM_FAMILY])

    def shares(self, dt: float):
        """float64[4], what an input ahead of a tick counts there, of g and ramp of `adjoint_psp`; see `layout`."""
        lam = 1.0 / self.tau_syn
        return np.array([lam, lam, 1.0 / dt, 0.0])

    def settled(self, dt: float) -> float:
        """What the potential comes to in the end by a constant input of 1 in every tick."""
        return math.e * self.tau_syn / dt
