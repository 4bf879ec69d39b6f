"""A layer's input spikes on a device by address, for the gradient of the rows of weights that they reach."""

import numpy as np

from eventsim.engine.adjoint import block_samples
from eventsim.engine.runs import by_address
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


def rows_by_address(layer, given, n_samples, walk):
    """(neuron_ptr, row): the spikes of every row of weights, see `group_by_address` and `_places`."""
    device = given.device
    place, piece, at = _places(layer, given, n_samples, walk)
    shared = {
        "n_spikes": len(given), "n_samples": given.n_samples, "n_neurons": given.n_neurons, "sample_ptr": given.ptr,
        "block_of": device.put(piece), "address": given.on_device[0],
    }
    count = device.zeros(walk.pieces * given.n_neurons, np.int32)
    device.launch("count_by_address", count=count, **shared)
    size = device.empty(count.size, np.int64)
    device.launch("widen", n=count.size, count=count, size=size)
    neuron_ptr, row = device.starts(size), device.empty(len(given), np.int32)
    device.launch("group_by_address", n_ticks=given.n_ticks, place_of=device.put(place), tick=given.on_device[1],
                  neuron_ptr=neuron_ptr, count=count, row=row, **shared)
    device.launch("sort_rows", n_lists=count.size, n_ticks=given.n_ticks, at=device.put(at), neuron_ptr=neuron_ptr,
                  row=row)
    return neuron_ptr, row


def timed_rows(layer, neuron, given, walk):
    """(neuron_ptr, row, share): those of spikes with times on the host, see `group_times_by_address`."""
    _check_size(layer, given)
    device, samples = layer.device, block_samples(given)
    ptr, row, share = by_address([given], samples, [neuron])[0]
    # The host counts ticks from the first of a block on, which is held in one piece.
    first = walk.place_in(walk.sums[:-1], 0, 1) * given.n_ticks
    row = row + np.repeat(first, ptr[:, -1] - ptr[:, 0])
    starts = np.append(ptr[:, :-1], ptr[-1:, -1])
    return device.put(starts), device.put(row.astype(np.int32)), device.put(share)
