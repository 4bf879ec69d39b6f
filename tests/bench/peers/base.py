"""What every peer of the benchmark can do, and the calibration that all share."""

import contextlib
import ctypes
import importlib.metadata
import math
from abc import ABC, abstractmethod

import torch
import torch._dynamo

from .stages import Convolution, layers_of

# A compiled function is compiled anew for other widths, for gradients and for a peer of other constants. Torch would go
# on without compiling after eight of these, and a benchmark must not be slow in silence.
torch._dynamo.config.recompile_limit = 64
torch._dynamo.config.fail_on_recompile_limit_hit = True

# Target spikes of the label's neuron, and of the others.
TRUE_COUNT, FALSE_COUNT = 60.0, 10.0
# Factors on a layer's weights that calibration chooses from, and how often it halves their range.
LEAST_FACTOR, MOST_FACTOR, HALVINGS = 1e-2, 1e3, 12


class Peer(ABC):
    """A spiking network on input spikes x float32 of 0 and 1, [T, B, N_in] or [T, B, C, H, W].

    stages : the network, see `stages`
    srm : dict of theta, tau_syn, tau_ref, scale_ref, tau_rho, scale_rho and dt, times in ms
    """

    name: str  # as in the tables
    package: str  # the distribution whose version is reported
    neuron: str
    ticks_an_image: int  # where there are convolutions
    # Computes eventsim's model on eventsim's weights; and in float32, so that only the order of sums is another.
    same_model = same_rounding = False

    def __init__(self, stages, srm, learning_rate=1e-3):
        self.srm, self.learning_rate = srm, learning_rate
        self.layers = layers_of(stages)
        if any(isinstance(layer.synapses, Convolution) for layer in self.layers):
            _keep_memory()
        self.packed = {}  # what is made of weights for inference, by layer; empty whenever they have changed
        parameters = [parameter for layer in self.layers for parameter in layer.parameters]
        self.optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=True)

    @classmethod
    def version(cls):
        """The version of the peer's package."""
        return importlib.metadata.version(cls.package)

    @abstractmethod
    def step(self, x, labels):
        """A whole training step; returns the loss before it."""

    @abstractmethod
    def inference(self):
        """A context in which there are no gradients."""

    @abstractmethod
    def spikes(self, i, images, n_samples):
        """The spikes of layer ``i``, image by image, from those of the layer before; in `inference`."""

    @property
    def decay(self):
        """What is left of a membrane with the time constant tau_syn after a tick."""
        return math.exp(-self.srm["dt"] / self.srm["tau_syn"])

    def images(self, x):
        """The input as images: of all ticks where a GEMM takes them, else of some."""
        if x.dim() == 3:
            return [x.flatten(0, 1)]
        parts = x.split(self.ticks_an_image)
        return [part.flatten(0, 1).contiguous(memory_format=torch.channels_last) for part in parts]

    def infer(self, x):
        """Spike counts [B, N_out] of the output layer."""
        images = self.images(x)
        with self.inference():
            for i in range(len(self.layers)):
                images = self.spikes(i, images, x.shape[1])
            return counts(images, x.shape[1])

    def errors(self, counts, labels, n_ticks):
        """c = (n - target) / T of every output neuron and sample, T in ticks. The loss is the sum of c^2 T / 2."""
        target = torch.full_like(counts, FALSE_COUNT)
        target[torch.arange(len(labels)), labels] = TRUE_COUNT
        return (counts - target) / n_ticks

    def activity(self, x):
        """Mean spikes a neuron and sample of every layer, in order."""
        totals, images = [0.0] * len(self.layers), self.images(x)

        def counted(i, images):
            for image in images:
                totals[i] += _mean_count([image], x.shape[1])
                yield image

        with self.inference():
            for i in range(len(self.layers)):
                images = counted(i, self.spikes(i, images, x.shape[1]))
            for _ in images:
                pass
        return totals

    def calibrate(self, x, rates):
        """Scale each layer's weights, in order, until its neurons fire ``rates[i]`` spikes a neuron and sample on x.

        The running statistics of a normalisation become those of x.
        """
        images, n_samples = self.images(x), x.shape[1]
        with self.inference():
            for i, (layer, rate) in enumerate(zip(self.layers, rates, strict=True)):
                layer.observe(images)
                self.packed.clear()
                start = layer.weight.clone()
                low, high = math.log(LEAST_FACTOR), math.log(MOST_FACTOR)
                for _ in range(HALVINGS):
                    middle = (low + high) / 2
                    layer.weight.copy_(start * math.exp(middle))
                    self.packed.clear()
                    if _mean_count(self.spikes(i, images, n_samples), n_samples) < rate:
                        low = middle
                    else:
                        high = middle
                images = list(self.spikes(i, images, n_samples))


def _keep_memory():
    """Let the C library, where it is GNU's, keep memory that is freed.

    Getting the pages of a convolution's potentials anew took 15 ms of a step's 90 a sample, on one core.
    """
    trim_threshold, mmap_max = -1, -4
    with contextlib.suppress(AttributeError, OSError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(mmap_max, 0)


def counts(images, n_samples):
    """Spike counts [B, N] over all ticks."""
    return sum(image.view(-1, n_samples, image.shape[1]).sum(0, dtype=torch.float32) for image in images)


def _mean_count(images, n_samples):
    """Spikes a neuron and sample."""
    return sum(image.sum(dtype=torch.float64).item() / image[0].numel() for image in images) / n_samples
