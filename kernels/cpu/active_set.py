"""Walking a block of an `ActiveSet`, which has entries or, with full support, every lane and tick."""

import numpy as np

from eventsim.kernels.cpu.jit import inlined
from eventsim.kernels.layout import ALL


@inlined
def entries_of(block, tile, kind, lanes, entry_start):
    """The first entry of a block and the end of its last; with full support the lanes of its tile."""
    if kind == ALL:
        return np.int64(0), np.int64(lanes[tile])
    return np.int64(entry_start[block]), np.int64(entry_start[block + 1])


@inlined
def entry_at(entry, kind, entry_lane, entry_ticks, every_tick):
    """Lane and ticks of an entry; every_tick : those of the chunk, which full support has."""
    if kind == ALL:
        return np.int64(entry), every_tick
    return np.int64(entry_lane[entry]), entry_ticks[entry]
