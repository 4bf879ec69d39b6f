"""A network on another clock than its own."""

import copy
from dataclasses import replace

from eventsim.data.encoders.binning import ticks_of
from eventsim.model import Network


def on_clock(network, clock):
    """The network with ``clock``, (name, dt in ms or None) or None for its own.

    A tick of another length keeps the sample's duration and the dead time, which is in ms.
    """
    name, dt = clock or (network.clock, None)
    if dt is None or dt == network.dt:
        other = copy.copy(network)
        other.clock = name
        return other
    neuron = network.neuron
    if neuron.t_abs is None:
        neuron = replace(neuron, t_abs=network.dt)
    n_ticks = None if network.n_ticks is None else ticks_of(network.n_ticks * network.dt, dt)
    other = Network(
        network.arch.notation, neuron, dt=dt, n_ticks=n_ticks, clock=name, input_mode=network.input_mode, seed=None
    )
    other.layers = network.layers
    return other
