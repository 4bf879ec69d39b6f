"""Calls kernels: arguments are checked against the table, scalars cast, parts run on threads."""

import functools
import importlib
import math
import os
import threading

import numpy as np

from eventsim.kernels.memory import aligned_empty
from eventsim.kernels.pool import run_on
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


_own = threading.local()


def _scratch(kernel, argument, shape):
    """This thread's scratch array for an argument: used again by the next call, so that it stays in the cache."""
    if not hasattr(_own, "arrays"):
        _own.arrays = {}
    size = math.prod(shape)
    kept = _own.arrays.get((kernel, argument.name))
    if kept is None or len(kept) < size:
        kept = _own.arrays[kernel, argument.name] = aligned_empty((size,), argument.dtype)
    return kept[:size].reshape(shape)


def _checked(kernel, argument, value):
    """A value as the kernel takes it; raises `TypeError` for another."""
    if argument.rank == 0:
        return argument.scalar(value)
    if argument.role == "scratch":
        if type(value) is not tuple or len(value) != argument.rank:
            raise TypeError(
                f"kernel {kernel}, argument {argument.name}: is scratch; wants a shape of {argument.rank} axes, "
                f"got {value!r}"
            )
        return value
    if not isinstance(value, np.ndarray) or value.dtype not in argument.dtypes or value.ndim != argument.rank:
        raise _wrong_array(kernel, argument, value)
    flags = value.flags
    if not flags.c_contiguous:
        raise _wrong_array(kernel, argument, value)
    writeable = flags.writeable
    if argument.role == "out":
        if not writeable:
            raise TypeError(f"kernel {kernel} writes its argument {argument.name}, got a read-only array")
        return value
    if writeable:
        # Inputs are read-only whoever made them, so that one specialisation of the kernel serves every caller.
        value = value.view()
        value.flags.writeable = False
    return value


def _wrong_array(kernel, argument, value):
    got = f"{value.dtype}[{value.ndim} axes]" if isinstance(value, np.ndarray) else type(value).__name__
    return TypeError(
        f"kernel {kernel}, argument {argument.name}: wants a C-contiguous {' or '.join(map(str, argument.dtypes))} "
        f"array of {argument.rank} axes, got {got}"
    )


def _bound(kernel, shared, parts):
    """The arguments of the kernel for each part, in order; what is shared is checked once."""
    arguments = KERNELS[kernel].arguments
    if parts and len(shared) + len(parts[0]) != len(arguments):
        _check_names(kernel, shared, parts)
    try:
        common = [_checked(kernel, a, shared[a.name]) if a.name in shared else None for a in arguments]
        own = [(i, a) for i, a in enumerate(arguments) if a.name not in shared]
        out = []
        for part in parts:
            values = common.copy()
            for i, a in own:
                values[i] = _checked(kernel, a, part[a.name])
            out.append(values)
    except KeyError:
        _check_names(kernel, shared, parts)
        raise
    return out


def _check_names(kernel, shared, parts):
    names = {argument.name for argument in KERNELS[kernel].arguments}
    for part in parts:
        given = shared.keys() | part.keys()
        if given != names:
            wrong = f"lacks {min(names - given)}" if names - given else f"has no argument {min(given - names)}"
            raise TypeError(f"kernel {kernel} {wrong}")


def _run(kernel, values):
    for i, argument in _scratch_arguments(kernel):
        values[i] = _scratch(kernel, argument, values[i])
    return _function(kernel)(*values)


@functools.cache
def _scratch_arguments(kernel):
    """(position, argument) of every scratch argument of a kernel."""
    return [(i, a) for i, a in enumerate(KERNELS[kernel].arguments) if a.role == "scratch"]


def call(kernel: str, **values):
    """Run a kernel on this thread; scratch arguments are given as shapes."""
    return _run(kernel, _bound(kernel, values, [{}])[0])


def call_parts(kernel: str, shared: dict, parts: list[dict]) -> list:
    """Run a kernel once for each of ``parts``, on up to `threads` threads; ``shared`` arguments are those of all parts.

    Returns the results in the order of ``parts``. Kernels release the GIL, so the parts run at the same time; the
    calling thread takes its share.
    """
    todo = _bound(kernel, shared, parts)
    workers = min(threads(), len(todo))
    if workers <= 1:
        return [_run(kernel, values) for values in todo]
    results = [None] * len(todo)
    numbers = iter(range(len(todo)))  # next() on it is atomic under the GIL: whoever is free takes the next part

    def work():
        for i in numbers:
            results[i] = _run(kernel, todo[i])

    run_on(workers, work)
    return results
