"""Rate regulariser: a price on hidden layers that fire more, or less, than they should."""

import numpy as np


class RateRegularizer:
    """L = weight / 2 * N * (max(r - high, 0)^2 + max(low - r, 0)^2) for every hidden layer and sample.

    r is the mean number of spikes of the layer's N neurons in the sample. The derivative of L by one of these spikes is
    weight * (max(r - high, 0) - max(low - r, 0)): the *pressure* on the layer, the same for all neurons and times.

    low, high : spikes a neuron and sample, None for no bound
    """

    def __init__(self, low, high, weight):
        self.low, self.high, self.weight = low, high, weight

    def __call__(self, trace):
        """Penalty float64[B], and the pressure on every layer, float32[B]; None on the output layer."""
        penalty, pressure = np.zeros(trace.input.n_samples), []
        for layer in trace.layers[:-1]:
            n = layer.spikes.n_neurons
            rate = np.diff(layer.spikes.sample_ptr) / n
            above = 0.0 if self.high is None else np.maximum(rate - self.high, 0.0)
            below = 0.0 if self.low is None else np.maximum(self.low - rate, 0.0)
            penalty += 0.5 * self.weight * n * (above**2 + below**2)
            pressure.append((self.weight * (above - below)).astype(np.float32))
        return penalty, [*pressure, None]
