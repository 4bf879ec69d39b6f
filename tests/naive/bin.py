"""The slow, obvious twin of `bin_events`: one event at a time."""

import numpy as np


def bin_events(t_us, address, dt_us, n_ticks, keep_repeats):
    """Spikes as a sorted list of (tick, address), and the counts ``(merged, before, after)``.

    t_us : int[E]; address : int[E]; dt_us : int or float, length of a tick in microseconds
    """
    spikes, merged, before, after = [], 0, 0, 0
    for when, where in zip(t_us, address, strict=True):
        tick = int(when) // dt_us if isinstance(dt_us, int) else int(np.floor(np.float64(when) / dt_us))
        if when < 0:
            before += 1
        elif tick >= n_ticks:
            after += 1
        elif (tick, int(where)) in spikes and not keep_repeats:
            merged += 1
        else:
            spikes.append((tick, int(where)))
    return sorted(spikes), (merged, before, after)
