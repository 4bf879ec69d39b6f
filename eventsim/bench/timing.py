"""Timing on a machine that others use too: warm up, repeat, take the median."""

import contextlib
import time

import numpy as np

from eventsim import kernels


def seconds(function, repeats=7, warm_up=2):
    """float64[repeats], the time of each call after some that do not count."""
    for _ in range(warm_up):
        function()
    out = np.empty(repeats)
    for i in range(repeats):
        started = time.perf_counter()
        function()
        out[i] = time.perf_counter() - started
    return out


def median(function, repeats=7, warm_up=2) -> float:
    """Median time of a call, s."""
    return float(np.median(seconds(function, repeats, warm_up)))


@contextlib.contextmanager
def on_threads(n):
    """Kernels run on ``n`` threads inside."""
    before = kernels.threads()
    kernels.set_threads(n)
    try:
        yield
    finally:
        kernels.set_threads(before)
