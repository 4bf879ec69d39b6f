"""Spikes on a device, with their runs by tick."""

import numpy as np

from eventsim.engine.runs import Runs, by_tick
from eventsim.spikes import Spikes


class DeviceSpikes(Spikes):
    """`Spikes` on the grid clock that stand on a device, but for ``sample_ptr``.

    ``address`` and ``tick`` come to the host when they are first asked for.

    Attributes
    ----------
    device : `Device`
    on_device : their addresses and ticks there, int32[K] each
    runs : `Runs` there
    """

    __slots__ = ("_fetched", "device", "on_device", "runs")

    @classmethod
    def of(cls, device, sample_ptr, address, tick, runs, like: Spikes, n_neurons: int) -> "DeviceSpikes":
        """Spikes of ``n_neurons`` neurons on the ticks of ``like``; sample_ptr is the host's, the rest the device's."""
        out = cls.__new__(cls)
        out.sample_ptr, out.time = sample_ptr, None
        out.device, out.on_device, out.runs = device, (address, tick), runs
        out.n_neurons, out.n_ticks, out.dt = n_neurons, like.n_ticks, like.dt
        out._fetched = [None, None]
        return out

    def _fetch(self, i):
        if self._fetched[i] is None:
            self._fetched[i] = self.on_device[i].get()
            self._fetched[i].flags.writeable = False
        return self._fetched[i]

    @property
    def address(self):
        """int32[K], on the host."""
        return self._fetch(0)

    @property
    def tick(self):
        """int32[K], on the host."""
        return self._fetch(1)

    def __len__(self):
        return int(self.sample_ptr[-1])

    def fired(self):
        """Whether each neuron has a spike, bool[N], on the host."""
        marks = self.device.zeros(self.n_neurons, np.uint8)
        self.device.launch("mark_neurons", n_spikes=len(self), address=self.on_device[0], fired=marks)
        return marks.get().view(bool)


def uploaded(device, spikes, runs=None) -> DeviceSpikes:
    """The spikes on a device; those that are there already, as they are.

    runs : those of the spikes, where they are there already
    """
    if isinstance(spikes, DeviceSpikes):
        return spikes
    runs = by_tick(spikes) if runs is None else runs
    address, tick = device.put(spikes.address), device.put(spikes.tick)
    return DeviceSpikes.of(device, spikes.sample_ptr, address, tick, Runs(*map(device.put, runs)), spikes,
                           spikes.n_neurons)


def runs_of(device, tick_ptr, n_samples, n_ticks) -> Runs:
    """The runs of spikes that begin at tick_ptr int64[n_samples * n_ticks + 1] of the device in every tick."""
    base, count = (device.empty(n_samples, np.int64) for _ in range(2))
    tick, start = (device.empty(n_samples * (n_ticks + 1), kind) for kind in (np.int32, np.int64))
    runs = Runs(base, count, tick, start)
    device.launch("group_by_tick", n_samples=n_samples, n_ticks=n_ticks, tick_ptr=tick_ptr, **runs._asdict())
    return runs


def merged(device, fired, layer, like) -> DeviceSpikes:
    """The spikes of all items of a layer; fired is uint64[items, n_ticks], see `dense_forward`."""
    n_samples, n_ticks, tiles = like.n_samples, like.n_ticks, len(layer.lane_neuron)
    count = device.empty(n_samples * n_ticks, np.int64)
    shared = {"n_rows": count.size, "tiles": tiles, "fired": fired}
    device.launch("count_ticks", count=count, **shared)
    tick_ptr = device.starts(count)
    sample_ptr = tick_ptr[:: max(n_ticks, 1)].get() if n_ticks else np.zeros(n_samples + 1, np.int64)
    sample_ptr.flags.writeable = False
    address, tick = (device.empty(int(sample_ptr[-1]), np.int32) for _ in range(2))
    device.launch("merge_items", n_ticks=n_ticks, tick_ptr=tick_ptr, address=address, tick=tick, **shared)
    return DeviceSpikes.of(device, sample_ptr, address, tick, runs_of(device, tick_ptr, n_samples, n_ticks), like,
                           layer.n_out)
