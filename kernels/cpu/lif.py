"""Leaky integrate-and-fire on the tick clock: one sample through one tile of 64 neurons, spike list in, spike list out.

A neuron is two numbers, its potential v and, where its synapses have a current, that:

    v <- a v + c i + k in        i <- b i + l in        in: the tick's weight rows, and a constant input
    a spike where v >= theta and the neuron is not dead; then v <- v - drop, or v <- reset

The input of tick t changes v of tick t, where k is not 0: unlike that of the spike response model.
"""

import math

import numpy as np

from eventsim.kernels.cpu.active import close_chunk
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.srm import GAP, MARGIN, awake, lowered, positive, put_to_rest, sum_rows
from eventsim.kernels.cpu.vector import at_least, bit_count, load, splat, store, where, zeros
from eventsim.kernels.layout import (
    BASE,
    CHUNK,
    EACH_TICK,
    LIF_DECAY,
    LIF_DROP,
    LIF_FEED,
    LIF_GAIN,
    LIF_HARD,
    LIF_REACH,
    LIF_RESET,
    LIF_SYN_DECAY,
    LIF_SYN_GAIN,
    THETA,
    TILE,
)

_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@kernel
def _rested(v, i, n, constants):
    """(v, i) after n ticks without input, in closed form."""
    a, b = np.float64(constants[LIF_DECAY]), np.float64(constants[LIF_SYN_DECAY])
    of_v, of_i = math.pow(a, n), math.pow(b, n)
    passed = n * math.pow(a, n - 1) if a == b else (of_v - of_i) / (a - b)
    feed = np.float64(constants[LIF_FEED]) * passed
    return splat(np.float32(of_v)) * v + splat(np.float32(feed)) * i, splat(np.float32(of_i)) * i


@kernel
def _rests(v, i, reach, limit):
    """Whether no potential of a tile can reach ``limit`` without input; ``reach`` is what a unit of i can lift v by."""
    bound = positive(v) + positive(i) * splat(reach)
    is_known = at_least(bound, bound) == ~np.uint64(0)
    return is_known and at_least(bound, splat(limit)) == _NOBODY


@kernel
def sweep_lif(
    t, n_ticks, rows, lane_gain, n_lanes, run, run_end, run_tick, run_start, address, constants, n_abs, ready,
    word_tick, word_lanes, words, active, drive, place, moving,
):
    """`sweep_item` for leaky integrate-and-fire neurons; moving : whether there is a constant input.

    drive : None where there is none, no lane is nobody's, and synapses have no current
    """
    decay, feed, gain = splat(constants[LIF_DECAY]), splat(constants[LIF_FEED]), splat(constants[LIF_GAIN])
    syn_decay, syn_gain = splat(constants[LIF_SYN_DECAY]), splat(constants[LIF_SYN_GAIN])
    theta, drop, reset = splat(constants[THETA]), splat(constants[LIF_DROP]), splat(constants[LIF_RESET])
    is_hard, reach = constants[LIF_HARD] > 0, constants[LIF_REACH]
    limit, may_rest = constants[THETA] * MARGIN, constants[THETA] > 0 and not moving
    valid = ~_NOBODY >> np.uint64(TILE - n_lanes)
    v, i, given = zeros(), zeros(), zeros()
    if drive is not None:
        base, each_tick = load(drive[place], BASE), load(drive[place], EACH_TICK)
    spikes = entries = pairs = 0
    chunk, seen = t // CHUNK, _NOBODY
    if ready is not None:
        ready[:] = 0
    if active is not None:
        (low, high, chunk_u, chunk_lanes, entries, pairs, first_block, block_entries, block_pairs, entry_lane,
         entry_ticks, rho) = active
        chunk_lanes[:] = _NOBODY
        landing, leap = -1, 0
        v_left, i_left = v, i
    while t < n_ticks:
        if active is not None and t == landing:
            v, i = _rested(v_left, i_left, leap, constants)
        if active is not None and t // CHUNK != chunk:
            if seen != _NOBODY:
                entries, pairs = close_chunk(
                    chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk,
                    block_entries, block_pairs,
                )
            chunk, seen = t // CHUNK, _NOBODY
        given = zeros()
        if run < run_end and run_tick[run] == t:
            given = lane_gain * sum_rows(rows, address, run_start[run], run_start[run + 1])
            run += 1
        if drive is None:
            v = decay * v + given
            u = v
        else:
            given = given + each_tick
            v = decay * v + feed * i + gain * given
            i = syn_decay * i + syn_gain * given
            u = v + base
        if active is not None:
            lanes = at_least(u, splat(low)) & ~at_least(u, splat(high)) & valid
            if ready is not None:
                lanes = awake(lanes, t, ready)
            store(u, chunk_u, t % CHUNK)
            chunk_lanes[t % CHUNK] = lanes
            seen |= lanes
        lanes = at_least(u, theta) & valid
        if ready is not None:
            lanes = awake(lanes, t, ready)
            put_to_rest(lanes, t + n_abs, ready)
        v = where(lanes, reset, v) if is_hard else where(lanes, v - drop, v)
        word_tick[words] = t
        word_lanes[words] = lanes
        words += 1 if lanes != _NOBODY else 0
        spikes += bit_count(lanes)
        t += 1
        to = np.int64(run_tick[run]) if run < run_end else n_ticks
        if may_rest and to - t >= GAP and (active is None or t > landing) and _rests(v, i, reach, limit):
            if active is not None and not _rests(v, i, reach, lowered(low)):
                landing, leap = to, to - t
                v_left, i_left = v, i
            else:
                if to < n_ticks:
                    v, i = _rested(v, i, to - t, constants)
                t = to
    if active is not None and seen != _NOBODY:
        entries, pairs = close_chunk(
            chunk_lanes, chunk_u, entry_lane, entry_ticks, rho, entries, pairs, first_block + chunk, block_entries,
            block_pairs,
        )
    return words, spikes, entries, pairs


@kernel
def replay_lif(
    run, run_end, n_ticks, n_abs, rows, run_tick, run_start, address, constants, ready, u, drive, fired,
):
    """u[T,64], the potentials of a tile where a neuron is not dead, and the lanes that fire, by `sweep_lif` once more.

    Silences are stepped through, and left with the state that a jump gives, as in `sweep_lif`: so the spikes are the
    same. Where a neuron is dead u is minus infinity, of which the surrogate vanishes.
    """
    decay, feed, gain = splat(constants[LIF_DECAY]), splat(constants[LIF_FEED]), splat(constants[LIF_GAIN])
    syn_decay, syn_gain = splat(constants[LIF_SYN_DECAY]), splat(constants[LIF_SYN_GAIN])
    theta, drop, reset = splat(constants[THETA]), splat(constants[LIF_DROP]), splat(constants[LIF_RESET])
    is_hard, reach, never = constants[LIF_HARD] > 0, constants[LIF_REACH], splat(np.float32(-np.inf))
    base, each_tick = load(drive, BASE), load(drive, EACH_TICK)
    is_moving = at_least(each_tick, zeros()) & at_least(zeros(), each_tick) != ~_NOBODY
    limit, may_rest = constants[THETA] * MARGIN, constants[THETA] > 0 and not is_moving
    ready[:] = 0
    v, i = zeros(), zeros()
    landing, leap = -1, 0
    v_left, i_left = v, i
    for t in range(n_ticks):
        if t == landing:
            v, i = _rested(v_left, i_left, leap, constants)
        given = each_tick
        if run < run_end and run_tick[run] == t:
            given = given + sum_rows(rows, address, run_start[run], run_start[run + 1])
            run += 1
        v = decay * v + feed * i + gain * given
        i = syn_decay * i + syn_gain * given
        here = v + base
        lanes = at_least(here, theta)
        if n_abs > 1:
            here = where(awake(~_NOBODY, t, ready), here, never)
            lanes = awake(lanes, t, ready)
            put_to_rest(lanes, t + n_abs, ready)
        if len(u) > 0:
            store(here, u, t)
        fired[t] = lanes
        v = where(lanes, reset, v) if is_hard else where(lanes, v - drop, v)
        to = np.int64(run_tick[run]) if run < run_end else n_ticks
        if may_rest and t + 1 > landing and to - (t + 1) >= GAP and _rests(v, i, reach, limit):
            landing, leap = to, to - (t + 1)
            v_left, i_left = v, i


@kernel
def mark_spikes(first, last, tick, lane, fired):
    """fired[t], the lanes that fire in tick t, of spikes first..last-1 of a tile."""
    fired[:] = _NOBODY
    for k in range(first, last):
        fired[tick[k]] |= _ONE << np.uint64(lane[k])


@kernel
def adjoint_lif(first, last, dt, constants, state, g, ramp, fired):
    """g[t] <- dt dL/d(input of tick t), where g holds dL/dv, for the ticks from last - 1 down to first.

    state float32[2,64] : dL/dv and dL/di, of the tick before the last one done; fired uint64[T] : lanes that a hard
        reset made forget what they had, or empty
    Into ``ramp`` float32[T,64] goes dt dL/dv, unless it is empty: what an input ahead of a tick does through a current
    until then, the potential has of it.
    """
    decay, feed, gain = splat(constants[LIF_DECAY]), splat(constants[LIF_FEED]), splat(constants[LIF_GAIN] * dt)
    syn_decay, syn_gain = splat(constants[LIF_SYN_DECAY]), splat(constants[LIF_SYN_GAIN] * dt)
    of_v, of_i, length = load(state, 0), load(state, 1), splat(dt)
    for t in range(last - 1, first - 1, -1):
        of_i = syn_decay * of_i + feed * of_v
        of_v = decay * of_v
        if len(fired) > 0:
            of_v = where(fired[t], zeros(), of_v)
        of_v = of_v + load(g, t)
        store(gain * of_v + syn_gain * of_i, g, t)
        if len(ramp) > 0:
            store(length * of_v, ramp, t)
    store(of_v, state, 0)
    store(of_i, state, 1)
