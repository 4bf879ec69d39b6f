"""Active sets: the ticks of every neuron at which its surrogate counts, 64 ticks at a time as the bits of a word."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import lowest_bit
from eventsim.kernels.layout import TILE

_ONE = np.uint64(1)


@kernel
def transpose_bits(words):
    """Transpose a matrix of 64 x 64 bits in place: bit j of word i and bit i of word j change places.

    Blocks of 32 x 32 bits off the diagonal are swapped, then of 16 x 16 within every block, and so on (Warren, Hacker's
    Delight, section 7-3).
    """
    width = 32
    mask = np.uint64(0x00000000FFFFFFFF)
    while width > 0:
        shift = np.uint64(width)
        first = 0
        while first < 64:
            for k in range(first, first + width):
                swapped = ((words[k] >> shift) ^ words[k + width]) & mask
                words[k + width] ^= swapped
                words[k] ^= swapped << shift
            first += 2 * width
        width //= 2
        mask ^= mask << np.uint64(width)


@kernel
def close_chunk(
    chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, block, block_entries, block_pairs
):
    """Append a chunk of a tile to its active set: an entry for each neuron with active ticks, and their potentials.

    chunk_lanes uint64[64] has the active lanes of every tick, and is cleared; chunk_u float32[64,64] has the potentials
    of those ticks. Returns the new numbers of entries and pairs.
    """
    transpose_bits(chunk_lanes)
    first_entry, first_pair = entries, pairs
    for lane in range(TILE):
        ticks = chunk_lanes[lane]
        if ticks != np.uint64(0):
            chunk_lanes[lane] = np.uint64(0)
            entry_lane[entries] = lane
            entry_ticks[entries] = ticks
            entries += 1
            while ticks != np.uint64(0):
                rho[pairs] = chunk_u[lowest_bit(ticks), lane]
                pairs += 1
                ticks &= ticks - _ONE
    block_entries[block] = entries - first_entry
    block_pairs[block] = pairs - first_pair
    return entries, pairs
