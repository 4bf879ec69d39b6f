"""What the peers that are packages share: layer after layer over all ticks, gradients by autograd."""

from abc import abstractmethod

import torch
from torch.nn.functional import linear

from .base import Peer


class LayerwisePeer(Peer):
    """Layers of a linear map without bias, over all ticks and samples in one GEMM, and the package's neurons.

    The neurons run through a compiled function that advances them by `ticks_a_call` ticks, which is faster than the
    package's code as it is, for each of the packages (see there), in inference and in training.
    """

    ticks_a_call = 20

    def __init__(self, weights, srm, learning_rate=1e-3):
        super().__init__(weights, srm, learning_rate)
        self._advance = torch.compile(self.neurons())

    @abstractmethod
    def neurons(self):
        """A function from currents [ticks, B, N] and state [B, N] to spikes [ticks, B, N] and the next state."""

    def _layer(self, spikes, weight):
        currents = linear(spikes, weight)
        state = torch.zeros_like(currents[0])
        out = []
        for part in currents.split(self.ticks_a_call):
            spikes, state = self._advance(part, state)
            out.append(spikes)
        return torch.cat(out)

    def _counts(self, x):
        for weight in self.weights:
            x = self._layer(x, weight)
        return x.sum(0)

    @torch.no_grad()
    def infer(self, x):
        return self._counts(x)

    @torch.no_grad()
    def layer_spikes(self, i, spikes):
        return self._layer(spikes, self.weights[i])

    def step(self, x, labels):
        n_ticks = len(x)
        loss = 0.5 * n_ticks * (self.errors(self._counts(x), labels, n_ticks) ** 2).sum()
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()
