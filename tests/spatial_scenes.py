"""Networks of convolutions, pools and stages in continuous time: random ones, and their layers as dense matrices."""

import numpy as np
from naive import spatial as naive

from eventsim.engine import Sink, backward
from eventsim.model import SRM, Network
from eventsim.spikes import Spikes

# Behind an input WIDTHxHEIGHTxCHANNELS: patches that fill a tile and that do not, borders, several tiles a position.
GEOMETRIES = {
    "valid": "6x5x2-12c3-9", "padding": "5x4x3-16c3p1-9", "stride and groups": "7x6x4-8c3s2p1g2-9",
    "dilation": "7x7x2-5c3d2-9", "two tiles a position": "4x3x2-100c2-9", "kernel of the input's size": "4x4x2-70c4-9",
    "one pixel": "1x1x3-4c1-9", "spiking pool": "7x5x3-2a-9", "pool that rounds up": "7x5x3-2au-9",
    "pool of one": "3x2x5-1a-9",
    "average pool": "7x6x2-8c3-2p-9", "normalised": "5x4x2-6c3p1-bn-9",
    "pooled and normalised": "6x6x2-8c3p1-2p-bn-16c2-9", "stages before the first layer": "6x6x2-2p-bn-8c2-do0.3-9",
    "pool behind stages": "8x8x3-2p-bn-2a-9",
    "everything": "9x8x2-12c3s1p1-2a-16c3p1g2-2p-bn-20-do0.1-9",
}


def spatial_network(rng, notation, neuron=None, n_ticks=60, dt=1.0, gain=3.0, offset=0.05):
    """A network with normal weights, on the average excitatory, and normalisation with random parameters."""
    network = Network(notation, neuron or SRM(tau_syn=4.0), n_ticks=n_ticks, dt=dt, seed=None)
    for layer in network.layers:
        if layer.n_weights:
            size = gain * network.neuron.theta / np.sqrt(layer.fan_in)
            layer.weight = rng.normal(size / 3, size, layer.weight_shape)
        if layer.kind == "recurrent":
            layer.recurrent.weight = rng.normal(0.0, size, layer.recurrent.weight_shape)
        for stage in layer.stages:
            if stage.kind == "batch_norm":
                n = stage.given.channels
                scale, mean = (0.4, 0.1) if layer.n_weights else (2.0, 0.005)  # a pool's weights are what they are
                stage.gamma, stage.beta = scale * rng.normal(1.0, 0.5, n), rng.normal(0.0, mean * offset / 0.1, n)
                stage.running_mean, stage.running_var = rng.uniform(0.0, mean, n), rng.uniform(0.03, 0.2, n)
    return network


def random_times(rng, network, n_spikes, n_samples=1):
    """A batch of input spikes at random times up to nine tenths of a sample, and of some neurons at the same time."""
    end = network.n_ticks * network.dt
    rows = [np.sort(rng.choice(rng.uniform(0, 0.9 * end, n_spikes), n_spikes)) for _ in range(n_samples)]
    n = network.arch.n_inputs
    address = rng.integers(0, n, n_spikes * n_samples)
    array = np.empty(n_spikes * n_samples, [("sample", np.int64), ("time", float), ("address", np.int32)])
    array["sample"] = np.repeat(range(n_samples), n_spikes)
    array["time"], array["address"] = np.concatenate(rows), address
    return Spikes.from_structured(array, n_samples=n_samples, n_neurons=n, n_ticks=network.n_ticks, dt=network.dt)


def matrix(layer):
    """The weights of a layer by its definition, float64[n_in, n_out]."""
    weight, given = layer.weight.astype(float), layer.given
    if layer.kind in ("dense", "recurrent"):
        return weight
    window = layer.window
    return naive.conv_matrix(weight, (given.channels, given.height, given.width), window.stride, window.padding,
                             window.dilation, layer.groups, window.rounds_up)


def behind_stages(layer):
    """(w float64[N, n_out], drive float64[n_out]): weights from neurons before the stages, and constant input a tick.

    In inference: statistics are the running ones, and nobody is dropped. What spikes count is float32, and so are its
    products with the weights.
    """
    w = matrix(layer)
    pooled, scale, drive = np.eye(layer.n_in), np.ones(layer.n_in), np.zeros(w.shape[1])
    for stage in layer.stages:
        given = stage.given
        if stage.kind == "batch_norm":
            sigma = np.sqrt(stage.running_var.astype(float) + 1e-5)
            scale = scale * np.repeat(stage.gamma / sigma, given.positions)
            drive = np.repeat(stage.beta - stage.gamma * stage.running_mean.astype(float) / sigma, given.positions) @ w
        elif stage.kind == "average_pool":
            maps = np.eye(given.size).reshape(-1, given.channels, given.height, given.width)
            pooled, scale = naive.sum_pool(maps, stage.size).reshape(given.size, -1), scale / stage.size**2
    rows = scale.astype(np.float32)[:, None] * w.astype(np.float32)
    return pooled @ rows.astype(float), drive


def folded(layer, gradient):
    """The adjoint of `matrix`: derivatives by a convolution's weights of those by all of its matrix's numbers."""
    if layer.kind == "dense":
        return gradient
    size, given, window = np.prod(layer.weight_shape), layer.given, layer.window
    number = np.arange(1, size + 1).reshape(layer.weight_shape)
    place = naive.conv_matrix(number, (given.channels, given.height, given.width), window.stride, window.padding,
                              window.dilation, layer.groups, window.rounds_up).astype(int)
    return np.bincount(place.ravel(), gradient.ravel(), size + 1)[1:].reshape(layer.weight_shape)


def gradients(network, trace, errors):
    """Gradients (weights or None, (gamma, beta) or ()) of every layer; errors is float32[B, N_out, T]."""
    packed = [np.zeros_like(array) for array in network.parameters]
    backward(network, trace, errors.__getitem__, [Sink(gradient=array) for array in packed])
    out, rest = [], iter(packed)
    for layer in network.layers:
        by_weights = None
        if layer.kind == "dense":
            by_weights = next(rest).transpose(1, 0, 2).reshape(layer.n_in, -1)[:, : layer.n_out]
        elif layer.n_weights:
            by_weights = next(rest).ravel()[: layer.n_weights].reshape(layer.weight_shape)
        norm = [next(rest).ravel()[: stage.given.channels] for stage in layer.stages for _ in stage.parameters]
        out.append((by_weights, tuple(norm)))
    return out
