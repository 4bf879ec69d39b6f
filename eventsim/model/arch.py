"""Architectures: names, and the field's own notation ``34x34x2-12c5-2a-64c5-2a-10``."""

from dataclasses import dataclass, field

from eventsim.errors import ConfigError
from eventsim.model.fields import LayerField, StageField, TextReader, positive
from eventsim.model.shape import Shape
from eventsim.sensor import Sensor


@dataclass(frozen=True)
class Preset:
    """A named architecture with what it trains well with: neuron, learning rate, and other settings of the training.

    training : fields of `TrainingConfig`
    choices : what is ours where the source of the architecture says nothing
    """

    notation: str
    about: str
    neuron: dict = field(default_factory=dict)
    learning_rate: float = 1e-3
    training: dict = field(default_factory=dict)
    choices: str | None = None


PRESETS = {
    "smlp": Preset(
        "34x34x2-2000-1500-1000-500-100-10",
        "the paper's spiking multi-layer perceptron",
        # A psp shorter than slayerPytorch's 10 ms lets six layers settle within a saccade of 100 ms.
        neuron={"tau_syn": 4.0},
        learning_rate=2e-3,
    ),
    "scnn": Preset(
        "34x34x2-32c5-2p-bn-16c3-2p-bn-250-do0.1-100-do0.1-10",
        "the paper's spiking CNN of its table I",
        neuron={"tau_syn": 4.0},
        learning_rate=3e-3,
        training={"schedule": "step", "step_epochs": (30,)},
        choices="no padding, pools that round down, and dropout of 0.1",
    ),
    "scnn3": Preset(
        "34x34x2-16c5-2a-32c3-2a-64c3-do0.1-10",
        "the paper's spiking CNN of three blocks, with SLAYER's spiking sum pools",
        neuron={"tau_syn": 4.0},
        learning_rate=2e-3,
        choices="16, 32 and 64 channels, kernels of 5, 3 and 3, no padding, pools that round down, and dropout of 0.1",
    ),
    "mlp512": Preset(
        "34x34x2-512-10", "one hidden layer, trains in minutes", neuron={"tau_syn": 4.0}, learning_rate=2e-3
    ),
}


@dataclass(frozen=True)
class Architecture:
    """A stack of layers: the input's shape, and what every layer is."""

    notation: str
    sensor: Sensor
    layers: tuple[LayerField, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of every layer."""
        return tuple(layer.shape.size for layer in self.layers)

    @property
    def is_immediate(self) -> bool:
        """Whether the notation says neither recurrence nor delays."""
        return not any(layer.kind == "recurrent" or layer.delay is not None for layer in self.layers)

    @property
    def input(self) -> Shape:
        """The input's shape: a channel for each polarity."""
        return Shape(self.sensor.polarities, self.sensor.height, self.sensor.width)

    @property
    def n_inputs(self) -> int:
        """Input addresses."""
        return self.sensor.n_addresses

    @property
    def n_outputs(self) -> int:
        """Neurons of the last layer."""
        return self.widths[-1]


def _sensor(first, notation):
    if "@" in first:
        raise ConfigError(
            f"architecture {notation!r}: the input {first!r} has no synapses that could delay; write the @d at a layer"
        )
    shape = [positive(part, "an input size", notation, PRESETS) for part in first.split("x")]
    if len(shape) not in (1, 3):
        raise ConfigError(f"architecture {notation!r}: the input is WIDTHxHEIGHTxPOLARITIES or a number, got {first!r}")
    return Sensor(*shape) if len(shape) == 3 else Sensor(shape[0], 1, 1)


def parse(text: str) -> Architecture:
    """Architecture from a name in `PRESETS` or from notation.

    The first field is the input, ``WIDTHxHEIGHTxPOLARITIES`` or a number of addresses; each further one a layer:
    ``512`` (also ``512d``, ``10o``) dense, ``512r`` recurrent, ``512@d2.5`` with a delay of 2.5 ms in all synapses into
    it; ``32c5`` a convolution of 32 channels with a kernel of 5x5, ``32c5s2p1d2g4`` with stride, padding, dilation and
    groups; ``2a`` SLAYER's spiking sum pool of 2x2, whose size rounds down, or up by ``2au``, as slayerPytorch pads. Or
    what spikes go through before they reach the next layer: ``2p`` average pooling, ``bn`` batch normalisation,
    ``do0.1`` dropout. Raises `ConfigError` with the field that is wrong.
    """
    if not isinstance(text, str) or not text:
        raise ConfigError(f"architecture must be a name or a notation such as 34x34x2-500-500-10, got {text!r}")
    notation = PRESETS[text].notation if text in PRESETS else text
    first, *rest = notation.split("-")
    if not rest:
        raise ConfigError(
            f"architecture {text!r} is no name and has no layers; write e.g. 34x34x2-512-10, or one of the names "
            f"{', '.join(PRESETS)}"
        )
    sensor = _sensor(first, notation)
    reader = TextReader(notation, PRESETS)
    shape = Shape(sensor.polarities, sensor.height, sensor.width)
    layers, stages = [], ()
    for part in rest:
        found = reader.read(part, shape, stages)
        shape = found.shape
        if isinstance(found, StageField):
            stages = (*stages, found)
        else:
            layers, stages = [*layers, found], ()
    if stages:
        raise ConfigError(
            f"architecture {notation!r}: nothing comes after {rest[-1]!r}; end with a layer, such as "
            f"{notation}-10"
        )
    return Architecture(notation, sensor, tuple(layers))
