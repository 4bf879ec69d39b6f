"""An array of a device that is the host: what the engine uses of CuPy's arrays, and nothing else."""

import contextlib
import math
import threading

import numpy as np

_GUARD = 256  # bytes before and behind an array that nobody may write to
_MARK = 0xA5
# What there is in memory that nobody has written to yet: tiny numbers, or no numbers, and minus ones.
RUBBISH = 0xA5, 0xFF


_thread = threading.local()


@contextlib.contextmanager
def using(device):
    """The thread's device is ``device``."""
    before = getattr(_thread, "device", None)
    _thread.device = device
    try:
        yield
    finally:
        _thread.device = before


class ShimArray:
    """Memory with guards on either side, and a view of it; it never turns into a NumPy array by itself."""

    __array_ufunc__ = None  # as with CuPy, NumPy refuses to compute with it

    def __init__(self, memory, view, owner):
        self._memory, self._view, self.owner = memory, view, owner

    @classmethod
    def new(cls, shape, dtype, owner):
        """An array of the device ``owner`` with rubbish in it."""
        shape = tuple(map(int, np.atleast_1d(shape)))
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory = np.full(size + 2 * _GUARD, _MARK, np.uint8)
        memory[_GUARD : _GUARD + size] = owner.rubbish
        return cls(memory, memory[_GUARD : _GUARD + size].view(dtype).reshape(shape), owner)

    def __array__(self, *_, **__):
        raise TypeError("an array of the device does not turn into one of the host by itself; use get()")

    def check_guards(self):
        """Fail where something was written before or behind the array."""
        for guard in (self._memory[:_GUARD], self._memory[-_GUARD:]):
            assert (guard == _MARK).all(), "a kernel wrote beyond the bounds of an array"

    @property
    def pointer(self):
        """Address of the first entry; None, as with CuPy, where there is none."""
        return self._view.ctypes.data if self.size else None

    shape = property(lambda self: self._view.shape)
    dtype = property(lambda self: self._view.dtype)
    ndim = property(lambda self: self._view.ndim)
    size = property(lambda self: self._view.size)
    nbytes = property(lambda self: self._view.nbytes)
    itemsize = property(lambda self: self._view.itemsize)
    flags = property(lambda self: self._view.flags)
    device = property(lambda self: using(self.owner))

    def _check_use(self):
        """Fail where the thread uses another device, which is where CuPy would do it; number 0 until it uses one."""
        device = getattr(_thread, "device", None)
        in_use = self.owner.number == 0 if device is None else device is self.owner
        assert in_use, "an array of another device than that in use"

    def __len__(self):
        return len(self._view)

    def __getitem__(self, key):
        assert isinstance(key, slice), "only slices of the first axis are used"
        return ShimArray(self._memory, self._view[key], self.owner)

    def reshape(self, *shape):
        """The same memory in another shape."""
        assert self.flags.c_contiguous
        return ShimArray(self._memory, self._view.reshape(*shape), self.owner)

    def copy(self):
        """Another array with the same numbers."""
        self._check_use()
        out = ShimArray.new(self.shape, self.dtype, self.owner)
        out._view[...] = self._view
        return out

    def fill(self, value):
        """Set all to one number."""
        self._check_use()
        self._view.fill(value)

    def get(self):
        """A copy for the host."""
        return self._view.copy()

    def set(self, values):
        """Take the numbers of a host's array of the same shape and type."""
        assert values.shape == self.shape and values.dtype == self.dtype and isinstance(values, np.ndarray)
        self._view[...] = values
