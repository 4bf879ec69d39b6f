"""How the image moves across the sensor: N-MNIST's three saccades along the edges of a triangle."""

from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.data.synthetic.limits import check_limits
from eventsim.errors import ConfigError

_FAR = 10_000  # pixels


@dataclass(frozen=True)
class Move:
    """One movement of one motor, with a raised-cosine velocity."""

    axis: int  # 0: x (pan), 1: y (tilt)
    distance: float  # pixels; x grows to the right, y downwards
    start: float  # ms
    length: float  # ms

    def __post_init__(self):
        checks.whole_number("axis", self.axis, 0, 1)
        check_limits(self, "distance", -_FAR, _FAR)
        check_limits(self, "start", -1e6)
        check_limits(self, "length", 0, above=True)


# Read off N-MNIST's training recordings: where the events of every 5 ms lie relative to their MNIST image. Pan and tilt
# start at different times, so the edges of the triangle are bent, and both settle late.
_NMNIST = (
    Move(1, 5.5, 0.0, 87.0), Move(1, 0.2, 43.0, 58.0),  # down,
    Move(0, 1.5, 41.0, 40.0), Move(0, 0.3, 78.0, 54.0),  # then a little to the right;
    Move(0, 2.1, 109.0, 58.0), Move(0, 1.2, 148.0, 44.0), Move(0, 0.35, 182.0, 46.0),  # further to the right
    Move(1, -5.3, 113.0, 78.0), Move(1, -0.2, 172.0, 52.0),  # and up;
    Move(0, -2.2, 221.0, 40.0), Move(0, -2.7, 240.0, 46.0), Move(0, -0.6, 269.0, 34.0),  # left, back to the start
)


@dataclass(frozen=True)
class SaccadeParameters:
    """Where the image is when.

    Orchard, Jayawant, Cohen, Thakor 2015, "Converting static image datasets to spiking neuromorphic datasets using
    saccades", doi:10.3389/fnins.2015.00437: a pan-tilt unit turns an ATIS in front of a monitor, three saccades of
    100 ms a recording. The spreads are standard deviations from recording to recording.
    """

    moves: tuple[Move, ...] = _NMNIST
    origin: tuple[float, float] = (-2.5, -1.9)  # pixels, the image's centre relative to the sensor's at the start
    duration: float = 311.0  # ms
    origin_spread: float = 0.15  # pixels
    gain_spread: float = 0.03  # of a move's distance
    onset_spread: float = 1.0  # ms, of all moves together
    duration_spread: float = 3.0  # ms

    def __post_init__(self):
        if not isinstance(self.moves, tuple) or not all(isinstance(move, Move) for move in self.moves):
            raise ConfigError(f"moves must be a tuple of Move, got {self.moves!r}")
        if not isinstance(self.origin, tuple) or len(self.origin) != 2 or not all(
            isinstance(value, int | float) and abs(value) <= _FAR for value in self.origin
        ):
            raise ConfigError(f"origin must be (x, y), at most {_FAR} pixels from the centre, got {self.origin!r}")
        check_limits(self, "duration", 0, above=True)
        check_limits(self, "origin_spread gain_spread onset_spread duration_spread", 0, 1000)

    def path(self, step, rng):
        """Position of the image's centre relative to the sensor's: float64[steps + 1, 2] of (x, y), in pixels.

        step : ms between two positions, the first at 0; rng : np.random.Generator, for the spreads
        """
        duration = self.duration + self.duration_spread * np.clip(rng.standard_normal(), -3, 3)
        onset = self.onset_spread * rng.standard_normal()
        gain = 1.0 + self.gain_spread * rng.standard_normal(len(self.moves))
        origin = np.array(self.origin) + self.origin_spread * rng.standard_normal(2)
        time = step * np.arange(1 + max(1, round(duration / step)))
        path = np.repeat(origin[None], len(time), axis=0)
        for move, factor in zip(self.moves, gain, strict=True):
            phase = np.clip((time - onset - move.start) / move.length, 0.0, 1.0)
            path[:, move.axis] += factor * move.distance * (phase - np.sin(2 * np.pi * phase) / (2 * np.pi))
        return path
