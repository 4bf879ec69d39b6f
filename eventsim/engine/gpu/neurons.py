"""What kernels on a device need to know of a layer's neurons."""

import functools
import math

import numpy as np

from eventsim.engine.gpu.kept import kept
from eventsim.kernels.layout import (
    ALPHA_REF,
    ALPHA_SYN,
    GAIN_SYN,
    LIF_DECAY,
    LIF_FEED,
    LIF_SYN_DECAY,
)

# What a psp can still add is not known where it never decays.
_LEAST_DECAY = 1e-30


@functools.lru_cache(maxsize=32)
def _powers(alphas, n_ticks):
    """float64[alphas, n_ticks + 1], powers of decays: by the host's C library, so that all devices have its bits."""
    return np.array([[math.pow(alpha, n) for n in range(n_ticks + 1)] for alpha in alphas])


def _decays(neuron, constants, n_ticks):
    """float32[rows, n_ticks + 1], see `SrmConstants` and `LifConstants` in the kernels."""
    if neuron.family == "srm":
        return _powers((float(constants[ALPHA_SYN]), float(constants[ALPHA_REF])), n_ticks).astype(np.float32)
    a, b = float(constants[LIF_DECAY]), float(constants[LIF_SYN_DECAY])
    of_v, of_i = _powers((a, b), n_ticks)
    if a == b:
        passed = np.arange(n_ticks + 1) * np.array([math.pow(a, n - 1) if n else 0.0 for n in range(n_ticks + 1)])
    else:
        passed = (of_v - of_i) / (a - b)
    return np.stack((of_v, of_i, float(constants[LIF_FEED]) * passed)).astype(np.float32)


def on_ticks(device, neuron, like, taps=0) -> dict:
    """What kernels take of neurons on the ticks of the spikes ``like``; taps : of a truncated psp, else 0."""
    constants = neuron.constants(like.dt, *([taps] if taps else []))
    out = {
        "n_ticks": like.n_ticks, "n_abs": neuron.dead_ticks(like.dt),
        "constants": kept(device, neuron, ("constants", like.dt, taps), lambda: constants),
        "decays": kept(device, neuron, ("decays", like.dt, taps), lambda: _decays(neuron, constants, like.n_ticks),
                       of=(int(like.n_ticks),)),
    }
    if neuron.family == "srm":
        out["reach"] = 1.0 / (math.e * max(-math.log(float(constants[ALPHA_SYN])), _LEAST_DECAY))
    return out


def neuron_arguments(device, wiring, neuron, taps=0) -> dict:
    """What kernels take of the neurons of a layer with this `DeviceWiring`; taps : see `on_ticks`."""
    out = on_ticks(device, neuron, wiring.lists, taps)
    if neuron.family != "srm":
        return out | {"gain": wiring.gain(1.0)}
    unit = neuron.constants(wiring.lists.dt, *([taps] if taps else []))[GAIN_SYN]
    return out | {"gain": wiring.gain(unit), "n_taps": taps}
