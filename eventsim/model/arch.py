"""Architectures: names, and the field's own notation ``34x34x2-500-500-10``."""

import re
from dataclasses import dataclass, field

from eventsim.errors import ConfigError
from eventsim.sensor import Sensor

_MOST_NEURONS = 2**31 - 1  # what an int32 address can name
_NOT_YET = re.compile(r"^\d+(c\d+|a|p|d|r).*$|^\d+a$")


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
class Architecture:
    """A feed-forward stack: the input's shape and the number of neurons of every layer."""

    notation: str
    sensor: Sensor
    widths: tuple[int, ...]

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


def parse(text: str) -> Architecture:
    """Architecture from a name in `PRESETS` or from notation.

    The first field is the input, ``WIDTHxHEIGHTxPOLARITIES`` or a number of addresses; each further one a dense layer.
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
    shape = [_positive(part, "an input size", notation) for part in first.split("x")]
    if len(shape) not in (1, 3):
        raise ConfigError(f"architecture {notation!r}: the input is WIDTHxHEIGHTxPOLARITIES or a number, got {first!r}")
    sensor = Sensor(*shape) if len(shape) == 3 else Sensor(shape[0], 1, 1)
    for part in rest:
        if _NOT_YET.match(part):
            raise ConfigError(f"architecture {notation!r}: {part!r} is not a dense layer, the only kind so far")
    return Architecture(notation, sensor, tuple(_positive(part, "a number of neurons", notation) for part in rest))
