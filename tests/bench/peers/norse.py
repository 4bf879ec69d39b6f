"""Norse: its LIF neuron without a synaptic current, stepped over a sequence."""

import torch
from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters, lif_box_feed_forward_step

from .layerwise import LayerwisePeer


class Norse(LayerwisePeer):
    """`LIFBoxCell` by its functional form, with its defaults: no synaptic current, like the other peers' neurons."""

    name = "Norse"
    package = "norse"
    neuron = "LIF, hard reset, SuperSpike surrogate"

    def neurons(self):
        dt = self.srm["dt"] / 1000.0
        parameters = LIFBoxParameters(tau_mem_inv=torch.tensor((1.0 - self.decay) / dt))

        def advance(currents, v):
            state = LIFBoxFeedForwardState(v)
            out = []
            for current in currents.unbind():
                spikes, state = lif_box_feed_forward_step(current, state, parameters, dt)
                out.append(spikes)
            return torch.stack(out), state.v

        return advance
