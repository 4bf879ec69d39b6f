"""Checks of arguments that several readers share; each raises `ConfigError` with one sentence."""

import math
import numbers

import numpy as np

from eventsim.errors import ConfigError
from eventsim.sensor import Sensor

_LONGEST_DT = 1e9  # ms, eleven days: keeps every product with a tick inside int64


def whole_number(name, value, least, most=2**31 - 1) -> int:
    """``value`` as an int in ``least..most``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not least <= value <= most:
        raise ConfigError(f"{name} must be a whole number from {least} to {most}, got {value!r}")
    return int(value)


def milliseconds(name, value) -> float:
    """``value`` as a positive, finite time in ms."""
    number = math.nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
    if not 0 < number <= _LONGEST_DT:
        raise ConfigError(f"{name} must be a time in ms, above 0 and at most {_LONGEST_DT:g}, got {value!r}")
    return number


def number(name, value, least=0.0, below=math.inf) -> float:
    """``value`` as a float from ``least`` to below ``below``."""
    number = math.nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
    if not least <= number < below:
        limit = "finite" if below == math.inf else f"below {below:g}"
        raise ConfigError(f"{name} must be a number of at least {least:g} and {limit}, got {value!r}")
    return number


def generator(seed) -> np.random.Generator:
    """``seed``, which may be a generator itself, as one."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(whole_number("seed", seed, 0, 2**64 - 1))


def choice(name, value, choices) -> str:
    """``value``, which must be one of ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{name} must be {' or '.join(choices)}, got {value!r}")
    return value


def truth(name, value) -> bool:
    """``value``, which must be true or false."""
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{name} must be true or false, got {value!r}")
    return bool(value)


def indices(name, values, size):
    """``values`` as int64[n] in ``0..size - 1``."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of unequal lengths
        array = np.array(None)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ConfigError(f"{name} must be a list of whole numbers, got {values!r}")
    if array.size and not (array.min() >= 0 and array.max() < size):
        raise ConfigError(f"{name} must lie in 0..{size - 1}, got {array.min()}..{array.max()}")
    return array.astype(np.int64)


def sensor(value) -> Sensor:
    """``value``, which must be a `Sensor`."""
    if not isinstance(value, Sensor):
        raise ConfigError(f"sensor must be a Sensor, got {value!r}")
    return value


def column(name, values):
    """``values`` as an array of one axis, of whatever type."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of unequal lengths
        raise ConfigError(f"{name} must be one-dimensional, got lists of unequal lengths") from None
    if array.ndim != 1:
        raise ConfigError(f"{name} must be one-dimensional, got shape {array.shape}")
    return array


def field_names(array) -> tuple:
    """Names of the fields of a structured array, none of anything else."""
    try:
        return np.asarray(array).dtype.names or ()
    except ValueError:  # lists of unequal lengths
        return ()
