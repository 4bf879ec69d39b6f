"""What kernels of the exact sweep are called with, by families of neurons, for dense layers and for patches."""

from typing import NamedTuple

import numpy as np

from eventsim.engine import lif_windows, windows
from eventsim.kernels.layout import (
    EDGES,
    EXACT_FAMILY,
    LIF_FAMILY,
    LIF_INNER,
    LIF_STEPS,
    SEGMENTS,
    STEP_COLUMNS,
    TILE,
    WINDOW_COLUMNS,
)

# Cost of stepping a tile over a window, in weight rows added; only the balance of the parts depends on it. A tile that
# cuts its own windows takes as long again over each.
_STEP_COST = 5


class Sweep(NamedTuple):
    """The run of a layer over its lists.

    kernel : its name; the one that keeps active sets has ``_active`` behind it
    shared : the arguments that both have
    cost : float64 or int64[lists], in weight rows added
    """

    kernel: str
    shared: dict
    cost: np.ndarray


def sweep(layer, neuron, constants, tiles, lists, n_samples, begin, end, dt=0.0) -> Sweep:
    """A layer's run from ``begin`` to ``end`` ms.

    constants : the neuron's `exact_constants`; tiles, lists : see `exact_wiring`
    dt : ms, windows also end on multiples of it; 0: they do not
    """
    shared = {
        **tiles._asdict(), "address": lists.address, "sample_ptr": lists.sample_ptr,
        "n_samples": len(lists.sample_ptr) - 1, "constants": constants, "fetched": (1, TILE),
    }
    is_lif, events = constants[EXACT_FAMILY] == LIF_FAMILY, np.diff(lists.sample_ptr)
    shared["edges"] = (EDGES if is_lif else EDGES + 2 * SEGMENTS,)
    if layer.patches is not None:
        own = _lif_patches(constants) if is_lif else _srm_patches(neuron, constants)
        cost = events + 2 * _STEP_COST * (events // (SEGMENTS - 1) + 1)
        kernel = "lif_patches_forward" if is_lif else "exact_patches_forward"
        return Sweep(kernel, {**shared, **own, "time": lists.time, "n_batch": n_samples}, cost)
    if is_lif:
        cut = lif_windows.cut(lists.sample_ptr, lists.time, begin, end, constants, dt)
    else:
        cut = windows.cut(lists.sample_ptr, lists.time, lists.address, begin, end, neuron, constants, dt,
                          settles=not tiles.fires_alone)
    kernel = "lif_exact_forward" if is_lif else "exact_forward"
    return Sweep(kernel, {**shared, **cut._asdict()}, events + _STEP_COST * cut.window_count)


def _srm_patches(neuron, constants):
    """Arguments of sweeps that cut every list into windows of its own."""
    longest, silence = windows.lengths(neuron, constants)
    return {"longest": longest, "longest_silence": silence, "window": (WINDOW_COLUMNS,), "window_address": (SEGMENTS,),
            "coefficient": (SEGMENTS - 1, 2), "upper": (SEGMENTS - 1,)}


def _lif_patches(constants):
    """The same for leaky neurons."""
    longest, longest_step = lif_windows.lengths(constants)
    return {"longest": longest, "longest_step": longest_step, "window": (STEP_COLUMNS,),
            "step": (LIF_STEPS, STEP_COLUMNS), "step_event": (LIF_STEPS + 1,), "coefficient": (LIF_INNER, 2),
            "upper": (LIF_INNER,)}
