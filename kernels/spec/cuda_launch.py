"""How kernels on a GPU are launched."""

from dataclasses import dataclass

from eventsim.kernels.spec.declare import Kernel, kernel


@dataclass(frozen=True)
class CudaKernel(Kernel):
    """A kernel, and its launch: a block of ``threads`` for every ``per_block`` of what the argument ``work`` counts.

    Blocks of a launch that has few of them have ``wide`` times as many threads.
    """

    work: str
    per_block: int
    threads: int
    wide: int


def launched(file, work, text, per_block=1, threads=64, wide=1) -> CudaKernel:
    """A kernel of a file by its arguments, with a block of ``threads`` for every ``per_block`` of ``work``."""
    plain = kernel(file, text)
    return CudaKernel(plain.file, plain.arguments, work, per_block, threads, wide)


def by_thread(file, work, text) -> CudaKernel:
    """A thread for each, 256 a block."""
    return launched(file, work, text, 256, 256)


# Input spikes by tick, see `group_by_tick`.
RUNS = """
    int64[samples]: run_base run_count
    int32[runs]: run_tick
    int64[runs]: run_start
"""

# What kernels that keep active sets take, see chunks.cuh, and give.
ROOM = "int64: is_again entry_room pair_room"
WINDOW = "float32: u_low u_high rho_width rho_peak"
CHUNKS = """
    out uint64[two]: used
    out int64[blocks]: entry_place pair_place block_entries block_pairs
    out uint8[items]: is_short
    out uint8[entries]: entry_lane
    out uint64[entries]: entry_ticks
    out float32[pairs]: rho
"""
