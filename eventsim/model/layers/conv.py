"""A convolution, and the spiking pool that is one with fixed weights."""

import functools

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE
from eventsim.kernels.memory import aligned_zeros, on_host
from eventsim.model.layers.base import Layer
from eventsim.model.patches import Patches
from eventsim.model.shape import Shape, Window


class Conv(Layer):
    """The same ``size`` x ``size`` weights wherever they look: cross-correlation, as in torch, without a bias.

    Attributes
    ----------
    window : `Window`, size, stride, padding and dilation
    groups : output channels of a group see the input channels of that group only
    packed : float32[rows, 64], ``weight`` in rows of 64 numbers, the last filled up with zeros
    """

    kind = "conv"

    def __init__(self, given: Shape, channels: int, window: Window, groups: int = 1):
        super().__init__(given, window.over(given, channels))
        checks.whole_number("groups", groups, 1)
        if given.channels % groups or channels % groups:
            raise ConfigError(f"groups must divide the channels on either side, {given.channels} and {channels}; got "
                              f"{groups}")
        self.window, self.groups = window, groups
        self._size = int(np.prod(self.weight_shape))
        self.packed = aligned_zeros((-(-self._size // TILE), TILE), np.float32)

    def __repr__(self):
        return f"{type(self).__name__}({self.given}, {self.shape.channels}, {self.window}, groups={self.groups})"

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """The shape of ``weight``."""
        return self.given.channels // self.groups, self.window.size, self.window.size, self.shape.channels

    @property
    def n_weights(self) -> int:
        """Weights of the layer, which all positions share."""
        return self._size

    @property
    def fan_in(self) -> int:
        """Synapses into one neuron, away from the border."""
        return self._size // self.shape.channels

    @functools.cached_property
    def patches(self) -> Patches:
        """How the engine lays out the layer."""
        return Patches(self.given, self.shape, self.window, self.groups)

    @property
    def lane_neuron(self):
        """The address of every lane of the layer's tiles, int32[tiles, 64], -1 where there is none."""
        return self.patches.neuron

    @functools.cached_property
    def tap_pixel(self):
        """The pixel that each tap of the window looks at, for every position, int64[positions, taps]; -1: none."""
        y = self.window.pixels(self.given.height, self.shape.height)[:, None, :, None]
        x = self.window.pixels(self.given.width, self.shape.width)[None, :, None, :]
        pixel = np.where((y >= 0) & (x >= 0), y * self.given.width + x, -1)
        return pixel.reshape(self.shape.positions, -1)

    @functools.cached_property
    def fan_out_at(self):
        """Synapses of a presynaptic neuron at each pixel, int64[pixels], whatever its channel: fewer at borders."""
        rows, columns = (
            self.window.seen(n, n_out)
            for n, n_out in zip((self.given.height, self.given.width), (self.shape.height, self.shape.width),
                                strict=True)
        )
        return np.multiply.outer(rows, columns).ravel() * (self.shape.channels // self.groups)

    @property
    def fan_out(self):
        """Synapses of every presynaptic neuron, int64[n_in]."""
        return np.tile(self.fan_out_at, self.given.channels)

    @property
    def live_fan_out(self):
        """The same without those that weigh nothing."""
        a_group_in, a_group_out = (n // self.groups for n in (self.given.channels, self.shape.channels))
        weight = self.weight.reshape(a_group_in, -1, self.groups, a_group_out)
        live = np.count_nonzero(weight, axis=3).transpose(2, 0, 1).reshape(self.given.channels, -1)
        seen = self.tap_pixel >= 0
        out = np.zeros((self.given.channels, self.given.positions), np.int64)
        for tap in range(seen.shape[1]):
            pixels = np.bincount(self.tap_pixel[seen[:, tap], tap], minlength=self.given.positions)
            out += np.multiply.outer(live[:, tap], pixels)
        return out.ravel()

    @property
    def n_synapses(self) -> int:
        """Synapses of the layer."""
        return int(self.fan_out_at.sum()) * self.given.channels

    def synops(self, given, own) -> int:
        """Synapses that input spikes of the addresses ``given`` cross; the layer's ``own`` cross those of the next."""
        return int(self.fan_out_at[given % self.given.positions].sum())

    def crossed(self, pixels) -> int:
        """Synapses that spikes cross of which so many come from every pixel, int64[pixels]."""
        return int(pixels @ self.fan_out_at)

    @property
    def weight(self):
        """A copy of the weights, float32[C_in / groups, size, size, C_out]; assign to change them."""
        return on_host(self.packed).reshape(-1)[: self._size].reshape(self.weight_shape).copy()

    @weight.setter
    def weight(self, values):
        packed = on_host(self.packed)
        packed.reshape(-1)[: self._size] = self._checked_weights(values).reshape(-1)
        if self.device is not None:
            self.packed.set(packed)


class SumPool(Conv):
    """SLAYER's aggregation: neurons that sum the spikes of a ``size`` x ``size`` window of their channel.

    All synapses weigh the same, 1.1 thresholds in slayerPytorch, and are not trained. Sizes round down, or up.
    """

    kind = "pool"
    projections = ()

    def __init__(self, given: Shape, size: int, weight: float, rounds_up: bool = False):
        window = Window(size, stride=size, rounds_up=rounds_up)
        super().__init__(given, given.channels, window, groups=given.channels)
        self.packed.reshape(-1)[: self._size] = weight

    @property
    def n_weights(self) -> int:
        """None that training changes."""
        return 0

    @property
    def weight(self):
        """A copy of the weights, float32[1, size, size, C], all the same; they cannot be changed."""
        return super().weight

    @weight.setter
    def weight(self, values):
        raise ConfigError(f"weights of {self} are fixed; use a convolution of as many groups as channels for others")

    @property
    def parameters(self) -> tuple:
        """What training changes: nothing of the layer's own."""
        return super().parameters[1:]

    def initialize(self, rng: np.random.Generator, gain: float):
        """Nothing is drawn."""
