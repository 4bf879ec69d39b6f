"""Orders of a spike list: by tick for the sweep, by (sample, tick, address) from words, by address for gradients."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import bit_count, lowest_bit
from eventsim.kernels.layout import TILE
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_ONE = np.uint64(1)


@kernel
def _group_sample(first, last, tick, base, run_tick, run_start):
    """Runs of equal tick in tick[first:last], written from ``base`` on; returns their number."""
    run = base
    k = first
    while k < last:
        now = tick[k]
        run_tick[run] = now
        run_start[run] = k
        run += 1
        k += 1
        while k < last and tick[k] == now:
            k += 1
    run_start[run] = last
    return run - base


@kernel
def group_by_tick(sample_first, sample_last, sample_ptr, tick, run_base, run_count, run_tick, run_start):
    """Runs of spikes that share a tick, for the samples sample_first..sample_last-1: ticks without spikes have none.

    Sample b has run_count[b] runs, numbered from run_base[b] on; run r is tick run_tick[r] and the spikes
    run_start[r]..run_start[r + 1] - 1. Room for one run a tick or spike, whichever are fewer, and one more, suffices.
    """
    for b in range(sample_first, sample_last):
        run_count[b] = _group_sample(sample_ptr[b], sample_ptr[b + 1], tick, run_base[b], run_tick, run_start)
    return _OK


@kernel
def merge_items(
    sample_first, sample_last, n_samples, n_ticks, word_ptr, word_tick, word_lanes, sample_ptr, run_base, tick_end,
    address, tick, run_count, run_tick, run_start,
):
    """Spikes of all items as one list by (sample, tick, address), and its runs (`group_by_tick`).

    word_ptr : int64[n_tiles * B + 1], the words of every item; sample_ptr : int64[B + 1], spikes of every sample
    tick_end : int64[n_ticks], scratch

    A counting sort over ticks. Tiles come in the order of addresses and the sort is stable, so addresses ascend within
    a tick.
    """
    n_tiles = (len(word_ptr) - 1) // n_samples
    for b in range(sample_first, sample_last):
        end = sample_ptr[b]
        if sample_ptr[b + 1] == end:
            run_start[run_base[b]] = end
            run_count[b] = 0
            continue
        tick_end[:] = 0
        for tile in range(n_tiles):
            item = tile * n_samples + b
            for i in range(word_ptr[item], word_ptr[item + 1]):
                tick_end[word_tick[i]] += bit_count(word_lanes[i])
        run = run_base[b]
        for t in range(n_ticks):
            count = tick_end[t]
            tick_end[t] = end
            if count > 0:
                run_tick[run] = t
                run_start[run] = end
                run += 1
            end += count
        run_start[run] = end
        run_count[b] = run - run_base[b]
        for tile in range(n_tiles):
            item = tile * n_samples + b
            for i in range(word_ptr[item], word_ptr[item + 1]):
                t = word_tick[i]
                lanes = word_lanes[i]
                k = tick_end[t]
                while lanes != np.uint64(0):
                    tick[k] = t
                    address[k] = tile * TILE + lowest_bit(lanes)
                    k += 1
                    lanes &= lanes - _ONE
                tick_end[t] = k
    return _OK


@kernel
def mark_neurons(address, fired):
    """fired[j] = True for the neuron of every spike, bool[N]."""
    for k in range(len(address)):
        fired[np.uint32(address[k])] = True
    return _OK


@kernel
def count_by_address(block, block_samples, sample_ptr, address, neuron_end, neuron_ptr):
    """Where the spikes of each neuron begin, into neuron_ptr[block] and neuron_end; returns the block's samples."""
    sample_first = block * block_samples
    sample_last = min(sample_first + block_samples, len(sample_ptr) - 1)
    neuron_end[:] = 0
    for k in range(sample_ptr[sample_first], sample_ptr[sample_last]):
        neuron_end[address[k]] += 1
    end = sample_ptr[sample_first]
    for j in range(len(neuron_end)):
        count = neuron_end[j]
        neuron_ptr[block, j] = end
        neuron_end[j] = end
        end += count
    neuron_ptr[block, len(neuron_end)] = end
    return sample_first, sample_last


@kernel
def group_by_address(block, block_samples, n_ticks, sample_ptr, address, tick, neuron_end, neuron_ptr, row):
    """Spikes by (address, sample, tick), of the samples of one block: ``block_samples`` of them, fewer in the last.

    Neuron j owns row[neuron_ptr[block, j]:neuron_ptr[block, j + 1]]; a spike at tick t of the block's sample b is the
    row b * n_ticks + t of a scratch that holds these samples one behind the other. neuron_end int64[N] is scratch.
    """
    sample_first, sample_last = count_by_address(
        block, block_samples, sample_ptr, address, neuron_end, neuron_ptr
    )
    for b in range(sample_first, sample_last):
        for k in range(sample_ptr[b], sample_ptr[b + 1]):
            j = address[k]
            row[neuron_end[j]] = (b - sample_first) * n_ticks + tick[k]
            neuron_end[j] += 1
    return _OK
