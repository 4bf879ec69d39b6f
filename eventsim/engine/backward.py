"""The backward walk: gradients of every layer's parameters from a trace and the error of its output spikes."""

import numpy as np

from eventsim.engine.active import ActiveSet
from eventsim.engine.adjoint import block_samples, dense_adjoint, patch_adjoint
from eventsim.engine.exact_wiring import check_settles
from eventsim.engine.feed import lane_addresses, route_back
from eventsim.engine.gpu import backward as gpu
from eventsim.engine.gpu import stages as gpu_stages
from eventsim.engine.gpu.active import DeviceActiveSet
from eventsim.engine.gpu.devices import check_timed
from eventsim.engine.normalising import norm_gradient, row_sums, weight_gradient
from eventsim.engine.output_error import at_pairs
from eventsim.engine.pair_adjoint import goes_by_pairs, pair_adjoint
from eventsim.engine.readout import check_timed_gradient
from eventsim.engine.runs import by_address
from eventsim.engine.trace import Trace
from eventsim.errors import ConfigError
from eventsim.kernels.layout import ADD, n_chunks


def takes_steps(layer) -> bool:
    """Whether a backward walk can hand the gradient of the layer's weights to a step of an optimiser at once.

    That of others is known at the end only; their sinks have to be arrays.
    """
    return layer.patches is None and not layer.stages


def backward_layer(layer, neuron, done, error, below, sinks, *, rows=None, truncate=False):
    """Pass the gradients of a layer's parameters to their sinks and return the error of the layer below, or None.

    done : the layer's `LayerTrace`; error : float32[G, P], at its active pairs, to be summed over G
    below : the `ActiveSet` of the layer below, None where there is none
    sinks : a `Sink` for each of the layer's parameters
    rows : `by_address` of a dense layer's input, where it is there already
    """
    if not takes_steps(layer) and any(sink.rule != ADD for sink in sinks):
        raise ConfigError(f"no step of an optimiser can be taken on the way through {layer}; give its sinks arrays")
    if layer.device is not None:
        adjoint = gpu.adjoint(layer, neuron, done, error, below, sinks[0] if sinks else None, truncate)
    elif layer.patches is None:
        adjoint = dense_adjoint(layer, neuron, done, error, below, sinks[0], rows, truncate)
    elif neuron.family == "srm" and goes_by_pairs(layer, done, truncate):
        adjoint = pair_adjoint(layer, neuron, done, error, below)
    else:
        adjoint = patch_adjoint(layer, neuron, done, error, below, truncate)
    given, error_below = done.feed, adjoint.error
    shift = slope = None
    if adjoint.rows is not None and layer.n_weights:
        sinks[0].gradient[...] += weight_gradient(layer, given, adjoint)
    if given.constant is not None:
        sums = row_sums(layer, adjoint) if adjoint.sums is None else adjoint.sums
        gamma, beta, shift, slope = norm_gradient(layer, given, sums)
        for sink, values in zip(sinks[-2:], (gamma, beta), strict=True):
            sink.gradient.reshape(-1)[: len(values)] += values.astype(np.float32)
        if given.statistics is None:  # the running ones do not depend on the spikes
            shift = slope = None
    if below is not None and (shift is not None or given.kept is not None):
        back = gpu_stages.route_back if layer.device is not None else route_back
        back(layer, given, below, lane_addresses(layer, below.lane_neuron), error_below, shift, slope)
    return error_below


def gather_error(active: ActiveSet, error, is_read=False):
    """The output error at the pairs of the output layer's active set, float32[1, P], where that is.

    ``error(b)`` is float32[N, T], by spikes; where potentials are read (``is_read``) float32[N], by scores.
    """
    on_device = isinstance(active, DeviceActiveSet)
    if is_read:
        own = np.array([error(b) for b in range(active.n_samples)], np.float32)
        sample, address, ticks = (active.host if on_device else active).entries()
        out = np.repeat(own[sample, address] if len(sample) else own.ravel()[:0], ticks)[None]
        return active.device.put(out) if on_device else out
    if on_device:
        return gpu.gather_error(active, error)
    return at_pairs(active, error)


def add_pressure(active: ActiveSet, error, pressure):
    """Add a number for each sample, float32[B], to the error float32[G, P] at the pairs of an active set, in place."""
    if pressure is None or not active.n_pairs:
        return
    if isinstance(active, DeviceActiveSet):
        gpu.add_pressure(active, error, pressure)
        return
    pairs = np.diff(active.pair_start[:: n_chunks(active.n_ticks)])  # of every tile and sample
    error[0] += np.repeat(np.resize(pressure, len(pairs)), pairs)


def check_trainable(network):
    """Raise `ConfigError` for a network whose gradient is not known, where it is."""
    if network.clock == "exact":
        check_timed(network)
        check_settles(network)
    if network.clock == "exact" and network.readout is not None:
        check_timed_gradient(network.readout)
    for name, layer in zip(network.layer_names, network.layers, strict=True):
        if layer.kind == "sparse":
            raise ConfigError(f"{name} is {layer}, and sparse layers are for simulation only so far; train a network "
                              "of dense layers or convolutions")
    if any(layer.bias is not None for layer in network.layers):
        raise ConfigError("layers with a bias are for simulation only so far; train a network without")
    if not network.is_immediate:
        raise ConfigError(
            f"{network.arch.notation} has delays or recurrence, which are for simulation only so far; train a network "
            "without them, such as 34x34x2-512-10"
        )


def backward(network, trace: Trace, error, sinks, *, pressure=None, truncate=False):
    """Pass the loss gradient of every parameter to its `Sink`.

    error : callable, ``error(b)`` is the derivative of the loss by the output spikes of sample b, float32[N_out, T], or
        where the last layer's potentials are read by its scores, float32[N_out]
    sinks : a `Sink` for each of `Network.parameters`; those that take a step of an optimiser change the network's
        weights, and `takes_steps` says where they may
    pressure : for every layer None, or what its spikes add to the loss besides, float32[B]: the derivative by any spike
    """
    check_trainable(network)
    layers, sets = network.layers, [done.active for done in trace.layers]
    if any(active is None for active in sets):
        raise ConfigError("this run kept no active sets; call forward with supports before backward")
    if any(isinstance(active, DeviceActiveSet) != (network.device is not None) for active in sets):
        raise ConfigError("this run was on another device than the network is; run it where the backward pass shall be")
    if len(sinks) != len(network.parameters):
        raise ConfigError(
            f"the network has {len(network.parameters)} parameters to train, got {len(sinks)} sinks; give one for each "
            "of Network.parameters"
        )
    if truncate and trace.input.time is not None:
        raise ConfigError("the exact clock's psp is not truncated; leave out truncate, or run the spikes on the grid")
    dense = [i for i, layer in enumerate(layers) if layer.patches is None and layer.device is None
             and sets[i].n_ticks == trace.input.n_ticks]
    rows = {}
    if dense:
        given, neurons = [trace.layers[i].feed.spikes for i in dense], [network.neurons[i] for i in dense]
        rows = dict(zip(dense, by_address(given, block_samples(trace.input), neurons), strict=True))
    current = gather_error(sets[-1], error, network.readout is not None)
    end = len(sinks)
    for i in reversed(range(len(layers))):
        add_pressure(sets[i], current, pressure and pressure[i])
        first, below = end - len(layers[i].parameters), sets[i - 1] if i > 0 else None
        if below is not None and below.n_ticks < sets[i].n_ticks:  # where potentials are read at the end
            below = below.until(sets[i].n_ticks)
        current = backward_layer(
            layers[i], network.neurons[i], trace.layers[i], current, below, sinks[first:end], rows=rows.get(i),
            truncate=truncate,
        )
        end = first
