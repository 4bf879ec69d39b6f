"""Weights in fewer bits, for inference: rows are what simulation moves through memory.

int8 has one scale for every postsynaptic neuron, its largest weight over 127, so that the sum of a neuron's weights
over a tick is an exact integer, whatever the order. float16 keeps eleven bits of every weight.
"""

import numpy as np

from eventsim.errors import ConfigError
from eventsim.kernels.memory import aligned_empty

WEIGHTS = ("float32", "float16", "int8")
_MOST_INT8 = 127


def as_int8(packed):
    """(rows int8, scale float32[n_tiles, 64]) of packed weights float32[n_tiles, N_in, 64]: about ``rows * scale``.

    The error is at most half a scale: a 254th of a neuron's largest weight.
    """
    scale = np.abs(packed).max(axis=1) / np.float32(_MOST_INT8)
    scale[scale == 0] = 1.0
    rows = aligned_empty(packed.shape, np.int8)
    for tile, values in enumerate(packed):
        rows[tile] = np.rint(values / scale[tile])
    return rows, scale


def as_float16(packed):
    """The bits of packed weights in float16, uint16[n_tiles, N_in, 64]; raises `ConfigError` where one does not fit."""
    rows = aligned_empty(packed.shape, np.float16)
    with np.errstate(over="ignore"):
        rows[...] = packed
    if not np.isfinite(rows).all():
        raise ConfigError(
            f"weights up to {np.abs(packed).max():g} do not fit float16, which ends at {np.finfo(np.float16).max:g}; "
            "use int8, which has a scale, or float32"
        )
    return rows.view(np.uint16)
