"""Random networks of convolutions, pools and stages, and their runs beside those of the naive walk."""

import numpy as np
from naive import spatial_network as walk
from naive import srm as naive
from scenes import ROUNDING, dense, excused_spikes, naive_neuron

from eventsim.engine import Sink, backward, forward
from eventsim.engine.forward import forward_layer
from eventsim.model import SRM, Network

# A layer behind an input WIDTHxHEIGHTxCHANNELS: of few channels and many, of patches that fit and that do not.
GEOMETRIES = {
    "valid": "8x7x2-12c3", "one channel": "8x9x1-1c3", "three channels": "7x7x3-3c2",
    "four positions a tile": "8x8x2-16c3", "two positions a tile": "7x5x2-32c3", "a tile a position": "4x5x2-64c3",
    "two tiles a position": "4x3x3-100c2",
    "kernel of one": "5x4x12-7c1", "kernel of the input's size": "5x5x3-9c5", "one pixel": "1x1x3-4c1",
    "one pixel and padding": "1x1x6-5c3p1", "a line": "30x1x2-4c1", "narrow": "3x13x1-16c3", "stride": "9x8x2-8c3s2",
    "stride past the kernel": "11x8x2-6c2s3", "padding": "6x5x3-10c3p1", "kernel wider than the input": "4x4x2-9c6p1",
    "stride and padding": "9x9x1-32c5s2p2", "dilation": "9x8x2-5c3d2", "groups": "6x6x4-8c3g2",
    "a group a channel": "6x5x16-16c3g16", "groups past a tile": "4x4x10-100c2g10",
    "all at once": "11x9x4-12c3s2p1d2g2", "pool": "7x9x3-2a", "pool of one": "3x2x5-1a",
    "pool of the input": "4x4x70-4a", "pool that rounds up": "7x9x3-2au", "pool past the input": "2x3x20-4au",
}


def conv_network(notation, neuron=None, dt=1.0):
    """The network of a notation, with weights of 0."""
    return Network(notation, neuron or SRM(tau_syn=4.0), dt=dt, seed=None)


def random_conv_network(rng, notation, spikes, neuron=None, rate=0.06):
    """A network with random weights, scaled layer by layer until a neuron fires in a share ``rate`` of the ticks.

    Normalisation gets random parameters and running statistics; the latter are not far from those of ``spikes``.
    """
    network = conv_network(notation, neuron, spikes.dt)
    for layer in network.layers:
        for stage in layer.stages:
            if stage.kind == "batch_norm":
                n = stage.given.channels
                stage.gamma, stage.beta = rng.normal(0.5, 0.3, n), rng.normal(0.1, 0.2, n)
                stage.running_mean, stage.running_var = rng.uniform(0.0, 0.1, n), rng.uniform(0.03, 0.1, n)
        if layer.n_weights:
            gain = network.neuron.theta / np.sqrt(layer.fan_in)
            signs = (-0.3, 0.3) if layer.norm is not None else (0.3,)
            while True:  # drawn anew every time: few weights may all be against it
                layer.weight = gain * rng.normal(rng.choice(signs, layer.weight_shape[-1]), 1.0, layer.weight_shape)
                done = forward_layer(layer, network.neuron, spikes, rng=np.random.default_rng(1))
                if len(done.spikes) > rate * done.spikes.n_samples * layer.n_out * done.spikes.n_ticks:
                    break
                assert gain < 1e6
                gain *= 1.4
        spikes = forward_layer(layer, network.neuron, spikes, rng=np.random.default_rng(1)).spikes
    return network


def maps(spikes, shape):
    """Number of spikes float64[T, B, C, H, W] of neurons of a `Shape`."""
    size = spikes.n_ticks, shape.channels, shape.height, shape.width
    samples = [dense(spikes, b).reshape(size) for b in range(spikes.n_samples)]
    return np.stack(samples, axis=1) if samples else np.zeros((size[0], 0, *size[1:]))


def naive_stages(layer, feed):
    """The stages of a layer as the naive walk takes them, normalising and dropping as in the run of the ``feed``."""
    out = []
    for stage in layer.stages:
        if stage.kind == "average_pool":
            out.append(walk.AveragePool(stage.size))
        elif stage.kind == "batch_norm":
            running = (stage.running_mean.astype(float), stage.running_var.astype(float))
            running = running if feed.statistics is None else ()
            out.append(walk.BatchNorm(stage.gamma.astype(float), stage.beta.astype(float), *running))
        elif feed.kept is not None:
            shape = stage.given
            mask = feed.kept.reshape(-1, shape.channels, shape.height, shape.width)
            out.append(walk.Dropout(mask, stage.p))
    return tuple(out)


def naive_synapses(layer):
    """A layer's synapses as the naive walk takes them."""
    weight = layer.weight.astype(float)
    if layer.kind == "dense":
        return walk.Dense(weight)
    if layer.kind == "pool":
        return walk.SumPool(layer.window.size, weight.flat[0], layer.window.rounds_up)
    window = layer.window
    return walk.Conv(weight, stride=window.stride, padding=window.padding, dilation=window.dilation,
                     groups=layer.groups)


class Walks:
    """The naive walk of every layer of a run, over the spikes that the engine gave it, once it agrees with the engine.

    parts, walked : what `naive.spatial_network.backward` takes
    excuses : in how many channels rounding decided on a spike or an active pair (what it does to one neuron it does to
        others of the same weights); everything else that differs fails
    """

    def __init__(self, network, trace, supports=None, truncate=False):
        self.p, self.dt = naive_neuron(network.neuron, network.dt), network.dt
        self.supports, self.excuses = supports, 0
        self.n_taps = naive.n_taps(self.p.tau_syn, self.dt) if truncate else None
        self.parts, self.walked = [], []
        before, shape = trace.input, network.arch.input
        for i, (layer, done) in enumerate(zip(network.layers, trace.layers, strict=True)):
            self._walk(layer, done, maps(before, shape), None if supports is None else supports[i])
            before, shape = done.spikes, layer.shape

    def _walk(self, layer, done, s, support):
        part = naive_stages(layer, done.feed), naive_synapses(layer)
        p, n_ticks = self.p, len(s)
        eps = naive.alpha(p.tau_syn, self.dt, n_ticks, self.n_taps)
        found = walk.forward_layer(*part, s, walk.spiking(p, self.dt), eps)
        ours = maps(done.spikes, layer.shape)
        assert found.spikes.shape == ours.shape
        size = walk.absolute_terms(*part, s, eps).max(axis=0, initial=0.0)
        margin = ROUNDING * (size + p.scale_ref * p.theta * found.spikes.sum(axis=0) + p.theta)
        flat = [array.reshape(n_ticks, -1) for array in (ours, found.spikes, found.u)]
        excused = np.zeros(margin.shape, bool)
        excused.reshape(-1)[excused_spikes(*flat, margin.ravel(), p.theta)] = True
        if support is not None and np.isfinite(support):
            excused = excused | self._active_differs(done.active, found, support, margin, excused)
        self.excuses += np.sum(excused.any(axis=(0, 2, 3)))
        self.parts.append(part)
        self.walked.append(found)

    def _active_differs(self, active, found, support, margin, excused):
        """Active pairs are those of the surrogate's support, and hold it; where rounding decided otherwise."""
        p, shape = self.p, found.u.shape
        ours = np.full((shape[0], shape[1], int(np.prod(shape[2:]))), np.nan)
        for b in range(shape[1]):
            address, tick, rho = active.pairs(b)
            assert np.all(address >= 0)
            ours[tick, b, address] = rho
        ours = ours.reshape(shape)
        edge = np.abs(np.abs(found.u - p.theta) - support * p.theta) <= margin
        edge |= excused
        want = naive.counts(found.u, found.dead, support, p)
        differ = ~np.isnan(ours) != want
        assert not np.any(differ & ~edge)
        # An error of the margin in u is an error of margin / width in log rho.
        same = want & ~differ & ~edge
        error = np.abs(np.log(ours[same] / naive.surrogate(found.u, p)[same]))
        assert np.all(error <= np.broadcast_to(margin / (p.tau_rho * p.theta) + 1e-5, shape)[same])
        return differ.any(axis=0)

    def gradients(self, errors, pressure=None):
        """Gradients of all that is trained, in the order of `Network.parameters`; errors is float[B, N_out, T]."""
        error = errors.transpose(2, 0, 1).reshape(self.walked[-1].u.shape)
        found = walk.backward(self.parts, self.walked, error, self.p, self.dt, self.supports, self.n_taps, pressure)
        out = []
        for by_weights, by_stages in found:
            out += [] if by_weights is None else [by_weights]
            out += [array for parameters in by_stages for array in parameters]
        return out


def parameter_gradients(network, trace, errors, **options):
    """Gradients of all that is trained, as its own arrays are shaped; errors is float32[B, N_out, T]."""
    packed = [np.zeros_like(array) for array in network.parameters]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in packed], **options)
    out, rest = [], iter(packed)
    for layer in network.layers:
        if layer.kind == "dense":
            rows = next(rest).transpose(1, 0, 2).reshape(layer.n_in, -1)
            out.append(_without_padding(rows, layer.n_out).copy())
        elif layer.n_weights:
            out.append(_without_padding(next(rest).reshape(1, -1), layer.n_weights).reshape(layer.weight_shape))
        for stage in layer.stages:
            out += [_without_padding(next(rest).reshape(1, -1), stage.given.channels)[0] for _ in stage.parameters]
    return out


def _without_padding(rows, n):
    assert not rows[:, n:].any()
    return rows[:, :n]


def random_errors(rng, network, spikes):
    """Errors float32[B, N_out, T] of the output spikes."""
    return rng.normal(size=(spikes.n_samples, network.arch.n_outputs, spikes.n_ticks)).astype(np.float32)


def train_forward(network, spikes, supports, truncate=False, seed=0):
    """The forward run of a training step."""
    return forward(network, spikes, supports=supports, truncate=truncate, rng=np.random.default_rng(seed))
