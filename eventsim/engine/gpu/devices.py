"""Which networks run on which device, and the sentences where one does not."""

import copy
import os
import re

from eventsim.errors import ConfigError, DeviceError
from eventsim.kernels.cuda import available

CPU, ALL, _GPU = "cpu", "gpus", r"gpu(?::(\d+))?"
_STREAMS = "CUPY_CUDA_PER_THREAD_DEFAULT_STREAM"
_TIMED_KINDS = ("dense", "conv", "pool")
_KINDS, _FAMILIES = ("dense", "conv", "pool", "recurrent", "sparse"), ("srm", "lif", "li")


def open_device(name: str):
    """The device ``name``: None for "cpu", else the `Device` of "gpu" (the first one) or "gpu:1".

    Raises `ConfigError` for other names, and `DeviceError` where there is no such GPU.
    """
    if isinstance(name, str) and (name == ALL or re.fullmatch(f"{_GPU}(,{_GPU})+", name)):
        raise ConfigError(f"one device is wanted here, got {name}; several GPUs are for training and evaluating, so "
                          "name one, such as gpu:1")
    found = re.fullmatch(f"{CPU}|{_GPU}", name) if isinstance(name, str) else None
    if not found:
        raise ConfigError(f"device must be cpu, gpu or, of several, gpu:1 and so on, got {name!r}")
    if name == CPU:
        return None
    number, n = int(found[1] or 0), _n_gpus()
    if number >= n:
        raise DeviceError(f"there is no {name}, the last one is gpu:{n - 1}; `eventsim devices` lists them")
    return available.gpu(number)


def _n_gpus():
    """How many GPUs there are, at least one."""
    lacking = available.missing()
    if lacking is not None:
        raise DeviceError(f"no GPU can be used: {lacking}, or use the CPU")
    return len(available.describe())


def open_devices(names: str) -> list:
    """The devices of a name as `open_device` takes it, all GPUs for "gpus", or several, as in "gpu:0,gpu:2".

    Raises as that does, and `ConfigError` where a GPU is named twice, or several could not wait for each other.
    """
    if names == ALL:
        return _waiting([available.gpu(number) for number in range(_n_gpus())])
    if not isinstance(names, str) or not re.fullmatch(f"{CPU}|{_GPU}(,{_GPU})*", names):
        raise ConfigError(f"device must be cpu, gpu or gpu:1, gpus for all of several, or some with commas between "
                          f"them, such as gpu:0,gpu:2, got {names!r}")
    found = [open_device(name) for name in names.split(",")]
    if len(set(map(id, found))) < len(found):
        raise ConfigError(f"device {names} names a GPU twice (gpu is gpu:0); name each of them once")
    return _waiting(found)


def _waiting(devices):
    """The devices; raises `ConfigError` where what one thread launched on them would not wait for another's."""
    if len(devices) > 1 and os.environ.get(_STREAMS, "0") not in ("", "0"):
        raise ConfigError(f"{_STREAMS} is set, by which the threads of several GPUs would not wait for each other; "
                          "unset it, or name one GPU")
    return devices


def check_joinable(devices):
    """Raise `DeviceError` for several devices where NCCL is missing, without which they cannot train at once."""
    lacking = available.missing_to_join() if len(devices) > 1 else None
    if lacking is not None:
        raise DeviceError(f"several GPUs cannot train at once: {lacking}, or use one of them (--device gpu)")


def join(devices):
    """The `Communicator` of several devices.

    Raises `DeviceError` where NCCL is missing, or does not work.
    """
    check_joinable(devices)
    try:
        return available.joined(tuple(devices))
    except RuntimeError as error:  # what CuPy raises for NCCL's codes is one
        raise DeviceError(f"these GPUs cannot train at once: {error}; use one of them (--device gpu)") from error


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
