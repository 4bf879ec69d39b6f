"""Spikes of a (sample, tick) that share an address, or the pixel that it is of, on a device."""

from typing import NamedTuple

import numpy as np


class Groups(NamedTuple):
    """Groups of spikes, see kernels/cuda/groups.cuh.

    table : uint64[2 K]; place : int64[K], of every spike's group there; count : int64[K], the spikes of each group at
        its first one, else 0
    """

    table: object
    place: object
    count: object


def grouped(spikes, n_keys) -> Groups:
    """The groups of `DeviceSpikes` whose addresses are the same, modulo ``n_keys``."""
    device, n, (address, tick) = spikes.device, len(spikes), spikes.on_device
    table, place = device.zeros(2 * n, np.uint64), device.empty(n, np.int64)
    device.launch("find_first", n_spikes=n, n_samples=spikes.n_samples, n_ticks=spikes.n_ticks, n_keys=n_keys,
                  sample_ptr=spikes.ptr, tick_ptr=spikes.tick_ptr, address=address, tick=tick, table=table,
                  place=place)
    count = device.zeros(n, np.int64)
    device.launch("count_groups", n_spikes=n, table=table, place=place, count=count)
    return Groups(table, place, count)


def by_key(spikes, n_keys):
    """int32[K] of the device, the addresses of every (sample, tick) by group, in the order of their first spikes."""
    device, n = spikes.device, len(spikes)
    groups = grouped(spikes, n_keys)
    group_ptr, own = device.starts(groups.count), device.empty(n, np.int32)
    device.launch("list_groups", n_spikes=n, group_ptr=group_ptr, own=own, **groups._asdict())
    device.launch("sort_groups", n_spikes=n, address=spikes.on_device[0], group_ptr=group_ptr, own=own)
    return own
