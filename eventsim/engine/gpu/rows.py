"""A layer's input spikes on a device by address, for the gradient of the rows of weights that they reach."""

import numpy as np

from eventsim.errors import ConfigError


def _places(layer, spikes, n_samples, walk):
    """(place, piece, at): the order in which the lists of a layer's wiring are summed up, and in which pieces.

    All are int32; the first two by list, of which there is one for every sample of the batch, or of a convolution
    ``patch * B + sample``, which go sample by sample. at : by place, where the g of its ticks stands in what is held.
    """
    _check_size(layer, spikes)
    patches = 1 if layer.patches is None else layer.patches.n_patches
    patch, sample = np.divmod(np.arange(spikes.n_samples), max(n_samples, 1))
    place = sample * patches + patch
    at = np.empty(len(place), np.int32)
    at[place] = walk.place_in(sample, patch, patches)
    return place.astype(np.int32), walk.piece_of(sample).astype(np.int32), at


def _check_size(layer, spikes):
    if spikes.n_samples * spikes.n_ticks > np.iinfo(np.int32).max:
        raise ConfigError(f"{layer} has too many patches, samples and ticks for one step on a GPU, "
                          f"{spikes.n_samples * spikes.n_ticks} together; use smaller batches")


def _counted(given, piece, pieces):
    """What kernels take of spikes by piece and address, and of those int32 numbers and where they begin."""
    device = given.device
    shared = {
        "n_spikes": len(given), "n_samples": given.n_samples, "n_neurons": given.n_neurons, "sample_ptr": given.ptr,
        "block_of": device.put(piece), "address": given.on_device[0],
    }
    count = device.zeros(pieces * given.n_neurons, np.int32)
    device.launch("count_by_address", count=count, **shared)
    size = device.empty(count.size, np.int64)
    device.launch("widen", n=count.size, count=count, size=size)
    return shared, count, device.starts(size)


def rows_by_address(layer, given, n_samples, walk):
    """(neuron_ptr, row): the spikes of every row of weights, see `group_by_address` and `_places`."""
    device = given.device
    place, piece, at = _places(layer, given, n_samples, walk)
    shared, count, neuron_ptr = _counted(given, piece, walk.pieces)
    row = device.empty(len(given), np.int32)
    device.launch("group_by_address", n_ticks=given.n_ticks, place_of=device.put(place), tick=given.on_device[1],
                  neuron_ptr=neuron_ptr, count=count, row=row, **shared)
    device.launch("sort_rows", n_lists=count.size, n_ticks=given.n_ticks, at=device.put(at), neuron_ptr=neuron_ptr,
                  row=row)
    return neuron_ptr, row


def timed_rows(layer, neuron, given, n_samples, walk):
    """(neuron_ptr, row, share): those of spikes with times, see `group_times_by_address`.

    What lies in one tick has an order, since it counts different shares, so it is sorted whole.
    """
    device, (_, time) = given.device, given.on_device
    place, piece, at = _places(layer, given, n_samples, walk)
    shared, _, neuron_ptr = _counted(given, piece, walk.pieces)
    key, row = (device.empty(len(given), kind) for kind in (np.int64, np.int32))
    share = device.empty((len(given), 2), np.float32)
    device.launch("key_rows", n_places=len(place), place_of=device.put(place), key=key, **shared)
    device.launch("group_times_by_address", n_spikes=len(given), n_samples=given.n_samples, n_ticks=given.n_ticks,
                  dt=given.dt, shares=device.put(neuron.shares(given.dt)), sample_ptr=given.ptr,
                  at=device.put(at[place]), time=time, order=device.order(key), row=row, share=share)
    return neuron_ptr, row, share
