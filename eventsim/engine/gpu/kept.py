"""What is known of a layer once and for all, on the devices that it was wanted on."""

import weakref

_kept = weakref.WeakKeyDictionary()


def kept(device, owner, name, make):
    """An array of the device with what ``make()`` gives on the host, made once for every ``owner`` and ``name``.

    It lives as long as the owner, and nobody may write to it.
    """
    arrays = _kept.setdefault(owner, {})
    if (device, name) not in arrays:
        arrays[device, name] = device.put(make())
    return arrays[device, name]
