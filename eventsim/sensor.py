"""The geometry of an address-event sensor."""

from dataclasses import dataclass

import numpy as np

from eventsim.errors import ConfigError

_UINT16_MAX = 65535


@dataclass(frozen=True)
class Sensor:
    """Size of an event camera in pixels, and its number of polarities.

    A pixel's *address* is ``p * height * width + y * width + x``, the order in which networks number their inputs.
    """

    width: int
    height: int
    polarities: int = 2

    def __post_init__(self):
        for name, most in (("width", _UINT16_MAX + 1), ("height", _UINT16_MAX + 1), ("polarities", 256)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
                raise ConfigError(f"sensor {name} must be a whole number from 1 to {most}, got {value!r}")
            object.__setattr__(self, name, int(value))
        if self.n_addresses > np.iinfo(np.int32).max:
            raise ConfigError(f"sensor {self} has {self.n_addresses} addresses, more than an int32 address can name")

    def __str__(self):
        return f"{self.width}x{self.height}x{self.polarities}"

    @property
    def n_addresses(self) -> int:
        """Number of input addresses, width * height * polarities."""
        return self.width * self.height * self.polarities

    def address(self, x, y, p):
        """Addresses int32[E] of pixels ``x, y`` with polarity ``p``, which must lie on the sensor."""
        return (
            np.asarray(p, np.int32) * (self.height * self.width) + np.asarray(y, np.int32) * self.width
            + np.asarray(x, np.int32)
        )

    def pixel(self, address):
        """The inverse of `address`: arrays ``x, y, p``."""
        plane, x = np.divmod(np.asarray(address), self.width)
        p, y = np.divmod(plane, self.height)
        return x, y, p
