"""The adjoint of a dense layer: explicit SLAYER gradient, tile by tile.

For a tile of 64 postsynaptic neurons i and one sample, on rows float32[T, 64] of scratch:

    d_i(t)  = rho(u_i(t)) e_i(t)                     where rho counts
    g_i(t)  = dt sum_{t' >= t} eps(t' - t) d_i(t')   the psp's two-state system, run backward
    e_j(t)  = sum_i W_ji g_i(t)                      where rho of neuron j counts
    dW_ji  += sum over spikes t_f of neuron j, g_i(t_f)

(Shrestha & Orchard 2018, eq. 9-14; the refractory path carries no gradient.) The first three go chunk by chunk, from
the last to the first, so that the g of a chunk is used while it is in the first-level cache. The last takes the g of a
block of samples at once: a weight's gradient is summed up in a register and then written, or handed to the optimiser,
once.
"""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.lif import adjoint_lif, mark_spikes, replay_lif
from eventsim.kernels.cpu.optimizer import adam_row, announce_row, sgd_row
from eventsim.kernels.cpu.send import send_error
from eventsim.kernels.cpu.srm import (
    GAP,
    MARGIN,
    awake,
    jumped,
    next_event,
    put_to_rest,
    reach_of,
    stays_below,
    sum_rows,
)
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.cpu.sweep import fetch_tile, valid_lanes
from eventsim.kernels.cpu.vector import (
    at_least,
    flush_subnormals,
    load,
    lowest_bit,
    restore_subnormals,
    splat,
    store,
    where,
    zeros,
)
from eventsim.kernels.layout import (
    ADAM,
    ADD,
    ALL,
    ALPHA_REF,
    ALPHA_SYN,
    BASE,
    CHUNK,
    CUT_P,
    CUT_Q,
    FIRST_P,
    FIRST_Q,
    GAIN_REF,
    GAIN_SYN,
    LIF_HARD,
    NONE,
    SGD,
    SLACK,
    SRM_FAMILY,
    THETA,
    TILE,
)
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)


@kernel
def recompute_rho(
    run, run_end, n_ticks, n_abs, n_taps, rho_width, rho_peak, rows, run_tick, run_start, address, constants, ready, g,
    drive,
):
    """g[T, 64] = rho of every potential of a tile, by running the layer forward once more; drive as in `sweep_item`.

    Silences are stepped through, and left with the state that a jump gives, as in `sweep_item`: so the spikes are the
    same.
    """
    alpha, beta, gain = splat(constants[ALPHA_SYN]), splat(constants[ALPHA_REF]), splat(constants[GAIN_SYN])
    theta, kick, never = splat(constants[THETA]), splat(constants[GAIN_REF]), splat(np.float32(-np.inf))
    cut_p, cut_q = splat(constants[CUT_P]), splat(constants[CUT_Q])
    limit, reach = constants[THETA] * MARGIN, reach_of(constants[ALPHA_SYN])
    pr, qr = zeros(), zeros()
    p, q, base, slack = load(drive, FIRST_P), load(drive, FIRST_Q), load(drive, BASE), load(drive, SLACK)
    ready[:] = 0
    ended, landing, leap = run, -1, 0
    p_left, q_left, pr_left, qr_left = p, q, pr, qr
    for t in range(n_ticks):
        if t == landing:
            p, q = jumped(p_left, q_left, leap, constants[ALPHA_SYN])
            pr, qr = jumped(pr_left, qr_left, leap, constants[ALPHA_REF])
        q = alpha * (q + p)
        p = alpha * p
        qr = beta * (qr + pr)
        pr = beta * pr
        u = q + qr + base
        lanes = at_least(u, theta)
        if n_abs > 1:
            # rho of minus infinity vanishes, as it should in dead ticks.
            u = where(awake(~_NOBODY, t, ready), u, never)
            lanes = awake(lanes, t, ready)
            put_to_rest(lanes, t + n_abs, ready)
        store(u, g, t)
        pr = where(lanes, pr + kick, pr)
        if run < run_end and run_tick[run] == t:
            p = p + gain * sum_rows(rows, address, run_start[run], run_start[run + 1])
            run += 1
        if n_taps > 0 and ended < run and run_tick[ended] == t - (n_taps - 1):
            total = sum_rows(rows, address, run_start[ended], run_start[ended + 1])
            p = p - cut_p * total
            q = q - cut_q * total
            ended += 1
        to = next_event(run, run_end, ended, n_taps, run_tick, n_ticks)
        if t + 1 > landing and to - (t + 1) >= GAP and stays_below(p, q, reach, limit, base, slack):
            landing, leap = to, to - (t + 1)
            p_left, q_left, pr_left, qr_left = p, q, pr, qr
    surrogate(g.reshape(g.size), constants[THETA], rho_width, rho_peak)


@kernel
def replay(
    family, kind, item, run, run_end, n_ticks, n_abs, n_taps, rho_width, rho_peak, rows, run_tick, run_start, address,
    own_ptr, own_tick, own_lane, constants, ready, g, drive, fired,
):
    """g[T,64] = rho of every potential of a tile, where ``kind`` is ALL; and the lanes that fire, where asked for.

    own_ptr, own_tick, own_lane : the spikes of every item, where they are known already; else empty
    """
    if len(own_ptr) > 0:
        mark_spikes(own_ptr[item], own_ptr[item + 1], own_tick, own_lane, fired)
    elif family == SRM_FAMILY:
        recompute_rho(run, run_end, n_ticks, n_abs, n_taps, rho_width, rho_peak, rows, run_tick, run_start, address,
                      constants, ready, g, drive)
    else:
        u = g if kind == ALL else g[0:0]
        replay_lif(run, run_end, n_ticks, n_abs, rows, run_tick, run_start, address, constants, ready, u, drive, fired)
        surrogate(u.reshape(u.size), constants[THETA], rho_width, rho_peak)


@kernel
def adjoint(family, first, last, n_driven, n_taps, dt, constants, state, g, kept, ramp, fired):
    """g[t] <- dt dL/d(input of tick t), for the ticks from last - 1 down to first; see `adjoint_psp`."""
    if family == SRM_FAMILY:
        adjoint_psp(first, last, n_driven, n_taps, dt, constants, state, g, kept, ramp)
    else:
        adjoint_lif(first, last, dt, constants, state, g, ramp, fired if constants[LIF_HARD] > 0 else fired[0:0])


@kernel
def _summed(error, pair):
    """The error of a pair: what the groups of tiles above sent, in their order."""
    e = error[0, pair]
    for group in range(1, error.shape[0]):
        e += error[group, pair]
    return e


@kernel
def drive_all(lanes, error, pair, g):
    """g[t, lane] *= e in every tick of a chunk, for a layer with full support; idle lanes become 0."""
    for lane in range(TILE):
        for t in range(len(g)):
            g[t, lane] = g[t, lane] * _summed(error, pair) if lane < lanes else np.float32(0.0)
            pair += 1


@kernel
def drive_pairs(entry, entry_end, pair, entry_lane, entry_ticks, rho, error, g):
    """g = rho e at the active pairs of a chunk, and 0 elsewhere."""
    g[:] = np.float32(0.0)
    for i in range(entry, entry_end):
        lane, ticks = entry_lane[i], entry_ticks[i]
        while ticks != _NOBODY:
            g[lowest_bit(ticks), lane] = rho[pair] * _summed(error, pair)
            pair += 1
            ticks &= ticks - _ONE


@kernel
def adjoint_psp(first, last, n_driven, n_taps, dt, constants, state, g, kept, ramp):
    """g[t] <- dt sum of eps(t' - t) g[t'], for the ticks from last - 1 down to first.

    state float32[2,64] holds the two-state system from one chunk to the next. ``kept`` float32[n_driven,64] holds a
    copy of what drives it, where the psp is truncated (n_taps > 0). Into ``ramp`` float32[T,64] goes what g is made of
    between two ticks, unless it is empty: g(t - x dt) = exp(-x dt / tau_syn) (g[t] + x ramp[t]) for 0 <= x < 1.
    """
    alpha, gain = splat(constants[ALPHA_SYN]), splat(constants[GAIN_SYN] * dt)
    cut_p, cut_q = splat(constants[CUT_P] * dt), splat(constants[CUT_Q] * dt)
    p, q = load(state, 0), load(state, 1)
    for t in range(last - 1, first - 1, -1):
        driven = load(g, t)
        q = alpha * (q + p)
        p = alpha * p + gain * driven
        store(q, g, t)
        if len(ramp) > 0:
            store(p, ramp, t)
        if n_taps > 0:
            store(driven, kept, t)
            last_tap = t + n_taps - 1
            if last_tap < n_driven:
                p = p - cut_p * load(kept, last_tap)
                q = q - cut_q * load(kept, last_tap)
    store(p, state, 0)
    store(q, state, 1)


@kernel
def sum_over_time(n, integral, g, ramp):
    """Sum of g over the first n ticks; or, of what counts between ticks, its integral from the first on, in ticks.

    integral float32[2] : that of what g and ramp count (`share_times`) ahead of a tick, over a tick; or empty
    """
    if len(integral) == 0:
        return sum_rows(g, None, 0, n)
    total = splat(integral[0]) * sum_rows(g, None, 1, n)
    return total + splat(integral[1]) * sum_rows(ramp, None, 1, n) if len(ramp) > 0 else total


@kernel
def _sum_between(g, ramp, row, share, first, last):
    """Sum of g at spikes between the ticks, see `share_times`; share float32[K,2] is what g and ramp count."""
    total = zeros()
    for k in range(first, last):
        i = np.int64(row[k])
        total = total + splat(share[k, 0]) * load(g, i)
        if len(ramp) > 0:
            total = total + splat(share[k, 1]) * load(ramp, i)
    return total


@kernel
def _update_weights(tile, rule, driven, block, is_first, is_last, neuron_ptr, row, share, g, ramp, settings, total,
                    weight, gradient, mean, square):
    """Sum up the gradient of a tile's weights over a block's spikes; add it to ``gradient``, or step by it."""
    n_rows = neuron_ptr.shape[1] - 1
    for j in range(n_rows):
        first, last = neuron_ptr[block, j], neuron_ptr[block, j + 1]
        if rule != ADD and is_last:
            announce_row(j, n_rows, weight[tile])
            announce_row(j, n_rows, mean[tile])
            if rule == ADAM:
                announce_row(j, n_rows, square[tile])
        change = zeros()
        if driven and len(share) > 0:
            change = _sum_between(g, ramp, row, share, first, last)
        elif driven:
            change = sum_rows(g, row, first, last)
        if rule == ADD:
            if driven and last > first:
                store(load(gradient[tile], j) + change, gradient[tile], j)
            continue
        if not is_first:
            change = load(total, j) + change
        if not is_last:
            store(change, total, j)
        elif rule == ADAM:
            adam_row(j, change, settings, weight[tile], mean[tile], square[tile])
        elif rule == SGD:
            sgd_row(j, change, settings, weight[tile], mean[tile])


@kernel
def dense_backward(
    group, tile_first, tile_last, n_samples, block_samples, n_neurons, n_ticks, family, n_abs, n_taps, dt, rho_width,
    rho_peak, constants, run_base, run_count, run_tick, run_start, address, drive, neuron_ptr, row, share, integral,
    own_ptr, own_tick, own_lane, kind, entry_start, pair_start, entry_lane, entry_ticks, rho, error, below_kind,
    below_lanes, below_entry_start, below_pair_start, below_lane, below_ticks, near_tile, near_row, rule, settings,
    ready, fired, state, g, ramp, kept, sums, total, weight, gradient, mean, square, g_sum, error_below,
):
    """Weight gradient of the tiles tile_first..tile_last-1, and their part of the error of the layer below.

    run_base, run_count, run_tick, run_start, address : the layer's input by tick, see `group_by_tick`
    drive float32[tiles,4,64] : see `driven_forward`
    neuron_ptr int64[blocks,N_in+1], row : the same by address, for blocks of ``block_samples``, see `group_by_address`
    share float32[K,2] : of spikes between ticks, see `group_times_by_address`, and integral float32[2], see
        `sum_over_time`; else empty, and so is ``ramp``
    own_ptr int64[tiles*B+1], own_tick, own_lane : the layer's own spikes, if they are to be known and are; else empty
    kind, entry_start, pair_start, entry_lane, entry_ticks, rho : the layer's `ActiveSet`
    error : float32[G,P], the error at its pairs, one row for each group of tiles above, added in the order of groups
    below_kind, ... : the `ActiveSet` of the layer below; kind NONE: there is none
    near_tile, near_row : the tiles below and whose rows their lanes are, see `send_error`
    rule : ADD adds to gradient float32[tiles,N_in,64]; ADAM and SGD take a step (``settings`` as in `optimizer`)
        instead, and then the weights and what the rule keeps are written (SGD its velocity, in ``mean``); arrays that a
        rule does not need are empty
    ready, state, g float32[block_samples * T,64], ramp of the same shape, kept, sums, total : scratch; fired
        uint64[T], scratch, of neurons of the family LIF_FAMILY whose spikes are to be known, else empty
    g_sum : float32[tiles,64], to which g over time is added (`sum_over_time`), or empty
    error_below : float32[G',P'], to whose row ``group`` is added
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    mode = flush_subnormals()
    for tile in range(tile_first, tile_last):
        rows = weight[tile]
        lanes = valid_lanes(tile, n_neurons)
        if below_kind != NONE:
            fetch_tile(rows, below_pair_start[len(below_pair_start) - 1], state)
        for first in range(0, n_samples, block_samples):
            last = min(first + block_samples, n_samples)
            tile_is_driven = False
            for sample in range(first, last):
                item = tile * n_samples + sample
                ticks_g = g[(sample - first) * n_ticks : (sample - first + 1) * n_ticks]
                ticks_ramp = ramp[(sample - first) * n_ticks : (sample - first + 1) * n_ticks]
                if kind == ALL or len(fired) > 0:
                    replay(
                        family, kind, item, run_base[sample], run_base[sample] + run_count[sample], n_ticks, n_abs,
                        n_taps, rho_width, rho_peak, rows, run_tick, run_start, address, own_ptr, own_tick, own_lane,
                        constants, ready, ticks_g, drive[tile], fired,
                    )
                state[:] = np.float32(0.0)
                driven = False
                n_driven = 0
                for chunk in range(n_chunks - 1, -1, -1):
                    block = item * n_chunks + chunk
                    begin, end = chunk * CHUNK, min((chunk + 1) * CHUNK, n_ticks)
                    pair = pair_start[block]
                    if not driven and pair_start[block + 1] > pair:
                        driven = True
                        n_driven = end
                    if kind == ALL:
                        drive_all(lanes, error, pair, ticks_g[begin:end])
                    else:
                        drive_pairs(
                            entry_start[block], entry_start[block + 1], pair, entry_lane, entry_ticks, rho, error,
                            ticks_g[begin:end],
                        )
                    if driven:
                        adjoint(family, begin, end, n_driven, n_taps, dt, constants, state, ticks_g, kept, ticks_ramp,
                                fired)
                    else:
                        ticks_ramp[begin:end] = np.float32(0.0)
                    if below_kind != NONE and driven:
                        send_error(
                            sample, n_samples, chunk, n_chunks, 0, len(near_tile), near_tile, near_row, rows,
                            below_kind, below_lanes, below_entry_start, below_pair_start, below_lane, below_ticks,
                            ticks_g[begin:end], sums, error_below[group],
                        )
                if driven and len(g_sum) > 0:
                    store(load(g_sum, tile) + sum_over_time(n_driven, integral, ticks_g, ticks_ramp), g_sum, tile)
                tile_is_driven |= driven
            _update_weights(
                tile, rule, tile_is_driven, first // block_samples, first == 0, last == n_samples, neuron_ptr, row,
                share, g, ramp, settings, total, weight, gradient, mean, square,
            )
    restore_subnormals(mode)
    return _OK
