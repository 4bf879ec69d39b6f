"""Lets every kernel that training runs compile before the clock of the first epoch does."""

import numpy as np

from eventsim.engine import Sink, backward, run
from eventsim.engine import warm_up as inference
from eventsim.trainer.optimizers import Adam


def warm_up(network=None, make_optimizer=Adam):
    """A step on tiny networks, and inference, which validation runs.

    network : what is to be trained; None: a network of dense layers on the grid
    """
    inference.warm_up(network)
    if network is not None and network.device is not None:
        return
    for tiny in inference.tiny_networks(network):
        spikes = inference.first_spikes(tiny, "grid" if network is None else network.clock)
        for supports in ([0.5] * len(tiny.layers), [np.inf] * len(tiny.layers)):
            trace = run(tiny, spikes, supports=supports, rng=np.random.default_rng(0))
            sinks = [Sink(gradient=np.zeros_like(array)) for array in tiny.parameters]
            error = np.zeros(1 if tiny.readout else (1, spikes.n_ticks), np.float32)
            backward(tiny, trace, [error].__getitem__, sinks)
        optimizer = make_optimizer(tiny.parameters)
        optimizer.begin(0.0)
        for i, array in enumerate(tiny.parameters):
            optimizer.update(i, array, sinks[i].gradient)  # where a batch is walked in pieces
