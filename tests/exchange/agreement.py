"""Spikes of a network against those that somebody else says, layer by layer, each with the other's input."""

from types import SimpleNamespace

import numpy as np
from naive import lif as naive
from naive import spatial

from eventsim.engine.forward import forward_layer
from eventsim.spikes import Spikes

ROUNDING = 1e-5  # of a potential, as a share of everything that was added up in it


def spikes_of(dense, dt=1.0):
    """`Spikes` of one sample, of float[T, N]; a number above 1 is that many spikes."""
    tick, address = np.nonzero(dense)
    times = dense[tick, address].astype(int)
    return Spikes([0, times.sum()], np.repeat(address, times).astype(np.int32),
                  tick=np.repeat(tick, times).astype(np.int32), n_neurons=dense.shape[1], n_ticks=len(dense), dt=dt)


def dense_of(spikes):
    """float[T, N] of one sample."""
    out = np.zeros((spikes.n_ticks, spikes.n_neurons))
    np.add.at(out, (spikes.tick, spikes.address), 1.0)
    return out


def matrix_of(layer):
    """The weights of a layer and of the stages before it, float[n_before, n_out]."""
    if layer.kind in ("dense", "recurrent"):
        weight = layer.weight.astype(float)
    else:
        window, shape = layer.window, (layer.given.channels, layer.given.height, layer.given.width)
        weight = spatial.conv_matrix(layer.weight.astype(float), shape, stride=window.stride, padding=window.padding,
                                     dilation=window.dilation, groups=layer.groups)
    for stage in layer.stages[::-1]:
        before = np.zeros((stage.given.size, weight.shape[1]))
        seen = stage.table >= 0
        before[seen] = stage.weight * weight[stage.table[seen]]
        weight = before
    return weight


def parameters(neuron, dt):
    """What the naive recursion takes."""
    p = {name: getattr(neuron, name) for name in ("theta", "tau_mem", "reset", "v_reset", "strict")}
    return SimpleNamespace(**p, drop=neuron.taken, n_abs=neuron.dead_ticks(dt),
                           tau_syn=getattr(neuron, "tau_syn", None), late=getattr(neuron, "late", False))


def agree(network, given, wanted):
    """(spikes, neurons, excused neurons); ``wanted`` are the spikes of every layer, float[T, N], of the input given.

    A neuron may differ from the tick on at which its potential, in float64, lies at the threshold within rounding; of a
    recurrent layer, where what differs comes back to all, every neuron from that tick on.
    """
    n_spikes = n_neurons = excused = 0
    for layer, neuron, out in zip(network.layers, network.neurons, wanted, strict=True):
        ours = dense_of(forward_layer(layer, neuron, spikes_of(given, network.dt)).spikes)
        u, size = _potentials(layer, neuron, network.dt, given, out)
        first = np.where((ours != out).any(axis=0), (ours != out).argmax(axis=0), len(out))
        if layer.kind == "recurrent":
            assert first.min() > len(out) // 2, (layer, first.min())
            first[first > first.min()] = len(out)
        for i in np.flatnonzero(first < len(out)):
            t = first[i]
            assert abs(u[t, i] - neuron.theta) <= ROUNDING * size[t, i], (layer, i, t, u[t, i], neuron.theta)
            excused += 1
        n_spikes, n_neurons = n_spikes + int(out.sum()), n_neurons + out.shape[1]
        given = out
    return n_spikes, n_neurons, excused


def _potentials(layer, neuron, dt, given, out):
    """The potentials with which a layer fires ``out`` of the input given, and the size of all that they add up."""
    matrix, bias = matrix_of(layer), 0.0 if layer.bias is None else layer.bias
    if layer.kind == "recurrent":  # its own spikes of the tick before are input as well
        matrix = np.concatenate((matrix, layer.recurrent.weight.astype(float)))
        given = np.concatenate((given, np.concatenate((np.zeros((1, out.shape[1])), out[:-1]))), axis=1)
    _, u, _ = naive.layer(given, matrix, parameters(neuron, dt), dt, bias)
    size = np.abs(given).cumsum(axis=0) @ np.abs(matrix) + neuron.theta
    return u, size + np.abs(bias) * np.arange(1, len(given) + 1)[:, None]
