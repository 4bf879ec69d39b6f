"""How the table of kernels says what a kernel's arguments are.

A line reads ``role dtype[axes]: name name ...``, arguments in the order of the call. The role is nothing for what is
read, ``out`` for what is written, and ``scratch`` for what is neither input nor result: callers give its shape. A
scalar has no axes. ``a|b`` is an argument of either type; the kernel is compiled for each.
"""

import functools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel; a role of "in", "out" or "scratch"."""

    name: str
    dtypes: tuple[np.dtype, ...]
    rank: int
    role: str

    @property
    def dtype(self) -> np.dtype:
        """The type, of several the first."""
        return self.dtypes[0]

    @functools.cached_property
    def scalar(self) -> type:
        """The NumPy type that a scalar is cast to."""
        return self.dtype.type


@dataclass(frozen=True)
class Kernel:
    """One kernel: the file (stem) that it stands in, and its arguments in order."""

    file: str
    arguments: tuple[Argument, ...]


def _arguments(line):
    kind, names = line.split(":")
    *role, kind = kind.split()
    dtypes, _, axes = kind.partition("[")
    rank = axes.count(",") + 1 if axes else 0
    types = tuple(map(np.dtype, dtypes.split("|")))
    return [Argument(name, types, rank, *(role or ["in"])) for name in names.split()]


def kernel(file, text):
    return Kernel(file, tuple(argument for line in text.splitlines() if line.strip() for argument in _arguments(line)))
