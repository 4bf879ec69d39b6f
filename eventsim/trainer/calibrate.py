"""The calibrated start: every layer's weights scaled until its neurons fire at a chosen rate."""

import numpy as np

from eventsim.engine.simulate import run_layer

HIDDEN_RATE = 4.0  # spikes a neuron and sample
_GAINS = (1.0, 400.0)  # over U(-1, 1) / sqrt(fan_in)
_HALVINGS = 12


def calibrate(network, spikes, *, output, hidden=HIDDEN_RATE, seed=0):
    """Redraw the weights and scale each layer, in order, by bisection on the log of its gain; returns the gains.

    spikes : a few training samples, never validation data
    hidden, output : wanted spikes a neuron and sample

    With slayerPytorch's fixed scale the six-layer perceptron is silent from its third layer on; with twice that it
    saturates.
    """
    rng = np.random.default_rng([seed, 1])
    gains = []
    for i, layer in enumerate(network.layers):
        wanted = output if i == len(network.layers) - 1 else hidden
        layer.initialize(rng, 1.0)
        unit = layer.packed.copy()
        low, high = np.log(_GAINS) if layer.n_weights else (0.0, 0.0)  # what is not trained weighs what it weighs
        for _ in range(_HALVINGS if layer.n_weights else 1):
            middle = 0.5 * (low + high)
            np.multiply(unit, np.float32(np.exp(middle)), out=layer.packed)
            # As in training: normalised by its own statistics, with the same neurons dropped every time.
            trace = run_layer(layer, network.neuron, spikes, network.dt, np.random.default_rng([seed, 2]))
            rate = len(trace.spikes) / (spikes.n_samples * layer.n_out)
            low, high = (low, middle) if rate > wanted else (middle, high)
        gains.append(float(np.exp(middle)))
        _start_running(layer, trace)
        spikes = trace.spikes
    return gains


def _start_running(layer, trace):
    """Let the running statistics of the layer's normalisation start with those of the samples."""
    for stage in layer.stages:
        if stage.kind == "batch_norm":
            stage.running_mean, stage.running_var = trace.feed.statistics.mean, trace.feed.statistics.var
