"""Average pooling of what spikes drive."""

import functools

import numpy as np

from eventsim.model.shape import Shape, Window


class AveragePool:
    """The mean over windows of ``size`` times ``size`` neurons of a channel, side by side (sizes round down).

    Linear, so that it is a matter of addresses: a spike arrives at its window and counts 1 / size^2 there.
    """

    kind = "average_pool"
    parameters = ()

    def __init__(self, given: Shape, size: int):
        self.given, self.size = given, size
        self.shape = Window(size, stride=size).over(given, given.channels)

    def __repr__(self):
        return f"AveragePool({self.given}, {self.size})"

    @property
    def weight(self) -> float:
        """What a spike counts."""
        return 1.0 / self.size**2

    @functools.cached_property
    def table(self):
        """The address that every address arrives at, int32[N], -1 for none."""
        channel, pixel = np.divmod(np.arange(self.given.size), self.given.positions)
        y, x = (part // self.size for part in np.divmod(pixel, self.given.width))
        address = channel * self.shape.positions + y * self.shape.width + x
        return np.where((y < self.shape.height) & (x < self.shape.width), address, -1).astype(np.int32)
