"""NIR graphs to read: chains of nodes, and the nodes of each type."""

import itertools

import nir
import numpy as np


def full(shape, value):
    return np.full(shape, value, np.float32)


def lif(shape, tau=0.02, r=20.0, theta=1.0, leak=0.0, reset=0.0):
    return nir.LIF(tau=full(shape, tau), r=full(shape, r), v_leak=full(shape, leak), v_threshold=full(shape, theta),
                   v_reset=full(shape, reset))


def integrate(shape, r=1.0, theta=1.0, reset=0.0):
    return nir.IF(r=full(shape, r), v_threshold=full(shape, theta), v_reset=full(shape, reset))


def cuba(shape, tau_mem=0.02, tau_syn=0.005, r=1.0, theta=1.0, leak=0.0, reset=0.0, w_in=1.0):
    return nir.CubaLIF(tau_mem=full(shape, tau_mem), tau_syn=full(shape, tau_syn), r=full(shape, r),
                       v_leak=full(shape, leak), v_threshold=full(shape, theta), v_reset=full(shape, reset),
                       w_in=full(shape, w_in))


def conv(c_out, c_in, size=3, stride=1, padding=0, dilation=1, groups=1, bias=0.0, input_shape=None, value=None):
    weight = np.random.default_rng(c_out).normal(0.2, 0.5, (c_out, c_in // groups, size, size)).astype(np.float32)
    return nir.Conv2d(input_shape=input_shape, weight=weight if value is None else full(weight.shape, value),
                      stride=stride, padding=padding, dilation=dilation, groups=groups, bias=full(c_out, bias))


def pool(kind, size, stride=None, padding=0):
    return kind(kernel_size=np.array([size, size]), stride=np.array([stride or size] * 2),
                padding=np.array([padding, padding]))


def linear(n_out, n_in, bias=None, seed=0):
    weight = np.random.default_rng(seed).normal(0.1, 0.4, (n_out, n_in)).astype(np.float32)
    return nir.Linear(weight) if bias is None else nir.Affine(weight, full(n_out, bias))


def flatten(shape):
    return nir.Flatten(np.array(shape), 0, -1)


def chain(shape, *nodes):
    """A graph of nodes one after the other, called by their place: input, 0, 1, ..., output."""
    names = ["input", *map(str, range(len(nodes))), "output"]
    last = nodes[-1].output_type["output"]
    ends = nir.Input(np.array(shape)), nir.Output(np.array([1]) if last is None else last)
    return nir.NIRGraph(dict(zip(names, (ends[0], *nodes, ends[1]), strict=True)),
                        list(itertools.pairwise(names)), type_check=False)


def looped(shape, nodes, back, at=-1):
    """`chain`, in which the nodes ``back``, called back0, back1, ..., lead from the node ``at`` back to it."""
    graph = chain(shape, *nodes)
    way = [str(range(len(nodes))[at]), *(f"back{i}" for i in range(len(back)))]
    return nir.NIRGraph(graph.nodes | dict(zip(way[1:], back, strict=True)),
                        [*graph.edges, *itertools.pairwise([*way, way[0]])], type_check=False)
