"""Events of a recording to spikes on the tick grid."""

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
        _sort(address, start, spikes)
        if not keep_repeats:
            stop = spikes
            spikes = start + 1
            for j in range(start + 1, stop):
                if address[j] != address[j - 1]:
                    address[spikes] = address[j]
                    spikes += 1
        for j in range(start, spikes):
            tick[j] = now
    counts[0] = spikes
    counts[2] = n - i
    return _OK
