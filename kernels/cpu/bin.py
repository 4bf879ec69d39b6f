"""Events of a recording to spikes on the tick grid, and spikes of a grid to other addresses."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


@kernel
def _sort(values, start, stop):
    """Shell sort of ``values[start:stop]`` in place.

    A tick holds a dozen events, where this is a plain insertion sort; the gaps keep a burst of a million affordable.
    """
    gap = 1
    while gap < (stop - start) // 9:  # Knuth's gaps 1, 4, 13, 40, ...
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(start + gap, stop):
            value = values[i]
            j = i
            while j >= start + gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3


@kernel
def _close_tick(now, start, stop, keep_repeats, tick, address):
    """Sort the addresses of one tick, thin out repeats unless they are kept; returns the new end."""
    _sort(address, start, stop)
    if not keep_repeats and stop > start:
        end = start + 1
        for j in range(start + 1, stop):
            if address[j] != address[j - 1]:
                address[end] = address[j]
                end += 1
        stop = end
    for j in range(start, stop):
        tick[j] = now
    return stop


@kernel
def bin_events(t, x, y, p, width, height, step, n_ticks, keep_repeats, tick, address, counts):
    """Floor event times to ticks: ``tick = t // step``, sorted by (tick, address).

    t : int64[E], ascending; x, y : uint16[E]; p : uint8[E]; width, height : pixels of the sensor
    step : length of a tick, in the unit of t
    n_ticks : events in other ticks than 0..n_ticks - 1 are left out
    keep_repeats : every event is a spike; without it, a tick and address has one spike at most
    tick, address : int32[E], out: the first ``counts[0]`` entries are the spikes
    counts : int64[3], out: spikes, events before tick 0, events after the last tick

    Events are in the order of time, so a tick is a run of them: sort and thin out one short run after another.
    """
    n = len(t)
    i = 0
    while i < n and t[i] < 0:
        i += 1
    counts[1] = i
    spikes = 0
    while i < n:
        now = t[i] // step
        if now >= n_ticks:
            break
        start = spikes
        begin = now * step
        while i < n and t[i] - begin < step:
            address[spikes] = (p[i] * height + y[i]) * width + x[i]
            spikes += 1
            i += 1
        spikes = _close_tick(now, start, spikes, keep_repeats, tick, address)
    counts[0] = spikes
    counts[2] = n - i
    return _OK


@kernel
def remap_spikes(table, tick, address, keep_repeats, new_tick, new_address, counts):
    """Move spikes to the addresses ``table[address]``, and sort them by (tick, address) again.

    table : int32[N], new addresses, or -1 for those that leave the sensor
    counts : int64[2], out: spikes kept, spikes that left; the rest fell together with another and were merged
    """
    n = len(tick)
    i = spikes = left = 0
    while i < n:
        now = tick[i]
        start = spikes
        while i < n and tick[i] == now:
            moved = table[address[i]]
            if moved >= 0:
                new_address[spikes] = moved
                spikes += 1
            else:
                left += 1
            i += 1
        spikes = _close_tick(now, start, spikes, keep_repeats, new_tick, new_address)
    counts[0], counts[1] = spikes, left
    return _OK
