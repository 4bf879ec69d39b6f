"""Augmentation: every sample is seen moved, turned and scaled a little, its spikes jittered and thinned out.

All of it is drawn anew in every epoch.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from eventsim import kernels
from eventsim.data.encoders import BinningReport
from eventsim.errors import ConfigError
from eventsim.sensor import Sensor

_MOST = {"shift": 1e4, "rotate": 180.0, "scale": 0.9, "jitter": 1e6, "drop": 0.99}


@dataclass(frozen=True)
class Augment:
    """A random similarity transform of the pixels, about the middle of the sensor, and jitter and loss of spikes.

    It acts on spikes, so a sample is read and binned once. Pixels move to the nearest pixel, and spikes of the grid by
    whole ticks; those that leave the sensor or the window, or fall together, are counted.

    shift, rotate, scale : ranges, from which one number each is drawn evenly for a sample
    jitter : standard deviation of a normal distribution, from which every spike draws how far it moves in time
    drop : probability of every spike to be lost
    """

    shift: float = 0.0  # pixels, along x and along y
    rotate: float = 0.0  # degrees
    scale: float = 0.0  # share of the size, 0.1 for 0.9 to 1.1
    jitter: float = 0.0  # ms
    drop: float = 0.0

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

    def _drawn(self, when, address, sensor, rng):
        """What a sample's spikes are moved by: `table`, and of those not dropped address, time or tick, and ms to move.

        The order of the draws is fixed, so that a sample is moved alike whether or not its spikes are jittered.
        """
        table = self.table(sensor, rng)
        if self.drop:
            stays = rng.random(len(when)) >= self.drop
            when, address = when[stays], address[stays]
        moves = self.jitter * rng.standard_normal(len(when)) if self.jitter else 0.0
        return table, address, when, moves

    def on_grid(self, tick, address, sensor, n_ticks, dt, rng, keep_repeats=False):
        """Augment the spikes of a sample of ``n_ticks`` ticks of ``dt`` ms; returns tick, address and what changed.

        tick, address : int32[K], sorted; the first two results too. The last is a `BinningReport` to be added.
        """
        table, kept, ticks, moves = self._drawn(tick, address, sensor, rng)
        if self.jitter:
            ticks = np.clip(ticks + np.rint(moves / dt), -1, n_ticks).astype(np.int32)
        new_tick, new_address = np.empty(len(kept), np.int32), np.empty(len(kept), np.int32)
        counts = np.empty(4, np.int64)
        kernels.call("remap_spikes", table=table, tick=ticks, address=kept, keep_repeats=keep_repeats,
                     tick_end=(n_ticks,), new_tick=new_tick, new_address=new_address, counts=counts)
        n, before, after, left = (int(count) for count in counts)
        report = BinningReport(spikes=n - len(tick), merged=len(kept) - n - before - after - left, before=before,
                               after=after, left=left, dropped=len(tick) - len(kept))
        return new_tick[:n], new_address[:n], report

    def on_times(self, time, address, sensor, duration, rng):
        """The same for spikes of the exact clock, time float64[K] ms in [0, ``duration``); none are merged."""
        table, kept, times, moves = self._drawn(time, address, sensor, rng)
        times, kept = times + moves, table[kept]
        before, after = times < 0, times >= duration
        stays = ~(before | after) & (kept >= 0)
        report = BinningReport(
            spikes=int(stays.sum()) - len(time), before=int(before.sum()), after=int(after.sum()),
            left=int((~(before | after) & (kept < 0)).sum()), dropped=len(time) - len(kept),
        )
        times, kept = times[stays], kept[stays]
        order = np.lexsort((kept, times))
        return times[order], kept[order], report
