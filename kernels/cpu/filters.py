"""Filters that look at what happened at a pixel before."""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
_EVER = np.int64(-(2**63))


@kernel
def denoise_events(t, x, y, width, height, window, last, keep):
    """Mark the events with an earlier event within ``window`` at one of the four neighbouring pixels.

    t : int64[E], ascending; x, y : uint16[E]; width, height : pixels of the sensor; window : in the unit of t
    last : int64[width * height], scratch: time of every pixel's last event, 0 before its first
    keep : bool[E], out
    """
    last[:] = 0
    for i in range(len(t)):
        now = t[i]
        column, row = np.int64(x[i]), np.int64(y[i])
        at = row * width + column
        last[at] = now
        keep[i] = (
            (column > 0 and now - last[at - 1] < window)
            or (column < width - 1 and now - last[at + 1] < window)
            or (row > 0 and now - last[at - width] < window)
            or (row < height - 1 and now - last[at + width] < window)
        )
    return _OK


@kernel
def refract_events(t, address, period, ready, keep):
    """Mark the events that come ``period`` or more after the last one marked of their address.

    t : int64[E], ascending; address : int32[E]; period : in the unit of t
    ready : int64[addresses], scratch: from when on an address is marked again
    keep : bool[E], out
    """
    ready[:] = _EVER
    for i in range(len(t)):
        at = address[i]
        keep[i] = t[i] >= ready[at]
        if keep[i]:
            ready[at] = t[i] + period
    return _OK
