"""Spike lists of a convolution's patches: cut from those of its input, and merged from what its tiles fire.

`eventsim.model.patches.Patches` says what a patch is. That of a patch and sample is list ``patch * B + sample``.
"""

import numpy as np

from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.short import load_sixteen, store_few
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


@inlined
def _by_pixel(first, last, n_pixels, address, pixel, channel, count, end, seen, own):
    """The spikes first..last-1 of a tick, by pixel; returns how many pixels have any.

    seen : those pixels, as they come; the channels of pixel p are own[end[p] - count[p]:end[p]]
    pixel, channel : scratch; count : of zeros, the caller has to reset it
    """
    n_seen = np.uint32(0)
    for k in range(last - first):
        a = np.uint32(address[np.uint64(first + k)])
        c = a // n_pixels
        p = a - c * n_pixels
        channel[np.uint32(k)], pixel[np.uint32(k)] = c, p
        if count[p] == 0:
            seen[n_seen] = p
            n_seen += np.uint32(1)
        count[p] += 1
    start = 0
    for i in range(np.int64(n_seen)):
        p = np.uint32(seen[np.uint32(i)])
        end[p] = start
        start += count[p]
    for k in range(last - first):
        p = np.uint32(pixel[np.uint32(k)])
        own[np.uint32(end[p])] = channel[np.uint32(k)]
        end[p] += 1
    return n_seen


@kernel
def cut_patches(
    sample_first, sample_last, n_samples, rows_a_channel, in_base, in_count, in_tick, in_start, address, reach_ptr,
    reach_patch, reach_row, run_base, list_ptr, next_spike, next_run, last_tick, pixel, channel, count, end, seen, own,
    row, run_count, run_tick, run_start,
):
    """The lists of all patches of some samples: rows, by tick, and their runs as `group_by_tick` gives them.

    in_base, in_count, in_tick, in_start, address : the input spikes by tick
    reach_ptr int64[n_pixels+1], reach_patch, reach_row : the patches that see a pixel, and its row in each, in the
        first of the channels, which have rows_a_channel rows each
    list_ptr : int64[n_patches * B + 1], where the list of each patch and sample begins in row int32[K]
    The others from next_spike to own are scratch.
    """
    n_pixels = np.uint32(len(reach_ptr) - 1)
    count[:] = 0
    for b in range(sample_first, sample_last):
        for patch in range(len(next_spike)):
            next_spike[patch] = list_ptr[patch * n_samples + b]
            next_run[patch] = run_base[patch * n_samples + b]
            last_tick[patch] = -1
        for run_in in range(in_base[b], in_base[b] + in_count[b]):
            now = in_tick[run_in]
            n_seen = _by_pixel(
                in_start[run_in], in_start[run_in + 1], n_pixels, address, pixel, channel, count, end, seen, own
            )
            for s in range(np.int64(n_seen)):
                p = np.uint32(seen[np.uint32(s)])
                last, n = np.uint64(end[p]), np.uint64(count[p])
                count[p] = 0
                for i in range(reach_ptr[p], reach_ptr[p + np.uint32(1)]):
                    patch, base = np.uint32(reach_patch[i]), np.uint32(reach_row[i])
                    to = np.uint64(next_spike[patch])
                    next_spike[patch] = to + n
                    if last_tick[patch] != now:
                        last_tick[patch] = now
                        run = np.uint64(next_run[patch])
                        run_tick[run] = now
                        run_start[run] = to
                        next_run[patch] = run + _ONE
                    for k in range(last - n, last):
                        row[to] = np.uint32(own[k]) * np.uint32(rows_a_channel) + base
                        to += _ONE
        for patch in range(len(next_spike)):
            run_start[next_run[patch]] = next_spike[patch]
            run_count[patch * n_samples + b] = next_run[patch] - run_base[patch * n_samples + b]
    return _OK


@kernel
def cut_patch_times(
    sample_first, sample_last, n_samples, rows_a_channel, sample_ptr, address, time, reach_ptr, reach_patch, reach_row,
    list_ptr, next_spike, row, row_time,
):
    """The lists of all patches of some samples in continuous time: rows, and their times; see `cut_patches`."""
    n_pixels = np.uint32(len(reach_ptr) - 1)
    for b in range(sample_first, sample_last):
        for patch in range(len(next_spike)):
            next_spike[patch] = list_ptr[patch * n_samples + b]
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            channel = np.uint32(address[k]) // n_pixels
            pixel, first = np.uint32(address[k]) - channel * n_pixels, channel * np.uint32(rows_a_channel)
            for i in range(reach_ptr[pixel], reach_ptr[pixel + np.uint32(1)]):
                patch = np.uint32(reach_patch[i])
                to = np.uint64(next_spike[patch])
                row[to], row_time[to] = first + np.uint32(reach_row[i]), time[k]
                next_spike[patch] = to + _ONE
    return _OK


@kernel
def sum_patches(
    sample_first, sample_last, n_samples, n_weights, in_base, in_count, in_tick, in_start, address, part_ptr,
    part_patch, part_to, part_from, run_base, weight, next_run, last_tick, pixel, channel, count, end, seen, own, total,
    run_count, run_tick,
):
    """The weights that a patch gains in each tick, summed up at once: total[r] float32[64] for its run r.

    For many spikes less work than `cut_patches`: weights are added sixteen at a time, from where they stand once. The
    sums are those that the rows of its lists give, added in the same order.

    part_ptr int64[n_pixels+1], part_patch, part_to, part_from : for every pixel the patches that see it, and which
        sixteen lanes gain which sixteen weights, counted from those of the spike's channel
    weight : float32[channels * n_weights], as `Conv.weight`; total : float32[runs * 64]
    The other arguments are those of `cut_patches`.
    """
    n_pixels = np.uint32(len(part_ptr) - 1)
    count[:] = 0
    for b in range(sample_first, sample_last):
        for patch in range(len(next_run)):
            next_run[patch] = run_base[patch * n_samples + b] - 1
            last_tick[patch] = -1
        for run_in in range(in_base[b], in_base[b] + in_count[b]):
            now = in_tick[run_in]
            n_seen = _by_pixel(
                in_start[run_in], in_start[run_in + 1], n_pixels, address, pixel, channel, count, end, seen, own
            )
            for s in range(np.int64(n_seen)):
                p = np.uint32(seen[np.uint32(s)])
                last, n = np.uint64(end[p]), np.uint64(count[p])
                count[p] = 0
                for i in range(part_ptr[p], part_ptr[p + np.uint32(1)]):
                    patch = np.uint32(part_patch[i])
                    if last_tick[patch] != now:
                        last_tick[patch] = now
                        run = np.uint64(next_run[patch]) + _ONE
                        next_run[patch] = run
                        run_tick[run] = now
                        for lane in range(TILE):
                            total[run * np.uint64(TILE) + np.uint64(lane)] = np.float32(0.0)
                    to, since = np.int64(next_run[patch]) * TILE + np.int64(part_to[i]), np.int64(part_from[i])
                    gain = load_sixteen(total, to)
                    for k in range(last - n, last):
                        gain = gain + load_sixteen(weight, np.int64(own[k]) * n_weights + since)
                    store_few(gain, total, to)
        for patch in range(len(next_run)):
            run_count[patch * n_samples + b] = next_run[patch] + 1 - run_base[patch * n_samples + b]
    return _OK


@kernel
def merge_tiles(
    sample_first, sample_last, n_samples, n_ticks, word_ptr, word_tick, word_lanes, neuron, sample_ptr, run_base,
    next_word, next_tick, is_fired, address, tick, run_count, run_tick, run_start,
):
    """`merge_items` where the lanes of tiles are any neurons: spikes by (sample, tick, address), and their runs.

    neuron : int32[tiles,64], the neuron of every lane
    next_word int64[tiles], next_tick int32[tiles], is_fired uint64[N / 64] : scratch

    The neurons that fire in a tick are collected as bits, so they come out in order.
    """
    is_fired[:] = _NOBODY
    for b in range(sample_first, sample_last):
        for tile in range(len(neuron)):
            first, last = word_ptr[tile * n_samples + b], word_ptr[tile * n_samples + b + 1]
            next_word[tile] = first
            next_tick[tile] = word_tick[first] if first < last else n_ticks
        end, run = sample_ptr[b], run_base[b]
        for t in range(n_ticks):
            if end == sample_ptr[b + 1]:
                break
            first = end
            for tile in range(len(neuron)):
                if next_tick[tile] != t:
                    continue
                i = next_word[tile]
                next_word[tile] = i + 1
                next_tick[tile] = word_tick[i + 1] if i + 1 < word_ptr[tile * n_samples + b + 1] else n_ticks
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
