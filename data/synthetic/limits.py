"""The check that the parameter classes of this folder share."""

import math
import numbers

from eventsim.errors import ConfigError


def check_limits(parameters, names, least, most=1e6, above=False):
    """Refuse the ``parameters`` (a dataclass) where a field of ``names`` is no number in ``least..most``.

    above : the number must be larger than ``least``, not equal to it
    """
    for name in names.split():
        value = getattr(parameters, name)
        number = math.nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
        if not least <= number <= most or (above and number == least):
            raise ConfigError(f"{name} must be a number from {least:g}{' (excluded)' if above else ''} to {most:g}, "
                              f"got {value!r}")
