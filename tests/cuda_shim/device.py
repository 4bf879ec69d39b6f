"""The device: allocation, copies and launches as `CupyDevice` has them."""

import numpy as np

from cuda_shim.arrays import ShimArray
from cuda_shim.build import find_compiler, launcher, library
from eventsim.kernels.cuda.device import Device
from eventsim.kernels.spec.cuda import KERNELS

__all__ = ["ShimDevice", "find_compiler"]

_WRONG = {1: "threads of a block wait for different things", 2: "threads wait for others that have left"}


class ShimDevice(Device):
    """The host as a device. descending : in which order the threads of a block run; results must not depend on it."""

    name = "host"
    array_type = ShimArray
    cache_bytes, tiles_at_once = 50 << 20, 1584  # of a large GPU; tests set less

    def __init__(self, descending=False):
        self.descending = descending
        self.launched = []

    def empty(self, shape, dtype):
        return ShimArray.new(shape, dtype)

    def zeros(self, shape, dtype):
        out = ShimArray.new(shape, dtype)
        out.fill(0)
        return out

    def put(self, array):
        out = ShimArray.new(array.shape, array.dtype)
        out.set(array)
        return out

    def starts(self, sizes):
        assert sizes.dtype == np.int64
        return self.put(np.concatenate([[0], np.cumsum(sizes.get())]))

    def compile(self):
        library()

    def _run(self, kernel, blocks, arguments):
        self.launched.append(kernel)
        arrays = [value for value in arguments if isinstance(value, ShimArray)]
        values = [value.pointer if isinstance(value, ShimArray) else value.item() for value in arguments]
        outcome = launcher(kernel)(blocks, KERNELS[kernel].threads, self.descending, *values)
        assert outcome == 0, f"{kernel}: {_WRONG[outcome]}"
        for array in arrays:
            array.check_guards()
