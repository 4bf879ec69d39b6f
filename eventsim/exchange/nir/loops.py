"""The way from neurons back to themselves."""

import math
from dataclasses import replace

import numpy as np

from eventsim.errors import FormatError
from eventsim.exchange.nir.builder import Builder
from eventsim.exchange.nir.delays import joined
from eventsim.exchange.nir.nodes import take
from eventsim.exchange.nir.parts import Synapses

_KINDS = ("Linear", "Affine", "Scale", "Delay")


def way_back(builder, neurons, names, nodes) -> Synapses:
    """The synapses from the spikes of neurons back to them, with what multiplies them, and delays.

    neurons : name of the neurons' node, which ``builder`` takes next; ``names`` : of the nodes on the way
    """
    whence = builder.where(neurons, nodes[neurons])
    if builder.synapses is None or builder.synapses.weight.ndim != 2:
        raise FormatError(f"{whence} gets its own spikes back, and eventsim has recurrence of dense layers; put "
                          "Linear or Affine before it")
    n = math.prod(builder.space)
    other = Builder(builder.source, builder.timing)
    other.takes("", (n, 1, 1), True)
    other.notes = builder.notes
    for name in names:
        if type(nodes[name]).__name__ not in _KINDS:
            raise FormatError(f"{other.where(name, nodes[name])} is on the way back to the neurons {neurons!r}; "
                              f"eventsim has recurrence through {', '.join(_KINDS)}, so write its weights as Linear")
        take(other, name, nodes[name])
    if other.synapses is None:
        raise FormatError(f"{whence} gets its own spikes back without weights; put a Linear on the way back, for this "
                          "one of ones in its diagonal")
    if other.space[0] != n:
        raise FormatError(f"{whence} gets {other.space[0]} numbers back for {n} neurons; export the file again")
    weight, bias, scale = other.synapses.weight, other.synapses.bias, other.scale
    with np.errstate(over="ignore"):
        weight = weight if scale == 1.0 else (weight * scale).astype(np.float32)
    return replace(other.synapses, weight=weight, bias=None if bias is None else bias * scale,
                   delay=joined(other.delay, other.delay_after, n))
