"""SpikingJelly: its LIF neuron in multi-step mode."""

from functools import partial

import torch
from spikingjelly.activation_based import functional, surrogate

from .layerwise import LayerwisePeer


class SpikingJelly(LayerwisePeer):
    """`LIFNode` of step mode "m" by its functional form, which takes its state and returns it; its defaults but tau.

    On a GPU it chooses a CUDA or Triton kernel of its own, that takes all ticks and is not compiled once more.
    """

    name = "SpikingJelly"
    package = "spikingjelly"
    neuron = "LIF, hard reset, sigmoid surrogate"

    def __init__(self, stages, srm, learning_rate=1e-3):
        if torch.get_default_device().type == "cuda":
            self.is_compiled, self.ticks_a_call = False, 1 << 30
        super().__init__(stages, srm, learning_rate)

    def neurons(self):
        step = partial(
            functional.lif_multi_step, tau=1.0 / (1.0 - self.decay), surrogate_function=surrogate.Sigmoid()
        )

        def advance(currents, v):
            return step(currents, v)[:2]

        return advance
