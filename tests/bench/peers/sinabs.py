"""sinabs: its LIF layer over a sequence."""

from sinabs.activation import MembraneSubtract, SingleExponential, SingleSpike
from sinabs.layers.functional import lif_forward

from .layerwise import LayerwisePeer


class Sinabs(LayerwisePeer):
    """`sinabs.layers.LIF` by its functional form: its defaults, but one spike a tick at most and fixed time constants.

    sinabs wants the batch first; a transposed view costs nothing.
    """

    name = "sinabs"
    package = "sinabs"
    neuron = "LIF, reset by subtraction, exponential surrogate"

    def neurons(self):
        decay = self.decay
        surrogate, reset = SingleExponential(), MembraneSubtract()

        def advance(currents, v):
            spikes, state, _ = lif_forward(
                currents.transpose(0, 1), decay, None, {"v_mem": v}, spike_threshold=1.0, spike_fn=SingleSpike,
                reset_fn=reset, surrogate_grad_fn=surrogate, min_v_mem=None, norm_input=True,
            )
            return spikes.transpose(0, 1), state["v_mem"]

        return advance
