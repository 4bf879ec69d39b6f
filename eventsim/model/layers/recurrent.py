"""A fully connected layer whose own spikes come back to it."""

import numpy as np

from eventsim.model.layers.dense import Dense
from eventsim.model.shape import Shape


class Recurrent(Dense):
    """A `Dense` layer with all-to-all weights from its own neurons besides.

    Attributes
    ----------
    recurrent : `Dense` (n_out, n_out), the weights and delays from the layer's own spikes back to it

    For simulation; it has no backward pass.
    """

    kind = "recurrent"

    def __init__(self, n_in: int, n_out: int, given: Shape | None = None):
        super().__init__(n_in, n_out, given)
        self.recurrent = Dense(n_out, n_out)

    @property
    def projections(self) -> tuple[Dense, ...]:
        """The synapses from the input and those from the layer itself."""
        return self, self.recurrent

    @property
    def is_immediate(self) -> bool:
        """Never: its own spikes come back."""
        return False

    def on_device(self, device) -> "Recurrent":
        """A layer with the same weights on a `Device`, or with None on the host."""
        other = super().on_device(device)
        other.recurrent = self.recurrent.on_device(device)
        return other

    @property
    def n_weights(self) -> int:
        """Synapses of the layer, its recurrent ones included."""
        return super().n_weights + self.recurrent.n_weights

    @property
    def fan_in(self) -> int:
        """Synapses into one neuron, from the input and from the layer itself."""
        return self.n_in + self.n_out

    def synops(self, given, own) -> int:
        """Synapses that input spikes of the addresses ``given`` and the layer's own of the addresses ``own`` cross."""
        return (len(given) + len(own)) * self.n_out

    def initialize(self, rng: np.random.Generator, gain: float):
        """Draw both matrices from U(-gain, gain) / sqrt(fan_in), fan_in counting the synapses of both."""
        super().initialize(rng, gain)
        self.recurrent.draw(rng, gain / np.sqrt(self.fan_in))
