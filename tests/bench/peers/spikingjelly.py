"""SpikingJelly: its LIF neuron in multi-step mode."""

from functools import partial

from spikingjelly.activation_based import functional, surrogate

from .layerwise import LayerwisePeer


class SpikingJelly(LayerwisePeer):
    """`LIFNode` of step mode "m" by its functional form, which takes its state and returns it; its defaults but tau."""

    name = "SpikingJelly"
    package = "spikingjelly"
    neuron = "LIF, hard reset, sigmoid surrogate"

    def neurons(self):
        step = partial(
            functional.lif_multi_step, tau=1.0 / (1.0 - self.decay), surrogate_function=surrogate.Sigmoid()
        )

        def advance(currents, v):
            return step(currents, v)[:2]

        return advance
