"""Orders of a spike list: by (sample, tick, address) from items, and by (sample, address) for weight gradients."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


@kernel
def merge_items(n_samples, n_tiles, n_ticks, item_ptr, item_tick, item_address, tick_end, sample_ptr, address, tick):
    """Spikes of all items, tile by tile, as one list by (sample, tick, address): a counting sort over ticks.

    item_ptr int64[n_tiles * B + 1]; sample_ptr int64[B + 1] is written too; tick_end int64[n_ticks] is scratch.
    """
    end = 0
    sample_ptr[0] = 0
    for b in range(n_samples):
        tick_end[:] = 0
        for tile in range(n_tiles):
            item = tile * n_samples + b
            for i in range(item_ptr[item], item_ptr[item + 1]):
                tick_end[item_tick[i]] += 1
        for t in range(n_ticks):
            count = tick_end[t]
            tick_end[t] = end
            end += count
        # Tiles come in the order of addresses and the sort is stable, so addresses ascend within a tick.
        for tile in range(n_tiles):
            item = tile * n_samples + b
            for i in range(item_ptr[item], item_ptr[item + 1]):
                t = item_tick[i]
                k = tick_end[t]
                tick_end[t] = k + 1
                tick[k] = t
                address[k] = item_address[i]
        sample_ptr[b + 1] = end
    return _OK


@kernel
def group_by_address(sample_ptr, address, tick, slot, run_ptr, run_address, run_start, run_tick):
    """Ticks of every neuron that spiked, sample by sample: runs of equal address, addresses ascending.

    run_ptr int64[B + 1] counts the runs before each sample; run r is neuron run_address[r] and the ticks
    run_tick[run_start[r]:run_start[r + 1]], ascending. slot int64[N] is scratch. Room for K runs always suffices.
    """
    runs = 0
    run_ptr[0] = 0
    for b in range(len(sample_ptr) - 1):
        first, last = sample_ptr[b], sample_ptr[b + 1]
        slot[:] = 0
        for k in range(first, last):
            slot[address[k]] += 1
        start = first
        for j in range(len(slot)):
            count = slot[j]
            if count > 0:
                run_address[runs] = j
                run_start[runs] = start
                runs += 1
                slot[j] = start
                start += count
        for k in range(first, last):
            j = address[k]
            run_tick[slot[j]] = tick[k]
            slot[j] += 1
        run_ptr[b + 1] = runs
    run_start[runs] = len(tick)
    return _OK
