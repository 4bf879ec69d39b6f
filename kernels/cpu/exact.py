"""A dense layer of SRM neurons in continuous time, forward: the tile sweep, window by window.

In a window, a bound decides for 64 neurons at once who may cross the threshold, and only those are run through it one
event at a time. In the notation of `crossing`, with x ms since the window's begin, at most its length X <= tau_syn,

    psp(x) <= a + max(0, max(b, 0) - lam a) (1 - exp(-lam X)) / lam      since psp' <= (max(b, 0) - lam a) exp(-lam x)
    what arrives adds at most sum of max(w, 0) eps(end of the window - its time), since eps rises until tau_syn
    the refractory response is largest at one of the window's ends, and further spikes only lower it

State, time and sums are float64.
"""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.segment import crossing_before
from eventsim.kernels.cpu.sweep import fetch_tile, valid_lanes
from eventsim.kernels.cpu.vector import flush_subnormals, load, lowest_bit, restore_subnormals, splat, zeros
from eventsim.kernels.cpu.wide import fused, larger, load_wide, reach, store_wide, wide_splat, wide_zeros, widened
from eventsim.kernels.layout import (
    CLIMB,
    EXACT_DEAD,
    EXACT_LAM,
    EXACT_MU,
    EXACT_RECOIL,
    EXACT_THETA,
    FALL,
    FALL_REF,
    LENGTH,
    STATE_A,
    STATE_B,
    STATE_C,
    STATE_D,
    STATE_READY,
    TILE,
    WINDOW_BEGIN,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)
# Of the threshold: what rounding of a bound's float64 terms cannot reach.
_MARGIN = 1.0 - 1e-9
_X, _E, _M, _G = range(4)


@kernel
def _bound_of_state(a, b, window, lam):
    """The largest psp that a and b alone can reach in a window."""
    if lam * window[LENGTH] <= 1.0:
        rise = larger(b, wide_zeros()) - wide_splat(lam) * a
        return fused(larger(rise, wide_zeros()), wide_splat(window[CLIMB]), a)
    # x exp(-lam x) is at most 1 / (e lam).
    return fused(larger(b, wide_zeros()), wide_splat(1.0 / (math.e * lam)), larger(a, wide_zeros()))


@kernel
def _run_lane(
    lane, neuron, begin, stop, fall, fall_ref, k, last, rows, address, local, constants, edges, ready, now,
    then, spikes, spike_time, spike_address,
):
    """Run one neuron through a window, event by event; appends its spikes and returns their new number.

    Its psp is kept in the coordinates of the window's begin, where an event only adds to a and b; the refractory
    response in those of the last spike.
    """
    lam, mu, theta = constants[EXACT_LAM], constants[EXACT_MU], constants[EXACT_THETA]
    enough = theta * _MARGIN
    a, b, c, d = now[STATE_A, lane], now[STATE_B, lane], now[STATE_C, lane], now[STATE_D, lane]
    awake = ready[lane] - begin
    origin, lift = 0.0, 1.0
    s, e, m, psp, response = 0.0, 1.0, 1.0, a, c
    while True:
        x, e_end, m_end = stop, fall, fall_ref
        if k < last:
            x, e_end, m_end = local[k, _X], local[k, _E], local[k, _M]
        psp_end = (a + b * x) * e_end
        response_end = (c + d * (x - origin)) * (m_end * lift)
        if x > awake:
            length, slope = x - s, b * e
            if lam * length <= 1.0:
                top = psp + max(0.0, max(slope, 0.0) - lam * psp) * length
            else:
                top = max(psp, 0.0) + max(slope, 0.0) / (math.e * lam)
            if top + max(response, response_end) >= enough:
                found = crossing_before(
                    max(0.0, awake - s), length, psp, slope, response, d * (m * lift), lam, mu, theta, edges
                )
                if found < length:
                    s += found
                    spike_time[spikes] = begin + s
                    spike_address[spikes] = neuron
                    spikes += 1
                    awake = s + constants[EXACT_DEAD]
                    e = math.exp(-lam * s)
                    since = math.exp(-mu * (s - origin))
                    c, d = (c + d * (s - origin)) * since, d * since + constants[EXACT_RECOIL]
                    origin, lift = s, math.exp(mu * s)
                    m = 1.0 / lift
                    psp, response = (a + b * s) * e, c
                    continue
        if k == last:
            break
        w = local[k, _G] * rows[address[k], lane]
        a -= w * x
        b += w
        s, e, m, psp, response = x, e_end, m_end, psp_end, response_end
        k += 1
    if origin > 0.0:
        then[STATE_C, lane], then[STATE_D, lane] = response_end, d * (fall_ref * lift)
        ready[lane] = begin + awake
    return spikes


@kernel
def _sum_window(rows, address, coefficient, upper, first, last):
    """What a window's events add to a and b at its end, and the most that they can add to the psp within it."""
    a, b, most = wide_zeros(), wide_zeros(), zeros()
    for k in range(first, last):
        row = load(rows, np.int64(address[k]))
        most = fused(larger(row, zeros()), splat(upper[k]), most)
        wide = widened(row)
        a = fused(wide, wide_splat(coefficient[k, 0]), a)
        b = fused(wide, wide_splat(coefficient[k, 1]), b)
    return a, b, most


@kernel
def _sweep_window(
    tile, lanes, begin_event, end_event, window, rows, address, coefficient, upper, local, constants, edges, ready, now,
    then, spikes, spike_time, spike_address,
):
    """Take a tile over a window, from the state ``now`` to ``then``.

    Returns the new number of spikes and how many neurons were run one event at a time.
    """
    lam, length = constants[EXACT_LAM], window[LENGTH]
    add_a, add_b, most = _sum_window(rows, address, coefficient, upper, begin_event, end_event)
    a, b, c, d = (load_wide(now, STATE_A), load_wide(now, STATE_B), load_wide(now, STATE_C), load_wide(now, STATE_D))
    fall, fall_ref, x = wide_splat(window[FALL]), wide_splat(window[FALL_REF]), wide_splat(length)
    response = fused(d, x, c) * fall_ref
    bound = _bound_of_state(a, b, window, lam) + widened(most) + larger(c, response)
    lane_bits = reach(bound, wide_splat(constants[EXACT_THETA] * _MARGIN)) & lanes
    store_wide(fused(fused(b, x, a), fall, add_a), then, STATE_A)
    store_wide(fused(b, fall, add_b), then, STATE_B)
    store_wide(response, then, STATE_C)
    store_wide(d * fall_ref, then, STATE_D)
    singles = 0
    while lane_bits != _NOBODY:
        lane = lowest_bit(lane_bits)
        lane_bits &= lane_bits - _ONE
        singles += 1
        spikes = _run_lane(
            lane, tile * TILE + lane, window[WINDOW_BEGIN], length, window[FALL], window[FALL_REF], begin_event,
            end_event, rows, address, local, constants, edges, ready, now, then, spikes, spike_time, spike_address,
        )
    return spikes, singles


@kernel
def _copy_state(source, target):
    """Copy psp and refractory response of a tile."""
    for row in range(STATE_READY):
        store_wide(load_wide(source, row), target, row)


@kernel
def exact_forward(
    item_first, item_last, n_samples, n_neurons, weight, address, sample_ptr, window_base, window_count, window,
    window_event, coefficient, upper, local, constants, now, then, edges, fetched, state, progress, item_spikes,
    spike_time, spike_address,
):
    """Spikes of the items item_first..item_last-1, numbered as in `dense`, over all their windows (see `cut_windows`).

    state float64[items,5,64] : of every item at the first window's begin; at the end that of the last one's end
    now, then float64[4,64], edges, fetched : scratch
    progress int64[5] : the next item, its next window, the number of spikes, and how many neurons were taken over a
        window and how many of those one event at a time

    An item's spikes are in order of their windows and, within one, of their neurons; item_spikes has their numbers.
    Status GROW: spike_time and spike_address may not hold what the next window can give; grow them and call again.
    """
    mode = flush_subnormals()
    dead = constants[EXACT_DEAD]
    for item in range(progress[0], item_last):
        tile, sample = item // n_samples, item % n_samples
        lanes = valid_lanes(tile, n_neurons)
        mask = ~_NOBODY >> np.uint64(TILE - lanes)
        if item == item_first or sample == 0:
            fetch_tile(weight[tile], sample_ptr[n_samples] - sample_ptr[sample], fetched)
        base, spikes, singles = window_base[sample], progress[2], progress[4]
        own = state[item - item_first]
        _copy_state(own, now)
        for w in range(progress[1], window_count[sample]):
            most = lanes * (2.0 + window[base + w, LENGTH] / dead)
            if spikes + most > len(spike_time):
                item_spikes[item - item_first] += spikes - progress[2]
                _copy_state(now, own)
                progress[0], progress[1], progress[2], progress[4] = item, w, spikes, singles
                restore_subnormals(mode)
                return _GROW
            spikes, more = _sweep_window(
                tile, mask, window_event[base + w], window_event[base + w + 1], window[base + w], weight[tile], address,
                coefficient, upper, local, constants, edges, own[STATE_READY], now, then, spikes, spike_time,
                spike_address,
            )
            singles += more
            now, then = then, now
        item_spikes[item - item_first] += spikes - progress[2]
        _copy_state(now, own)
        progress[3] += lanes * window_count[sample]
        progress[0], progress[1], progress[2], progress[4] = item + 1, 0, spikes, singles
    restore_subnormals(mode)
    return _OK
