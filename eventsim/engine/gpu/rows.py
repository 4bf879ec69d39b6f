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


def _ordered(layer, given, n_samples, walk):
    """neuron_ptr, and what kernels take of spikes by piece, address and place: see `key_rows` and `_places`."""
    device = given.device
    place, piece, at = _places(layer, given, n_samples, walk)
    key, n_starts = device.empty(len(given), np.int64), walk.pieces * given.n_neurons + 1
    device.launch("key_rows", n_spikes=len(given), n_samples=given.n_samples, n_neurons=given.n_neurons,
                  n_places=len(at), sample_ptr=given.ptr, block_of=device.put(piece), place_of=device.put(place),
                  address=given.on_device[0], key=key)
    shared = {"n_spikes": len(given), "n_places": len(at), "key": key, "order": device.order(key)}
    neuron_ptr = device.empty(n_starts, np.int64)
    device.launch("find_rows", n_starts=n_starts, neuron_ptr=neuron_ptr, **shared)
    return neuron_ptr, {"n_ticks": given.n_ticks, "at": device.put(at), **shared}


def rows_by_address(layer, given, n_samples, walk):
    """(neuron_ptr, row): the spikes of every row of weights, see `group_by_address` and `_places`."""
    neuron_ptr, shared = _ordered(layer, given, n_samples, walk)
    row = given.device.empty(len(given), np.int32)
    given.device.launch("group_by_address", tick=given.on_device[1], row=row, **shared)
    return neuron_ptr, row


def timed_rows(layer, neuron, given, n_samples, walk):
    """(neuron_ptr, row, share): those of spikes with times, see `group_times_by_address`."""
    device, (neuron_ptr, shared) = given.device, _ordered(layer, given, n_samples, walk)
    row, share = device.empty(len(given), np.int32), device.empty((len(given), 2), np.float32)
    device.launch("group_times_by_address", dt=given.dt, shares=device.put(neuron.shares(given.dt)),
                  time=given.on_device[1], row=row, share=share, **shared)
    return neuron_ptr, row, share
