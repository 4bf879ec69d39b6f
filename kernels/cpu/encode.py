"""Series of numbers to spikes."""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ROUNDING = 1e-9  # spikes, or thresholds, that sums of float64 may lack of a whole one


@kernel
def integrate_shares(share, n_ticks, filled, tick, address, count):
    """Spikes of integrators without leak that start empty, fire when they are full, and keep what is more.

    share : float64[T or 1, N], in 0..1, of a spike that a tick brings; a single row is that of all ticks
    filled : float64[N], scratch
    tick, address : int32[K], out: the first ``count[0]`` entries are the spikes, sorted
    count : int64[1], out; K must be one a neuron more than the sums of its shares
    """
    filled[:] = 0
    spikes = 0
    for t in range(n_ticks):
        row = share[min(t, len(share) - 1)]
        for n in range(len(filled)):
            filled[n] += row[n]
            if filled[n] >= 1 - _ROUNDING:
                filled[n] -= 1
                tick[spikes] = t
                address[spikes] = n
                spikes += 1
    count[0] = spikes
    return _OK


@kernel
def delta_steps(series, threshold, most, level, steps):
    """By how many thresholds a series moved, tick after tick, from where it was said to be.

    series : float64[T, N]; threshold : in its unit; most : thresholds a tick
    level : int64[N], scratch: thresholds from the first number to where the series is said to be
    steps : int32[T, N], out
    """
    level[:] = 0
    for t in range(len(series)):
        for n in range(len(level)):
            moved = (series[t, n] - series[0, n]) / threshold - level[n]
            step = min(np.int64(math.floor(abs(moved) + _ROUNDING)), most)
            if moved < 0:
                step = -step
            level[n] += step
            steps[t, n] = step
    return _OK
