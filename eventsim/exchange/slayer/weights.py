"""Weights and delays of a state dict, put where they belong in a network."""

from dataclasses import dataclass

import numpy as np

from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.slayer.description import fills_up, padded_pools
from eventsim.model import SRM, CubaLIF

_POOL_TOLERANCE = 1e-5  # relative, of float32
_KERNEL_TOLERANCE = 1e-4  # thresholds, or of a psp's peak


@dataclass(frozen=True)
class Placed:
    """Where an array went: the layer, whether it is its weights or its delays, and the array's name and shape."""

    layer: str
    what: str
    name: str
    shape: tuple[int, ...]


def set_weights(network, state) -> list[Placed]:
    """Give a network the weights and delays of a `State`; returns what went where, in the order of the layers.

    Arrays are taken in their order, a layer takes the first that fits by shape, and none may be left. Dense weights are
    [out, in], [out, in, 1, 1, 1] or [out, C, H, W, 1] as in torch, convolutions [out, in / groups, k, k] or with a
    further 1. Delays of axons become those of the next layer's synapses, in whole ticks, rounded down as SLAYER does.
    Weights of lava-dl's CUBA neurons are divided by the voltage's decay, since `CubaLIF` takes that share of a current.

    Raises `FormatError` with the name and shape of what does not fit, and `ConfigError` for a network that SLAYER has
    not; the network is not to be used then.
    """
    _check(network, state)
    gain = _gain(network, state)
    left, placed, blocks = list(state.weights), [], []
    for name, layer in zip(network.layer_names, network.layers, strict=True):
        found = _take_pool(state, network, name, layer, left) if layer.kind == "pool" else \
            _take(state, network, name, layer, left, gain)
        if found is not None:
            placed.append(Placed(name, "weights", found.name, found.values.shape))
            blocks.append((found.block, name))
    for entry in left:
        raise FormatError(f"{state.source}: {entry.name} of the shape {entry.values.shape} has no place in "
                          f"{network.arch.notation}; name the architecture that these weights are of")
    return placed + _set_delays(network, state, _of_one_layer(blocks))


def _of_one_layer(blocks):
    """The layer of every block that holds the weights of one only."""
    names = [block for block, _ in blocks]
    return {block: name for block, name in blocks if block and names.count(block) == 1}


def _check(network, state):
    """Raise where the network is none that the file can be of."""
    for name, layer in zip(network.layer_names, network.layers, strict=True):
        if layer.kind == "recurrent" or layer.norm is not None or layer.delay is not None:
            raise ConfigError(f"{name} of {network.arch.notation} has recurrence, normalisation or delays, for which "
                              f"{state.source} says nothing; name an architecture of dense, convolutional and pooling "
                              "layers")
    for name, given, window in padded_pools(network.arch):
        if not all(fills_up(n, window.size) for n in (given.height, given.width)):
            raise ConfigError(f"{name} of {network.arch.notation} pools {given} by {window.size}, which SLAYER pads so "
                              "that windows mix channels; there is no such layer here")
        if not window.rounds_up:
            raise ConfigError(f"{name} of {network.arch.notation} pools {given}, which SLAYER fills up with zeros; "
                              f"write {window.size}au, a pool that rounds up, instead of {window.size}a")
    _check_kernels(network, state)


def _check_kernels(network, state):
    """The saved kernels are those of the neuron: a wrong time constant would change every spike."""
    if not state.kernels:
        return
    neuron = network.neuron
    if not isinstance(neuron, SRM):
        raise ConfigError(f"{state.source} is of SRM neurons, as its {next(iter(state.kernels))} says; choose --neuron "
                          "srm")
    for name, tau, height in (("srmKernel", neuron.tau_syn, 1.0),
                              ("refKernel", neuron.tau_ref, -neuron.scale_ref * neuron.theta)):
        saved = state.kernels.get(name, np.zeros(1))
        t = np.arange(len(saved)) * network.dt / tau
        wanted = height * t * np.exp(1 - t)
        if np.abs(saved - wanted).max(initial=0.0) > _KERNEL_TOLERANCE * max(1.0, abs(height)):
            peak = np.abs(saved).argmax()
            raise ConfigError(f"{state.source}: {name} is not that of this neuron ({neuron}, ticks of {network.dt:g} "
                              f"ms), but peaks at tick {peak} with {saved[peak]:g}; give the parameters that the "
                              "network was trained with")


def _gain(network, state):
    """What weights are multiplied with, so that potentials are those of the file's neurons."""
    if not state.decays:
        return 1.0
    neuron = network.neuron
    if not isinstance(neuron, CubaLIF):
        raise ConfigError(f"{state.source} is of lava-dl's CUBA neurons, and the network of {type(neuron).__name__}; "
                          "choose --neuron cubalif")
    return -1.0 / np.expm1(-network.dt / neuron.tau_mem) if np.isfinite(neuron.tau_mem) else 1.0 / network.dt


def _wanted(layer):
    """Shapes that a layer's weights may have in the file, without 1s at the end."""
    out = layer.n_out if layer.kind == "dense" else layer.shape.channels
    if layer.kind == "dense":
        given = layer.given
        return [(out, layer.n_in), (out, given.channels, given.height, given.width)]
    size = layer.window.size
    shapes = [(out, layer.given.channels // layer.groups, size, size)]
    return shapes + [(1, 1, size, size)] * (layer.groups == out == layer.given.channels)


def _trimmed(shape):
    """A shape without 1s at the end, but of two axes at least."""
    shape = list(shape)
    while len(shape) > 2 and shape[-1] == 1:
        shape.pop()
    return tuple(shape)


def _take(state, network, name, layer, left, gain):
    """Set the weights of a layer from the first entry that fits, which leaves the list."""
    wanted = list(dict.fromkeys(map(_trimmed, _wanted(layer))))
    theta = network.neuron.theta
    for entry in left:
        if _trimmed(entry.values.shape) in wanted and not (layer.kind == "conv" and _is_pool(entry.values, theta)):
            break
    else:
        got = ", ".join(f"{entry.name} {entry.values.shape}" for entry in left[:3]) or "nothing is left for it"
        turned = any(entry.values.shape == (layer.n_in, layer.n_out) for entry in left) and layer.kind == "dense"
        raise FormatError(f"{state.source}: {name} of {network.arch.notation} wants weights of the shape "
                          f"{' or '.join(map(str, wanted))}, got {got}"
                          f"{'; the output comes first' if turned else ''}; name the architecture that they are of")
    left.remove(entry)
    values = np.float64(entry.values) * gain
    try:
        if layer.kind == "dense":
            layer.weight = values.reshape(layer.n_out, layer.n_in).T
        else:
            values = values.reshape(-1, *layer.weight_shape[:3])
            layer.weight = np.broadcast_to(values.transpose(1, 2, 3, 0), layer.weight_shape)
    except ConfigError as error:
        raise FormatError(f"{state.source}: {entry.name}: {error}") from None
    return entry


def _is_pool(values, theta):
    """Whether these are the fixed weights of slayerPytorch's pool."""
    return values.shape[:2] == (1, 1) and np.allclose(values, 1.1 * theta, rtol=_POOL_TOLERANCE, atol=0)


def _take_pool(state, network, name, layer, left):
    """The entry of a pool, which leaves the list, if there is one: its weights are what eventsim has."""
    size, theta = layer.window.size, network.neuron.theta
    entry = next((entry for entry in left if _trimmed(entry.values.shape) == _trimmed((1, 1, size, size))), None)
    if entry is None:
        return None
    if not _is_pool(entry.values, theta):
        raise FormatError(f"{state.source}: {entry.name} pools with weights of {entry.values.min():g} to "
                          f"{entry.values.max():g}, and {name} of eventsim with {1.1 * theta:g}, 1.1 thresholds; write "
                          f"a convolution instead, {layer.shape.channels}c{size}s{size}g{layer.shape.channels}")
    left.remove(entry)
    return entry


def _set_delays(network, state, blocks):
    """Set the delays of axons at the synapses that these reach."""
    placed, names = [], network.layer_names
    for entry, i in zip(state.delays, _delayed_layers(network, state, blocks), strict=True):
        layer = network.layers[i]
        ticks = np.trunc(np.float32(entry.values).ravel() / np.float32(1.0 if state.is_lava else network.dt))
        if ticks.min() < 0:
            raise FormatError(f"{state.source}: {entry.name} has a delay of {entry.values.min():g}, before its spike; "
                              "clamp delays at 0")
        if not ticks.any():
            placed.append(Placed(names[i], "delays of no tick, after it", entry.name, entry.values.shape))
            continue
        if i + 1 == len(names) or network.layers[i + 1].kind != "dense" or network.layers[i + 1].stages:
            where = "the output" if i + 1 == len(names) else names[i + 1]
            raise FormatError(f"{state.source}: {entry.name} delays spikes on their way to {where} by up to "
                              f"{ticks.max() * network.dt:g} ms, and only dense layers have delays here; there is no "
                              "way to import it")
        network.layers[i + 1].delay = np.repeat(ticks * network.dt, layer.n_out // ticks.size)
        placed.append(Placed(names[i + 1], "delays", entry.name, entry.values.shape))
    return placed


def _delayed_layers(network, state, blocks):
    """The layer whose spikes each entry of delays delays: that of its block, else the only one that it can be."""
    out = []
    for entry in state.delays:
        if entry.block in blocks:
            i = network.layer_names.index(blocks[entry.block])
            fitting = [i] if _fits(entry, network.layers[i]) else []
        else:
            fitting = [i for i, layer in enumerate(network.layers) if _fits(entry, layer) and i not in out]
            same = sum(other.values.size == entry.values.size for other in state.delays[len(out):])
            fitting = fitting[:1] if len(fitting) == same else fitting
        if len(fitting) != 1:
            raise FormatError(f"{state.source}: {entry.name} of the shape {entry.values.shape} fits "
                              f"{len(fitting) or 'none'} of the layers of {network.arch.notation}; save it in a block "
                              "with its weights, or leave it out")
        out.append(fitting[0])
    return out


def _fits(entry, layer):
    return entry.values.size in (layer.n_out, layer.shape.channels)
