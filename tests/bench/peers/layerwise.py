"""What the peers that are packages share: layer after layer over all ticks, gradients by autograd."""

from abc import abstractmethod
from contextlib import contextmanager

import torch

from .base import Peer, counts
from .stages import as_image, in_memory


@contextmanager
def onednn_gemms():
    """Lets torch do float32 GEMMs with oneDNN, which took a sixth off an inference on an AMD Zen 4.

    There the sums stay in float32; on processors with AMX this setting also permits to round their terms to bfloat16.
    On a GPU it would round them to TF32, and everybody computes in float32 there.
    """
    before = torch.get_float32_matmul_precision()
    if torch.get_default_device().type == "cpu":
        torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class LayerwisePeer(Peer):
    """Layers of a linear map without bias, over all ticks and samples in one GEMM, and the package's neurons.

    The package's code is compiled as a function that advances the neurons by `ticks_a_call` ticks. That is faster than
    running it as it is, for each package, in inference and in training. More ticks a call take long to compile. A
    convolution takes the ticks of a call too: over all ticks it took three times as long, most of it for memory.
    """

    ticks_a_call = ticks_an_image = 10
    is_compiled = True

    def __init__(self, stages, srm, learning_rate=1e-3):
        super().__init__(stages, srm, learning_rate)
        self._advance = torch.compile(self.neurons(), fullgraph=True) if self.is_compiled else self.neurons()

    @abstractmethod
    def neurons(self):
        """A function from currents [ticks, B, N] and state [B, N] to spikes [ticks, B, N] and the next state."""

    @contextmanager
    def inference(self):
        with onednn_gemms(), torch.no_grad():
            yield

    def spikes(self, i, images, n_samples, training=False):
        layer = self.layers[i]
        images = layer.normalised(layer.pooled(images), training)
        state = None
        for image in layer.synapses.gathered(images):
            currents = layer.synapses.currents(image, layer.weight)
            neurons = in_memory(currents, n_samples).view(-1, n_samples, currents[0].numel())
            state = torch.zeros_like(neurons[0]) if state is None else state
            for part in neurons.split(self.ticks_a_call):
                spikes, state = self._advance(part, state)
                yield as_image(spikes, currents.shape[1:])

    @onednn_gemms()
    def step(self, x, labels):
        n_ticks, n_samples = x.shape[:2]
        images = self.images(x)
        for i in range(len(self.layers)):
            images = self.spikes(i, images, n_samples, training=True)
        loss = 0.5 * n_ticks * (self.errors(counts(images, n_samples), labels, n_ticks) ** 2).sum()
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()
