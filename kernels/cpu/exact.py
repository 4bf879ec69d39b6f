"""A layer of SRM neurons in continuous time, forward: the tile sweep, window by window.

In a window, a bound decides for 64 neurons at once who may cross the threshold, and only those are run through it one
event at a time. In the notation of `crossing`, with x ms since the window's begin, at most its length X,

    psp(x) <= a + max(0, max(b, 0) - lam a) (1 - exp(-lam X)) / lam      since psp' <= (max(b, 0) - lam a) exp(-lam x)
    what arrives adds at most sum of max(w, 0) eps(end of the window - its time), since eps rises until tau_syn
    the refractory response is largest at one of the window's ends, and further spikes only lower it

The first two hold for X <= tau_syn, which windows with events are where float64 lets them be so short. A silence may be
longer; there psp(x) <= max(a, 0) + max(b, 0) max of x exp(-lam x), and eps <= 1.

State, time and sums are float64; only the bound is float32. A neuron's refractory response stays at the time of its
last spike, and for the bound a float32 copy of it that is not below it goes along.

Every neuron has a threshold of its own, less by what a constant input comes to (see `crossing`); that of a lane that is
no neuron is infinite.
"""

import math

import numpy as np

from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.segment import bend_of, crossing_before, rising_root
from eventsim.kernels.cpu.sweep import fetch_tile
from eventsim.kernels.cpu.vector import (
    at_least,
    bit_count,
    flush_subnormals,
    load,
    lowest_bit,
    restore_subnormals,
    splat,
    store,
    zeros,
)
from eventsim.kernels.cpu.wide import (
    eight,
    fused,
    gather_eight,
    larger,
    load_eight,
    narrowed,
    running_sums,
    size,
    store_eight,
    wide_splat,
    wide_zeros,
    widened,
)
from eventsim.kernels.layout import (
    CLIMB,
    EDGES,
    EXACT_DEAD,
    EXACT_LAM,
    EXACT_MU,
    EXACT_RECOIL,
    EXACT_THETA,
    FALL,
    FALL_REF,
    LENGTH,
    MOST_SPIKES,
    SEGMENT_FALL,
    SEGMENT_FALL_REF,
    SEGMENT_KICK,
    SEGMENT_TIME,
    SEGMENTS,
    STATE_C,
    STATE_D,
    STATE_NEXT,
    STATE_PSP,
    STATE_SPIKE,
    WINDOW_BEGIN,
    WINDOW_END,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)
# Of the thresholds, all neurons' and a neuron's own: what the rounding of a bound cannot reach, in float64.
MARGIN = 1e-9
# A tile's bound, a sum of at most 17 terms in float32, also gets a share of its first one on top.
_ROUNDING = np.float32(4e-6)
# What is left of a float32 refractory response so that rounding never makes it larger in size.
_SHRINK = np.float32(1.0 - 4e-7)


@inlined
def _doubtful_segments(a, b, c, d, origin, awake, lift, window, window_address, rows, lane, lam, enough, kept):
    """The bits of the segments in which a neuron may cross; puts a and b of all eight into kept float64[16].

    One neuron, all segments at once. psp (a, b) in the coordinates of the window's begin, where an event adds to both.
    """
    begin, end = load_eight(window, SEGMENT_TIME), load_eight(window, SEGMENT_TIME + 1)
    kick = gather_eight(rows, window_address, lane) * load_eight(window, SEGMENT_KICK)
    b = eight(b) + running_sums(kick)
    a = eight(a) - running_sums(kick * begin)
    fall = load_eight(window, SEGMENT_FALL)
    psp, slope, length = fused(b, begin, a) * fall, b * fall, end - begin
    none = eight(0.0)
    if lam * window[LENGTH] <= 1.0:
        top = fused(larger(larger(slope, none) - eight(lam) * psp, none), length, psp)
    else:
        top = fused(larger(slope, none), eight(1.0 / (math.e * lam)), larger(psp, none))
    c, d, lift = eight(c), eight(d), eight(lift)
    now = fused(d, begin - eight(origin), c) * load_eight(window, SEGMENT_FALL_REF) * lift
    then = fused(d, end - eight(origin), c) * load_eight(window, SEGMENT_FALL_REF + 1) * lift
    store_eight(a, kept, 0)
    store_eight(b, kept, SEGMENTS)
    late = at_least(eight(awake), end)
    return at_least(top + larger(now, then), eight(enough)) & ~late


@inlined
def _run_lane(
    lane, neuron, theta, window, window_address, rows, constants, edges, kept, a, b, own, response, spikes, spike_time,
    spike_address,
):
    """Run one neuron through a window, segment by segment; appends its spikes and returns their new number.

    The refractory response is kept in the coordinates of the last spike, at ``origin``.
    """
    lam, mu = constants[EXACT_LAM], constants[EXACT_MU]
    begin, stop = window[WINDOW_BEGIN], window[LENGTH]
    enough = theta - MARGIN * (constants[EXACT_THETA] + abs(theta))
    c, d, origin = own[STATE_C, lane], own[STATE_D, lane], own[STATE_SPIKE, lane] - begin
    awake, lift = origin + constants[EXACT_DEAD], math.exp(mu * origin)
    todo = _doubtful_segments(
        a, b, c, d, origin, awake, lift, window, window_address, rows, lane, lam, enough, kept
    )
    first_spike = spikes
    while todo != _NOBODY:
        q = lowest_bit(todo)
        s, x = window[SEGMENT_TIME + q], window[SEGMENT_TIME + q + 1]
        a, b = kept[q], kept[SEGMENTS + q]
        e, e_end = window[SEGMENT_FALL + q], window[SEGMENT_FALL + q + 1]
        m, m_end = window[SEGMENT_FALL_REF + q] * lift, window[SEGMENT_FALL_REF + q + 1] * lift
        if origin > 0.0:  # a spike before in this window
            if origin > s:
                s, e = origin, math.exp(-lam * origin)
            m, m_end = math.exp(-mu * (s - origin)), math.exp(-mu * (x - origin))
        psp, slope, now, recoil, length = (a + b * s) * e, b * e, (c + d * (s - origin)) * m, d * m, x - s
        u = psp + now
        psp_end, then = (a + b * x) * e_end, (c + d * (x - origin)) * m_end
        u_end = psp_end + then
        turn = bend_of(length, psp, slope, now, recoil, lam, mu) * length
        rise = slope - lam * psp + recoil - mu * now
        found, since_ref = np.inf, 1.0
        if awake > s or (u < theta and rise <= turn):
            if awake > s or u + (max(rise, 0.0) + 0.5 * turn) * length >= theta:
                found = crossing_before(max(0.0, awake - s), length, psp, slope, now, recoil, lam, mu, theta, edges)
                since_ref = math.exp(-mu * found)
        elif u >= theta:
            found = 0.0
        elif u_end >= theta:
            rise_end = b * e_end - lam * psp_end + d * m_end - mu * then
            found, since_ref = rising_root(
                0.0, length, u, u_end, rise, rise_end, psp, slope, now, recoil, lam, mu, theta
            )
        if not found < length:
            todo &= todo - _ONE
            continue
        when = begin + s + found
        if when >= window[WINDOW_END]:  # by rounding: whoever takes the spike would look for it in vain
            when = np.nextafter(window[WINDOW_END], -np.inf)
        spike_time[spikes], spike_address[spikes] = when, neuron
        spikes += 1
        c, d = (now + recoil * found) * since_ref, recoil * since_ref + constants[EXACT_RECOIL]
        origin = s + found
        awake = origin + constants[EXACT_DEAD]
        # Segments that were in no doubt still are not: a spike only lowers u.
        while todo != _NOBODY and window[SEGMENT_TIME + lowest_bit(todo) + 1] <= awake:
            todo &= todo - _ONE
    if spikes > first_spike:
        own[STATE_C, lane], own[STATE_D, lane], own[STATE_SPIKE, lane] = c, d, spike_time[spikes - 1]
        m = math.exp(-mu * (stop - origin))
        response[0, lane] = np.float32((c + d * (stop - origin)) * m) * _SHRINK
        response[1, lane] = np.float32(d * m) * _SHRINK
    return spikes


@inlined
def _psp_bound(a, b, window, lam):
    """The largest psp that a and b alone can reach in a window."""
    if lam * window[LENGTH] <= 1.0:
        rise = larger(fused(a, wide_splat(-lam), larger(b, wide_zeros())), wide_zeros())
        return narrowed(fused(rise, wide_splat(window[CLIMB]), a))
    # x exp(-lam x) is at most 1 / (e lam).
    return narrowed(fused(larger(b, wide_zeros()), wide_splat(1.0 / (math.e * lam)), larger(a, wide_zeros())))


@inlined
def step_response(response, window):
    """Take the float32 refractory response over a window; returns the largest that it is in it."""
    c, d = load(response, 0), load(response, 1)
    fall = splat(np.float32(window[FALL_REF]) * _SHRINK)
    then = fused(d, splat(np.float32(window[LENGTH])), c) * fall
    store(then, response, 0)
    store(d * fall, response, 1)
    return larger(c, then)


@inlined
def neurons_of(theta, n):
    """The bits of the lanes of a tile that are neurons."""
    return ~at_least(load(theta, n), wide_splat(np.inf))


@inlined
def sweep_window(
    n, lanes, first, last, window, window_address, rows, neuron, theta, least, address, coefficient, upper, constants,
    edges, now, then, own, response, spikes, spike_time, spike_address,
):
    """Take tile ``n`` over a window, its psp from the rows now, now + 1 of its state to then, then + 1.

    Returns the new number of spikes, and how many neurons were run event by event.
    """
    a, b = load(own, now), load(own, now + 1)
    bound = _psp_bound(a, b, window, constants[EXACT_LAM])
    bound = fused(size(bound), splat(_ROUNDING), bound) + step_response(response, window)
    fall = wide_splat(window[FALL])
    a, b = fused(b, wide_splat(window[LENGTH]), a) * fall, b * fall
    for k in range(first, last):
        row = load(rows, np.int64(address[k]))
        bound = fused(larger(row, zeros()), splat(upper[k]), bound)
        wide = widened(row)
        a = fused(wide, wide_splat(coefficient[k, 0]), a)
        b = fused(wide, wide_splat(coefficient[k, 1]), b)
    # Stored before calls to the exponential function, which would save all of the registers each time.
    store(a, own, then)
    store(b, own, then + 1)
    # Not at_least(bound, ...): what left float32 and is no number any more must not be left out.
    todo = ~at_least(load(least, n), bound) & lanes
    singles = 0
    while todo != _NOBODY:
        lane = lowest_bit(todo)
        todo &= todo - _ONE
        singles += 1
        spikes = _run_lane(
            lane, neuron[n, lane], theta[n, lane], window, window_address, rows, constants, edges[:EDGES],
            edges[EDGES:], own[now, lane], own[now + 1, lane], own, response, spikes, spike_time, spike_address,
        )
    return spikes, singles


@inlined
def spikes_at_most(length, often):
    """Spikes of a neuron in a window of this length, if it fires at most so often in a ms."""
    return 2.0 + min(length * often, np.float64(MOST_SPIKES))


@inlined
def keep_psp(now, own):
    """Move a tile's psp to where the next call looks for it."""
    if now != STATE_PSP:
        store(load(own, now), own, STATE_PSP)
        store(load(own, now + 1), own, STATE_PSP + 1)


@kernel
def exact_forward(
    item_first, item_last, n_samples, weight, neuron, theta, least, address, sample_ptr, window_base, window_count,
    window, window_event, window_address, coefficient, upper, constants, edges, fetched, state, response, progress,
    item_spikes, spike_time, spike_address,
):
    """Spikes of the items item_first..item_last-1, numbered as in `dense`, over all their windows (see `cut_windows`).

    neuron int32[tiles,64], theta float64[tiles,64] : the address of every lane, and its threshold
    least float32[tiles,64] : what a bound reaches where a potential reaches theta, whatever rounding does to it
    state float64[items,7,64], response float32[items,2,64] : of all items at the first window's begin; at the end that
        of the last one's end
    edges, fetched : scratch
    progress int64[5] : the next item, its next window, the number of spikes, and how many neurons were taken over a
        window and how many of those one event at a time

    An item's spikes are in order of their windows and, within one, of their lanes; item_spikes has their numbers.
    Status GROW: spike_time and spike_address may not hold what the next window can give; grow them and call again.
    """
    mode = flush_subnormals()
    often = 1.0 / constants[EXACT_DEAD]
    for item in range(progress[0], item_last):
        tile, sample = item // n_samples, item % n_samples
        lanes = neurons_of(theta, tile)
        n_lanes = bit_count(lanes)
        if item == item_first or sample == 0:
            fetch_tile(weight[tile], sample_ptr[n_samples] - sample_ptr[sample], fetched)
        base, spikes, singles = window_base[sample], progress[2], progress[4]
        now, then = STATE_PSP, STATE_NEXT
        for w in range(base + progress[1], base + window_count[sample]):
            if spikes + n_lanes * spikes_at_most(window[w, LENGTH], often) > len(spike_time):
                keep_psp(now, state[item])
                item_spikes[item] += spikes - progress[2]
                progress[0], progress[1], progress[2], progress[4] = item, w - base, spikes, singles
                restore_subnormals(mode)
                return _GROW
            spikes, more = sweep_window(
                tile, lanes, window_event[w], window_event[w + 1], window[w], window_address[w], weight[tile], neuron,
                theta, least, address, coefficient, upper, constants, edges, now, then, state[item], response[item],
                spikes, spike_time, spike_address,
            )
            now, then = then, now
            singles += more
        keep_psp(now, state[item])
        item_spikes[item] += spikes - progress[2]
        progress[3] += n_lanes * window_count[sample]
        progress[0], progress[1], progress[2], progress[4] = item + 1, 0, spikes, singles
    restore_subnormals(mode)
    return _OK
