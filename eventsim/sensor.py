"""The geometry of an address-event sensor, and what to do where a network takes events of another one."""

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


def mismatch(what, found, wanted, reason="") -> str:
    """The sentence that ``what`` is of another `Sensor` than a network takes, and what to do.

    reason : why it is at least the sensor ``found``, where it does not say its own
    """
    at_least, own = (f" or a larger one ({reason})", "its sensor") if reason else ("", found)
    steps = "".join(f" --apply {step}" for step in _steps(found, wanted))
    cures = [f"take a network that starts with {own} (train one by --arch, or name another model)"]
    cures += [f"bring the events to this size with `eventsim convert SRC DST{steps}`"] if steps else []
    return (f"{what} is of a {found} sensor{at_least}, the network takes events of a {wanted} sensor; "
            f"{', or '.join(cures)}")


def _steps(found, wanted):
    """Transforms that make events of one sensor those of another, with as much of the picture as there can be.

    None, where the other one is larger.
    """
    sizes = ((found.width, wanted.width), (found.height, wanted.height))
    if any(have < want for have, want in sizes) or wanted.polarities not in (1, found.polarities):
        return []
    factor = min((have - 1) // (want - 1) if want > 1 else have for have, want in sizes)
    x, y = ((-(-have // factor) - want) // 2 for have, want in sizes)
    steps = [f"pool:factor={factor}"] if factor > 1 else []
    if any(-(-have // factor) > want for have, want in sizes):
        steps.append(f"crop:x={x},y={y},width={wanted.width},height={wanted.height}")
    return steps + (["merge_polarity"] if wanted.polarities < found.polarities else [])
