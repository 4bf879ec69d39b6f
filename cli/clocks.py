"""A network on another clock than its own."""

import copy
from dataclasses import replace

from eventsim import checks
from eventsim.data.encoders.binning import ticks_of


def on_clock(network, clock):
    """The network with ``clock``, (name, dt in ms or None) or None for its own.

    A tick of another length keeps the sample's duration, dead times, which are in ms, and what is constant in every
    tick, such as the offset of batch normalisation, in the sum of the ticks.
    """
    name, dt = clock or (network.clock, None)
    other = copy.copy(network)
    other.clock = name
    if dt is not None and dt != network.dt:
        other.dt = checks.milliseconds("dt", dt)
        other.neuron = _with_dead_time(network.neuron, network.dt)
        other.layers = [_at_tick(layer, network.dt, dt) for layer in network.layers]
        if network.n_ticks is not None:
            other.n_ticks = ticks_of(network.n_ticks * network.dt, dt)
    return other


def _with_dead_time(neuron, t_abs):
    """The neuron, with a dead time of ``t_abs`` ms where it has none of its own."""
    return replace(neuron, t_abs=t_abs) if neuron.fires and neuron.t_abs is None else neuron


def _at_tick(layer, old, new):
    """The layer of a network with ticks of ``old`` ms, for ticks of ``new``."""
    other, share = copy.copy(layer), new / old
    if layer.neuron is not None:
        other.neuron = _with_dead_time(layer.neuron, old)
    if layer.bias is not None:
        other.bias = layer.bias * share
    other.stages = tuple(
        stage.with_constant(share) if stage.kind == "batch_norm" else stage for stage in layer.stages)
    return other
