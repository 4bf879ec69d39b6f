"""Events of a recording to spikes on the grid, on a device."""

import numpy as np

from eventsim import checks
from eventsim.data.encoders.binning import MODES, BinningReport, on_grid, ticks_to_last
from eventsim.engine.gpu.spikes import DeviceSpikes
from eventsim.spikes import Spikes


def bin_events(device, events, dt, n_ticks, mode) -> tuple[DeviceSpikes, BinningReport]:
    """What `eventsim.data.encoders.bin_events` gives, with the spikes on a device."""
    dt = checks.milliseconds("dt", dt)
    n_ticks = None if n_ticks is None else checks.whole_number("n_ticks", n_ticks, 0)
    checks.choice("mode", mode, MODES)
    t, step = on_grid(events, dt)
    n_ticks = ticks_to_last(t, step, dt) if n_ticks is None else n_ticks
    sensor = events.sensor
    before, end = (int(k) for k in np.searchsorted(t, [0, n_ticks * step]))
    n, inside = end - before, slice(before, end)
    given = {name: device.put(column[inside]) for name, column in
             (("t", t), ("x", events.x), ("y", events.y), ("p", events.p))}
    key, count = device.empty(n, np.int64), device.empty(n, np.int64)
    device.launch("key_events", n_events=n, width=sensor.width, height=sensor.height, step=step,
                  n_addresses=sensor.n_addresses, key=key, **given)
    ordered = {"n_events": n, "key": key, "order": device.order(key)}
    device.launch("mark_binned", keep_repeats=mode == "count", count=count, **ordered)
    place = device.starts(count)
    spikes = int(place[-1:].get()[0])
    tick, address = (device.empty(spikes, np.int32) for _ in range(2))
    device.launch("list_binned", n_addresses=sensor.n_addresses, place=place, tick=tick, address=address, **ordered)
    report = BinningReport(len(events), spikes, n - spikes, before, len(events) - end)
    like = Spikes([0, 0], [], tick=[], n_neurons=sensor.n_addresses, n_ticks=n_ticks, dt=dt)
    return DeviceSpikes.of(device, np.array([0, spikes]), address, tick, like, sensor.n_addresses), report
