"""Weights in fewer bits, for inference: rows are what simulation moves through memory.

Every postsynaptic neuron has a scale. That of int8 is its largest weight over 127, so that the sum of a neuron's
weights over a tick is an exact integer, whatever the order. That of float16 is a power of two which brings its largest
weight near the end of what float16 can say: weights keep eleven bits down to a 2^-28th of it.
"""

import numpy as np

from eventsim.kernels.memory import aligned_empty

WEIGHTS = ("float32", "float16", "int8")
_MOST_INT8 = 127
_MOST_EXPONENT = 15  # float16 ends at 2^16
_LEAST = np.finfo(np.float32).tiny  # scales below lose bits themselves


def _scaled(packed, scale, dtype):
    rows = aligned_empty(packed.shape, dtype)
    for tile, values in enumerate(packed):
        values = values / scale[tile]
        rows[tile] = np.rint(values) if dtype == np.int8 else values
    return rows


def as_int8(packed):
    """(rows int8, scale float32[n_tiles, 64]) of packed weights float32[n_tiles, N_in, 64]: about ``rows * scale``.

    The error is at most half a scale: a 254th of a neuron's largest weight.
    """
    scale = np.abs(packed).max(axis=1) / np.float32(_MOST_INT8)
    scale[scale < _LEAST] = 1.0
    return _scaled(packed, scale, np.int8), scale


def as_float16(packed):
    """(rows uint16, the bits of float16, scale float32[n_tiles, 64]) of packed weights: about ``rows * scale``."""
    exponent = np.frexp(np.abs(packed).max(axis=1))[1] - _MOST_EXPONENT
    scale = np.ldexp(np.float32(1.0), exponent).astype(np.float32)
    scale[scale < _LEAST] = 1.0
    return _scaled(packed, scale, np.float16).view(np.uint16), scale


def quantized(packed, precision: str):
    """(rows, scale) of packed weights float32[n_tiles, N_in, 64] in "int8" or "float16"."""
    return (as_int8 if precision == "int8" else as_float16)(packed)


def dequantized(rows, scale):
    """float32[n_tiles, N_in, 64], what `quantized` weights stand for; scale None: the rows themselves."""
    if scale is None:
        return rows
    values = rows.view(np.float16) if rows.dtype == np.uint16 else rows
    return values.astype(np.float32) * scale[:, None, :]
