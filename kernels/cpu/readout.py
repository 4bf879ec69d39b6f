"""Leaky integrators, which never spike: what is read of their potentials, on either clock, float64.

Their potentials rise and fall only where input arrives, and between two arrivals move one way only, towards what a
constant input comes to. So they are looked at around arrivals, and silences are jumped over in closed form.

An *item* is one list in one tile of 64 neurons, ``tile * n_lists + list``; a list is a sample, or a sample at a patch
of a convolution. Its input is *runs* of rows that arrive at one time.
"""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import sum_rows
from eventsim.kernels.cpu.vector import at_least, load, lowest_bit, store
from eventsim.kernels.cpu.wide import fused, larger, wide_splat, wide_zeros, widened
from eventsim.kernels.layout import TILE
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@kernel
def read_sums(
    item_first, item_last, n_lists, weight, gain, run_base, run_count, run_start, address, run_share, score
):
    """What is linear in the input, as the mean and the last potential are, of the items item_first..item_last-1.

    weight[tiles,rows,64] : float32, or int8 or float16 bits (uint16) to be multiplied by gain float32[tiles,64]
    run_base, run_count, run_start, address : the lists of rows; run r has address[run_start[r]:run_start[r + 1]]
    run_share float64[runs] : what a unit of input in a run adds
    score : float64[items,64]
    """
    for item in range(item_first, item_last):
        tile, one = item // n_lists, item % n_lists
        rows, lane_gain, total = weight[tile], load(gain, tile), wide_zeros()
        for run in range(run_base[one], run_base[one] + run_count[one]):
            given = widened(lane_gain * sum_rows(rows, address, run_start[run], run_start[run + 1]))
            total = fused(wide_splat(run_share[run]), given, total)
        store(total, score, item)
    return _OK


@kernel
def _rested(v, span, rate, held, each):
    """v after ``span`` without a run, with ``each`` as constant input."""
    if rate == 0.0:
        return v + wide_splat(span) * each
    return wide_splat(math.exp(-rate * span)) * v + wide_splat(-math.expm1(-rate * span) * held) * each


@kernel
def _look(v, now, best, when):
    """The larger of v and best, lane by lane; where that is v, ``when`` float64[64] becomes ``now``."""
    risen = ~at_least(best, v)
    while risen != _NOBODY:
        when[lowest_bit(risen)] = now
        risen &= risen - _ONE
    return larger(v, best)


@kernel
def read_peaks(
    item_first, item_last, n_lists, n_batch, step, last_time, rate, held, weight, gain, run_base, run_count, run_start,
    address, run_time, each, score, when
):
    """The largest potential of any time, and the first time that has it, of the items item_first..item_last-1.

    step : 1 on the grid, where times are ticks; 0 in continuous time, where an arrival is looked at from both sides
    last_time : the last one that is looked at
    rate : of decay; held : what a constant input of 1 comes to in the end, not used where ``rate`` is 0
    run_time float64[runs] : when each of the runs of `read_sums` arrives, ascending in a list
    each float64[places,64] : constant input, of place ``tile * (n_lists / n_batch) + list / n_batch``, or no places
    score, when : float64[items,64]
    """
    for item in range(item_first, item_last):
        tile, one = item // n_lists, item % n_lists
        rows, lane_gain, constant = weight[tile], load(gain, tile), wide_zeros()
        if len(each) > 0:
            constant = load(each, tile * (n_lists // n_batch) + one // n_batch)
        v, best, last = wide_zeros(), wide_splat(-np.inf), -step
        seen = when[item]
        for lane in range(TILE):
            seen[lane] = 0.0
        end = run_base[one] + run_count[one]
        for run in range(run_base[one], end + 1):
            now = run_time[run] if run < end else last_time + step
            silence = now - last - step
            if silence > 0.0:
                if last == -step:  # nothing has come yet: from both ends of the silence
                    best = _look(_rested(v, step, rate, held, constant), 0.0, best, seen)
                v = _rested(v, silence, rate, held, constant)
                best = _look(v, now - step, best, seen)
            if run < end:
                v = _rested(v, step, rate, held, constant)
                v = v + widened(lane_gain * sum_rows(rows, address, run_start[run], run_start[run + 1]))
                best = _look(v, now, best, seen)
                last = now
        store(best, score, item)
    return _OK
