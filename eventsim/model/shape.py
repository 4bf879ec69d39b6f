"""Shapes of neurons in space, and of the windows that convolutions and pools look through."""

from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError


@dataclass(frozen=True)
class Shape:
    """Neurons of ``channels`` on a grid of ``height`` times ``width`` positions.

    The *address* of a neuron is ``channel * height * width + y * width + x``, as that of a pixel is with its polarity;
    a dense layer is as many channels at one position.
    """

    channels: int
    height: int = 1
    width: int = 1

    def __post_init__(self):
        for name in ("channels", "height", "width"):
            checks.whole_number(name, getattr(self, name), 1)

    def __str__(self):
        return f"{self.width}x{self.height}x{self.channels}"

    @property
    def positions(self) -> int:
        """Positions, height * width."""
        return self.height * self.width

    @property
    def size(self) -> int:
        """Neurons, channels * height * width."""
        return self.channels * self.positions


@dataclass(frozen=True)
class Window:
    """A square window that slides over a plane: its size in pixels, and how it moves.

    Sizes round down: what does not fill a window at the right and lower end reaches nobody. Or, where it ``rounds_up``,
    a window there looks at less.
    """

    size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    rounds_up: bool = False

    def __post_init__(self):
        for name, least in (("size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            checks.whole_number(name, getattr(self, name), least)

    @property
    def span(self) -> int:
        """Pixels from the first that the window looks at to the last, both included."""
        return (self.size - 1) * self.dilation + 1

    def over(self, shape: Shape, channels: int) -> Shape:
        """The shape of what the window gives; raises `ConfigError` where it does not fit in ``shape``."""
        rooms = [n + 2 * self.padding - self.span for n in (shape.height, shape.width)]
        if self.rounds_up:
            return Shape(channels, *(max(0, -(-room // self.stride)) + 1 for room in rooms))
        if min(rooms) < 0:
            raise ConfigError(
                f"a window of {self.span} pixels does not fit in {shape.width}x{shape.height}"
                + (f" with a padding of {self.padding}" if self.padding else "")
            )
        return Shape(channels, *(room // self.stride + 1 for room in rooms))

    def pixels(self, n_in: int, n_out: int):
        """The pixel of ``n_in`` that each tap of ``n_out`` windows in a row looks at, int64[n_out, size]; -1: none."""
        pixel = np.add.outer(np.arange(n_out) * self.stride, np.arange(self.size) * self.dilation) - self.padding
        return np.where((pixel >= 0) & (pixel < n_in), pixel, -1)

    def seen(self, n_in: int, n_out: int):
        """How many of ``n_out`` windows in a row look at each of ``n_in`` pixels, int64[n_in]."""
        pixel = self.pixels(n_in, n_out)
        return np.bincount(pixel[pixel >= 0], minlength=n_in)
