"""Lets every kernel that training runs compile before the clock of the first epoch does."""

import numpy as np

from eventsim.engine import Sink, backward, forward
from eventsim.engine import warm_up as inference
from eventsim.trainer.optimizers import Adam


def warm_up():
    """A step on the tiny network, and inference, which validation runs."""
    inference.warm_up()
    network, spikes = inference.tiny()
    trace = forward(network, spikes, supports=[0.5, np.inf])
    sinks = [Sink(gradient=np.zeros_like(layer.packed)) for layer in network.layers]
    backward(network, trace, lambda b: np.zeros((1, spikes.n_ticks), np.float32), sinks)
    weights = [layer.packed for layer in network.layers]
    Adam(weights).step(weights, [sink.gradient for sink in sinks], 0.0)  # where a batch is walked in pieces
