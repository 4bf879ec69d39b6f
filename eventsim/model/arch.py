"""Architectures: names, and the field's own notation ``34x34x2-500-500-10``, with recurrence and delays."""

import re
from dataclasses import dataclass, field

from eventsim.errors import ConfigError
from eventsim.model.layers.dense import MOST_DELAY
from eventsim.sensor import Sensor

_MOST_NEURONS = 2**31 - 1  # what an int32 address can name
_LAYER = re.compile(r"(\d+)(r?)(?:@d([0-9]+(?:\.[0-9]+)?))?")
_NOT_YET = re.compile(r"^\d+(c\d+|a|p).*$|^\d+a$")


@dataclass(frozen=True)
class Preset:
    """A named architecture with the neuron and learning rate that it trains well with."""

    notation: str
    about: str
    neuron: dict = field(default_factory=dict)
    learning_rate: float = 1e-3


PRESETS = {
    "smlp": Preset(
        "34x34x2-2000-1500-1000-500-100-10",
        "the paper's spiking multi-layer perceptron",
        # A psp shorter than slayerPytorch's 10 ms lets six layers settle within a saccade of 100 ms.
        neuron={"tau_syn": 4.0},
        learning_rate=2e-3,
    ),
    "mlp512": Preset(
        "34x34x2-512-10", "one hidden layer, trains in minutes", neuron={"tau_syn": 4.0}, learning_rate=2e-3
    ),
}


@dataclass(frozen=True)
class LayerField:
    """A layer as a notation says it: neurons, whether their spikes come back to them, and ms to cross any synapse."""

    width: int
    recurrent: bool = False
    delay: float | None = None

    @property
    def kind(self) -> str:
        """The layer's name in `eventsim.model.layers.LAYERS`."""
        return "recurrent" if self.recurrent else "dense"


@dataclass(frozen=True)
class Architecture:
    """A stack of layers: the input's shape, and what every layer is."""

    notation: str
    sensor: Sensor
    layers: tuple[LayerField, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of every layer."""
        return tuple(layer.width for layer in self.layers)

    @property
    def is_immediate(self) -> bool:
        """Whether the notation says neither recurrence nor delays."""
        return not any(layer.recurrent or layer.delay is not None for layer in self.layers)

    @property
    def n_inputs(self) -> int:
        """Input addresses."""
        return self.sensor.n_addresses

    @property
    def n_outputs(self) -> int:
        """Neurons of the last layer."""
        return self.widths[-1]


def _positive(text, what, notation):
    digits = len(str(_MOST_NEURONS))
    if not text.isdecimal() or len(text) > digits or not 0 < int(text) <= _MOST_NEURONS:
        raise ConfigError(
            f"architecture {notation!r}: {text!r} is not {what}; write for example 34x34x2-500-500-10, or one of the "
            f"names {', '.join(PRESETS)}"
        )
    return int(text)


def _layer(text, notation):
    if _NOT_YET.match(text):
        raise ConfigError(
            f"architecture {notation!r}: {text!r} is neither a dense nor a recurrent layer, the only kinds so far"
        )
    found = _LAYER.fullmatch(text)
    if found is None and re.search("[@dr]", text):
        raise ConfigError(
            f"architecture {notation!r}: {text!r} is not a layer; write its neurons, an r where their spikes come back "
            "to them, and @d with a delay in ms, for example 512, 512r, 512@d2.5 or 512r@d2.5"
        )
    width, recurrent, delay = found.groups() if found else (text, "", None)
    if delay is not None and float(delay) > MOST_DELAY:
        raise ConfigError(
            f"architecture {notation!r}: the delay of {text!r} is longer than {MOST_DELAY:g} ms; write a shorter one"
        )
    return LayerField(
        _positive(width, "a number of neurons", notation), bool(recurrent), None if delay is None else float(delay)
    )


def parse(text: str) -> Architecture:
    """Architecture from a name in `PRESETS` or from notation.

    The first field is the input, ``WIDTHxHEIGHTxPOLARITIES`` or a number of addresses; each further one a layer of as
    many neurons: ``512`` dense, ``512r`` recurrent, ``512@d2.5`` with a delay of 2.5 ms in all synapses into it.
    Raises `ConfigError` with the field that is wrong.
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
    if "@" in first:
        raise ConfigError(
            f"architecture {notation!r}: the input {first!r} has no synapses that could delay; write the @d at a layer"
        )
    shape = [_positive(part, "an input size", notation) for part in first.split("x")]
    if len(shape) not in (1, 3):
        raise ConfigError(f"architecture {notation!r}: the input is WIDTHxHEIGHTxPOLARITIES or a number, got {first!r}")
    sensor = Sensor(*shape) if len(shape) == 3 else Sensor(shape[0], 1, 1)
    return Architecture(notation, sensor, tuple(_layer(part, notation) for part in rest))
