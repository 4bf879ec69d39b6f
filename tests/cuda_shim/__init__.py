"""Runs the CUDA kernels on the host: a device whose arrays are NumPy's, for tests where there is no GPU."""

from cuda_shim.device import ShimCommunicator, ShimDevice, find_compiler

__all__ = ["ShimCommunicator", "ShimDevice", "find_compiler"]
