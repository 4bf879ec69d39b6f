"""A network on another clock than its own."""

import copy
from dataclasses import replace

from eventsim import checks
from eventsim.data.encoders.binning import ticks_of
from eventsim.errors import ConfigError


def on_clock(network, clock):
    """The network with ``clock``, (name, dt in ms or None) or None for its own.

    A tick of another length keeps the sample's duration and the dead time, which is in ms.
    """
    name, dt = clock or (network.clock, None)
    other = copy.copy(network)
    other.clock = name
    if dt is not None and dt != network.dt:
        if any(layer.bias is not None for layer in network.layers):
            raise ConfigError("the network has inputs that are constant in every tick, so its tick cannot be another; "
                              "of a NIR file, say the tick with --nir-dt")
        other.dt = checks.milliseconds("dt", dt)
        other.neuron = _with_dead_time(network.neuron, network.dt)
        other.layers = [_with_own(layer, network.dt) for layer in network.layers]
        if network.n_ticks is not None:
            other.n_ticks = ticks_of(network.n_ticks * network.dt, dt)
    return other


def _with_dead_time(neuron, t_abs):
    """The neuron, with a dead time of ``t_abs`` ms where it has none of its own."""
    return neuron if neuron.t_abs is not None else replace(neuron, t_abs=t_abs)


def _with_own(layer, t_abs):
    """The layer, whose own neuron has a dead time."""
    if layer.neuron is None or layer.neuron.t_abs is not None:
        return layer
    other = copy.copy(layer)
    other.neuron = _with_dead_time(layer.neuron, t_abs)
    return other
