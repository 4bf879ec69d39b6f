"""What the machine can give: its cores, and how fast one of them reads its second-level cache and the memory."""

import pathlib
import platform
from dataclasses import dataclass

import numpy as np

from eventsim import kernels
from eventsim.bench.timing import median
from eventsim.kernels.launch import available_cores
from eventsim.kernels.layout import TILE
from eventsim.kernels.memory import aligned_empty

_ROW = 4 * TILE  # bytes
_USUAL_L2 = 1 << 20
_MEMORY = 1 << 28  # bytes, more than third-level caches hold
_READ = 1 << 29  # bytes that one measurement reads


@dataclass(frozen=True)
class Machine:
    """Rates are bytes/s that one core reads in order: of half its second-level cache, and of memory."""

    cpu: str
    cores: int
    l2_bytes: int
    l2_read: float
    memory_read: float


def _cpu_name():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _l2_bytes():
    """Size of a core's second-level cache, or a usual one where the system does not say."""
    try:
        text = pathlib.Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text().strip()
        return int(text.rstrip("KM")) * {"K": 1 << 10, "M": 1 << 20}.get(text[-1], 1)
    except (OSError, ValueError):
        return _USUAL_L2


def _vectors():
    """The widest vector instructions that the compiler uses here."""
    import llvmlite.binding

    has = llvmlite.binding.get_host_cpu_features()
    names = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sse2": "SSE2", "sve": "SVE", "neon": "NEON"}
    return next((name for feature, name in names.items() if has.get(feature)), "no vector instructions")


def describe() -> dict:
    """The processor's name, threads that this process may use, vector instructions, and bytes of a core's L2 cache."""
    return {"name": _cpu_name(), "threads": available_cores(), "vectors": _vectors(), "l2_bytes": _l2_bytes()}


def read_rate(n_bytes) -> float:
    """Bytes/s at which one core reads ``n_bytes`` over and over."""
    rows = aligned_empty((max(1, n_bytes // _ROW), TILE), np.float32)
    rows.fill(1.0)
    repeats = max(1, _READ // rows.nbytes)
    arguments = {"first": 0, "last": len(rows), "repeats": repeats, "rows": rows,
                 "total": np.zeros((1, TILE), np.float32)}
    return repeats * rows.nbytes / median(lambda: kernels.call("read_rows", **arguments))


def measure() -> Machine:
    """Measure this machine; takes a second or two."""
    l2 = _l2_bytes()
    return Machine(_cpu_name(), available_cores(), l2, read_rate(l2 // 2), read_rate(_MEMORY))
