"""Orders of a spike list in continuous time: by (sample, time, address) from items, by address for gradients."""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.lif_windows import fade_beyond
from eventsim.kernels.cpu.lists import count_by_address
from eventsim.kernels.layout import SHARE_DIFFERENCE, SHARE_OTHER_RATE, SHARE_RATE, SHARE_SLOPE
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
# Longest list that is sorted by moving its entries one by one.
_SHORT = 24


@kernel
def _is_later(time, address, i, t, neuron):
    return time[i] > t or (time[i] == t and address[i] > neuron)


@kernel
def _insert_all(first, last, time, address):
    """Sort a list that is nearly in order."""
    for i in range(first + 1, last):
        t, neuron, j = time[i], address[i], i
        while j > first and _is_later(time, address, j - 1, t, neuron):
            time[j], address[j] = time[j - 1], address[j - 1]
            j -= 1
        time[j], address[j] = t, neuron


@kernel
def _sink(first, root, last, t, neuron, time, address):
    """Put an entry into a heap whose root has been taken out, the latest on top."""
    while 2 * root + 1 < last - first:
        child = 2 * root + 1
        if child + 1 < last - first and _is_later(
            time, address, first + child + 1, time[first + child], address[first + child]
        ):
            child += 1
        if not _is_later(time, address, first + child, t, neuron):
            break
        time[first + root], address[first + root] = time[first + child], address[first + child]
        root = child
    time[first + root], address[first + root] = t, neuron


@kernel
def _heap_sort(first, last, time, address):
    """Sort a list in any order."""
    for root in range((last - first) // 2 - 1, -1, -1):
        _sink(first, root, last, time[first + root], address[first + root], time, address)
    for end in range(last - 1, first, -1):
        t, neuron = time[end], address[end]
        time[end], address[end] = time[first], address[first]
        _sink(first, 0, end, t, neuron, time, address)


@kernel
def merge_times(
    sample_first, sample_last, n_samples, begin, end, item_ptr, item_time, item_address, sample_ptr, bucket_end, time,
    address,
):
    """Spikes of all items as one list by (sample, time, address), for the samples sample_first..sample_last-1.

    item_ptr : int64[n_tiles * B + 1], the spikes of every item; sample_ptr : int64[B + 1], spikes of every sample
    begin, end : ms, between which the times lie
    bucket_end : int64, scratch, one longer than the longest list

    A counting sort into as many buckets of equal length as there are spikes, each then sorted by itself.
    """
    n_tiles = (len(item_ptr) - 1) // n_samples
    for b in range(sample_first, sample_last):
        first, last = sample_ptr[b], sample_ptr[b + 1]
        n = last - first
        if n == 0:
            continue
        scale = n / (end - begin)
        bucket_end[: n + 1] = 0
        for tile in range(n_tiles):
            item = tile * n_samples + b
            for i in range(item_ptr[item], item_ptr[item + 1]):
                bucket_end[min(n - 1, np.int64((item_time[i] - begin) * scale)) + 1] += 1
        bucket_end[0] = first
        for bucket in range(1, n + 1):
            bucket_end[bucket] += bucket_end[bucket - 1]
        for tile in range(n_tiles):
            item = tile * n_samples + b
            for i in range(item_ptr[item], item_ptr[item + 1]):
                bucket = min(n - 1, np.int64((item_time[i] - begin) * scale))
                k = bucket_end[bucket]
                time[k], address[k] = item_time[i], item_address[i]
                bucket_end[bucket] = k + 1
        start = first
        for bucket in range(n):
            stop = bucket_end[bucket]
            if stop - start > _SHORT:
                _heap_sort(start, stop, time, address)
            elif stop - start > 1:
                _insert_all(start, stop, time, address)
            start = stop
    return _OK


@kernel
def next_tick(time, dt):
    """The first tick k with k dt >= time; as products round, which a quotient may miss by one."""
    tick = np.int64(math.ceil(time / dt))
    while (tick - 1) * dt >= time:
        tick -= 1
    while tick * dt < time:
        tick += 1
    return tick


@kernel
def _share(time, dt, n_ticks, shares):
    """The tick that a spike counts at, and what g and ramp count there (see `share_times`)."""
    tick = next_tick(time, dt)
    if tick >= n_ticks:
        return n_ticks - 1, 0.0, 0.0
    ahead, other = tick * dt - time, shares[SHARE_OTHER_RATE]
    of_ramp = 0.0
    if shares[SHARE_SLOPE] != 0.0:
        of_ramp = shares[SHARE_SLOPE] * ahead * math.exp(-other * ahead)
    if shares[SHARE_DIFFERENCE] != 0.0:
        of_ramp += shares[SHARE_DIFFERENCE] * fade_beyond(ahead, shares[SHARE_RATE], other)
    return tick, math.exp(-shares[SHARE_RATE] * ahead), of_ramp


@kernel
def share_times(sample_first, sample_last, n_ticks, dt, shares, sample_ptr, time, tick, share):
    """Where spikes in continuous time count on the grid: at the tick that follows them, or at their own.

    An input at the time of one ahead of tick k counts share[0] g[k] + share[1] ramp[k], which are what `adjoint_psp` or
    `adjoint_lif` leaves of the tick. After the last tick it counts nothing. shares float64[4] : see `layout`
    """
    for k in range(sample_ptr[sample_first], sample_ptr[sample_last]):
        tick[k], share[k, 0], share[k, 1] = _share(time[k], dt, n_ticks, shares)
    return _OK


@kernel
def group_times_by_address(
    block, block_samples, n_ticks, dt, shares, sample_ptr, address, time, neuron_end, neuron_ptr, row, share
):
    """`group_by_address` for spikes in continuous time, which count as `share_times` says."""
    sample_first, sample_last = count_by_address(block, block_samples, sample_ptr, address, neuron_end, neuron_ptr)
    for b in range(sample_first, sample_last):
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            i = neuron_end[address[k]]
            neuron_end[address[k]] = i + 1
            tick, share[i, 0], share[i, 1] = _share(time[k], dt, n_ticks, shares)
            row[i] = (b - sample_first) * n_ticks + tick
    return _OK
