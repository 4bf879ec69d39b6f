"""Lets every kernel that training runs compile before the clock of the first epoch does."""

import numpy as np

from eventsim.engine import Sink, backward, forward
from eventsim.model import Network
from eventsim.spikes import Spikes


def warm_up():
    """One step on a network of a few neurons: kernels are compiled by the types of what they get, not by its size."""
    network = Network("2-2-1", n_ticks=2, seed=None)
    spikes = Spikes([0, 1], [0], tick=[0], n_neurons=2, n_ticks=2)
    trace = forward(network, spikes, supports=[0.5, np.inf])
    forward(network, spikes)
    sinks = [Sink(gradient=np.zeros_like(layer.packed)) for layer in network.layers]
    backward(network, trace, lambda b: np.zeros((1, 2), np.float32), sinks)
