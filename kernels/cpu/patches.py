"""Spike lists of a convolution's patches: cut from those of its input, and merged from what its tiles fire.

`eventsim.model.patches.Patches` says what a patch is. That of a patch and sample is list ``patch * B + sample``.
"""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import lowest_bit
from eventsim.kernels.layout import TILE
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@kernel
def count_pixels(sample_first, sample_last, n_pixels, sample_ptr, address, count):
    """Spikes at every pixel, whatever their channel, of some samples, into count int64[B, n_pixels]."""
    n_pixels = np.uint32(n_pixels)
    for b in range(sample_first, sample_last):
        count[b, :] = 0
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            count[b, np.uint32(address[k]) % n_pixels] += 1
    return _OK


@kernel
def cut_patches(
    sample_first, sample_last, n_samples, rows_a_channel, sample_ptr, address, tick, reach_ptr, reach_patch, reach_row,
    run_base, list_ptr, next_spike, next_run, last_tick, row, run_count, run_tick, run_start,
):
    """The lists of all patches of some samples: rows, by tick, and their runs as `group_by_tick` gives them.

    reach_ptr int64[n_pixels+1], reach_patch, reach_row : the patches that see a pixel, and its row in each, in the first
        of the channels, which have rows_a_channel rows each
    list_ptr : int64[n_patches * B + 1], where the list of each patch and sample begins in row int32[K]
    next_spike, next_run int64[n_patches], last_tick int32[n_patches] : scratch
    """
    n_pixels = np.uint32(len(reach_ptr) - 1)
    for b in range(sample_first, sample_last):
        for patch in range(len(next_spike)):
            next_spike[patch] = list_ptr[patch * n_samples + b]
            next_run[patch] = run_base[patch * n_samples + b]
            last_tick[patch] = -1
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            now, channel = tick[k], np.uint32(address[k]) // n_pixels
            pixel, first = np.uint32(address[k]) - channel * n_pixels, channel * np.uint32(rows_a_channel)
            for i in range(reach_ptr[pixel], reach_ptr[pixel + np.uint32(1)]):
                patch = np.uint32(reach_patch[i])
                to = np.uint64(next_spike[patch])
                row[to] = first + np.uint32(reach_row[i])
                next_spike[patch] = to + _ONE
                if last_tick[patch] != now:
                    last_tick[patch] = now
                    run = np.uint64(next_run[patch])
                    run_tick[run] = now
                    run_start[run] = to
                    next_run[patch] = run + _ONE
        for patch in range(len(next_spike)):
            run_start[next_run[patch]] = next_spike[patch]
            run_count[patch * n_samples + b] = next_run[patch] - run_base[patch * n_samples + b]
    return _OK


@kernel
def merge_tiles(
    sample_first, sample_last, n_samples, n_ticks, word_ptr, word_tick, word_lanes, neuron, sample_ptr, run_base,
    next_word, is_fired, address, tick, run_count, run_tick, run_start,
):
    """`merge_items` where the lanes of tiles are any neurons: spikes by (sample, tick, address), and their runs.

    neuron : int32[tiles,64], the neuron of every lane
    next_word int64[tiles], is_fired uint64[N / 64] : scratch

    The neurons that fire in a tick are collected as bits, so they come out in order.
    """
    is_fired[:] = _NOBODY
    for b in range(sample_first, sample_last):
        for tile in range(len(neuron)):
            next_word[tile] = word_ptr[tile * n_samples + b]
        end, run = sample_ptr[b], run_base[b]
        for t in range(n_ticks):
            if end == sample_ptr[b + 1]:
                break
            first = end
            for tile in range(len(neuron)):
                i = next_word[tile]
                if i == word_ptr[tile * n_samples + b + 1] or word_tick[i] != t:
                    continue
                next_word[tile] = i + 1
                lanes = word_lanes[i]
                while lanes != _NOBODY:
                    j = np.uint64(neuron[tile, lowest_bit(lanes)])
                    is_fired[j >> np.uint64(6)] |= _ONE << (j & np.uint64(63))
                    lanes &= lanes - _ONE
                    end += 1
            if end == first:
                continue
            run_tick[run] = t
            run_start[run] = first
            run += 1
            k = first
            for word in range(len(is_fired)):
                fired = is_fired[word]
                while fired != _NOBODY:
                    tick[k] = t
                    address[k] = word * TILE + lowest_bit(fired)
                    k += 1
                    fired &= fired - _ONE
                is_fired[word] = _NOBODY
        run_start[run] = end
        run_count[b] = run - run_base[b]
    return _OK
