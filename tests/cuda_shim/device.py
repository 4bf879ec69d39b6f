"""The device: allocation, copies and launches as `CupyDevice` has them."""

import threading
import time

import numpy as np

from cuda_shim.arrays import RUBBISH, ShimArray, using
from cuda_shim.build import find_compiler, launcher, library
from eventsim.kernels.cuda.communicator import Communicator
from eventsim.kernels.cuda.device import Device

__all__ = ["ShimCommunicator", "ShimDevice", "find_compiler"]

_ONE_AT_A_TIME = threading.Lock()  # fibers, and what threads of a block share, are there once
_WRONG = {1: "threads of a block wait for different things", 2: "threads wait for others that have left"}


class ShimDevice(Device):
    """The host as a device.

    descending : in which order the threads of a block run; results must not depend on it
    number : of several; 0 is in use where a thread uses none
    """

    name = "host"
    array_type = ShimArray
    l2_bytes, multiprocessors, clock, compute_capability = 50 << 20, 1, 1e9, (9, 0)
    tiles_at_once = 1584  # of a large GPU; tests set less

    def __init__(self, descending=False, number=0):
        self.descending, self.rubbish, self.number = descending, RUBBISH[descending], number
        self.launched = []

    def use(self):
        return using(self)

    def empty(self, shape, dtype):
        return ShimArray.new(shape, dtype, self)

    def zeros(self, shape, dtype):
        out = self.empty(shape, dtype)
        with self.use():
            out.fill(0)
        return out

    def put(self, array):
        out = self.empty(array.shape, array.dtype)
        out.set(array)
        return out

    def starts(self, sizes):
        assert sizes.dtype == np.int64
        return self.put(np.concatenate([[0], np.cumsum(sizes.get())]))

    def synchronize(self):
        pass

    def _mark(self):
        return time.perf_counter()

    def _seconds(self, mark, later):
        return later - mark

    def order(self, keys):
        assert keys.ndim == 1
        return self.put(np.argsort(keys.get(), kind="stable").astype(np.int64))

    def compile(self):
        library()

    def _run(self, kernel, blocks, threads, arguments):
        self.launched.append(kernel)
        arrays = [value for value in arguments if isinstance(value, ShimArray)]
        assert all(array.owner is self for array in arrays), f"{kernel}: got an array of another device"
        values = [value.pointer if isinstance(value, ShimArray) else value.item() for value in arguments]
        with _ONE_AT_A_TIME:
            outcome = launcher(kernel)(blocks, threads, self.descending, *values)
        assert outcome == 0, f"{kernel}: {_WRONG[outcome]}"
        for array in arrays:
            array.check_guards()


class ShimCommunicator(Communicator):
    """Adds up arrays of several `ShimDevice` s, in their order."""

    def __init__(self, devices):
        self._devices = devices

    def all_reduce(self, arrays):
        for device, array in zip(self._devices, arrays, strict=True):
            assert array.owner is device and array.dtype == np.float32 and array.flags.c_contiguous
        total = arrays[0].get()
        for array in arrays[1:]:
            total += array.get()
        for array in arrays:
            array.set(total)
