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
def _close_tick(now, start, stop, end, keep_repeats, tick, address):
    """Sort address[start:stop], those of one tick, and thin out repeats unless they are kept.

    What stays is written from ``end`` on, which must not lie behind ``start``; returns its end.
    """
    _sort(address, start, stop)
    last = np.int32(-1)
    for j in range(start, stop):
        if keep_repeats or address[j] != last:
            last = address[j]
            address[end] = last
            tick[end] = now
            end += 1
    return end


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
        spikes = _close_tick(now, start, spikes, start, keep_repeats, tick, address)
    counts[0] = spikes
    counts[2] = n - i
    return _OK


@kernel
def remap_spikes(table, tick, address, keep_repeats, tick_end, new_tick, new_address, counts):
    """Move spikes to the addresses ``table[address]``, and sort them by (tick, address) again.

    table : int32[N], new addresses, or -1 for those that leave the sensor
    tick : int32[K], in any order; what lies outside 0..T - 1 is left out
    tick_end : int64[T], scratch
    counts : int64[4], out: spikes kept, those before tick 0, those after the last tick, those that left the sensor; the
        rest fell together with another and were merged

    A counting sort over ticks, then one tick after another as in `bin_events`.
    """
    n_ticks = len(tick_end)
    tick_end[:] = 0
    counts[:] = 0
    for k in range(len(tick)):
        if tick[k] < 0:
            counts[1] += 1
        elif tick[k] >= n_ticks:
            counts[2] += 1
        elif table[address[k]] < 0:
            counts[3] += 1
        else:
            tick_end[tick[k]] += 1
    end = 0
    for t in range(n_ticks):
        count = tick_end[t]
        tick_end[t] = end
        end += count
    for k in range(len(tick)):
        t = tick[k]
        if 0 <= t < n_ticks and table[address[k]] >= 0:
            new_address[tick_end[t]] = table[address[k]]
            tick_end[t] += 1
    spikes = start = 0
    for t in range(n_ticks):
        spikes = _close_tick(t, start, tick_end[t], spikes, keep_repeats, new_tick, new_address)
        start = tick_end[t]
    counts[0] = spikes
    return _OK
