"""What every peer of the benchmark can do, and the calibration that all share."""

import importlib.metadata
import math
from abc import ABC, abstractmethod

import torch
import torch._dynamo

# A compiled function is compiled anew for other widths, for gradients and for a peer of other constants. Torch would go
# on without compiling after eight of these, and a benchmark must not be slow in silence.
torch._dynamo.config.recompile_limit = 64
torch._dynamo.config.fail_on_recompile_limit_hit = True

# Target spikes of the label's neuron, and of the others.
TRUE_COUNT, FALSE_COUNT = 60.0, 10.0
# Factors on a layer's weights that calibration chooses from, and how often it halves their range.
LEAST_FACTOR, MOST_FACTOR, HALVINGS = 1e-2, 1e3, 12


class Peer(ABC):
    """A fully connected spiking network on input spikes x float32[T, B, N_in] of 0 and 1.

    weights : list of float32[N_in, N_out], one a layer
    srm : dict of theta, tau_syn, tau_ref, scale_ref, tau_rho, scale_rho and dt, times in ms
    """

    name: str  # as in the tables
    package: str  # the distribution whose version is reported
    neuron: str
    # Computes eventsim's model on eventsim's weights; and in float32, so that only the order of sums is another.
    same_model = same_rounding = False

    def __init__(self, weights, srm, learning_rate=1e-3):
        self.srm, self.learning_rate = srm, learning_rate
        # Output-major, as torch.nn.Linear holds them.
        self.weights = [torch.nn.Parameter(torch.tensor(w.T, dtype=torch.float32).contiguous()) for w in weights]
        self.optimizer = torch.optim.Adam(self.weights, lr=learning_rate, fused=True)

    @classmethod
    def version(cls):
        """The version of the peer's package."""
        return importlib.metadata.version(cls.package)

    @abstractmethod
    def infer(self, x):
        """Spike counts [B, N_out] of the output layer."""

    @abstractmethod
    def step(self, x, labels):
        """A whole training step; returns the loss before it."""

    @abstractmethod
    def layer_spikes(self, i, spikes):
        """Spikes [T, B, N_out] of layer ``i``, without gradients, from those of the layer before."""

    @property
    def decay(self):
        """What is left of a membrane with the time constant tau_syn after a tick."""
        return math.exp(-self.srm["dt"] / self.srm["tau_syn"])

    def errors(self, counts, labels, n_ticks):
        """c = (n - target) / T of every output neuron and sample, T in ticks. The loss is the sum of c^2 T / 2."""
        target = torch.full_like(counts, FALSE_COUNT)
        target[torch.arange(len(labels)), labels] = TRUE_COUNT
        return (counts - target) / n_ticks

    def activity(self, x):
        """Mean spikes a neuron and sample of every layer, in order."""
        means = []
        for i in range(len(self.weights)):
            x = self.layer_spikes(i, x)
            means.append(_mean_count(x))
        return means

    @torch.no_grad()
    def calibrate(self, x, rates):
        """Scale each layer's weights, in order, until its neurons fire ``rates[i]`` spikes a neuron and sample on x."""
        for i, (weight, rate) in enumerate(zip(self.weights, rates, strict=True)):
            start = weight.clone()
            low, high = math.log(LEAST_FACTOR), math.log(MOST_FACTOR)
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                weight.copy_(start * math.exp(middle))
                if _mean_count(self.layer_spikes(i, x)) < rate:
                    low = middle
                else:
                    high = middle
            x = self.layer_spikes(i, x)


def _mean_count(spikes):
    """Spikes a neuron and sample."""
    return spikes.sum(dtype=torch.float64).item() / spikes[0].numel()
