"""Which GPUs there are, or what is missing."""

import functools
import importlib.util
import sys
import warnings

from eventsim.kernels.cuda.communicator import NcclCommunicator
from eventsim.kernels.cuda.device import CupyDevice

_INSTALL = "pip install 'eventsim[gpu]'"


@functools.cache
def missing() -> str | None:
    """What is missing for a GPU to work, and how to get it; None where nothing is.

    That CuPy can be imported says little: it can be where there is no driver, no device or no compiler for kernels.
    """
    if importlib.util.find_spec("cupy") is None:
        return f"CuPy is not installed; install it with {_INSTALL}"
    try:
        import cupy
    except Exception as error:  # a broken installation, of whatever kind
        return f"CuPy cannot be imported ({_line(error)}); install it anew with {_INSTALL}"
    try:
        if cupy.cuda.runtime.driverGetVersion() == 0:
            return "there is no NVIDIA driver; install that of your GPU"
        cupy.cuda.runtime.getDeviceCount()
        _try_out(CupyDevice())
    except Exception as error:  # CuPy raises classes of its own for what the driver says
        if "cudaErrorNoDevice" in str(error):
            return "there is no GPU that CUDA can use; check nvidia-smi and CUDA_VISIBLE_DEVICES"
        return f"the GPU does not work ({_line(error)}); check nvidia-smi, and that the driver is new enough for CuPy"
    return None


def _try_out(device):
    """Compile a small kernel, run it and fetch what it gives; raises what CuPy raises where any of that fails."""
    taken = device.empty(1, "int64")
    device.launch("every_nth", n=1, step=1, values=device.zeros(1, "int64"), taken=taken)
    if taken.get()[0] != 0:
        raise RuntimeError("a kernel gives wrong numbers")


def _line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]


@functools.cache
def gpu(number: int) -> CupyDevice:
    """The GPU of this number; there must be one."""
    return CupyDevice(number)


@functools.cache
def missing_to_join() -> str | None:
    """What is missing for several GPUs to train one network, and how to get it; None where nothing is."""
    if missing() is not None:
        return missing()
    if sys.platform != "linux":
        return "NCCL, which joins GPUs, runs on Linux only"
    nccl = _nccl()
    return None if nccl and nccl.available else f"NCCL is not installed; install it with {_INSTALL}"


def _nccl():
    """CuPy's module for NCCL, or None; it may be there and not ``available``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # CuPy warns of what is said here
            from cupy.cuda import nccl
    except ImportError:
        return None
    return nccl


@functools.cache
def joined(devices: tuple) -> NcclCommunicator:
    """What joins these `gpu` s; raises what CuPy raises where that does not work."""
    return NcclCommunicator(devices)


def describe() -> list[dict]:
    """Name, memory in bytes and compute capability of every GPU; [] where `missing` says something."""
    if missing() is not None:
        return []
    import cupy

    out = []
    for number in range(cupy.cuda.runtime.getDeviceCount()):
        properties = cupy.cuda.runtime.getDeviceProperties(number)
        out.append({
            "name": properties["name"].decode(), "memory": int(properties["totalGlobalMem"]),
            "compute_capability": f"{properties['major']}.{properties['minor']}",
        })
    return out


def versions() -> dict:
    """Versions of CuPy, of the CUDA that it comes with and that the driver is for, and of NCCL; None for what lacks."""
    out = dict.fromkeys(("cupy", "cuda", "driver", "nccl"))
    if importlib.util.find_spec("cupy") is None:
        return out
    try:
        import cupy

        out["cupy"] = cupy.__version__
        out["cuda"] = _dotted(cupy.cuda.runtime.runtimeGetVersion())
        out["driver"] = _dotted(cupy.cuda.runtime.driverGetVersion())
        if (nccl := _nccl()) and nccl.available:
            major, rest = divmod(nccl.get_version(), 10_000)
            out["nccl"] = f"{major}.{rest // 100}.{rest % 100}"
    except Exception:  # `missing` says what is wrong
        pass
    return out


def _dotted(version):
    """12090 as 12.9, 0 as None."""
    return f"{version // 1000}.{version % 1000 // 10}" if version else None
