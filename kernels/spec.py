"""The table of kernels: name, file, and every argument with its type, rank and role.

Argument checks, the scalar casts of GPU launches and the mirror tests are derived from it. A line reads
``name dtype[axes]``; an ``out`` argument is written, a scalar has no axes.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Argument:
    """One argument of a kernel."""

    name: str
    dtype: np.dtype
    rank: int
    out: bool


@dataclass(frozen=True)
class Kernel:
    """One kernel: the file (stem) that it stands in, and its arguments in order."""

    file: str
    arguments: tuple[Argument, ...]


def _argument(line):
    name, kind, *role = line.split()
    dtype, _, axes = kind.partition("[")
    return Argument(name, np.dtype(dtype), axes.count(",") + 1 if axes else 0, role == ["out"])


def _kernel(file, text):
    return Kernel(file, tuple(_argument(line) for line in text.strip().splitlines()))


KERNELS: dict[str, Kernel] = {}
