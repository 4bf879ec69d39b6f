"""What the peers that are packages share: layer after layer over all ticks, gradients by autograd."""

from abc import abstractmethod
from contextlib import contextmanager

import torch
from torch.nn.functional import linear

from .base import Peer


@contextmanager
def onednn_gemms():
    """Lets torch do float32 GEMMs with oneDNN, which took a sixth off an inference on an AMD Zen 4.

    There the sums stay in float32; on processors with AMX this setting also permits to round their terms to bfloat16.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class LayerwisePeer(Peer):
    """Layers of a linear map without bias, over all ticks and samples in one GEMM, and the package's neurons.

    The package's code is compiled as a function that advances the neurons by `ticks_a_call` ticks. That is faster than
    running it as it is, for each package, in inference and in training. More ticks a call take long to compile.
    """

    ticks_a_call = 10

    def __init__(self, weights, srm, learning_rate=1e-3):
        super().__init__(weights, srm, learning_rate)
        self._advance = torch.compile(self.neurons(), fullgraph=True)

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

    @onednn_gemms()
    @torch.no_grad()
    def infer(self, x):
        return self._counts(x)

    @onednn_gemms()
    @torch.no_grad()
    def layer_spikes(self, i, spikes):
        return self._layer(spikes, self.weights[i])

    @onednn_gemms()
    def step(self, x, labels):
        n_ticks = len(x)
        loss = 0.5 * n_ticks * (self.errors(self._counts(x), labels, n_ticks) ** 2).sum()
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()
