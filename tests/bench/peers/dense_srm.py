"""eventsim's own model, simulated densely on torch: the strongest competitor, and the reference of all ratios.

A layer is one GEMM over all ticks and samples, then the recurrences of both kernels and the threshold, which a compiled
function runs over some ticks at a time with all state in registers. The backward pass is explicit, as in eventsim.
"""

import math
import time

import numpy as np
import torch

from .base import Peer

# Ticks of one call of a compiled function. In ms a sample of a 2312-2000-1500-1000-500-100-10 network, batch 8, an
# inference takes 27.8, of which 26.3 are GEMMs, and a training step 77.7, of which 69.5, at 92 % of the peak of that
# processor. Tried for 2,000 neurons: these recurrences 0.4 to 0.5 with 10, 20 or 30 ticks; assigning to slices of one
# buffer instead of `torch.stack` 1.4; the psp as a (block-)Toeplitz GEMM 1.7 to 2.6, without the refractory part. GEMMs
# over 60 or 100 ticks at a time, to stay in cache, cost 2 more on the whole network.
TICKS_A_CALL = 20


def onednn_linear(x, weight):
    """x times weight transposed, by oneDNN; ``weight`` may be packed beforehand."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def blas_linear(x, weight):
    """x times weight transposed, by the library that torch itself chooses."""
    return x @ weight.t()


def fastest_linear(x, weight):
    """The faster of the two here: torch's own choice in float32, MKL, takes 15 % longer than oneDNN on an AMD Zen 4."""
    if not torch.backends.mkldnn.is_available():
        return blas_linear

    def seconds(linear):
        times = []
        for _ in range(4):
            start = time.perf_counter()
            linear(x, weight)
            times.append(time.perf_counter() - start)
        return min(times)

    return min(onednn_linear, blas_linear, key=seconds)


def recurrences(srm, dtype):
    """The compiled functions of `DenseSRM`: infer, forward and backward over a call's ticks, arrays [ticks, B * N].

    ``dtype`` is that of spikes and g, which go into GEMMs. State and potentials are float32.
    """
    dt, theta = srm["dt"], float(np.float32(srm["theta"]))
    alpha, beta = math.exp(-dt / srm["tau_syn"]), math.exp(-dt / srm["tau_ref"])
    gain = math.e * dt / srm["tau_syn"]
    refractory_gain = -srm["scale_ref"] * theta * math.e * dt / srm["tau_ref"]
    width = srm["tau_rho"] * theta
    peak = srm["scale_rho"] / width

    def forward(currents, state):
        p, q, p_ref, q_ref = state.unbind()
        spikes, potentials = [], []
        for current in currents.unbind():
            q, q_ref = alpha * (q + p), beta * (q_ref + p_ref)
            u = q + q_ref
            fires = (u >= theta).to(torch.float32)
            p, p_ref = alpha * p + gain * current, beta * p_ref + refractory_gain * fires
            spikes.append(fires.to(dtype))
            potentials.append(u)
        return torch.stack(spikes), torch.stack((p, q, p_ref, q_ref)), torch.stack(potentials)

    def infer(currents, state):
        return forward(currents, state)[:2]

    def backward(errors, potentials, state):
        p, q = state.unbind()
        out = []
        for e, u in zip(reversed(errors.unbind()), reversed(potentials.unbind()), strict=True):
            q = alpha * (q + p)
            rho = peak * torch.exp(-(u - theta).abs() / width)
            p = alpha * p + gain * dt * (rho * e)
            out.append(q.to(dtype))
        return torch.stack(out[::-1]), torch.stack((p, q))

    return tuple(torch.compile(function, fullgraph=True) for function in (infer, forward, backward))


class DenseSRM(Peer):
    """The grid clock of eventsim with full support, without its sparsity, in float32."""

    name = "dense SRM (torch)"
    package = "torch"
    neuron = "SRM, alpha kernels"
    same_model = same_rounding = True
    gemm_dtype = torch.float32

    def __init__(self, weights, srm, learning_rate=1e-3):
        super().__init__(weights, srm, learning_rate)
        self._infer, self._forward, self._backward = recurrences(srm, self.gemm_dtype)
        self._linear = None
        self._packed = None

    def _rounded(self, tensor):
        return tensor.detach().to(self.gemm_dtype)

    def _currents(self, spikes, weight):
        """GEMM over all ticks and samples; [T, B * N_out]."""
        rows = spikes.reshape(-1, spikes.shape[-1])
        if self._linear is None:
            self._linear = fastest_linear(rows, self._rounded(self.weights[0]))
        return self._linear(rows, weight).view(len(spikes), -1)

    def _spikes(self, currents, n_samples):
        """The layer's spikes [T, B, N_out]."""
        state = currents.new_zeros((4, currents.shape[1]), dtype=torch.float32)
        out = []
        for part in currents.split(TICKS_A_CALL):
            spikes, state = self._infer(part, state)
            out.append(spikes)
        return torch.cat(out).view(len(currents), n_samples, -1)

    def _packed_weights(self, n_rows):
        """The weights as inference likes them best, until they change."""
        if self._packed is None:
            self._packed = [self._rounded(weight) for weight in self.weights]
            if self._linear is onednn_linear:
                self._packed = [torch.ops.mkldnn._reorder_linear_weight(weight, n_rows) for weight in self._packed]
        return self._packed

    @torch.inference_mode()
    def infer(self, x):
        spikes = self._rounded(x)
        if self._linear is None:
            self.layer_spikes(0, x)
        for weight in self._packed_weights(x.shape[0] * x.shape[1]):
            spikes = self._spikes(self._currents(spikes, weight), x.shape[1])
        return spikes.sum(0, dtype=torch.float32)

    @torch.inference_mode()
    def layer_spikes(self, i, spikes):
        currents = self._currents(self._rounded(spikes), self._rounded(self.weights[i]))
        return self._spikes(currents, spikes.shape[1])

    def calibrate(self, x, rates):
        super().calibrate(x, rates)
        self._packed = None

    def _forward_layer(self, spikes, weight):
        """Output spikes, and the potentials after the refractory term of every call."""
        currents = self._currents(spikes, weight)
        state = currents.new_zeros((4, currents.shape[1]), dtype=torch.float32)
        out, potentials = [], []
        for part in currents.split(TICKS_A_CALL):
            fires, state, u = self._forward(part, state)
            out.append(fires)
            potentials.append(u)
        return torch.cat(out).view(*spikes.shape[:2], -1), potentials

    def _backward_layer(self, errors, potentials):
        """g [T * B, N], the adjoint psp of rho times the errors [T, B * N] of the layer's spikes."""
        state = potentials[0].new_zeros((2, errors.shape[1]))
        out = []
        for e, u in zip(reversed(errors.split(TICKS_A_CALL)), reversed(potentials), strict=True):
            g, state = self._backward(e, u, state)
            out.append(g)
        return torch.cat(out[::-1])

    @torch.no_grad()
    def step(self, x, labels):
        n_ticks, n_samples = x.shape[:2]
        weights = [self._rounded(weight) for weight in self.weights]
        inputs, potentials = [self._rounded(x)], []
        for weight in weights:
            spikes, u = self._forward_layer(inputs[-1], weight)
            inputs.append(spikes)
            potentials.append(u)
        c = self.errors(inputs.pop().sum(0, dtype=torch.float32), labels, n_ticks)
        e = c.flatten().expand(n_ticks, -1)
        for i in reversed(range(len(weights))):
            g = self._backward_layer(e, potentials.pop()).view(n_ticks * n_samples, -1)
            rows = inputs.pop().view(n_ticks * n_samples, -1)
            self.weights[i].grad = self._linear(g.t(), rows.t()).float()
            if i:
                e = self._linear(g, weights[i].t()).view(n_ticks, -1)
        self.optimizer.step()
        self._packed = None
        return 0.5 * (c**2).sum() * n_ticks


class DenseSRMBfloat16(DenseSRM):
    """The same with GEMMs in bfloat16: weights, g and products are rounded, sums are in float32, spikes are exact."""

    name = "dense SRM, bf16 GEMM (torch)"
    same_rounding = False
    gemm_dtype = torch.bfloat16
