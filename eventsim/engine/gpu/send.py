"""Sends the errors of a layer to the one below, on a device."""

import numpy as np

from eventsim.engine.feed import lane_addresses
from eventsim.engine.gpu.active import DeviceActiveSet
from eventsim.engine.gpu.kept import kept, reach_of
from eventsim.engine.gpu.walk import entry_ranges, groups_of


class Sending:
    """What a layer sends down: ``error`` float32[G, P], at the active pairs of the layer below, to be summed over G."""

    def __init__(self, layer, wiring, below: DeviceActiveSet, walk):
        device, patches = layer.device, layer.patches
        self._device, self._is_dense, self._ranges = device, patches is None, entry_ranges(walk, below)
        self._shared = {
            "n_samples": below.n_samples, "n_ticks": below.n_ticks, "n_in": wiring.weight.shape[1],
            "below_kind": below.kind, "below_lanes": below.lanes, "below_pair_start": below.pair_start,
            "below_lane": below.entry_lane, "below_ticks": below.entry_ticks, "below_block": below.entry_block,
            "below_pair": below.entry_pair, "weight": wiring.weight,
            "near_row": kept(device, layer, "near_row", lambda: lane_addresses(layer, below.lane_neuron),
                             of=(below.lane_neuron, layer.stages)),
        }
        if self._is_dense:
            groups = groups_of(len(wiring.weight))
            first = np.array([first for first, _ in groups] + [groups[-1][1]])
            self._shared |= {"n_pairs": below.n_pairs, "group_first": device.put(first)}
            self.error = device.zeros((len(groups), below.n_pairs), np.float32)
            return
        ptr, patch, row = reach_of(device, patches)
        self._shared |= {
            "n_patches": patches.n_patches, "channel_tiles": patches.channel_tiles, "n_pixels": layer.given.positions,
            "rows_a_channel": patches.rows_in * patches.columns_in, "reach_ptr": ptr, "reach_patch": patch,
            "reach_row": row,
        }
        self.error = device.zeros((1, below.n_pairs), np.float32)

    def add(self, k, held, neurons):
        """Send what the samples of the k-th block of the walk give, which are ``held``: see `_Neurons`."""
        n_entries, start, first = self._ranges[k]
        kernel, work = "send_patch_error", {}
        if self._is_dense:
            kernel, work = "send_error", {"n_work": len(self.error) * n_entries}
        self._device.launch(kernel, n_entries=n_entries, n_ranges=len(first), range_start=start, range_first=first,
                            g=neurons.g, error_below=self.error, **held, **work, **self._shared)
