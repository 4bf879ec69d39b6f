"""Neuron models: a file each, and a line here."""

import math
from dataclasses import asdict, fields

from eventsim.errors import ConfigError
from eventsim.model.neurons.li import LI
from eventsim.model.neurons.lif import LIF, CubaLIF
from eventsim.model.neurons.srm import SRM

NEURONS = {"srm": SRM, "lif": LIF, "cubalif": CubaLIF}
# Those that never spike, for the last layer.
INTEGRATORS = {"li": LI}
_ALL = NEURONS | INTEGRATORS

__all__ = ["INTEGRATORS", "LI", "LIF", "NEURONS", "SRM", "CubaLIF", "as_config", "from_config", "parameters"]


def parameters() -> list[str]:
    """Names of the parameters of all models that spike, each once."""
    return list(dict.fromkeys(field.name for model in NEURONS.values() for field in fields(model)))


def as_config(neuron) -> dict:
    """A neuron's kind and parameters, as plain values; `from_config` takes it back."""
    kind = next(name for name, model in _ALL.items() if type(neuron) is model)
    # JSON has no word for infinity.
    return {"kind": kind} | {name: "inf" if value == math.inf else value for name, value in asdict(neuron).items()}


def from_config(config):
    """The neuron of a dict of its ``kind`` and parameters; raises `ConfigError` where there is none."""
    kind = config.get("kind") if isinstance(config, dict) else None
    if not isinstance(kind, str) or kind not in _ALL:
        raise ConfigError(f"unknown neuron {config!r}; known kinds are {', '.join(_ALL)}")
    given = {name: math.inf if value == "inf" else value for name, value in config.items() if name != "kind"}
    known = fields(_ALL[kind])
    unknown = sorted(set(given) - {field.name for field in known}, key=str)
    if unknown:
        raise ConfigError(f"neuron {kind!r} has no parameter {', '.join(map(repr, unknown))}; it has "
                          f"{', '.join(field.name for field in known)}")
    return _ALL[kind](**given)
