"""What stages between layers do to spike lists on the way forward, and to errors on the way back."""

import numpy as np

from eventsim.kernels.cpu.active_set import entries_of, entry_at
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import bit_count, lowest_bit
from eventsim.kernels.layout import CHUNK
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@kernel
def move_spikes(sample_first, sample_last, sample_ptr, address, table, new_address):
    """The new addresses of the spikes of some samples, where each has one; see `count_routed`."""
    for k in range(sample_ptr[sample_first], sample_ptr[sample_last]):
        new_address[k] = table[np.uint32(address[k])]
    return _OK


@kernel
def count_routed(sample_first, sample_last, sample_ptr, address, table, kept, count):
    """Spikes of each of some samples that stay, into count int64[B].

    table int32[N] : the new address of every address, -1 for none; kept bool[B,N'] : which of the new stay, or empty
    """
    for b in range(sample_first, sample_last):
        n = 0
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            to = table[address[k]]
            n += to >= 0 and (len(kept) == 0 or kept[b, to])
        count[b] = n
    return _OK


@kernel
def route_spikes(sample_first, sample_last, sample_ptr, address, when, table, kept, new_ptr, new_address, new_when):
    """The spikes that stay, with their new addresses, at new_ptr[b] on; see `count_routed`."""
    for b in range(sample_first, sample_last):
        n = new_ptr[b]
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            to = table[address[k]]
            if to >= 0 and (len(kept) == 0 or kept[b, to]):
                new_address[n] = to
                new_when[n] = when[k]
                n += 1
    return _OK


@kernel
def sum_squares(sample_first, sample_last, n_positions, sample_ptr, address, tick, spikes, total):
    """Sums over positions and ticks of the spikes n of an address in a tick, and of n^2, by channel.

    address // n_positions is the channel; tick int32[K] ascends in a sample; spikes int32[N] is scratch
    total : int64[B,2,channels]
    """
    spikes[:] = 0
    n_positions = np.uint32(n_positions)
    for b in range(sample_first, sample_last):
        total[b] = 0
        first = sample_ptr[b]
        while first < sample_ptr[b + 1]:
            last = first
            while last < sample_ptr[b + 1] and tick[last] == tick[first]:
                j = np.uint32(address[last])
                channel, before = j // n_positions, spikes[j]
                total[b, 0, channel] += 1
                total[b, 1, channel] += 2 * before + 1
                spikes[j] = before + 1
                last += 1
            for k in range(first, last):
                spikes[np.uint32(address[k])] = 0
            first = last
    return _OK


@kernel
def normalise_error(
    sample_first, sample_last, n_samples, n_ticks, n_positions, sample_ptr, address, tick, shift, slope, kind, lanes,
    entry_start, pair_start, entry_lane, entry_ticks, lane_address, spikes, error,
):
    """error += shift[c] + slope[c] n at a layer's pairs, by channel c and the spikes n of its address in that tick.

    sample_ptr, address, tick : the spikes after pooling; lane_address int32[tiles,64] : the address of every lane after
        pooling, -1 where it reaches none
    kind, lanes, entry_start, ... : the layer's `ActiveSet`
    spikes uint16[N,64] : scratch, enough for windows of 255 x 255; error float32[G,P], whose first row is added to
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    spikes[:] = 0
    for b in range(sample_first, sample_last):
        last = sample_ptr[b]
        for chunk in range(n_chunks):
            first, end = last, min((chunk + 1) * CHUNK, n_ticks)
            while last < sample_ptr[b + 1] and tick[last] < end:
                spikes[np.uint32(address[last]), np.uint32(tick[last]) % np.uint32(CHUNK)] += np.uint16(1)
                last += 1
            every_tick = ~_NOBODY >> np.uint64(CHUNK - (end - chunk * CHUNK))
            for tile in range(len(lane_address)):
                block = (tile * n_samples + b) * n_chunks + chunk
                pair = np.uint64(pair_start[block])
                if pair_start[block] == pair_start[block + 1]:
                    continue
                entry_first, entry_last = entries_of(block, tile, kind, lanes, entry_start)
                for entry in range(entry_first, entry_last):
                    lane, ticks = entry_at(entry, kind, entry_lane, entry_ticks, every_tick)
                    j = np.int64(lane_address[tile, lane])
                    if j < 0:
                        pair += np.uint64(bit_count(ticks))
                        continue
                    own_shift, own_slope = shift[j // n_positions], slope[j // n_positions]
                    while ticks != _NOBODY:
                        n = np.float32(spikes[np.uint64(j), np.uint64(lowest_bit(ticks))])
                        error[0, pair] += own_shift + own_slope * n
                        pair += _ONE
                        ticks &= ticks - _ONE
            for k in range(first, last):
                spikes[np.uint32(address[k]), np.uint32(tick[k]) % np.uint32(CHUNK)] = 0
    return _OK


@kernel
def mask_error(
    sample_first, sample_last, n_samples, n_ticks, kept, kind, lanes, entry_start, pair_start, entry_lane, entry_ticks,
    lane_address, error,
):
    """error = 0 at the pairs of neurons that were dropped; see `normalise_error` and `count_routed`."""
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    for b in range(sample_first, sample_last):
        for block_of_tile in range(len(lane_address) * n_chunks):
            tile, chunk = block_of_tile // n_chunks, block_of_tile % n_chunks
            block = (tile * n_samples + b) * n_chunks + chunk
            pair = pair_start[block]
            every_tick = ~_NOBODY >> np.uint64(CHUNK - min(CHUNK, n_ticks - chunk * CHUNK))
            entry_first, entry_last = entries_of(block, tile, kind, lanes, entry_start)
            for entry in range(entry_first, entry_last):
                lane, ticks = entry_at(entry, kind, entry_lane, entry_ticks, every_tick)
                j, n = np.int64(lane_address[tile, lane]), bit_count(ticks)
                if j >= 0 and not kept[b, j]:
                    for row in range(len(error)):
                        error[row, pair : pair + n] = np.float32(0.0)
                pair += n
    return _OK
