"""eventsim's own model, simulated densely on torch: the strongest competitor, and the reference of all ratios.

A layer is one GEMM over all ticks and samples, or a convolution of some ticks after the other; then the recurrences of
both kernels and the threshold, which a compiled function runs over some ticks at a time with all state in registers.
The backward pass is explicit, as in eventsim.
"""

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch

from .base import Peer, counts
from .folding import Wired, fold, through_stages, unfold
from .stages import Dense, Layer, Moments, as_image, in_memory, moments, unpooled

# Ticks of one call of a compiled function. In ms a sample of a 2312-2000-1500-1000-500-100-10 network, batch 8, an
# inference takes 27.8, of which 26.3 are GEMMs, and a training step 77.7, of which 69.5, at 92 % of the peak of that
# processor. Tried for 2,000 neurons: these recurrences 0.4 to 0.5 with 10, 20 or 30 ticks; assigning to slices of one
# buffer instead of `torch.stack` 1.4; the psp as a (block-)Toeplitz GEMM 1.7 to 2.6, without the refractory part. GEMMs
# over 60 or 100 ticks at a time, to stay in cache, cost 2 more on the whole network.
TICKS_A_CALL = 20
# Ticks of an image, where there are convolutions; nothing larger is written than what a backward pass needs. In ms a
# sample of 34x34x2-32c5-2p-bn-16c3-2p-bn-250-100-10, batch 8, on one core of that processor, an inference takes 26, of
# which convolutions 15, and a training step 75, of which 36; on two cores 15 and 42. Images of 4 to 20 ticks, or of a
# sample each, made no difference. Tried for the first convolution (9.7, and 9.9 for the gradient of its weights): that
# gradient by im2col and a GEMM 38; on two cores (4.7), all ticks at once 14.9, most of it for fresh memory, planes of
# channels instead of channels last 31.6, a stride of 2 with the four neurons of a pool as channels 6.7. For its neurons
# (4.9 and 6.2 with potentials kept): the pool in the same compiled function 9.7 and 16, behind it 4.2 and 5.8; spikes
# of 8 bits on the way to it 4.8 and 6.3. The pool folded into the second convolution 20.3 instead of 1.8 and 4.5; the
# gradient of its image as a convolution of g 6.0 instead of 6.1.
TICKS_AN_IMAGE = 10


def onednn_linear(x, weight):
    """x times weight transposed, by oneDNN; ``weight`` may be packed beforehand."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def blas_linear(x, weight):
    """x times weight transposed, by the library that torch itself chooses."""
    return x @ weight.t()


def fastest_linear(x, weight):
    """The faster of the two here: torch's own choice in float32, MKL, takes 15 % longer than oneDNN on an AMD Zen 4."""
    if x.is_cuda or not torch.backends.mkldnn.is_available():
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

    ``dtype`` is that of spikes and g, which go into GEMMs. State and potentials are float32. ``constant`` [B * N] is a
    current in every tick.
    """
    dt, theta = srm["dt"], float(np.float32(srm["theta"]))
    alpha, beta = math.exp(-dt / srm["tau_syn"]), math.exp(-dt / srm["tau_ref"])
    gain = math.e * dt / srm["tau_syn"]
    refractory_gain = -srm["scale_ref"] * theta * math.e * dt / srm["tau_ref"]
    width = srm["tau_rho"] * theta
    peak = srm["scale_rho"] / width

    def forward(currents, state, constant=None):
        p, q, p_ref, q_ref = state.unbind()
        spikes, potentials = [], []
        for current in currents.unbind():
            if constant is not None:
                current = current + constant
            q, q_ref = alpha * (q + p), beta * (q_ref + p_ref)
            u = q + q_ref
            fires = (u >= theta).to(torch.float32)
            p, p_ref = alpha * p + gain * current, beta * p_ref + refractory_gain * fires
            spikes.append(fires.to(dtype))
            potentials.append(u)
        return torch.stack(spikes), torch.stack((p, q, p_ref, q_ref)), torch.stack(potentials)

    def infer(currents, state, constant=None):
        return forward(currents, state, constant)[:2]

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


@dataclass
class Run:
    """What a training step keeps of a layer: pooled input images, potentials of every call, and the neurons' shape."""

    layer: Layer
    images: list
    wired: Wired
    statistics: Moments | None
    potentials: list = field(default_factory=list)
    shape: tuple = ()


class DenseSRM(Peer):
    """The grid clock of eventsim with full support, without its sparsity, in float32."""

    name = "dense SRM (torch)"
    package = "torch"
    neuron = "SRM, alpha kernels"
    same_model = same_rounding = True
    gemm_dtype = torch.float32
    ticks_an_image = TICKS_AN_IMAGE

    def __init__(self, stages, srm, learning_rate=1e-3):
        super().__init__(stages, srm, learning_rate)
        torch.backends.cudnn.allow_tf32 = False  # as GEMMs on a GPU do not round to it by default, either
        self._infer, self._forward, self._backward = recurrences(srm, self.gemm_dtype)
        self._gemm = None
        for layer in self.layers:
            if isinstance(layer.synapses, Dense):
                layer.synapses.linear = self._linear

    def inference(self):
        return torch.inference_mode()

    def images(self, x):
        return super().images(x.to(self.gemm_dtype))

    def _linear(self, x, weight):
        """x times weight transposed, by what is fastest."""
        if self._gemm is None:
            self._gemm = fastest_linear(x, weight)
        return self._gemm(x, weight)

    def _inference_wired(self, i, image, n_samples):
        """The synapses of a layer as inference likes them best, until weights change."""
        if i not in self.packed:
            layer = self.layers[i]
            statistics = layer.norm and Moments(layer.norm.mean, layer.norm.var, 0)
            wired = fold(layer, statistics, image, n_samples, self.gemm_dtype)
            if isinstance(layer.synapses, Dense):
                layer.synapses.currents(image, wired.weight)  # chooses what is fastest
                if self._gemm is onednn_linear:
                    wired = wired._replace(weight=torch.ops.mkldnn._reorder_linear_weight(wired.weight, len(image)))
            self.packed[i] = wired
        return self.packed[i]

    def spikes(self, i, images, n_samples):
        layer, state = self.layers[i], None
        for image in layer.synapses.gathered(layer.pooled(images)):
            wired = self._inference_wired(i, image, n_samples)
            currents = layer.synapses.currents(image, wired.weight)
            for part in in_memory(currents, n_samples).split(TICKS_A_CALL):
                state = part.new_zeros((4, part.shape[1]), dtype=torch.float32) if state is None else state
                spikes, state = self._infer(part, state, *wired.constants)
                yield as_image(spikes, currents.shape[1:])

    def _run(self, layer, images, n_samples):
        """A layer's `Run` before its neurons have run, from the spikes of the layer before."""
        images = list(layer.synapses.gathered(layer.pooled(images)))
        statistics = layer.norm and moments(images)
        return Run(layer, images, fold(layer, statistics, images[0], n_samples, self.gemm_dtype), statistics)

    def _run_spikes(self, run, n_samples):
        """The layer's spikes, image by image; the run gets potentials after the refractory term of every call."""
        state = None
        for image in run.images:
            currents = run.layer.synapses.currents(image, run.wired.weight)
            run.shape = currents.shape[1:]
            for part in in_memory(currents, n_samples).split(TICKS_A_CALL):
                state = part.new_zeros((4, part.shape[1]), dtype=torch.float32) if state is None else state
                spikes, state, potentials = self._forward(part, state, *run.wired.constants)
                run.potentials.append(potentials)
                yield as_image(spikes, run.shape)

    def _adjoint(self, run, errors):
        """g, the adjoint psp of rho times the errors of the layer's spikes; image by image, the last one first."""
        state = None
        for e in errors:
            state = e.new_zeros((2, *e.shape[1:]), dtype=torch.float32) if state is None else state
            g, state = self._backward(e, run.potentials.pop().view(e.shape), state)
            yield as_image(g.view(len(g), -1), run.shape)

    def _errors(self, run, gradients, correction, below, n_samples):
        """Errors of the spikes of the layer ``below``, call by call, the last one first."""
        ticks = len(below.potentials[0])
        for g, image in zip(gradients, reversed(run.images), strict=True):
            errors = run.layer.synapses.image_gradient(g, image, run.wired.weight)
            if correction is not None or run.layer.pool > 1:
                errors = through_stages(errors, image, correction, run.layer.pool)
            for part in reversed(errors.split(ticks * n_samples)):
                yield unpooled(part, run.layer.pool, below.shape, n_samples)

    @torch.no_grad()
    def step(self, x, labels):
        n_ticks, n_samples = x.shape[:2]
        images, runs = self.images(x), []
        for layer in self.layers:
            runs.append(self._run(layer, images, n_samples))
            images = self._run_spikes(runs[-1], n_samples)
        c = self.errors(counts(images, n_samples), labels, n_ticks)
        errors = [c.flatten().expand(len(u), -1) for u in reversed(runs[-1].potentials)]
        while runs:
            run = runs.pop()
            gradients = run.layer.synapses.gathered_back(self._adjoint(run, errors))
            if runs:
                gradients = list(gradients)
            correction = unfold(run, gradients)
            if runs:
                errors = self._errors(run, gradients, correction, runs[-1], n_samples)
        self.optimizer.step()
        self.packed.clear()
        return 0.5 * (c**2).sum() * n_ticks


class DenseSRMBfloat16(DenseSRM):
    """The same with GEMMs in bfloat16: weights, g and products are rounded, sums are in float32, spikes are exact."""

    name = "dense SRM, bf16 GEMM (torch)"
    same_rounding = False
    gemm_dtype = torch.bfloat16
