"""A layer of leaky integrate-and-fire neurons in continuous time, forward: the tile sweep, window by window.

In a window (see `lif_windows`) a bound decides for 64 neurons at once who may reach the threshold, and only those are
run through it step by step. What arrives at the window's begin is added up first; of what comes later

    v(x) <= max(v, 0) + max(i, 0) max F + sum of max(w, 0) (1, or max F)        F to the window's end; it is never < 0

State and time are float64, only the bound is float32. Thresholds, and how a constant input enters them, are as in
`exact`. Arrivals, and ends of dead times, that are at one instant but for rounding are taken to be so, as on the grid.
"""

import math

import numpy as np

from eventsim.kernels.cpu.exact import MARGIN, neurons_of, spikes_at_most
from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.lif_exact import lif_crossing
from eventsim.kernels.cpu.lif_windows import feed, has_current, instant
from eventsim.kernels.cpu.segment import rising_root
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
from eventsim.kernels.cpu.wide import fused, larger, narrowed, wide_splat, wide_zeros, widened
from eventsim.kernels.layout import (
    EXACT_DEAD,
    EXACT_HARD,
    EXACT_KICK,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_MU,
    EXACT_RECOIL,
    EXACT_RESET,
    EXACT_THETA,
    LIF_CURRENT,
    LIF_CURRENT_BEFORE,
    LIF_UNDONE,
    LIF_V,
    LIF_V_BEFORE,
    STATE_SPIKE,
    STEP_BEGIN,
    STEP_END,
    STEP_FADE,
    STEP_FALL,
    STEP_FEED,
    STEP_TICK,
    STEP_TOP,
)
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@inlined
def take_in(first, last, rows, address, with_current, own):
    """Add the weights of the events first..last-1, which arrive now, to a tile; returns its potential and current."""
    v, i, given = load(own, LIF_V), load(own, LIF_CURRENT), wide_zeros()
    for k in range(first, last):
        given = given + widened(load(rows, np.int64(address[k])))
    return (v, i + given) if with_current else (v + given, i)


@inlined
def _crossing(wait, length, v, i, v_end, fade_end, theta, constants, edges):
    """First s in [wait, length) at which a potential reaches theta, or infinity; and the potential and fade there.

    It is v and has the current i at 0, and is v_end at ``length``, where the current has fallen to a share of fade_end.
    """
    lam, mu = constants[EXACT_LAM], constants[EXACT_MU]
    now, fade = v, 1.0
    if wait > 0.0:
        now, fade = v * math.exp(-lam * wait) + i * feed(wait, constants), math.exp(-mu * wait)
    if now >= theta:
        return wait, now, fade
    drive = i * (constants[EXACT_KICK_B] + constants[EXACT_KICK_C] * (lam - mu))
    slope, slope_end = drive * fade - lam * now, drive * fade_end - lam * v_end
    if v_end < theta and not slope > 0.0 > slope_end:  # it turns at most once
        return np.inf, now, fade
    a, b, c = v + constants[EXACT_KICK] * i, constants[EXACT_KICK_B] * i, constants[EXACT_KICK_C] * i
    if v_end < theta:
        s = lif_crossing(wait, a, b, c, lam, mu, theta, edges)
        return (s if s < length else np.inf), theta, math.exp(-mu * s)
    s, fade = rising_root(wait, length, now, v_end, slope, slope_end, a, b, c, 0.0, lam, mu, theta)
    return s, theta, fade


@inlined
def _run_lane(
    lane, neuron, theta, first_step, last_step, window, step, step_event, rows, address, with_current, constants, edges,
    next_tick, own, spikes, spike_time, spike_address,
):
    """Run one neuron through the steps of a window, from its state of before; appends its spikes.

    next_tick : None, or the time in ms of the tick after the window's begin, for which resets are put down
    """
    lam, dead = constants[EXACT_LAM], constants[EXACT_DEAD]
    enough = theta - MARGIN * (constants[EXACT_THETA] + abs(theta))
    v, i, spiked = own[LIF_V_BEFORE, lane], own[LIF_CURRENT_BEFORE, lane], own[STATE_SPIKE, lane]
    first = spikes
    for s in range(first_step, last_step):
        if s > first_step:
            given = 0.0
            for k in range(step_event[s], step_event[s + 1]):
                given += np.float64(rows[np.int64(address[k]), lane])
            if with_current:
                i += given
            else:
                v += given
        now, end, i_now, fade_end = step[s, STEP_BEGIN], step[s, STEP_END], i, step[s, STEP_FADE]
        v_end = v * step[s, STEP_FALL] + i * step[s, STEP_FEED]
        i *= fade_end
        may_reach = max(v, 0.0) + max(i_now, 0.0) * step[s, STEP_TOP] >= enough
        while may_reach and spiked + dead < end - instant(end, constants):
            wait = spiked + dead - now
            wait = wait if wait > instant(now, constants) else 0.0
            found, v_now, fade = _crossing(wait, end - now, v, i_now, v_end, fade_end, theta, constants, edges)
            if not now + found < end:
                break
            now += found
            v = v_now + constants[EXACT_RECOIL]
            if constants[EXACT_HARD] > 0.0:
                v = constants[EXACT_RESET] - (constants[EXACT_THETA] - theta)
            i_now *= fade
            if next_tick is not None and (window[STEP_TICK] < 0.0 or now > window[STEP_BEGIN]):
                own[LIF_UNDONE, lane] += (v_now - v) * math.exp(-lam * (next_tick - now))
            v_end = v * math.exp(-lam * (end - now)) + i_now * feed(end - now, constants)
            fade_end /= fade
            spike_time[spikes], spike_address[spikes] = now, neuron
            spikes += 1
            spiked = now
        v = v_end
    if spikes > first:
        own[LIF_V, lane], own[STATE_SPIKE, lane] = v, spiked
    return spikes


@inlined
def run_window(
    n, lanes, v, i, first_step, last_step, window, step, step_event, rows, address, coefficient, upper, with_current,
    neuron, theta, least, constants, edges, next_tick, own, spikes, spike_time, spike_address,
):
    """Take tile ``n`` over a window that it begins with v and i.

    Returns the new number of spikes, and how many neurons were run step by step.
    """
    wide_bound, then, fading = larger(v, wide_zeros()), v * wide_splat(window[STEP_FALL]), i
    if with_current:
        wide_bound = fused(larger(i, wide_zeros()), wide_splat(window[STEP_TOP]), wide_bound)
        then = fused(i, wide_splat(window[STEP_FEED]), then)
        fading = i * wide_splat(window[STEP_FADE])
    bound = narrowed(wide_bound)
    for k in range(step_event[first_step + 1], step_event[last_step]):
        row = load(rows, np.int64(address[k]))
        bound = fused(larger(row, zeros()), splat(upper[k]), bound)
        wide = widened(row)
        then = fused(wide, wide_splat(coefficient[k, 0]), then)
        if with_current:
            fading = fused(wide, wide_splat(coefficient[k, 1]), fading)
    store(then, own, LIF_V)
    if with_current:
        store(fading, own, LIF_CURRENT)
    # Not at_least(bound, ...): what is no number any more must not be left out.
    todo = ~at_least(load(least, n), bound) & lanes
    if todo == _NOBODY:
        return spikes, 0
    store(v, own, LIF_V_BEFORE)
    store(i, own, LIF_CURRENT_BEFORE)
    ready = load(own, STATE_SPIKE) + wide_splat(constants[EXACT_DEAD])
    todo &= ~at_least(ready, wide_splat(window[STEP_END] - instant(window[STEP_END], constants)))
    singles = bit_count(todo)
    while todo != _NOBODY:
        lane = lowest_bit(todo)
        todo &= todo - _ONE
        spikes = _run_lane(
            lane, neuron[n, lane], theta[n, lane], first_step, last_step, window, step, step_event, rows, address,
            with_current, constants, edges, next_tick, own, spikes, spike_time, spike_address,
        )
    return spikes, singles


@kernel
def lif_exact_forward(
    item_first, item_last, n_samples, weight, neuron, theta, least, address, sample_ptr, window_base, window_count,
    window, window_step, step, step_event, coefficient, upper, constants, edges, fetched, state, progress, item_spikes,
    spike_time, spike_address,
):
    """`exact_forward` for leaky integrate-and-fire neurons, over the windows of `cut_lif_windows`.

    state : float64[items,7,64], of all items at the first window's begin; at the end that of the last one's end
    """
    mode = flush_subnormals()
    often, with_current = 1.0 / constants[EXACT_DEAD], has_current(constants)
    for item in range(progress[0], item_last):
        tile, sample = item // n_samples, item % n_samples
        own, lanes, rows = state[item], neurons_of(theta, tile), weight[tile]
        n_lanes = bit_count(lanes)
        if item == item_first or sample == 0:
            fetch_tile(rows, sample_ptr[n_samples] - sample_ptr[sample], fetched)
        base, spikes, singles = window_base[sample], progress[2], progress[4]
        for w in range(base + progress[1], base + window_count[sample]):
            length = window[w, STEP_END] - window[w, STEP_BEGIN]
            if spikes + n_lanes * spikes_at_most(length, often) > len(spike_time):
                item_spikes[item] += spikes - progress[2]
                progress[0], progress[1], progress[2], progress[4] = item, w - base, spikes, singles
                restore_subnormals(mode)
                return _GROW
            first_step = window_step[w]
            v, i = take_in(step_event[first_step], step_event[first_step + 1], rows, address, with_current, own)
            spikes, more = run_window(
                tile, lanes, v, i, first_step, window_step[w + 1], window[w], step, step_event, rows, address,
                coefficient, upper, with_current, neuron, theta, least, constants, edges, None, own, spikes, spike_time,
                spike_address,
            )
            singles += more
        item_spikes[item] += spikes - progress[2]
        progress[3] += n_lanes * window_count[sample]
        progress[0], progress[1], progress[2], progress[4] = item + 1, 0, spikes, singles
    restore_subnormals(mode)
    return _OK
