"""What is known of a layer once and for all, on the devices that it was wanted on."""

import weakref

import numpy as np

_REACH = "reach_ptr", "reach_patch", "reach_row"
_kept = weakref.WeakKeyDictionary()


def kept(device, owner, name, make, of=()):
    """An array of the device with what ``make()`` gives on the host, made once for every ``owner`` and ``name``.

    It lives as long as the owner, and nobody may write to it. It is made anew where it is ``of`` other objects, or of
    another number.
    """
    arrays = _kept.setdefault(owner, {})
    found = arrays.get((device, name))
    if found is None or not all(map(_is_same, found[0], of)):
        found = arrays[device, name] = of, device.put(make())
    return found[1]


def _is_same(old, new):
    return old is new or (isinstance(new, int) and old == new)


def reach_of(device, patches) -> list:
    """`Patches.reach` on the device."""
    return [kept(device, patches, name, lambda i=i: patches.reach[i]) for i, name in enumerate(_REACH)]


def place_of(device, layer):
    """int32[N] of the device, ``64 tile + lane`` of every neuron of a layer."""
    def make():
        lanes = np.flatnonzero(layer.lane_neuron.reshape(-1) >= 0)
        place = np.empty(layer.n_out, np.int32)
        place[layer.lane_neuron.reshape(-1)[lanes]] = lanes
        return place
    return kept(device, layer.patches or layer, "place", make)
