"""The adjoint of a dense layer: explicit SLAYER gradient, tile by tile.

For a tile of 64 postsynaptic neurons i and one sample, on a scratch float32[T, 64]:

    d_i(t)  = rho(u_i(t)) e_i(t)                     where rho counts
    g_i(t)  = dt sum_{t' >= t} eps(t' - t) d_i(t')   the psp's two-state system, run backward
    dW_ji  += sum over spikes t_f of neuron j, g_i(t_f)
    e_j(t)  = sum_i W_ji g_i(t)                      where rho of neuron j counts

(Shrestha & Orchard 2018, eq. 9-14; the refractory path carries no gradient.)
"""

import numpy as np

from eventsim.kernels.cpu.dense import valid_lanes
from eventsim.kernels.cpu.jit import kernel, leaf
from eventsim.kernels.cpu.srm import (
    ALPHA_REF,
    ALPHA_SYN,
    CUT_P,
    CUT_Q,
    GAIN_SYN,
    THETA,
    TOTAL,
    P,
    Q,
    U,
    fire,
    receive,
    step,
    sum_rows,
    tick_end,
)
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.layout import ALL, NONE, PAIRS, TILE
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


@kernel
def _recompute_rho(
    sample, n_ticks, n_abs, n_taps, rho_width, rho_peak, rows, sample_ptr, address, tick, constants, state, ready, drive
):
    """drive[T, 64] = rho of every potential of a tile, by running the layer forward once more."""
    k, end = sample_ptr[sample], sample_ptr[sample + 1]
    cut = k
    state[:] = np.float32(0.0)
    ready[:] = 0
    for t in range(n_ticks):
        step(state, constants[ALPHA_SYN], constants[ALPHA_REF])
        for lane in range(TILE):
            # rho of minus infinity vanishes, as it should in dead ticks.
            drive[t, lane] = state[U, lane] if t >= ready[lane] else np.float32(-np.inf)
        fire(state, t, constants, n_abs, ready)
        first, k = k, tick_end(tick, t, k, end)
        cut_first = cut
        if n_taps > 0:
            cut = tick_end(tick, t - (n_taps - 1), cut, end)
        receive(rows, address, first, k, cut_first, cut, constants, state)
    surrogate(drive.reshape(drive.size), constants[THETA], rho_width, rho_peak)


@kernel
def _drive_all(lanes, n_ticks, error, start, drive):
    """drive[T, 64] *= e, for a layer with full support; returns the number of ticks that are driven."""
    for lane in range(TILE):
        for t in range(n_ticks):
            if lane < lanes:
                e = np.float32(0.0)
                for g in range(error.shape[0]):
                    e += error[g, start + lane * n_ticks + t]
                drive[t, lane] *= e
            else:
                drive[t, lane] = np.float32(0.0)
    return n_ticks


@kernel
def _drive_pairs(count, active_tick, active_rho, error, start, drive):
    """drive[T, 64] = rho e at the active pairs, 0 elsewhere; returns the number of ticks up to the last driven one."""
    drive[:] = np.float32(0.0)
    end = np.int32(0)
    for lane in range(TILE):
        for k in range(start, start + count[lane]):
            e = np.float32(0.0)
            for g in range(error.shape[0]):
                e += error[g, k]
            drive[active_tick[k], lane] = active_rho[k] * e
            end = max(end, active_tick[k] + np.int32(1))
        start += count[lane]
    return end


@kernel
def adjoint_psp(n_ticks, n_taps, dt, constants, state, drive, kept):
    """drive[T, 64] <- g, from the last tick to the first; ``kept`` holds a copy of d where the psp is truncated."""
    alpha, gain = constants[ALPHA_SYN], constants[GAIN_SYN] * dt
    cut_p, cut_q = constants[CUT_P] * dt, constants[CUT_Q] * dt
    state[P] = np.float32(0.0)
    state[Q] = np.float32(0.0)
    if n_taps > 0:
        kept[:n_ticks] = drive[:n_ticks]
    for t in range(n_ticks - 1, -1, -1):
        for k in range(TILE):
            g = alpha * (state[Q, k] + state[P, k])
            state[Q, k] = g
            state[P, k] = alpha * state[P, k] + gain * drive[t, k]
            drive[t, k] = g
        last_tap = t + n_taps - 1
        if n_taps > 0 and last_tap < n_ticks:
            for k in range(TILE):
                state[P, k] -= cut_p * kept[last_tap, k]
                state[Q, k] -= cut_q * kept[last_tap, k]


@kernel
def _add_weight_gradient(first, last, run_address, run_start, run_tick, drive, state, gradient):
    """gradient[N_in, 64] += sum of g over the spikes of each presynaptic neuron (runs first..last-1)."""
    for r in range(first, last):
        sum_rows(drive, run_tick, run_start[r], run_start[r + 1], state[TOTAL])
        row = gradient[run_address[r]]
        for k in range(TILE):
            row[k] += state[TOTAL, k]


@leaf
def _dot(a, b):
    total = np.float32(0.0)
    for k in range(TILE):
        total += a[k] * b[k]
    return total


@kernel
def _send_error(
    sample, n_samples, n_ticks, n_driven, first_of_group, rows, kind, start, count, active_tick, drive, error
):
    """error[...] of the layer below, at its active pairs (PAIRS) or all its ticks (ALL), gains this tile's part."""
    for tile in range(count.shape[0] // n_samples):
        item = tile * n_samples + sample
        k = start[item]
        for lane in range(TILE):
            number = count[item, lane]
            if number == 0:
                continue
            row = rows[tile * TILE + lane]
            for i in range(number):
                t = active_tick[k + i] if kind == PAIRS else np.int32(i)
                e = _dot(row, drive[t]) if t < n_driven else np.float32(0.0)
                if first_of_group:
                    error[k + i] = e
                else:
                    error[k + i] += e
            k += number


@kernel
def dense_backward(
    group, tile_first, tile_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, dt, rho_width, rho_peak, weight,
    constants, sample_ptr, address, tick, run_ptr, run_address, run_start, run_tick, kind, start, count, active_tick,
    active_rho, error, below_kind, below_start, below_count, below_tick, state, ready, drive, kept, gradient,
    error_below,
):
    """Weight gradient of the tiles tile_first..tile_last-1, and their part of the error of the layer below.

    The layer's own lists (kind PAIRS or ALL; start int64[items], count int32[items, 64], active_tick, active_rho) carry
    the error float32[G, P], one row for each group of tiles above, added here in the order of groups. gradient
    float32[n_tiles, N_in, 64] is added to; row ``group`` of error_below float32[G', P'] is overwritten (below_kind
    NONE: there is no layer below).
    """
    for tile in range(tile_first, tile_last):
        rows = weight[tile]
        lanes = valid_lanes(tile, n_neurons)
        for sample in range(n_samples):
            item = tile * n_samples + sample
            if kind == ALL:
                _recompute_rho(
                    sample, n_ticks, n_abs, n_taps, rho_width, rho_peak, rows, sample_ptr, address, tick, constants,
                    state, ready, drive,
                )
                n_driven = _drive_all(lanes, n_ticks, error, start[item], drive)
            else:
                n_driven = _drive_pairs(count[item], active_tick, active_rho, error, start[item], drive)
            adjoint_psp(n_driven, n_taps, dt, constants, state, drive, kept)
            if n_driven > 0:
                _add_weight_gradient(
                    run_ptr[sample], run_ptr[sample + 1], run_address, run_start, run_tick, drive, state,
                    gradient[tile],
                )
            if below_kind != NONE:
                _send_error(
                    sample, n_samples, n_ticks, n_driven, tile == tile_first, rows, below_kind, below_start,
                    below_count, below_tick, drive, error_below[group],
                )
    return _OK
