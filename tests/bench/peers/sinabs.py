"""sinabs: its LIF layer over a sequence."""

from types import SimpleNamespace

from sinabs.activation import MembraneSubtract, SingleExponential, SingleSpike
from sinabs.layers.functional import lif_forward

from .layerwise import LayerwisePeer


class Sinabs(LayerwisePeer):
    """`sinabs.layers.LIF` by its functional form: its defaults, but one spike a tick at most and fixed time constants.

    sinabs wants the batch first and takes neurons of any shape: all samples are one of [B, N] neurons, with no copy.
    """

    name = "sinabs"
    package = "sinabs"
    neuron = "LIF, reset by subtraction, exponential surrogate"

    def neurons(self):
        decay = self.decay
        # torch.compile reads attributes of an object, but not of an autograd function.
        spike = SimpleNamespace(required_states=SingleSpike.required_states, apply=SingleSpike.apply)
        surrogate, reset = SingleExponential(), MembraneSubtract()

        def advance(currents, v):
            spikes, state, _ = lif_forward(
                currents[None], decay, None, {"v_mem": v[None]}, spike_threshold=1.0, spike_fn=spike,
                reset_fn=reset, surrogate_grad_fn=surrogate, min_v_mem=None, norm_input=True,
            )
            return spikes[0], state["v_mem"][0]

        return advance
