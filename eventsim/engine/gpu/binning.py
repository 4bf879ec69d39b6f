"""Events of a recording to spikes on the grid, on a device."""

import numpy as np

from eventsim import checks
from eventsim.data.encoders.binning import MODES, BinningReport, on_grid, ticks_to_last
from eventsim.engine.gpu.spikes import DeviceSpikes
from eventsim.spikes import Spikes


def bin_events(device, events, dt, n_ticks, mode) -> tuple[DeviceSpikes, BinningReport]:
    """What `eventsim.data.encoders.bin_events` gives, with the spikes on a device."""
    checks.choice("mode", mode, MODES)
    t, step = on_grid(events, dt)
    n_ticks = ticks_to_last(t, step, dt) if n_ticks is None else n_ticks
    sensor, n = events.sensor, len(events)
    given = {name: device.put(column) for name, column in
             (("t", t), ("x", events.x), ("y", events.y), ("p", events.p))}
    binned = {"sorted": device.empty(n, np.int32), "begin": device.empty(n_ticks, np.int64)}
    count = device.empty(n_ticks, np.int64)
    device.launch("bin_events", n_ticks=n_ticks, n_events=n, width=sensor.width, height=sensor.height, step=step,
                  keep_repeats=mode == "count", count=count, **given, **binned)
    tick_ptr = device.starts(count)
    sample_ptr = np.array([0, int(tick_ptr[-1:].get()[0])])
    tick, address = (device.empty(sample_ptr[1], np.int32) for _ in range(2))
    device.launch("list_binned", n_ticks=n_ticks, tick_ptr=tick_ptr, tick=tick, address=address, **binned)
    before, inside = (int(k) for k in np.searchsorted(t, [0, n_ticks * step]))
    spikes = int(sample_ptr[1])
    report = BinningReport(n, spikes, inside - before - spikes, before, n - inside)
    like = Spikes([0, 0], [], tick=[], n_neurons=sensor.n_addresses, n_ticks=n_ticks, dt=dt)
    return DeviceSpikes.of(device, sample_ptr, address, tick, like, sensor.n_addresses, tick_ptr=tick_ptr), report
