"""What a layer's kernels on a device get: rows of weights, and spikes as lists of such rows."""

from dataclasses import dataclass

import numpy as np

from eventsim.engine.gpu.groups import by_key
from eventsim.engine.gpu.kept import kept, reach_of
from eventsim.engine.gpu.spikes import DeviceSpikes, sample_starts
from eventsim.engine.gpu.weights import drive, weigh
from eventsim.kernels.layout import DRIVE_ROWS, TILE


@dataclass(frozen=True)
class DeviceWiring:
    """A layer's synapses and input on a device; see `eventsim.engine.wiring.Wiring`.

    weight : float32[tiles, rows, 64], or int8 or the bits of float16, of which each patch has all
    lists : `DeviceSpikes` of rows, with a list for every sample, or ``patch * B + sample`` of a convolution
    n_neurons : lanes that a list has in all tiles together
    drive : float32[tiles * patches, 4, 64], or empty
    moving : whether there is a constant input
    pixels : int64[pixels] of the host, spikes from every pixel of a convolution's input; None: the layer is none
    fired : uint64[items, T], bits of the spikes at which a hard reset makes neurons forget; None: not kept
    scale : float32[tiles, 64] of the host, what one unit of ``weight`` weighs; None: 1
    n_patches : lists of every sample
    """

    weight: object
    lists: DeviceSpikes
    n_neurons: int
    drive: object
    moving: bool
    pixels: np.ndarray | None = None
    fired: object = None
    scale: np.ndarray | None = None
    n_patches: int = 1

    @property
    def suffix(self) -> str:
        """What stands behind the names of kernels for weights of this type."""
        return {"float32": "", "int8": "_int8", "uint16": "_float16"}[str(self.weight.dtype)]

    def gain(self, unit):
        """float32[tiles, 64] of the device, see `eventsim.engine.wiring.Wiring.gain`."""
        gain = np.full((len(self.weight), TILE), unit, np.float32)
        return self.lists.device.put(gain if self.scale is None else gain * self.scale)

    @property
    def n_items(self) -> int:
        """Lists in tiles."""
        return len(self.weight) * self.lists.n_samples

    def any_drive(self):
        """``drive``, or where that is empty one in which there is nothing."""
        if len(self.drive):
            return self.drive
        return self.lists.device.zeros((len(self.weight) * self.n_patches, DRIVE_ROWS, TILE), np.float32)

    def arguments(self) -> dict:
        """What kernels take of it."""
        return {
            "n_items": self.n_items, "n_samples": self.lists.n_samples, "n_neurons": self.n_neurons,
            "n_in": self.weight.shape[1], "weight": self.weight, "address": self.lists.on_device[0],
            **self.lists.runs._asdict(),
        }


def wire(layer, given, neuron) -> DeviceWiring:
    """The wiring of a dense or convolutional layer for a `Feed` of spikes on its device."""
    spikes = given.spikes
    rows, scale, total = weigh(layer, given)
    driven, moving = drive(layer, neuron, total, spikes.dt)
    if layer.patches is None:
        return DeviceWiring(rows, spikes, layer.n_out, driven, moving, scale=scale)
    lists, pixels = _cut(layer.patches, spikes)
    return DeviceWiring(rows, lists, len(rows) * driven.shape[2], driven, moving, pixels, scale=scale,
                        n_patches=layer.patches.n_patches)


def _cut(patches, spikes):
    """The lists of all patches, and spikes from every pixel; see `eventsim.engine.pieces.Pieces`."""
    device, n_pixels = spikes.device, len(patches.reach[0]) - 1
    n_samples, n_ticks = spikes.n_samples, spikes.n_ticks
    pixels = device.zeros(n_pixels, np.int32)
    device.launch("count_pixels", n_spikes=len(spikes), n_pixels=n_pixels, address=spikes.on_device[0], count=pixels)
    reach_ptr, reach_patch, _ = reach_of(device, patches)
    n_lists = patches.n_patches * n_samples
    count = device.zeros(n_lists * n_ticks, np.int64)
    shared = {"n_samples": n_samples, "n_ticks": n_ticks, "n_pixels": n_pixels, "address": by_key(spikes, n_pixels)}
    seen = {"n_spikes": len(spikes), "sample_ptr": spikes.ptr, "tick": spikes.on_device[1], "count": count, **shared,
            "reach_ptr": reach_ptr, "reach_patch": reach_patch}
    device.launch("count_seen", **seen)
    list_ptr = device.starts(count)
    starts = sample_starts(list_ptr, n_lists, n_ticks)
    row, row_tick = (device.empty(int(starts[-1]), np.int32) for _ in range(2))
    listed = {"tick_ptr": spikes.tick_ptr, "list_ptr": list_ptr, "row_address": row}
    device.launch("list_seen", **listed, **seen)
    device.launch("cut_patches", n_rows=count.size, row_tick=row_tick, **listed, **shared, **patches.geometry,
                  has_tap=kept(device, patches, "has_tap", lambda: patches.has_tap.view(np.uint8)))
    lists = DeviceSpikes.of(device, starts, row, row_tick, spikes, patches.n_rows, tick_ptr=list_ptr)
    return lists, pixels.get().astype(np.int64)
