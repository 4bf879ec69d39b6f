"""A layer of SRM neurons on the tick clock, forward: the tile sweep.

An *item* is one sample in one tile of 64 postsynaptic neurons; items are numbered ``tile * B + sample``, so that a run
of items keeps one tile of weights, float32[N_in, 64], in the second-level cache for all samples.

A convolution is a dense layer on patches: `driven_forward` takes every (patch, sample) for a sample of its own, all
with the same weights.
"""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.lif import sweep_lif
from eventsim.kernels.cpu.surrogate import surrogate
from eventsim.kernels.cpu.sweep import fetch_tile, sweep_item, valid_lanes
from eventsim.kernels.cpu.vector import flush_subnormals, load, restore_subnormals
from eventsim.kernels.layout import CHUNK, THETA, TILE
from eventsim.kernels.status import Status

_OK, _GROW = np.int32(Status.OK), np.int32(Status.GROW)


@kernel
def _fetch_for_part(item, item_first, item_last, n_samples, weight, run_base, run_count, run_start, scratch):
    """Fetch the tile of an item, where the item is the first of its tile in this part."""
    sample = item % n_samples
    if item == item_first or sample == 0:
        last = min(n_samples, sample + item_last - item) - 1
        n_spikes = run_start[run_base[last] + run_count[last]] - run_start[run_base[sample]]
        fetch_tile(weight[item // n_samples], n_spikes, scratch)


@kernel
def _forward(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, weight, gain, run_base, run_count, run_tick,
    run_start, address, constants, ready, fetched, progress, item_spikes, item_words, word_tick, word_lanes, moving,
    n_batch, drive, lif,
):
    """`driven_forward`, and `dense_forward` where ``drive`` is None; with ``lif`` not None those of `lif`."""
    general = n_abs > 1 or n_taps > 0
    mode = flush_subnormals()
    for item in range(progress[0], item_last):
        first_word = progress[1]
        if first_word + n_ticks >= len(word_tick):
            restore_subnormals(mode)
            return _GROW
        tile, sample = item // n_samples, item % n_samples
        _fetch_for_part(item, item_first, item_last, n_samples, weight, run_base, run_count, run_start, fetched)
        run, run_end = run_base[sample], run_base[sample] + run_count[sample]
        words, spikes = first_word, 0
        if run < run_end or moving:
            start = 0 if moving else np.int64(run_tick[run])
            place = tile * (n_samples // n_batch) + sample // n_batch
            if lif is not None:
                words, spikes, _, _ = sweep_lif(
                    start, n_ticks, weight[tile], load(gain, tile), valid_lanes(tile, n_neurons), run, run_end,
                    run_tick, run_start, address, constants, n_abs, ready, word_tick, word_lanes, words, None, drive,
                    place, moving,
                )
            elif general:
                words, spikes, _, _ = sweep_item(
                    start, n_ticks, weight[tile], load(gain, tile), valid_lanes(tile, n_neurons), run, run_end,
                    run_tick, run_start, address, constants, n_abs, ready, n_taps, word_tick,
                    word_lanes, words, None, drive, place,
                )
            else:
                words, spikes, _, _ = sweep_item(
                    start, n_ticks, weight[tile], load(gain, tile), valid_lanes(tile, n_neurons), run, run_end,
                    run_tick, run_start, address, constants, None, None, None, word_tick, word_lanes,
                    words, None, drive, place,
                )
        item_spikes[item - item_first] = spikes
        item_words[item - item_first] = words - first_word
        progress[0], progress[1] = item + 1, words
    restore_subnormals(mode)
    return _OK


@kernel
def dense_forward(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, weight, gain, run_base, run_count, run_tick,
    run_start, address, constants, ready, fetched, progress, item_spikes, item_words, word_tick, word_lanes,
):
    """Spikes of the items item_first..item_last-1.

    weight[tiles,N_in,64] : float32, or int8 or float16 bits (uint16) to be multiplied by the gain
    gain : float32[tiles,64], what one unit of weight adds to a neuron's p
    run_base, run_count, run_tick, run_start, address : the input spikes by tick, see `group_by_tick`
    ready int32[64], fetched float32[1,64] : scratch

    The spikes of an item are words (tick, bits of the lanes that spike), one for each tick that has any; item_words and
    item_spikes hold their numbers and how many bits are set. What stands by item is indexed from item_first on.

    progress int64[2] holds the next item and the used length of words. Status GROW: the buffers of words may not hold
    what the next item can need; grow them and call again.
    """
    return _forward(
        item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, weight, gain, run_base, run_count,
        run_tick, run_start, address, constants, ready, fetched, progress, item_spikes, item_words, word_tick,
        word_lanes, False, n_samples, None, None,
    )


@kernel
def driven_forward(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, moving, n_batch, weight, gain, run_base,
    run_count, run_tick, run_start, address, constants, drive, ready, fetched, progress, item_spikes, item_words,
    word_tick, word_lanes,
):
    """`dense_forward` for neurons with a constant input, and for tiles in which some lanes are no neurons.

    n_batch : of so many samples at a time the neurons are the same
    drive float32[tiles * n_samples / n_batch,4,64] : see `kernels.layout`; moving : whether any of it is a constant
        input, with which neurons may fire that no spike has reached
    """
    return _forward(
        item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, weight, gain, run_base, run_count,
        run_tick, run_start, address, constants, ready, fetched, progress, item_spikes, item_words, word_tick,
        word_lanes, moving != 0, n_batch, drive, None,
    )


@kernel
def _forward_active(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, u_low, u_high, rho_width, rho_peak, weight,
    gain, run_base, run_count, run_tick, run_start, address, constants, ready, chunk_u, chunk_lanes, progress,
    item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho, moving,
    n_batch, drive, lif,
):
    """`driven_forward_active`, and `dense_forward_active` where ``drive`` is None; ``lif`` as in `_forward`."""
    # Where u = 0 is active, so are the ticks before the first input.
    from_start = moving or u_low <= np.float32(0.0) < u_high
    n_chunks = (n_ticks + CHUNK - 1) // CHUNK
    general = n_abs > 1 or n_taps > 0
    mode = flush_subnormals()
    for item in range(progress[0], item_last):
        words, entries, pairs = progress[1], progress[2], progress[3]
        if (
            words + n_ticks >= len(word_tick) or entries + TILE * n_chunks > len(entry_lane)
            or pairs + TILE * n_ticks > len(rho)
        ):
            restore_subnormals(mode)
            return _GROW
        tile, sample = item // n_samples, item % n_samples
        _fetch_for_part(item, item_first, item_last, n_samples, weight, run_base, run_count, run_start, chunk_u)
        run, run_end = run_base[sample], run_base[sample] + run_count[sample]
        spikes = 0
        if run < run_end or from_start:
            start = 0 if from_start else np.int64(run_tick[run])
            place = tile * (n_samples // n_batch) + sample // n_batch
            first_block = (item - item_first) * n_chunks
            active = (u_low, u_high, chunk_u, chunk_lanes, entries, pairs, first_block, block_entries, block_pairs,
                      entry_lane, entry_ticks, rho)
            if lif is not None:
                words, spikes, entries, pairs = sweep_lif(
                    start, n_ticks, weight[tile], load(gain, tile), valid_lanes(tile, n_neurons), run, run_end,
                    run_tick, run_start, address, constants, n_abs, ready, word_tick, word_lanes, words, active,
                    drive, place, moving,
                )
            elif general:
                words, spikes, entries, pairs = sweep_item(
                    start, n_ticks, weight[tile], load(gain, tile), valid_lanes(tile, n_neurons), run, run_end,
                    run_tick, run_start, address, constants, n_abs, ready, n_taps, word_tick, word_lanes, words,
                    active, drive, place,
                )
            else:
                words, spikes, entries, pairs = sweep_item(
                    start, n_ticks, weight[tile], load(gain, tile), valid_lanes(tile, n_neurons), run, run_end,
                    run_tick, run_start, address, constants, None, None, None, word_tick, word_lanes, words,
                    active, drive, place,
                )
            surrogate(rho[progress[3]:pairs], constants[THETA], rho_width, rho_peak)
        item_spikes[item - item_first] = spikes
        item_words[item - item_first] = words - progress[1]
        progress[0], progress[1], progress[2], progress[3] = item + 1, words, entries, pairs
    restore_subnormals(mode)
    return _OK


@kernel
def dense_forward_active(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, u_low, u_high, rho_width, rho_peak, weight,
    gain, run_base, run_count, run_tick, run_start, address, constants, ready, chunk_u, chunk_lanes, progress,
    item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho,
):
    """`dense_forward` that keeps the active sets, laid out as `ActiveSet` says.

    They hold rho(u) where u_low <= u < u_high and the neuron is not dead. chunk_u float32[64,64] and chunk_lanes
    uint64[64] are scratch. progress int64[4] holds the next item and the used lengths of words, entries and rho.
    """
    return _forward_active(
        item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, u_low, u_high, rho_width, rho_peak, weight,
        gain, run_base, run_count, run_tick, run_start, address, constants, ready, chunk_u, chunk_lanes, progress,
        item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho, False,
        n_samples, None, None,
    )


@kernel
def driven_forward_active(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, moving, n_batch, u_low, u_high, rho_width,
    rho_peak, weight, gain, run_base, run_count, run_tick, run_start, address, constants, drive, ready, chunk_u,
    chunk_lanes, progress, item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane,
    entry_ticks, rho,
):
    """`driven_forward` that keeps the active sets as `dense_forward_active` does."""
    return _forward_active(
        item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, n_taps, u_low, u_high, rho_width, rho_peak, weight,
        gain, run_base, run_count, run_tick, run_start, address, constants, ready, chunk_u, chunk_lanes, progress,
        item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho,
        moving != 0, n_batch, drive, None,
    )


@kernel
def lif_forward(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, moving, n_batch, weight, gain, run_base, run_count,
    run_tick, run_start, address, constants, drive, ready, fetched, progress, item_spikes, item_words, word_tick,
    word_lanes,
):
    """`driven_forward` for leaky integrate-and-fire neurons, see `lif`; drive is empty where `sweep_lif` needs none."""
    if len(drive) == 0:
        return _forward(
            item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, 0, weight, gain, run_base, run_count, run_tick,
            run_start, address, constants, ready, fetched, progress, item_spikes, item_words, word_tick, word_lanes,
            False, n_samples, None, True,
        )
    return _forward(
        item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, 0, weight, gain, run_base, run_count, run_tick,
        run_start, address, constants, ready, fetched, progress, item_spikes, item_words, word_tick, word_lanes,
        moving != 0, n_batch, drive, True,
    )


@kernel
def lif_forward_active(
    item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, moving, n_batch, u_low, u_high, rho_width, rho_peak,
    weight, gain, run_base, run_count, run_tick, run_start, address, constants, drive, ready, chunk_u, chunk_lanes,
    progress, item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho,
):
    """`driven_forward_active` for leaky integrate-and-fire neurons, see `lif_forward`."""
    if len(drive) == 0:
        return _forward_active(
            item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, 0, u_low, u_high, rho_width, rho_peak, weight,
            gain, run_base, run_count, run_tick, run_start, address, constants, ready, chunk_u, chunk_lanes, progress,
            item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho,
            False, n_samples, None, True,
        )
    return _forward_active(
        item_first, item_last, n_samples, n_neurons, n_ticks, n_abs, 0, u_low, u_high, rho_width, rho_peak, weight,
        gain, run_base, run_count, run_tick, run_start, address, constants, ready, chunk_u, chunk_lanes, progress,
        item_spikes, item_words, word_tick, word_lanes, block_entries, block_pairs, entry_lane, entry_ticks, rho,
        moving != 0, n_batch, drive, True,
    )
