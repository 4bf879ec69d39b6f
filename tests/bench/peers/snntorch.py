"""snnTorch: its leaky neuron, called tick by tick as the package does."""

import torch
from snntorch import Leaky

from .layerwise import LayerwisePeer


class SnnTorch(LayerwisePeer):
    """`Leaky`, with its defaults.

    `LeakyParallel` takes all ticks at once, but has no reset, clips negative states and multiplies by an N x N matrix.
    """

    name = "snnTorch"
    package = "snntorch"
    neuron = "LIF, reset by subtraction, arctangent surrogate"

    def neurons(self):
        leaky = Leaky(beta=self.decay)

        def advance(currents, membrane):
            out = []
            for current in currents.unbind():
                spikes, membrane = leaky(current, membrane)
                out.append(spikes)
            return torch.stack(out), membrane

        return advance
