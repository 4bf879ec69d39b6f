"""Spike lists of a convolution's patches: cut from those of its input, and merged from what its tiles fire.

`eventsim.model.patches.Patches` says what a patch is. That of a patch and sample is list ``patch * B + sample``.
"""

import numpy as np

from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.vector import lowest_bit
from eventsim.kernels.layout import (
    ACROSS,
    COLUMNS_IN,
    DOWN,
    HEIGHT,
    PADDING,
    ROWS_IN,
    STEP_ACROSS,
    STEP_DOWN,
    TILE,
    WIDTH,
)
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@inlined
def _seen_by(pixel, size, step, n):
    """The first and last of ``n`` patches in a row that see a pixel; a patch sees ``size`` pixels from step * k on."""
    first = 0 if pixel < size else (pixel - size) // step + 1
    return first, min(pixel // step, n - 1)


@kernel
def count_patches(sample_first, sample_last, sample_ptr, address, geometry, count):
    """Spikes of every patch of the samples sample_first..sample_last-1, into count int64[B, n_patches].

    geometry : int64[...], see `kernels.layout`
    """
    height, width, padding = geometry[HEIGHT], geometry[WIDTH], geometry[PADDING]
    for b in range(sample_first, sample_last):
        count[b, :] = 0
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            pixel = np.int64(address[k]) % (height * width)
            top, low = _seen_by(pixel // width + padding, geometry[ROWS_IN], geometry[STEP_DOWN], geometry[DOWN])
            left, right = _seen_by(
                pixel % width + padding, geometry[COLUMNS_IN], geometry[STEP_ACROSS], geometry[ACROSS]
            )
            for down in range(top, low + 1):
                for across in range(left, right + 1):
                    count[b, down * geometry[ACROSS] + across] += 1
    return _OK


@kernel
def cut_patches(
    sample_first, sample_last, n_samples, sample_ptr, address, tick, geometry, run_base, list_ptr, next_spike, next_run,
    row, run_count, run_tick, run_start,
):
    """The lists of all patches of some samples: rows, by tick, and their runs as `group_by_tick` gives them.

    list_ptr : int64[n_patches * B + 1], where the list of each patch and sample begins in row int32[K]
    next_spike, next_run : int64[n_patches], scratch
    """
    height, width, padding = geometry[HEIGHT], geometry[WIDTH], geometry[PADDING]
    rows_in, columns_in, n_across = geometry[ROWS_IN], geometry[COLUMNS_IN], geometry[ACROSS]
    step_down, step_across = geometry[STEP_DOWN], geometry[STEP_ACROSS]
    n_patches = geometry[DOWN] * n_across
    for b in range(sample_first, sample_last):
        for patch in range(n_patches):
            next_spike[patch] = list_ptr[patch * n_samples + b]
            next_run[patch] = run_base[patch * n_samples + b]
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            channel, pixel = divmod(np.int64(address[k]), height * width)
            y, x = pixel // width + padding, pixel % width + padding
            top, low = _seen_by(y, rows_in, step_down, geometry[DOWN])
            left, right = _seen_by(x, columns_in, step_across, n_across)
            for down in range(top, low + 1):
                first = (channel * rows_in + y - down * step_down) * columns_in + x
                for across in range(left, right + 1):
                    patch = down * n_across + across
                    to, run = next_spike[patch], next_run[patch]
                    row[to] = first - across * step_across
                    next_spike[patch] = to + 1
                    if run == run_base[patch * n_samples + b] or run_tick[run - 1] != tick[k]:
                        run_tick[run] = tick[k]
                        run_start[run] = to
                        next_run[patch] = run + 1
        for patch in range(n_patches):
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
