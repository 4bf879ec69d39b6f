"""A fully connected layer."""

import numpy as np

from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE, n_tiles
from eventsim.kernels.memory import aligned_zeros, on_host
from eventsim.model.layers.base import Layer
from eventsim.model.precision import dequantized, quantized
from eventsim.model.shape import Shape

MOST_DELAY = 1e6  # ms, a quarter of an hour


class Dense(Layer):
    """All-to-all weights from ``n_in`` to ``n_out`` neurons.

    Attributes
    ----------
    packed : float32[n_tiles, n_in, 64], the weights as the engine and the optimiser use them: the row of a presynaptic
        neuron is contiguous within a tile of 64 postsynaptic ones. Lanes past ``n_out`` are zero and stay so. After
        `with_weights` int8, or uint16 that are the bits of float16.
    scale : float32[n_tiles, 64], what one unit of ``packed`` weighs for each postsynaptic neuron, or None: 1
    delay : float64 ms, how long a spike takes to its synapses, or None: not at all. Of the shape () for all synapses,
        (n_in,) by presynaptic neuron, (n_in, n_out) by synapse; a frozen copy of what is assigned
    """

    kind = "dense"

    def __init__(self, n_in: int, n_out: int, given: Shape | None = None):
        super().__init__(given or Shape(n_in), Shape(n_out))
        if self.given.size != n_in:
            raise ConfigError(f"the shape {given} of what comes in has {given.size} neurons, not {n_in}; give the one "
                              "that has, or none")
        self.packed = aligned_zeros((n_tiles(n_out), n_in, TILE), np.float32)
        self.scale = None
        self._delay = None

    def __repr__(self):
        return f"{type(self).__name__}({self.n_in}, {self.n_out})"

    @property
    def weight_shape(self) -> tuple[int, int]:
        """The shape of ``weight``."""
        return self.n_in, self.n_out

    @property
    def n_weights(self) -> int:
        """Weights of the layer, one a synapse."""
        return self.n_in * self.n_out

    @property
    def n_synapses(self) -> int:
        """Synapses of the layer."""
        return self.n_weights

    @property
    def fan_out(self):
        """Synapses of every presynaptic neuron, int64[n_in]."""
        return np.full(self.n_in, self.n_out, np.int64)

    @property
    def live_fan_out(self):
        """The same without those that weigh nothing."""
        return np.count_nonzero(self.rows(), axis=(0, 2)).astype(np.int64)

    def synops(self, given, own) -> int:
        """Synapses that input spikes of the addresses ``given`` cross; the layer's ``own`` cross those of the next."""
        return len(given) * self.n_out

    @property
    def is_immediate(self) -> bool:
        """Whether the layer has neither delays nor recurrence."""
        return self.delay is None

    @property
    def fan_in(self) -> int:
        """Synapses into one neuron."""
        return self.n_in

    @property
    def weight(self):
        """A copy of the weights, float32[n_in, n_out] (presynaptic neuron first); assign to change them."""
        return self.rows().transpose(1, 0, 2).reshape(self.n_in, -1)[:, : self.n_out].copy()

    @weight.setter
    def weight(self, values):
        values = self._checked_weights(values)
        packed = on_host(self.packed)
        for tile in range(len(packed)):
            part = values[:, tile * TILE : (tile + 1) * TILE]
            packed[tile, :, : part.shape[1]] = part
        if self.device is not None:
            self.packed.set(packed)

    @property
    def delay(self):
        """Delays of the synapses in ms, or None; see the class. Raises `ConfigError` for what cannot be delays."""
        return self._delay

    @delay.setter
    def delay(self, values):
        if values is not None:
            if self.stages:
                raise ConfigError(
                    f"{self} takes spikes through {self.stages[0].kind.replace('_', ' ')}, and its synapses have no "
                    "delays then; leave out the one or the other"
                )
            values = self._numbers("delays", values, [(), (self.n_in,), (self.n_in, self.n_out)])
            values = np.array(values, np.float64, order="C")
            if not (values.min() >= 0 and values.max() <= MOST_DELAY):
                raise ConfigError(
                    f"delays of {self} must lie in 0..{MOST_DELAY:g} ms, got {values.min():g}..{values.max():g}"
                )
            values.flags.writeable = False
        self._delay = values

    def with_weights(self, precision: str) -> "Dense":
        """A layer for inference with the same weights in "float16" or "int8"; the layer itself for what it has."""
        if precision != self.precision and not self.is_immediate:
            raise ConfigError(
                f"weights of {self} cannot be {precision}: delays and recurrence run in float32; leave them in it"
            )
        other = super().with_weights(precision)
        if other is not self and not self.stages:  # behind stages weights are scaled first, and converted for the run
            rows, other.scale = quantized(on_host(self.packed), precision)
            other.packed = rows if self.device is None else self.device.put(rows)
        return other

    def rows(self):
        """The weights, packed, in float32 whatever they are kept in."""
        return dequantized(on_host(self.packed), self.scale)
