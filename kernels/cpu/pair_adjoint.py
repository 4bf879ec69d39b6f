"""The adjoint of a convolution by the active pairs of its neurons; see `dense_adjoint` for the equations.

`patch_backward` runs the psp backward, for every neuron and tick, and then meets g wherever a spike or an active pair
of the layer below is. Where few pairs (i, t) of the layer are active it is less work to let psps run on the input's
side, the channels of a pixel being neighbours in memory:

    dW_ji  = sum over pairs (i, t) of d_i(t) y_j(t)              y: the psp of the input, run forward
    e_j(t) = dt sum_{t' >= t} eps(t' - t) sum_i W_ji d_i(t')

A *piece* is sixteen channels of the input. What it has of a chunk of ticks are rows of 64 numbers, CHUNK rows for every
four pixels: sixteen numbers of each. A piece is one thread's, so sums have one order.
"""

import numpy as np

from eventsim.kernels.cpu.active_set import entries_of, entry_at
from eventsim.kernels.cpu.dense_adjoint import adjoint_psp
from eventsim.kernels.cpu.jit import inlined, kernel
from eventsim.kernels.cpu.short import add_product, load_sixteen, splat_sixteen, store_few
from eventsim.kernels.cpu.vector import bit_count, flush_subnormals, load, lowest_bit, restore_subnormals, splat, store
from eventsim.kernels.layout import ALPHA_SYN, CHUNK, GAIN_SYN, SIXTEEN, TILE
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE, _NOBODY = np.uint64(1), np.uint64(0)
_TWO, _THREE = np.uint32(2), np.uint32(3)


@inlined
def _place(pixel):
    """Where in its piece the numbers of a pixel begin."""
    return np.int64(pixel >> _TWO) * (CHUNK * TILE) + np.int64(pixel & _THREE) * SIXTEEN


@inlined
def _list_ticks(ticks, rows):
    """Where the rows of some ticks of a chunk begin, into rows int64[64]; returns their number."""
    n = 0
    while ticks != _NOBODY:
        rows[n] = lowest_bit(ticks) * TILE
        n += 1
        ticks &= ticks - _ONE
    return n


@inlined
def _put_spikes(first_run, last_run, begin, piece, n_pixels, run_tick, run_start, address, y):
    """y += 1 for every spike of a piece's channels."""
    first, n = np.uint32(piece * SIXTEEN * n_pixels), np.uint32(SIXTEEN * n_pixels)
    for run in range(first_run, last_run):
        row = (np.int64(run_tick[run]) - begin) * TILE
        for k in range(np.uint64(run_start[run]), np.uint64(run_start[run + 1])):
            j = np.uint32(address[k]) - first
            if j < n:
                channel = j // np.uint32(n_pixels)
                at = _place(j - channel * np.uint32(n_pixels)) + row + np.int64(channel)
                y[np.uint64(at)] += np.float32(1.0)


@inlined
def _run_psp(n, alpha, gain, state, rows):
    """rows[t] <- the psp of what rows hold, for n ticks on from ``state`` float32[2,64]."""
    alpha, gain = splat(alpha), splat(gain)
    p, q = load(state, 0), load(state, 1)
    for t in range(n):
        given = load(rows, t)
        q = alpha * (q + p)
        p = alpha * p
        store(q, rows, t)
        p = p + gain * given
    store(p, state, 0)
    store(q, state, 1)


@kernel
def pair_gradient(
    group, piece, sample_first, sample_last, n_samples, n_ticks, n_pixels, n_positions, dt, constants, run_base,
    run_count, run_tick, run_start, address, tap_place, lane_neuron, entry_start, pair_start, entry_lane, entry_ticks,
    drive, reach, ticks_at, state, y, gradient, g_sum,
):
    """Gradient of the weights of a piece over the samples sample_first..sample_last-1.

    n_pixels, n_positions : of the input and of the output
    run_base, run_count, run_tick, run_start, address : the input spikes by tick, see `group_by_tick`
    tap_place int32[n_positions,taps] : where in a piece the pixel begins that a tap looks at, -1 where there is none
    lane_neuron int32[tiles,64], entry_start, pair_start, entry_lane, entry_ticks : the layer's `ActiveSet`
    drive float32[P] : d at its pairs; reach float32[T] : g summed over time that d = 1 in a tick gives
    ticks_at int64[64], state float32[2 * n,64], y float32[CHUNK * n,64], n for every four pixels : scratch
    gradient : float32[G,pieces,channels,taps,16], to which is added at [group, piece]
    g_sum : float32[G,tiles,64], to which piece 0 adds g over time, summed over samples, or empty
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    n_taps, quads = tap_place.shape[1], len(state) // 2
    own, flat = gradient[group, piece].reshape(gradient[group, piece].size), y.reshape(y.size)
    mode = flush_subnormals()
    for sample in range(sample_first, sample_last):
        state[:] = np.float32(0.0)
        run, run_end = run_base[sample], run_base[sample] + run_count[sample]
        for chunk in range(n_chunks):
            begin, n = chunk * CHUNK, min(CHUNK, n_ticks - chunk * CHUNK)
            y[:] = np.float32(0.0)
            first_run = run
            while run < run_end and run_tick[run] < begin + n:
                run += 1
            _put_spikes(first_run, run, begin, piece, n_pixels, run_tick, run_start, address, flat)
            for quad in range(quads):
                _run_psp(
                    n, constants[ALPHA_SYN], constants[GAIN_SYN] * dt, state[2 * quad : 2 * quad + 2],
                    y[quad * CHUNK : (quad + 1) * CHUNK],
                )
            for tile in range(len(lane_neuron)):
                block = (tile * n_samples + sample) * n_chunks + chunk
                pair = np.uint64(pair_start[block])
                for entry in range(entry_start[block], entry_start[block + 1]):
                    lane = np.int64(entry_lane[entry])
                    n_pairs = np.uint64(_list_ticks(entry_ticks[entry], ticks_at))
                    neuron = np.int64(lane_neuron[tile, lane])
                    channel, position = neuron // n_positions, neuron % n_positions
                    for tap in range(n_taps):
                        place = np.int64(tap_place[position, tap])
                        if place < 0:
                            continue
                        total = splat_sixteen(np.float32(0.0))
                        for k in range(n_pairs):
                            here = load_sixteen(flat, place + ticks_at[k])
                            total = add_product(total, splat_sixteen(drive[pair + k]), here)
                        at = (channel * n_taps + tap) * SIXTEEN
                        store_few(load_sixteen(own, at) + total, own, at)
                    if piece == 0 and len(g_sum) > 0:
                        for k in range(n_pairs):
                            g_sum[group, tile, lane] += drive[pair + k] * reach[begin + ticks_at[k] // TILE]
                    pair += n_pairs
    restore_subnormals(mode)
    return _OK


@inlined
def _take_error(sample, n_samples, chunk, n_chunks, n, piece, n_pixels, lane_address, kind, lanes, entry_start,
                pair_start, entry_lane, entry_ticks, y, error):
    """error = y at a layer's active pairs in a chunk, where their neurons are of a piece's channels."""
    every_tick = ~_NOBODY >> np.uint64(CHUNK - n)
    first, n_own = np.uint32(piece * SIXTEEN * n_pixels), np.uint32(SIXTEEN * n_pixels)
    for tile in range(len(lane_address)):
        block = (tile * n_samples + sample) * n_chunks + chunk
        pair = np.uint64(pair_start[block])
        entry_first, entry_last = entries_of(block, tile, kind, lanes, entry_start)
        for entry in range(entry_first, entry_last):
            lane, ticks = entry_at(entry, kind, entry_lane, entry_ticks, every_tick)
            # An address of -1 is of nobody's channels.
            j = np.uint32(lane_address[tile, lane]) - first
            if j >= n_own:
                pair += np.uint64(bit_count(ticks))
                continue
            channel = j // np.uint32(n_pixels)
            place = _place(j - channel * np.uint32(n_pixels)) + np.int64(channel)
            while ticks != _NOBODY:
                error[pair] = y[np.uint64(place + lowest_bit(ticks) * TILE)]
                pair += _ONE
                ticks &= ticks - _ONE


@kernel
def pair_error(
    piece, sample_first, sample_last, n_samples, n_ticks, n_pixels, n_positions, dt, constants, tap_place, lane_neuron,
    entry_start, pair_start, entry_lane, entry_ticks, drive, weight, lane_address, below_kind, below_lanes,
    below_entry_start, below_pair_start, below_lane, below_ticks, ticks_at, state, y, error_below,
):
    """The error of a piece of the layer below in the samples sample_first..sample_last-1; see `pair_gradient`.

    weight : float32[pieces,channels,taps,16]
    lane_address int32[tiles,64] : the address of every lane of the layer below behind the stages, -1 for none
    below_kind, ... : the `ActiveSet` of the layer below
    error_below : float32[1,P'], at its pairs
    """
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    n_taps, quads = tap_place.shape[1], len(state) // 2
    own, flat, none = weight[piece].reshape(weight[piece].size), y.reshape(y.size), y[0:0]
    mode = flush_subnormals()
    for sample in range(sample_first, sample_last):
        state[:] = np.float32(0.0)
        for chunk in range(n_chunks - 1, -1, -1):
            n = min(CHUNK, n_ticks - chunk * CHUNK)
            y[:] = np.float32(0.0)
            for tile in range(len(lane_neuron)):
                block = (tile * n_samples + sample) * n_chunks + chunk
                pair = np.uint64(pair_start[block])
                for entry in range(entry_start[block], entry_start[block + 1]):
                    n_pairs = np.uint64(_list_ticks(entry_ticks[entry], ticks_at))
                    neuron = np.int64(lane_neuron[tile, np.int64(entry_lane[entry])])
                    channel, position = neuron // n_positions, neuron % n_positions
                    for tap in range(n_taps):
                        place = np.int64(tap_place[position, tap])
                        if place < 0:
                            continue
                        change = load_sixteen(own, (channel * n_taps + tap) * SIXTEEN)
                        for k in range(n_pairs):
                            at = place + ticks_at[k]
                            total = add_product(load_sixteen(flat, at), splat_sixteen(drive[pair + k]), change)
                            store_few(total, flat, at)
                    pair += n_pairs
            for quad in range(quads):
                adjoint_psp(
                    0, n, n, 0, dt, constants, state[2 * quad : 2 * quad + 2], y[quad * CHUNK : (quad + 1) * CHUNK],
                    none, none,
                )
            _take_error(
                sample, n_samples, chunk, n_chunks, n, piece, n_pixels, lane_address, below_kind, below_lanes,
                below_entry_start, below_pair_start, below_lane, below_ticks, flat, error_below[0],
            )
    restore_subnormals(mode)
    return _OK
