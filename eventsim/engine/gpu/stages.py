"""Stages between layers on a device: what becomes of spikes on the way forward, and of errors on the way back."""

import numpy as np

from eventsim.engine.gpu.groups import grouped
from eventsim.engine.gpu.spikes import DeviceSpikes, by_ticks


def routed(spikes, table, kept, n_neurons) -> DeviceSpikes:
    """The spikes that stay, with the new addresses that ``table`` says.

    table : int32[N], -1 for none; kept : bool[B, N'], which of the new addresses stay, or empty: all
    """
    device, (address, when) = spikes.device, spikes.on_device
    shared = {
        "n_spikes": len(spikes), "n_samples": spikes.n_samples, "n_neurons": n_neurons, "is_masked": len(kept) > 0,
        "sample_ptr": spikes.ptr, "address": address, "table": device.put(table),
        "kept": device.put(kept.view(np.uint8)),
    }
    count = device.empty(len(spikes), np.int64)
    device.launch("count_routed", count=count, **shared)
    new_ptr = device.starts(count)
    sample_ptr = device.empty(len(spikes.sample_ptr), np.int64)
    device.launch("take", n=sample_ptr.size, index=spikes.ptr, values=new_ptr, taken=sample_ptr)
    sample_ptr = sample_ptr.get()
    new_address, new_when = (device.empty(int(sample_ptr[-1]), kind) for kind in (np.int32, when.dtype))
    if spikes.is_timed:
        device.launch("route_times", time=when, new_ptr=new_ptr, new_address=new_address, new_time=new_when, **shared)
    else:
        device.launch("route_spikes", tick=when, new_ptr=new_ptr, new_address=new_address, new_tick=new_when, **shared)
    return DeviceSpikes.of(device, sample_ptr, new_address, new_when, spikes, n_neurons)


def channel_sums(spikes, shape):
    """int64[B, 2, channels] of the host, see the kernel `sum_squares`."""
    device, given = spikes.device, by_ticks(spikes)
    total = device.zeros((spikes.n_samples, 2, shape.channels), np.int64)
    device.launch("sum_squares", n_spikes=len(spikes), n_samples=spikes.n_samples, n_positions=shape.positions,
                  n_channels=shape.channels, sample_ptr=spikes.ptr, address=given.on_device[0],
                  count=grouped(given, shape.size).count, total=total)
    return total.get()


def route_back(layer, given, active, lane_address, error, shift=None, slope=None):
    """`eventsim.engine.feed.route_back` on the active set's device."""
    device = active.device
    shared = {
        "n_blocks": active.n_blocks, "n_samples": active.n_samples, "n_ticks": active.n_ticks, "error": error,
        "lane_address": device.put(lane_address), **active.arguments(),
    }
    if given.kept is not None:
        device.launch("mask_error", n_neurons=given.kept.shape[1], n_groups=len(error), n_pairs=active.n_pairs,
                      kept=device.put(given.kept.view(np.uint8)), **shared)
    if shift is not None:
        spikes, n_keys = by_ticks(given.spikes), layer.given.size
        groups = grouped(spikes, n_keys)
        device.launch("normalise_error", n_positions=layer.given.positions, n_spikes=len(spikes), n_keys=n_keys,
                      tick_ptr=spikes.tick_ptr, address=spikes.on_device[0], table=groups.table, count=groups.count,
                      shift=device.put(shift), slope=device.put(slope), **shared)
