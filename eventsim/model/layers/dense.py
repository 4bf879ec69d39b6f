"""A fully connected layer."""

import copy

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE, n_tiles
from eventsim.kernels.memory import aligned_zeros
from eventsim.model.precision import WEIGHTS, as_float16, as_int8

MOST_DELAY = 1e6  # ms, a quarter of an hour


class Dense:
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

    def __init__(self, n_in: int, n_out: int):
        self.n_in, self.n_out = n_in, n_out
        self.packed = aligned_zeros((n_tiles(n_out), n_in, TILE), np.float32)
        self.scale = None
        self._delay = None

    def __repr__(self):
        return f"{type(self).__name__}({self.n_in}, {self.n_out})"

    @property
    def n_weights(self) -> int:
        """Synapses of the layer."""
        return self.n_in * self.n_out

    def synops(self, given, own) -> int:
        """Synapses that the input spikes ``given`` cross; the layer's ``own`` cross those of the next one."""
        return len(given) * self.n_out

    @property
    def projections(self) -> "tuple[Dense, ...]":
        """The layer's all-to-all synapses: those from its input."""
        return (self,)

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
        if self.packed.dtype != np.float32:
            raise ConfigError(f"weights of {self} are {self.precision} and cannot be changed; set those of float32")
        values = self._numbers("weights", values, [(self.n_in, self.n_out)])
        with np.errstate(over="ignore"):
            values = values.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise ConfigError(f"weights of {self} must be finite in float32")
        for tile in range(len(self.packed)):
            part = values[:, tile * TILE : (tile + 1) * TILE]
            self.packed[tile, :, : part.shape[1]] = part

    def _numbers(self, name, values, shapes):
        """``values`` as an array of numbers that has one of these shapes."""
        try:
            values = np.asarray(values)
        except ValueError:  # lists of unequal lengths
            values = np.array(None)
        if values.dtype.kind not in "iuf":
            raise ConfigError(f"{name} of {self} must be an array of numbers, got {values.dtype}")
        if values.shape not in shapes:
            allowed = " or ".join(map(str, shapes))
            raise ConfigError(f"{name} of {self} must have the shape {allowed}, got {values.shape}")
        return values

    @property
    def delay(self):
        """Delays of the synapses in ms, or None; see the class. Raises `ConfigError` for what cannot be delays."""
        return self._delay

    @delay.setter
    def delay(self, values):
        if values is not None:
            values = self._numbers("delays", values, [(), (self.n_in,), (self.n_in, self.n_out)])
            values = np.array(values, np.float64, order="C")
            if not (values.min() >= 0 and values.max() <= MOST_DELAY):
                raise ConfigError(
                    f"delays of {self} must lie in 0..{MOST_DELAY:g} ms, got {values.min():g}..{values.max():g}"
                )
            values.flags.writeable = False
        self._delay = values

    @property
    def precision(self) -> str:
        """What the weights are kept in, one of `WEIGHTS`."""
        return "float16" if self.packed.dtype == np.uint16 else str(self.packed.dtype)

    def with_weights(self, precision: str) -> "Dense":
        """A layer for inference with the same weights in "float16" or "int8"; the layer itself for what it has."""
        checks.choice("weights", precision, WEIGHTS)
        if precision == self.precision:
            return self
        if self.precision != "float32":
            raise ConfigError(f"weights of {self} are {self.precision} already; convert those of float32")
        if not self.is_immediate:
            raise ConfigError(
                f"weights of {self} cannot be {precision}: delays and recurrence run in float32; leave them in it"
            )
        other = copy.copy(self)
        other.packed, other.scale = (as_int8 if precision == "int8" else as_float16)(self.packed)
        return other

    def rows(self):
        """The weights, packed, in float32 whatever they are kept in."""
        if self.scale is None:
            return self.packed
        values = self.packed.view(np.float16) if self.packed.dtype == np.uint16 else self.packed
        return values.astype(np.float32) * self.scale[:, None, :]

    def gain(self, unit):
        """float32[n_tiles, 64], what the engine multiplies a neuron's summed rows with; a weight of 1 is ``unit``."""
        gain = np.full((len(self.packed), TILE), unit, np.float32)
        return gain if self.scale is None else gain * self.scale

    def initialize(self, rng: np.random.Generator, gain: float):
        """Draw the weights from U(-gain, gain) / sqrt(fan_in), as PyTorch's default and SLAYER's do."""
        self.draw(rng, gain / np.sqrt(self.fan_in))

    def draw(self, rng: np.random.Generator, bound: float):
        """Draw the weights from U(-bound, bound)."""
        values = rng.random((self.n_in, self.n_out), np.float32)
        values *= np.float32(2.0 * bound)
        values -= np.float32(bound)
        self.weight = values
