"""A device that kernels run on: its arrays, and launches with arguments that are checked against the table."""

import functools

import numpy as np

from eventsim.kernels.cuda import source
from eventsim.kernels.layout import TILE
from eventsim.kernels.spec.cuda import KERNELS

# Shared memory that a tile takes in the backward pass, with what the system takes of it.
_SHARED_BYTES = 19 << 10


class Device:
    """What a GPU is to the engine; `CupyDevice` is one.

    Its arrays have what NumPy's have of ``shape``, ``dtype``, ``ndim``, ``size``, ``len``, ``reshape``, ``copy``,
    ``fill`` and slices, and go from and to the host by ``set`` and ``get``.

    name : what it is called
    array_type : the type of its arrays
    cache_bytes : what its second-level cache holds
    tiles_at_once : tiles that are run backward at the same time, a block of 64 threads each
    """

    name: str
    array_type: type
    cache_bytes: int
    tiles_at_once: int

    def empty(self, shape, dtype):
        """An array with anything in it."""
        raise NotImplementedError

    def zeros(self, shape, dtype):
        """An array of zeros."""
        raise NotImplementedError

    def put(self, array):
        """A copy of a host's array."""
        raise NotImplementedError

    def starts(self, sizes):
        """Where lists of these int64 sizes start when one stands behind the other, and where the last ends."""
        raise NotImplementedError

    def compile(self):
        """Compile all kernels, or load what was compiled before."""
        raise NotImplementedError

    def _run(self, kernel, blocks, arguments):
        raise NotImplementedError

    def launch(self, kernel: str, **values):
        """Run a kernel; raises `TypeError` for arguments that are not as in the table, which would be read as rubbish.

        Scalars are cast to their types; results are there for what is launched or copied later.
        """
        entry = KERNELS[kernel]
        if values.keys() != _names(kernel):
            wrong = sorted(values.keys() ^ _names(kernel))[0]
            raise TypeError(f"kernel {kernel} {'has no argument' if wrong in values else 'lacks'} {wrong}")
        arguments = [self._checked(kernel, a, values[a.name]) for a in entry.arguments]
        blocks = -(-int(values[entry.work]) // entry.per_block)
        if blocks:
            self._run(kernel, blocks, arguments)

    def _checked(self, kernel, argument, value):
        if argument.rank == 0:
            return argument.scalar(value)
        fits = isinstance(value, self.array_type) and value.dtype == argument.dtype and value.ndim == argument.rank
        if not fits or not value.flags.c_contiguous:
            got = f"{value.dtype}[{value.ndim} axes]" if isinstance(value, self.array_type) else type(value).__name__
            raise TypeError(
                f"kernel {kernel}, argument {argument.name}: wants a contiguous {argument.dtype} array of "
                f"{argument.rank} axes on the device, got {got}"
            )
        return value


@functools.cache
def _names(kernel):
    return {argument.name for argument in KERNELS[kernel].arguments}


class CupyDevice(Device):
    """A GPU by way of CuPy. number : which of them."""

    def __init__(self, number=0):
        import cupy

        self._cupy, self._number = cupy, number
        self.array_type = cupy.ndarray
        with cupy.cuda.Device(number):
            properties = cupy.cuda.runtime.getDeviceProperties(number)
        self.name = properties["name"].decode()
        self.cache_bytes = properties["l2CacheSize"]
        tiles = min(properties["maxThreadsPerMultiProcessor"] // TILE,
                    properties["sharedMemPerMultiprocessor"] // _SHARED_BYTES)
        self.tiles_at_once = properties["multiProcessorCount"] * max(1, tiles)
        self._functions = {}

    def empty(self, shape, dtype):
        """An array with anything in it."""
        with self._cupy.cuda.Device(self._number):
            return self._cupy.empty(shape, dtype)

    def zeros(self, shape, dtype):
        """An array of zeros."""
        with self._cupy.cuda.Device(self._number):
            return self._cupy.zeros(shape, dtype)

    def put(self, array):
        """A copy of a host's array."""
        with self._cupy.cuda.Device(self._number):
            return self._cupy.asarray(np.ascontiguousarray(array))

    def starts(self, sizes):
        """Where lists of these int64 sizes start when one stands behind the other, and where the last ends."""
        with self._cupy.cuda.Device(self._number):
            out = self._cupy.zeros(sizes.size + 1, np.int64)
            if sizes.size:
                out[1:] = self._cupy.cumsum(sizes.reshape(-1))
        return out

    def compile(self):
        """Compile all kernels, or load what was compiled before."""
        with self._cupy.cuda.Device(self._number):
            for file in source.files():
                self._compile(file)

    def _compile(self, file):
        """Compile the kernels of a file; CuPy keeps them in a cache on disk, by their text."""
        module = self._cupy.RawModule(code=source.source(file), options=source.OPTIONS, backend="nvrtc")
        own = [name for name, kernel in KERNELS.items() if kernel.file == file]
        self._functions |= {name: module.get_function(name) for name in own}

    def _run(self, kernel, blocks, arguments):
        entry = KERNELS[kernel]
        with self._cupy.cuda.Device(self._number):
            if kernel not in self._functions:
                self._compile(entry.file)
            self._functions[kernel]((blocks,), (entry.threads,), tuple(arguments))
