"""Which networks run on which device, and the sentences where one does not."""

import copy
import re

from eventsim.errors import ConfigError, DeviceError
from eventsim.kernels.cuda import available

CPU = "cpu"
_TIMED_KINDS = ("dense", "conv", "pool")
_KINDS, _FAMILIES = ("dense", "conv", "pool", "recurrent", "sparse"), ("srm", "lif", "li")


def open_device(name: str):
    """The device ``name``: None for "cpu", else the `Device` of "gpu" (the first one) or "gpu:1".

    Raises `ConfigError` for other names, and `DeviceError` where there is no such GPU.
    """
    found = re.fullmatch(r"cpu|gpu(?::(\d+))?", name) if isinstance(name, str) else None
    if not found:
        raise ConfigError(f"device must be cpu, gpu or, of several, gpu:1 and so on, got {name!r}")
    if name == CPU:
        return None
    lacking = available.missing()
    if lacking is not None:
        raise DeviceError(f"no GPU can be used: {lacking}, or use the CPU")
    number, n = int(found[1] or 0), len(available.describe())
    if number >= n:
        raise DeviceError(f"there is no {name}, the last one is gpu:{n - 1}; `eventsim devices` lists them")
    return available.gpu(number)


def check_on_host(network, what):
    """Raise `ConfigError` for a network on a GPU; ``what`` does not run there."""
    if network.device is not None:
        raise ConfigError(f"{what} runs on the CPU only so far; leave out the GPU (Network.to('cpu'))")


def check_layer(layer, neuron):
    """Raise `ConfigError` for a layer that no kernel on a GPU is for yet."""
    wrong = None
    if layer.kind not in _KINDS:
        wrong = f"{layer} is a {layer.kind} layer"
    elif neuron.family not in _FAMILIES:
        wrong = f"neurons of {layer} are {type(neuron).__name__}"
    if wrong is not None:
        raise ConfigError(f"{wrong}; so far dense, recurrent and sparse layers, convolutions and pools of SRM, LIF, "
                          "CubaLIF and LI neurons run on a GPU; use the CPU for others")


def check_timed_layer(layer, neuron):
    """Raise `ConfigError` for a layer on a GPU that no kernel is for in continuous time."""
    wrong = None
    if layer.kind not in _TIMED_KINDS or neuron.family not in _FAMILIES:
        wrong = f"{layer} of {type(neuron).__name__} neurons does not run on a GPU on the exact clock"
    if not layer.is_immediate:
        wrong = (f"{layer} does not run on a GPU on the exact clock, where spikes that come back or come late go "
                 "through a queue, one after the other")
    elif layer.precision != "float32":
        wrong = f"weights of {layer} are {layer.precision}, which do not run on a GPU on the exact clock"
    if wrong is not None:
        raise ConfigError(f"{wrong}; so far dense layers, convolutions and pools of SRM, LIF, CubaLIF and LI neurons "
                          "do, with float32 weights; use the CPU, or the grid clock")


def check_timed(network):
    """Raise `ConfigError` for a network on a device that does not run there in continuous time."""
    if network.device is not None:
        for layer, neuron in zip(network.layers, network.neurons, strict=True):
            check_timed_layer(layer, neuron)


def on_device(network, device):
    """The network with its weights on a `Device`, or with None on the host; itself where they are there.

    They are copied: later changes of the one do not reach the other.
    """
    if device is network.device:
        return network
    if device is not None:
        for layer, neuron in zip(network.layers, network.neurons, strict=True):
            check_layer(layer, neuron)
    other = copy.copy(network)
    other.layers = [layer.on_device(device) for layer in network.layers]
    return other
