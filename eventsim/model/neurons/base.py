"""What neuron models share: the checks of their parameters, dead time, and surrogate."""

import math
import numbers
from dataclasses import fields
from typing import ClassVar

from eventsim.errors import ConfigError

# A neuron is saturated where it fires in this share of the times that its dead time allows. Trained networks lie below
# 0.12 on average; of one with huge random weights half of the neurons fire at every tick, for some samples.
SATURATED = 1 / 3
# Beyond these, products of two parameters would leave float32.
_LEAST, _MOST = 1e-9, 1e9
# ms: a microsecond, recordings' resolution; without a dead time a strong drive fires without end in continuous time.
_LEAST_DEAD_TIME = 1e-3
# Longer than any window, and still an int32 when a tick is added to it.
_MOST_DEAD_TICKS = 2**30


class Neuron:
    """The base of frozen dataclasses of parameters.

    Every one has theta, the threshold, t_abs, the dead time in ms (None: one tick), and tau_rho and scale_rho, the
    surrogate's width in thresholds and half its area. A model gives ``constants(dt)``, float32, for the kernels of its
    family on the grid, ``exact_constants(dt)``, float64, for those in continuous time, ``shares(dt)``, float64, of
    inputs between ticks, and ``settled(dt)``.

    Attributes
    ----------
    family : its name
    fires : whether it ever spikes
    may_be_zero, may_be_infinite, may_be_any : parameters that need not be positive numbers
    """

    family: ClassVar[str]
    fires: ClassVar[bool] = True
    may_be_zero: ClassVar[tuple[str, ...]] = ()
    may_be_infinite: ClassVar[tuple[str, ...]] = ()
    may_be_any: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is float or field.type == "float" or (field.name == "t_abs" and value is not None):
                object.__setattr__(self, field.name, self._number(field.name, value))

    def _number(self, name, value):
        number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
        if name in self.may_be_any and abs(number) <= _MOST:
            return number
        smallest = _LEAST_DEAD_TIME if name == "t_abs" else _LEAST
        is_odd = (number == 0 and name in self.may_be_zero) or (number == math.inf and name in self.may_be_infinite)
        if not (smallest <= number <= _MOST or is_odd):
            allowed = f"from {smallest:g} to {_MOST:g}"
            if name in self.may_be_any:
                allowed = f"from {-_MOST:g} to {_MOST:g}"
            elif name in self.may_be_zero:
                allowed += ", or 0"
            elif name in self.may_be_infinite:
                allowed += ", or inf"
            raise ConfigError(f"neuron parameter {name} must be a number {allowed}, got {value!r}")
        return number

    def adjoint_constants(self, dt: float):
        """`constants` of the neuron whose potential at the ticks is that in continuous time, for the backward pass."""
        return self.constants(dt)

    def dead_ticks(self, dt: float) -> int:
        """Ticks from a spike to the first tick that may hold the next one."""
        return 1 if self.t_abs is None else min(max(1, round(self.t_abs / dt)), _MOST_DEAD_TICKS)

    def shortest_interval(self, dt: float, clock: str) -> float:
        """ms, from a spike to the next one that is possible, on the clock "grid" or "exact"."""
        return self.dead_time(dt) if clock == "exact" else self.dead_ticks(dt) * dt

    def dead_time(self, dt: float) -> float:
        """ms, dead time in continuous time; it defaults to a tick of ``dt``."""
        return dt if self.t_abs is None else self.t_abs

    @property
    def forgets(self) -> bool:
        """Whether a spike makes the potential forget what it had, gradients included."""
        return False

    @property
    def rho_width(self) -> float:
        """Potential over which the surrogate falls by 1/e."""
        return self.tau_rho * self.theta

    @property
    def rho_peak(self) -> float:
        """The surrogate at threshold."""
        return self.scale_rho / self.rho_width
