"""Augmentation: every sample is seen moved, turned and scaled a little, differently in every epoch."""

import math
from dataclasses import dataclass, fields

import numpy as np

from eventsim import kernels
from eventsim.errors import ConfigError
from eventsim.sensor import Sensor

_MOST = {"shift": 1e4, "rotate": 180.0, "scale": 0.9}


@dataclass(frozen=True)
class Augment:
    """Ranges of a random similarity transform of the pixels, about the middle of the sensor; each is drawn evenly.

    It acts on spikes, so a sample is read and binned once. Pixels move to the nearest pixel; spikes that leave the
    sensor or fall together are counted.
    """

    shift: float = 0.0  # pixels, along x and along y
    rotate: float = 0.0  # degrees
    scale: float = 0.0  # share of the size, 0.1 for 0.9 to 1.1

    def __post_init__(self):
        for field in fields(self):
            value, most = getattr(self, field.name), _MOST[field.name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                raise ConfigError(f"augmentation {field.name} must be a number from 0 to {most:g}, got {value!r}")
            object.__setattr__(self, field.name, float(value))

    def __bool__(self):
        return any(getattr(self, field.name) for field in fields(self))

    def table(self, sensor: Sensor, rng: np.random.Generator):
        """Draw one transform: the new address of every address, int32[N], -1 where it leaves the sensor."""
        dx, dy, turn, growth = rng.uniform(-1.0, 1.0, 4)
        angle = math.radians(turn * self.rotate)
        size = 1.0 + growth * self.scale
        x, y, p = sensor.pixel(np.arange(sensor.n_addresses))
        mid_x, mid_y = (sensor.width - 1) / 2, (sensor.height - 1) / 2
        u, v = (x - mid_x) * size, (y - mid_y) * size
        new_x = np.rint(u * math.cos(angle) - v * math.sin(angle) + mid_x + dx * self.shift)
        new_y = np.rint(u * math.sin(angle) + v * math.cos(angle) + mid_y + dy * self.shift)
        inside = (new_x >= 0) & (new_x < sensor.width) & (new_y >= 0) & (new_y < sensor.height)
        return np.where(inside, sensor.address(new_x, new_y, p), -1).astype(np.int32)

    def __call__(self, tick, address, sensor: Sensor, rng: np.random.Generator, keep_repeats=False):
        """Transformed (tick, address) int32[K'] of one sample, and the numbers of spikes (merged, left the sensor)."""
        new_tick, new_address = np.empty(len(tick), np.int32), np.empty(len(tick), np.int32)
        counts = np.empty(2, np.int64)
        kernels.call("remap_spikes", table=self.table(sensor, rng), tick=tick, address=address,
                     keep_repeats=keep_repeats, new_tick=new_tick, new_address=new_address, counts=counts)
        kept, left = (int(count) for count in counts)
        return new_tick[:kept], new_address[:kept], (len(tick) - kept - left, left)
