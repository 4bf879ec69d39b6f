"""Calls kernels: arguments are checked against the table, scalars cast, parts run on threads."""

import functools
import importlib
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from eventsim.kernels.spec import KERNELS

_settings = {"threads": None}


_MOST_THREADS = 1024


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """Threads that parallel kernels run on: `set_threads`, else EVENTSIM_THREADS, else every core."""
    if _settings["threads"] is None:
        text = os.environ.get("EVENTSIM_THREADS")
        _settings["threads"] = available_cores() if text is None else _checked_threads("EVENTSIM_THREADS", text)
    return _settings["threads"]


def set_threads(n: int | None):
    """Use ``n`` threads (None: the default). Results do not depend on it. Raises `ValueError` for other values."""
    _settings["threads"] = None if n is None else _checked_threads("threads", n)


def _checked_threads(name, value):
    text = str(value)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MOST_THREADS):
        raise ValueError(f"{name} must be a whole number from 1 to {_MOST_THREADS}, got {value!r}")
    return int(text)


@functools.cache
def _function(name):
    module = importlib.import_module(f"eventsim.kernels.cpu.{KERNELS[name].file}")
    return getattr(module, name)


@functools.lru_cache(maxsize=1)
def _pool(workers):
    return ThreadPoolExecutor(workers, thread_name_prefix="eventsim")


if hasattr(os, "register_at_fork"):
    # A forked child has the executor but not its threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _checked(name, values):
    arguments = KERNELS[name].arguments
    if len(values) != len(arguments):
        raise TypeError(f"kernel {name} takes {len(arguments)} arguments, got {len(values)}")
    out = []
    for argument, value in zip(arguments, values, strict=True):
        if argument.rank == 0:
            out.append(argument.dtype.type(value))
            continue
        if (
            not isinstance(value, np.ndarray)
            or value.dtype != argument.dtype
            or value.ndim != argument.rank
            or not value.flags.c_contiguous
        ):
            got = f"{value.dtype}[{value.ndim} axes]" if isinstance(value, np.ndarray) else type(value).__name__
            raise TypeError(
                f"kernel {name}, argument {argument.name}: wants a C-contiguous {argument.dtype} array of "
                f"{argument.rank} axes, got {got}"
            )
        if not argument.out:
            # Inputs are read-only whoever made them, so that one specialisation of the kernel serves every caller.
            value = value.view()
            value.flags.writeable = False
        elif not value.flags.writeable:
            raise TypeError(f"kernel {name} writes its argument {argument.name}, got a read-only array")
        out.append(value)
    return out


def call(name: str, *values):
    """Run kernel ``name`` on this thread."""
    return _function(name)(*_checked(name, values))


def call_parts(name: str, parts):
    """Run kernel ``name`` once for each tuple of arguments in ``parts``, on up to `threads` threads.

    Returns the results in the order of ``parts``. Kernels release the GIL, so the parts run at the same time; the
    calling thread takes its share.
    """
    parts = [_checked(name, values) for values in parts]
    function = _function(name)
    workers = min(threads(), len(parts))
    if workers <= 1:
        return [function(*values) for values in parts]
    results = [None] * len(parts)
    todo = iter(range(len(parts)))  # next() on it is atomic under the GIL: whoever is free takes the next part

    def work():
        for i in todo:
            results[i] = function(*parts[i])

    helpers = [_pool(workers - 1).submit(work) for _ in range(workers - 1)]
    work()
    for helper in helpers:
        helper.result()
    return results
