"""Lets every kernel that training runs compile before the clock of the first epoch does."""

import numpy as np

from eventsim.engine import Sink, backward, run
from eventsim.engine import warm_up as inference
from eventsim.trainer.optimizers import Adam


def warm_up(clock="grid", make_optimizer=Adam):
    """A step on the tiny network, and inference, which validation runs."""
    inference.warm_up(clock)
    network, spikes = inference.tiny(clock)
    trace = run(network, spikes, supports=[0.5, np.inf])
    sinks = [Sink(gradient=np.zeros_like(layer.packed)) for layer in network.layers]
    backward(network, trace, lambda b: np.zeros((1, spikes.n_ticks), np.float32), sinks)
    optimizer = make_optimizer([layer.packed for layer in network.layers])
    optimizer.begin(0.0)
    for i, layer in enumerate(network.layers):
        optimizer.update(i, layer.packed, sinks[i].gradient)  # where a batch is walked in pieces
