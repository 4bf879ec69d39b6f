"""Reading rows and nothing else: how fast the caches and the memory are that the other kernels are held against."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import sum_rows
from eventsim.kernels.cpu.vector import load, store
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


@kernel
def read_rows(first, last, repeats, rows, total):
    """total[0] += the rows first..last-1, so many times over; rows float32[R,64]."""
    for _ in range(repeats):
        store(load(total, 0) + sum_rows(rows, None, first, last), total, 0)
    return _OK
