"""The adjoint of a convolution, patch by patch; see `dense_adjoint` for the equations.

A sample is one thread's, so that the error of the layer below gains the parts of all patches that see a neuron in one
order. Samples are in groups, each of which sums up a gradient of its own.
"""

import numpy as np

from eventsim.kernels.cpu.dense_adjoint import adjoint, drive_all, drive_pairs, replay, sum_over_time
from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.send import send_error
from eventsim.kernels.cpu.vector import flush_subnormals, load, restore_subnormals, splat, store, zeros
from eventsim.kernels.layout import ALL, CHUNK, NONE
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


@kernel
def _collect(run, run_end, end, run_tick, run_start, address, g, gradient):
    """gradient[r] += g[t] for every spike (t, r) before tick ``end``."""
    while run < run_end and run_tick[run] < end:
        change = load(g, np.int64(run_tick[run]))
        for k in range(run_start[run], run_start[run + 1]):
            row = np.int64(address[k])
            store(load(gradient, row) + change, gradient, row)
        run += 1


@kernel
def _collect_between(run, run_end, end, run_tick, run_start, address, share, g, ramp, gradient):
    """The same for spikes that stand ahead of their tick, see `share_times`."""
    while run < run_end and run_tick[run] < end:
        own, slope = load(g, np.int64(run_tick[run])), zeros()
        if len(ramp) > 0:
            slope = load(ramp, np.int64(run_tick[run]))
        for k in range(run_start[run], run_start[run + 1]):
            row = np.int64(address[k])
            change = splat(share[k, 0]) * own + splat(share[k, 1]) * slope
            store(load(gradient, row) + change, gradient, row)
        run += 1


@kernel
def patch_backward(
    group, sample_first, sample_last, n_samples, n_ticks, family, n_abs, n_taps, dt, rho_width, rho_peak, constants,
    run_base, run_count, run_tick, run_start, address, share, integral, own_ptr, own_tick, own_lane, weight, drive,
    lanes, kind, entry_start, pair_start, entry_lane, entry_ticks, rho, error, below_kind, below_lanes,
    below_entry_start, below_pair_start, below_lane, below_ticks, near_ptr, near_tile, near_row, ready, fired, state, g,
    ramp, kept, sums, gradient, g_sum, error_below,
):
    """Gradient of the rows of weights over the samples sample_first..sample_last-1, and the error of the layer below.

    run_base, run_count, run_tick, run_start, address : the lists of patches, see `cut_patches`
    share float32[K,2] : of spikes between ticks, see `share_times`; else empty
    integral, own_ptr, own_tick, own_lane : see `dense_backward`
    weight float32[channel_tiles,rows,64] : of all patches; drive float32[tiles,4,64] : see `driven_forward`
    lanes, kind, entry_start, pair_start, entry_lane, entry_ticks, rho : the layer's `ActiveSet`
    error : float32[G,P], the error at its pairs, one row for each group above, added in the order of groups
    below_kind, ... : the `ActiveSet` of the layer below; kind NONE: there is none
    near_ptr int64[n_patches+1], near_tile, near_row : for each patch the tiles below that it sees, see `send_error`
    ready, fired, state, g float32[T,64], ramp of the same shape or empty, kept, sums : scratch, see `dense_backward`
    gradient : float32[G',channel_tiles,rows,64], to whose row ``group`` is added, or empty
    g_sum : float32[G',tiles,64], likewise: g over time (`sum_over_time`), summed over samples
    error_below : float32[1,P'], which is added to
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    n_patches = len(near_ptr) - 1
    mode = flush_subnormals()
    for sample in range(sample_first, sample_last):
        for tile in range(len(drive)):
            channel_tile, patch = tile // n_patches, tile % n_patches
            rows, item = weight[channel_tile], tile * n_samples + sample
            if pair_start[item * n_chunks] == pair_start[(item + 1) * n_chunks]:
                continue
            spikes = patch * n_samples + sample
            run, run_end = run_base[spikes], run_base[spikes] + run_count[spikes]
            if kind == ALL or len(fired) > 0:
                replay(
                    family, kind, item, run, run_end, n_ticks, n_abs, n_taps, rho_width, rho_peak, rows, run_tick,
                    run_start, address, own_ptr, own_tick, own_lane, constants, ready, g, drive[tile], fired,
                )
            state[:] = np.float32(0.0)
            n_driven = 0
            for chunk in range(n_chunks - 1, -1, -1):
                block = item * n_chunks + chunk
                begin, end = chunk * CHUNK, min((chunk + 1) * CHUNK, n_ticks)
                pair = pair_start[block]
                if n_driven == 0:
                    if pair_start[block + 1] == pair:
                        continue
                    n_driven = end
                if kind == ALL:
                    drive_all(np.int64(lanes[tile]), error, pair, g[begin:end])
                else:
                    drive_pairs(
                        entry_start[block], entry_start[block + 1], pair, entry_lane, entry_ticks, rho, error,
                        g[begin:end],
                    )
                adjoint(family, begin, end, n_driven, n_taps, dt, constants, state, g, kept, ramp, fired)
                if below_kind != NONE:
                    send_error(
                        sample, n_samples, chunk, n_chunks, near_ptr[patch], near_ptr[patch + 1], near_tile, near_row,
                        rows, below_kind, below_lanes, below_entry_start, below_pair_start, below_lane, below_ticks,
                        g[begin:end], sums, error_below[0],
                    )
            if len(gradient) > 0 and len(share) > 0:
                _collect_between(
                    run, run_end, n_driven, run_tick, run_start, address, share, g, ramp, gradient[group, channel_tile]
                )
            elif len(gradient) > 0:
                _collect(run, run_end, n_driven, run_tick, run_start, address, g, gradient[group, channel_tile])
            if len(g_sum) > 0:
                store(
                    load(g_sum[group], tile) + sum_over_time(n_driven, integral, g, ramp), g_sum[group], tile
                )
    restore_subnormals(mode)
    return _OK
