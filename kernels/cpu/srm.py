"""The spike response model on the tick clock: what the kernels of a tile of 64 neurons share.

A neuron is four numbers. The kernels eps and nu are alpha functions, each a two-state linear system (Shrestha & Orchard
2018, eq. 1-5); the factors e dt / tau are folded into what is added to p and pr:

    q  <- a (q + p)        p  <- a p          a  = exp(-dt / tau_syn)
    qr <- b (qr + pr)      pr <- b pr         b  = exp(-dt / tau_ref)
    u   = q + qr           a spike where u >= theta and the neuron is not dead
    pr += kick at a spike,   p += gain * (sum of the tick's weight rows)

eps(0) = nu(0) = 0: neither the input nor a spike of tick t changes u of tick t. The state of a tile is four vectors,
which stay in registers.
"""

import math

import numpy as np
from numba.core import types
from numba.extending import overload

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import (
    add_shorts,
    as_floats,
    at_least,
    load,
    long_zeros,
    lowest_bit,
    short_zeros,
    splat,
    store,
    where,
    zeros,
)
from eventsim.kernels.layout import TILE

# A run of ticks without input is worth a look whether it can be skipped from this length on.
GAP = 8
# Of the potential that a tile must stay below to be left alone, for rounding.
MARGIN = np.float32(1.0 - 1e-4)
# Weights of int8 whose sum int16 holds: 256 * 127 < 2^15.
_SHORT_SUM = 256
_ONE, _NOBODY = np.uint64(1), np.uint64(0)
# Rows of a tile's state where it stands in memory between ticks.
P, Q, PR, QR = range(4)


@kernel
def _number(address, i):
    """The i-th row wanted: ``address[i]``, or i itself where there is no list."""
    return i if address is None else np.int64(address[i])


@kernel
def _float_sum(rows, address, first, last):
    total = zeros()
    for i in range(first, last):
        total = total + load(rows, _number(address, i))
    return total


@kernel
def _byte_sum(rows, address, first, last):
    total = long_zeros()
    i = first
    while i < last:
        stop = min(last, i + _SHORT_SUM)
        part = short_zeros()
        while i < stop:
            part = part + load(rows, _number(address, i))
            i += 1
        total = add_shorts(total, part)
    return as_floats(total)


def sum_rows(rows, address, first, last):
    """Sum of ``rows[address[i]]`` for i in first..last-1, or of ``rows[i]`` where address is None, as float32.

    Rows of float32 or float16 bits are added one after the other; those of int8 as integers, which are exact.
    """
    raise NotImplementedError("compiled code only")


@overload(sum_rows, inline="always")
def _sum_rows(rows, address, first, last):
    if rows.dtype == types.int8:
        return lambda rows, address, first, last: _byte_sum(rows, address, first, last)
    return lambda rows, address, first, last: _float_sum(rows, address, first, last)


@kernel
def awake(mask, tick, ready):
    """The lanes of ``mask`` whose dead time is over; ready int32[64] is the first tick at which each may fire again."""
    rest = mask
    while rest != np.uint64(0):
        lane = lowest_bit(rest)
        rest &= rest - _ONE
        if tick < ready[lane]:
            mask ^= _ONE << np.uint64(lane)
    return mask


@kernel
def put_to_rest(mask, until, ready):
    """The neurons of ``mask`` may fire again at tick ``until``."""
    while mask != np.uint64(0):
        ready[lowest_bit(mask)] = until
        mask &= mask - _ONE


@kernel
def step_rows(rows, p, tick, n_lanes, n_abs, ready, alpha, beta, theta, kick):
    """One tick of a tile whose state stands in rows float32[4,64], but for p, which has the input of the tick before.

    Returns the lanes that spike, and the new p and q.
    """
    q = alpha * (load(rows, Q) + p)
    p = alpha * p
    qr = beta * (load(rows, QR) + load(rows, PR))
    pr = beta * load(rows, PR)
    lanes = at_least(q + qr, theta)
    lanes &= ~_NOBODY >> np.uint64(TILE - n_lanes)
    if n_abs > 1:
        lanes = awake(lanes, tick, ready)
        put_to_rest(lanes, tick + n_abs, ready)
    pr = where(lanes, pr + kick, pr)
    store(p, rows, P)
    store(q, rows, Q)
    store(pr, rows, PR)
    store(qr, rows, QR)
    return lanes, p, q


@kernel
def list_spikes(lanes, tick, first_neuron, spikes, spike_tick, spike_address):
    """Write the spikes of a tile's lanes behind the ``spikes`` that are listed; returns the new number of them."""
    while lanes != _NOBODY:
        spike_tick[spikes] = tick
        spike_address[spikes] = first_neuron + lowest_bit(lanes)
        spikes += 1
        lanes &= lanes - _ONE
    return spikes


@kernel
def positive(v):
    """v where it is at least 0, else 0."""
    return where(at_least(v, zeros()), v, zeros())


@kernel
def reach_of(alpha):
    """The largest n alpha^n, which a psp's state p can add to its potential in n ticks without input."""
    return np.float32(1.0 / (math.e * max(-math.log(np.float64(alpha)), 1e-30)))


@kernel
def lowered(limit):
    """A little less than ``limit``, for rounding."""
    return limit * MARGIN if limit > np.float32(0.0) else limit / MARGIN


@kernel
def stays_below(p, q, reach, limit, base, slack):
    """Whether no potential of a tile can reach ``limit`` before the next input.

    In n ticks the psp is a^n (q + n p), never more than max(q, 0) + max(p, 0) max_n(n a^n), and the refractory response
    is at most 0. ``limit`` is to hold a margin for rounding. base, slack : None, or the potential that a constant input
    has in the end, and a margin for rounding of that.
    """
    bound = positive(q) + positive(p) * splat(reach)
    is_known = at_least(bound, bound) == ~np.uint64(0)  # of numbers that left float32 nothing is
    if base is not None:
        bound = bound + base + slack
    return is_known and at_least(bound, splat(limit)) == np.uint64(0)


@kernel
def power(alpha, n):
    """alpha^n, by way of float64."""
    return np.float32(math.pow(np.float64(alpha), np.float64(n)))


@kernel
def jumped(p, q, n, alpha):
    """(p, q) after n ticks without input, in closed form."""
    fall = splat(power(alpha, n))
    return fall * p, fall * (q + splat(np.float32(n)) * p)


@kernel
def next_event(run, run_end, ended, n_taps, run_tick, n_ticks):
    """The first tick ahead at which input arrives or a truncated psp ends, or n_ticks; n_taps None or 0: none does."""
    tick = n_ticks
    if run < run_end:
        tick = np.int64(run_tick[run])
    if n_taps is not None and n_taps > 0 and ended < run:
        tick = min(tick, np.int64(run_tick[ended]) + n_taps - 1)
    return tick
