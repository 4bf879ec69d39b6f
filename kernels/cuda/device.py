"""A device that kernels run on: its arrays, and launches with arguments that are checked against the table."""

import contextlib
import functools

import numpy as np

from eventsim.kernels.cuda import source
from eventsim.kernels.layout import TILE, WIDE_BLOCKS
from eventsim.kernels.spec.cuda import KERNELS

_CLOCK_RATE = 13  # cudaDevAttrClockRate, in kHz; CUDA 13 no longer has it among the properties
# Shared memory that a tile takes in the backward pass, with what the system takes of it.
_SHARED_BYTES = 19 << 10


class Device:
    """What a GPU is to the engine; `CupyDevice` is one.

    Its arrays have what NumPy's have of ``shape``, ``dtype``, ``ndim``, ``size``, ``len``, ``reshape``, ``copy``,
    ``fill`` and slices, and go from and to the host by ``set`` and ``get``.

    name : what it is called
    array_type : the type of its arrays
    l2_bytes, multiprocessors : size of its second-level cache, and number of its multiprocessors
    tiles_at_once : tiles that are run backward at the same time, a block of 64 threads each
    clock : Hz, of the multiprocessors; compute_capability : (9, 0), say
    """

    name: str
    array_type: type
    l2_bytes: int
    multiprocessors: int
    tiles_at_once: int
    clock: float
    compute_capability: tuple[int, int]
    _marks = None  # of launches, while they are timed

    def use(self):
        """A context in which the device is the one that this thread uses, for what does not say which itself."""
        raise NotImplementedError

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

    def order(self, keys):
        """int64[n], where the numbers of an array of one axis stand when they ascend; equal ones stay in order."""
        raise NotImplementedError

    def compile(self):
        """Compile all kernels, or load what was compiled before."""
        raise NotImplementedError

    def synchronize(self):
        """Wait until all that was launched is done."""
        raise NotImplementedError

    def reserved(self) -> int:
        """Bytes of its memory that were taken for arrays so far."""
        raise NotImplementedError

    def _run(self, kernel, blocks, threads, arguments):
        raise NotImplementedError

    def _mark(self):
        """A mark behind what was launched so far."""
        raise NotImplementedError

    def _seconds(self, mark, later):
        """Seconds from a mark to a later one; both were reached."""
        raise NotImplementedError

    @contextlib.contextmanager
    def timed(self):
        """Time all launches inside: once that is left, the dict it gives has the seconds that every kernel took."""
        taken, self._marks = {}, []
        try:
            yield taken
            self.synchronize()
            for kernel, before, after in self._marks:
                taken[kernel] = taken.get(kernel, 0.0) + self._seconds(before, after)
        finally:
            self._marks = None

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
        if not blocks:
            return
        before = None if self._marks is None else self._mark()
        is_wide = blocks <= WIDE_BLOCKS * self.multiprocessors
        self._run(kernel, blocks, entry.threads * (entry.wide if is_wide else 1), arguments)
        if before is not None:
            self._marks.append((kernel, before, self._mark()))

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

        self._cupy, self.number = cupy, number
        self.array_type = cupy.ndarray
        with self.use():
            properties = cupy.cuda.runtime.getDeviceProperties(number)
            kilohertz = cupy.cuda.runtime.deviceGetAttribute(_CLOCK_RATE, number)
        self.name = properties["name"].decode()
        self.l2_bytes, self.multiprocessors = properties["l2CacheSize"], properties["multiProcessorCount"]
        self.clock, self.compute_capability = 1e3 * kilohertz, (properties["major"], properties["minor"])
        tiles = min(properties["maxThreadsPerMultiProcessor"] // TILE,
                    properties["sharedMemPerMultiprocessor"] // _SHARED_BYTES)
        self.tiles_at_once = self.multiprocessors * max(1, tiles)
        self._functions = {}

    def __reduce__(self):
        """A copy, and what was pickled, is the GPU of the same number."""
        from eventsim.kernels.cuda import available  # which imports this

        return available.gpu, (self.number,)

    def use(self):
        """A context in which this thread uses the GPU."""
        return self._cupy.cuda.Device(self.number)

    def empty(self, shape, dtype):
        """An array with anything in it."""
        with self.use():
            return self._cupy.empty(shape, dtype)

    def zeros(self, shape, dtype):
        """An array of zeros."""
        with self.use():
            return self._cupy.zeros(shape, dtype)

    def put(self, array):
        """A copy of a host's array."""
        with self.use():
            return self._cupy.asarray(np.ascontiguousarray(array))

    def starts(self, sizes):
        """Where lists of these int64 sizes start when one stands behind the other, and where the last ends."""
        with self.use():
            out = self._cupy.zeros(sizes.size + 1, np.int64)
            if sizes.size:
                out[1:] = self._cupy.cumsum(sizes.reshape(-1))
        return out

    def synchronize(self):
        """Wait until all that was launched is done."""
        with self.use() as device:
            device.synchronize()

    def reserved(self) -> int:
        """Bytes of its memory that were taken for arrays so far; CuPy keeps what is free again."""
        with self.use():
            return self._cupy.get_default_memory_pool().total_bytes()

    def _mark(self):
        with self.use():
            event = self._cupy.cuda.Event()
            event.record()
        return event

    def _seconds(self, mark, later):
        return 1e-3 * self._cupy.cuda.get_elapsed_time(mark, later)

    def order(self, keys):
        """int64[n], where the numbers of an array of one axis stand when they ascend; equal ones stay in order."""
        with self.use():
            # CuPy's sort is a stable one.
            return self._cupy.argsort(keys) if keys.size else self._cupy.empty(0, np.int64)

    def compile(self):
        """Compile all kernels, or load what was compiled before."""
        with self.use():
            for file in source.files():
                self._compile(file)

    def _compile(self, file):
        """Compile the kernels of a file; CuPy keeps them in a cache on disk, by their text."""
        module = self._cupy.RawModule(code=source.source(file), options=source.OPTIONS, backend="nvrtc")
        own = [name for name, kernel in KERNELS.items() if kernel.file == file]
        self._functions |= {name: module.get_function(name) for name in own}

    def _run(self, kernel, blocks, threads, arguments):
        with self.use():
            if kernel not in self._functions:
                self._compile(KERNELS[kernel].file)
            self._functions[kernel]((blocks,), (threads,), tuple(arguments))
