"""What training costs besides: how much of a network the backward pass visits."""

import time

import numpy as np

from eventsim.engine import Sink, backward, run
from eventsim.kernels.memory import zeros_like
from eventsim.profile.profile import synapses_behind
from eventsim.trainer.losses import loss_of


class BackwardProfile:
    """Counts of training steps whose gradients are thrown away; the network stays as it is.

    network : Network, one that can be trained
    config : TrainingConfig, whose loss and supports are used
    """

    def __init__(self, network, config):
        self.network, self._loss = network, config.make_loss()
        self._supports = config.supports(network.arch.widths)
        self._fan_out = [synapses_behind(layer) for layer in network.layers[1:]]
        widths = network.arch.widths
        self._pairs, self._gradient, self._error = np.zeros((3, len(widths)), np.int64)
        self._seconds = np.zeros(2)
        self.n_samples = self._ticks = 0
        self._gradients = [zeros_like(array) for array in network.parameters]

    def step(self, spikes, labels):
        """Count a batch of input `Spikes` with its labels int64[B]."""
        network, begun = self.network, time.perf_counter()
        trace = run(network, spikes, supports=self._supports)
        error = loss_of(self._loss, network, trace, labels).error
        turn = time.perf_counter()
        backward(network, trace, error, [Sink(gradient=gradient) for gradient in self._gradients])
        self._seconds += turn - begun, time.perf_counter() - turn
        self.n_samples += spikes.n_samples
        self._ticks += spikes.n_samples * spikes.n_ticks
        for i, (layer, done) in enumerate(zip(network.layers, trace.layers, strict=True)):
            pairs = done.active.by_neuron(layer.n_out)
            self._pairs[i] += pairs.sum()
            self._gradient[i] += done.synops if layer.n_weights else 0
            if i + 1 < len(network.layers):
                self._error[i + 1] += int(pairs @ self._fan_out[i])

    def figures(self) -> dict:
        """Plain values, a sample; of every layer:

        active : share of neurons and ticks at which the surrogate counts
        synops_gradient : synapses whose weight's gradient a presynaptic spike adds to
        synops_error : synapses through which an error reaches an active neuron and tick of the layer before
        dense_macs : what both are on a dense simulation
        """
        n, layers = max(self.n_samples, 1), []
        for i, (name, layer) in enumerate(zip(self.network.layer_names, self.network.layers, strict=True)):
            dense = layer.n_synapses * self._ticks * (bool(layer.n_weights) + (i > 0))
            synops = int(self._gradient[i] + self._error[i])
            layers.append({
                "name": name, "active": int(self._pairs[i]) / max(self._ticks * layer.n_out, 1),
                "synops_gradient": int(self._gradient[i]) / n, "synops_error": int(self._error[i]) / n,
                "dense_macs": dense / n, "ratio": synops / dense if dense else None,
            })
        forward, back = (self._seconds / n).tolist()
        return {"samples": self.n_samples, "forward_seconds": forward, "backward_seconds": back, "layers": layers}
