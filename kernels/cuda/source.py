"""The text that is compiled: constants of `kernels.layout`, what kernels share (.cuh), and a file of kernels (.cu).

It is put together here, so that the text is all that a cache of compiled code has to look at.
"""

import functools
import pathlib

from eventsim.kernels import layout
from eventsim.kernels.spec.cuda import KERNELS

_HERE = pathlib.Path(__file__).parent
# What kernels share, each after those that it uses.
_SHARED = ("common", "lists", "groups", "tile", "surrogate", "active_set", "chunks", "srm", "sweep", "patches",
           "delays", "optimizer", "crossing", "exact", "exact_windows", "exact_srm", "exact_lif")
# What the compiler is told. No products fused into sums and no subnormal numbers: as on the CPU, so that the bits are
# the same.
OPTIONS = ("--std=c++14", "--fmad=false", "--ftz=true")


def files() -> list[str]:
    """Stems of the files of kernels."""
    return sorted({kernel.file for kernel in KERNELS.values()})


@functools.cache
def shared() -> str:
    """Constants and functions that stand before all kernels."""
    constants = [
        f"#define {name} {value}" for name, value in vars(layout).items()
        if name.isupper() and type(value) in (int, float)
    ]
    return "\n".join([*constants, *((_HERE / f"{name}.cuh").read_text() for name in _SHARED)])


def kernels_of(file) -> str:
    """The kernels of one file, without what is `shared`."""
    return (_HERE / f"{file}.cu").read_text()


def source(file) -> str:
    """All that is compiled for the kernels of one file."""
    return f"{shared()}\n{kernels_of(file)}"
