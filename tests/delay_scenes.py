"""Layers with delays and recurrence of every shape."""

import numpy as np

from eventsim.model.layers import Dense, Recurrent

N_IN, N_OUT, N_TICKS = 30, 70, 40
SHAPES = {"all": (), "axonal": (0,), "synaptic": (0, 1)}
# Of a layer: whether it is recurrent, and what has delays of which shape.
KINDS = {
    "recurrent": (True, None, None), "all": (False, "all", None), "axonal": (False, "axonal", None),
    "synaptic": (False, "synaptic", None), "all, recurrent": (True, "all", "all"),
    "recurrent all": (True, None, "all"), "synaptic, recurrent": (True, "synaptic", None),
    "axonal, recurrent synaptic": (True, "axonal", "synaptic"),
    "synaptic, recurrent axonal": (True, "synaptic", "axonal"),
}


def random_delay(rng, part, shape, longest, step):
    """Delays in ms of multiples of ``step``, some of them 0."""
    if shape is None:
        return None
    sizes = (part.n_in, part.n_out)
    return step * rng.integers(0, longest / step + 1, [sizes[axis] for axis in SHAPES[shape]])


def random_layer(rng, kind, *, gain=4.0, longest=9.0, step=0.25, grid=None, n_in=N_IN, n_out=N_OUT):
    """A layer of one of the KINDS with normal weights, those of the recurrence smaller; multiples of ``grid``."""
    recurrent, *shapes = KINDS[kind]
    layer = (Recurrent if recurrent else Dense)(n_in, n_out)
    for part, shape, scale in zip(layer.projections, shapes, (gain, gain / 4), strict=False):
        weight = rng.normal(scale / 10, scale, (part.n_in, part.n_out))
        part.weight = weight if grid is None else np.round(weight / grid) * grid
        part.delay = random_delay(rng, part, shape, longest, step)
    return layer
