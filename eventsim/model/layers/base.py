"""What layers with weights of their own share."""

import copy
import functools

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE, n_tiles
from eventsim.kernels.memory import aligned, copied, on_host
from eventsim.model.precision import WEIGHTS
from eventsim.model.shape import Shape


class Layer:
    """Synapses from neurons of the shape ``given`` to neurons of the shape ``shape``.

    Attributes
    ----------
    n_in, n_out : neurons on either side
    stages : what becomes of spikes before they reach the synapses, see `eventsim.model.stages`; () for nothing
    patches : how the engine lays out a convolution, see `Patches`; None: tiles of 64 neurons, all inputs to each
    neuron : model of the layer's neurons; None: that of the network
    bias : float64[n_out], a constant input of every neuron in every tick, or None
    packed : float32 in rows of 64, the weights as the engine and the optimiser use them
    precision : what the weights are kept in, one of `WEIGHTS`
    device : where they are, a `Device` of `eventsim.kernels.cuda`; None: on the host, where everything else always is
    """

    is_immediate = True  # has neither delays nor recurrence
    delay = None
    stages = ()
    patches = None
    neuron = None
    bias = None
    device = None

    def __init__(self, given: Shape, shape: Shape):
        self.given, self.shape = given, shape
        self.n_in, self.n_out = given.size, shape.size
        self.precision = "float32"

    @functools.cached_property
    def lane_neuron(self):
        """The address of every lane of the layer's tiles, int32[tiles, 64], -1 where there is none."""
        lane = np.arange(n_tiles(self.n_out) * TILE, dtype=np.int32)
        return np.where(lane < self.n_out, lane, -1).reshape(-1, TILE).astype(np.int32)

    @property
    def before(self) -> Shape:
        """The shape of the layer before, whose spikes the stages take."""
        return self.stages[0].given if self.stages else self.given

    @property
    def norm(self):
        """The `BatchNorm` among the stages, or None."""
        return next((stage for stage in self.stages if stage.kind == "batch_norm"), None)

    @property
    def projections(self) -> tuple:
        """The synapses of the layer, by whose spikes cross them: those from its input."""
        return (self,)

    @property
    def parameters(self) -> tuple:
        """What training changes, arrays in rows of 64: the weights, and those of the stages."""
        return (self.packed, *(array for stage in self.stages for array in stage.parameters))

    def initialize(self, rng: np.random.Generator, gain: float):
        """Draw the weights from U(-gain, gain) / sqrt(fan_in), as PyTorch's default and SLAYER's do."""
        self.draw(rng, gain / np.sqrt(self.fan_in))

    def draw(self, rng: np.random.Generator, bound: float):
        """Draw the weights from U(-bound, bound)."""
        values = rng.random(self.weight_shape, np.float32)
        values *= np.float32(2.0 * bound)
        values -= np.float32(bound)
        self.weight = values

    def with_weights(self, precision: str) -> "Layer":
        """A layer for inference with the same weights in "float16" or "int8"; the layer itself for what it has."""
        checks.choice("weights", precision, WEIGHTS)
        if precision == self.precision:
            return self
        if self.precision != "float32":
            raise ConfigError(f"weights of {self} are {self.precision} already; convert those of float32")
        other = copy.copy(self)
        other.precision = precision
        other.packed = copied(self.packed)
        other.stages = copy.deepcopy(self.stages)
        return other

    def on_device(self, device) -> "Layer":
        """A layer with the same weights on a `Device`, or with None on the host."""
        other = copy.copy(self)
        other.device = device
        weights = on_host(self.packed)
        other.packed = aligned(weights.copy()) if device is None else device.put(weights)
        other.stages = copy.deepcopy(self.stages)
        return other

    def _checked_weights(self, values):
        """New weights in float32."""
        if self.precision != "float32":
            raise ConfigError(f"weights of {self} are {self.precision} and cannot be changed; set those of float32")
        values = self._numbers("weights", values, [self.weight_shape])
        with np.errstate(over="ignore"):
            values = values.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise ConfigError(f"weights of {self} must be finite in float32")
        return values

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
