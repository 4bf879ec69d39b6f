"""Lets kernels compile before a clock runs: by the types of what they get, not by its size, so a tiny network does."""

import itertools

import numpy as np

from eventsim.engine.gpu.devices import check_timed
from eventsim.engine.simulate import run
from eventsim.engine.stream import Stream
from eventsim.events import Events
from eventsim.model import LIF, Network
from eventsim.spikes import Spikes

# A weight with which one spike makes a neuron fire, so that spikes reach every kernel.
_ENOUGH = 100.0
_TICKS = 9
# Stand for neurons of their family, which has kernels of its own; None: the default ones.
_MODELS = {"srm": None, "lif": LIF()}
_DENSE, _DELAYED, _DELAYED_READ = "2-2-1", "2-2r-1@d1", "2-2r@d1-1"
# All spikes stay in the first pool and not in the second; the second layer has so many that they are summed up first,
# and the last pool leaves lanes over.
_SPATIAL = "20x20x1-2p-16c2-2p-bn-16c3-2a-do0.5-1"


def tiny_networks(network=None) -> list[Network]:
    """Networks so small that they cost nothing, which between them run every kernel that ``network`` runs.

    network : None: a network of dense layers on the grid
    """
    notations, readout, models = [_DENSE], None if network is None else network.readout, [None]
    if network is not None:
        notations += [] if network.is_immediate else [_DELAYED if readout is None else _DELAYED_READ]
        notations += [_SPATIAL] if network.is_spatial else []
        models = [_MODELS[family] for family in sorted({neuron.family for neuron in network.spiking.neurons})]
    out = []
    for notation, model in itertools.product(notations, models or [None]):
        out.append(Network(notation, model, n_ticks=_TICKS, seed=None, readout=readout))
        for layer in out[-1].layers:
            if layer.n_weights:
                layer.weight = np.full(layer.weight_shape, _ENOUGH)
    return out


def first_spikes(network, clock="grid"):
    """One spike of every input address of a tiny network, all at once."""
    n = network.arch.n_inputs
    when = {"time": np.zeros(n)} if clock == "exact" else {"tick": np.zeros(n, np.int32)}
    return Spikes([0, n], np.arange(n), **when, n_neurons=n, n_ticks=_TICKS)


def warm_up(network=None):
    """Compile, or load, everything that inference of a network runs, on its clock and with the weights that it has.

    network : None: a network of dense layers on the grid; raises `ConfigError` for one that its device does not run
    """
    if network is not None and network.device is not None:
        if network.clock == "exact":
            check_timed(network)
        network.device.compile()
        return
    clock, weights = ("grid", "float32") if network is None else (network.clock, network.weights)
    for tiny in tiny_networks(network):
        run(tiny.with_weights(weights) if tiny.is_immediate else tiny, first_spikes(tiny, clock))


def warm_up_stream(network):
    """The same for a stream."""
    for tiny in tiny_networks(network):
        _stream(tiny)


def _stream(network):
    stream = Stream(network)
    stream.push(Events([0], [0], [0], [0], network.sensor))
    stream.finish()
