"""Spikes on a device, with their runs by tick."""

import numpy as np

from eventsim.engine.gpu.kept import place_of
from eventsim.engine.runs import Runs
from eventsim.kernels.layout import TILES_A_GROUP, n_tiles
from eventsim.spikes import Spikes


class DeviceSpikes(Spikes):
    """`Spikes` that stand on a device, but for ``sample_ptr``.

    ``address``, and ``tick`` or ``time``, come to the host when they are first asked for. What is found of them there
    is kept.

    Attributes
    ----------
    device : `Device`
    on_device : their addresses there, int32[K], and ticks, int32[K], or times, float64[K]
    """

    __slots__ = ("_fetched", "_ptr", "_runs", "_tick_ptr", "device", "on_device")

    @classmethod
    def of(cls, device, sample_ptr, address, when, like: Spikes, n_neurons, tick_ptr=None) -> "DeviceSpikes":
        """Spikes of ``n_neurons`` neurons in the time of ``like``; sample_ptr is the host's, the rest the device's.

        tick_ptr : see there, where it is known
        """
        out = cls.__new__(cls)
        out.sample_ptr = sample_ptr
        out.sample_ptr.flags.writeable = False
        out.device, out.on_device = device, (address, when)
        out._tick_ptr, out._runs, out._ptr = tick_ptr, None, None
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
    def is_timed(self) -> bool:
        """Whether the spikes have times; else they have ticks."""
        return self.on_device[1].dtype == np.float64

    @property
    def tick(self):
        """int32[K], on the host; None: they have times."""
        return None if self.is_timed else self._fetch(1)

    @property
    def time(self):
        """float64[K], ms, on the host; None: they have ticks."""
        return self._fetch(1) if self.is_timed else None

    def __len__(self):
        return int(self.sample_ptr[-1])

    @property
    def ptr(self):
        """``sample_ptr`` on the device."""
        if self._ptr is None:
            self._ptr = self.device.put(self.sample_ptr)
        return self._ptr

    @property
    def tick_ptr(self):
        """int64[B * T + 1] on the device, where the spikes of every tick of every sample begin."""
        if self._tick_ptr is None:
            self._tick_ptr = self.device.empty(self.n_samples * self.n_ticks + 1, np.int64)
            self.device.launch("find_ticks", n_starts=self._tick_ptr.size, n_samples=self.n_samples,
                               n_ticks=self.n_ticks, sample_ptr=self.ptr, tick=self.on_device[1],
                               tick_ptr=self._tick_ptr)
        return self._tick_ptr

    @property
    def runs(self) -> Runs:
        """Their `Runs` on the device."""
        if self._runs is None:
            n_samples, n_ticks = self.n_samples, self.n_ticks
            base, count = (self.device.empty(n_samples, np.int64) for _ in range(2))
            tick, start = (self.device.empty(n_samples * (n_ticks + 1), kind) for kind in (np.int32, np.int64))
            self._runs = Runs(base, count, tick, start)
            self.device.launch("group_by_tick", n_samples=n_samples, n_ticks=n_ticks, tick_ptr=self.tick_ptr,
                               **self._runs._asdict())
        return self._runs

    def __reduce__(self):
        """Copies, and what was pickled, are the same `Spikes` on the host."""
        when = self.time if self.is_timed else self.tick
        return _itself, (Spikes.of_kernel(self.sample_ptr, self.address, when, self, self.n_neurons),)

    def fired(self):
        """Whether each neuron has a spike, bool[N], on the host."""
        marks = self.device.zeros(self.n_neurons, np.uint8)
        self.device.launch("mark_neurons", n_spikes=len(self), address=self.on_device[0], fired=marks)
        return marks.get().view(bool)


def _itself(spikes):
    return spikes


def uploaded(device, spikes) -> DeviceSpikes:
    """The spikes on a device; those that are there already, as they are, and those of another by way of the host."""
    if isinstance(spikes, DeviceSpikes) and spikes.device is device:
        return spikes
    address, when = device.put(spikes.address), device.put(spikes.when)
    return DeviceSpikes.of(device, spikes.sample_ptr, address, when, spikes, spikes.n_neurons)


def with_end(spikes) -> DeviceSpikes:
    """Spikes of a device in one tick more, which begins at the end of the sample."""
    out = DeviceSpikes.of(spikes.device, spikes.sample_ptr, *spikes.on_device, spikes, spikes.n_neurons)
    out.n_ticks += 1
    return out


def by_ticks(spikes) -> DeviceSpikes:
    """Spikes of a device, those with times in the ticks that they fall in."""
    if not spikes.is_timed:
        return spikes
    device, (address, time) = spikes.device, spikes.on_device
    tick = device.empty(len(spikes), np.int32)
    device.launch("floor_times", n_spikes=len(spikes), n_ticks=spikes.n_ticks, dt=spikes.dt, time=time, tick=tick)
    return DeviceSpikes.of(device, spikes.sample_ptr, address, tick, spikes, spikes.n_neurons)


def sample_starts(tick_ptr, n_samples, n_ticks):
    """int64[n_samples + 1] of the host, where the spikes of every sample begin, by those of every tick; a device's."""
    return tick_ptr[::n_ticks].get() if n_ticks else np.zeros(n_samples + 1, np.int64)


def _by_neuron(device, fired, layer, n_rows):
    """The bits of fired, uint64[tiles, n_rows], in tiles in which neurons stand in the order of their addresses."""
    ordered = device.empty((n_tiles(layer.n_out), n_rows), np.uint64)
    device.launch("order_lanes", n_words=ordered.size, n_rows=n_rows, n_neurons=layer.n_out,
                  place=place_of(device, layer), fired=fired, ordered=ordered)
    return ordered


def merged(device, fired, layer, like) -> DeviceSpikes:
    """The spikes of all items of a layer; fired is uint64[items, n_ticks], see `dense_forward`."""
    n_samples, n_ticks = like.n_samples, like.n_ticks
    if layer.patches is not None:
        fired = _by_neuron(device, fired, layer, n_samples * n_ticks)
    n_rows, tiles = n_samples * n_ticks, n_tiles(layer.n_out)
    n_groups = -(-tiles // TILES_A_GROUP)
    count = device.empty(n_rows * n_groups, np.int64)
    shared = {"n_words": count.size, "n_rows": n_rows, "tiles": tiles, "n_groups": n_groups, "fired": fired}
    device.launch("count_ticks", count=count, **shared)
    group_ptr = tick_ptr = device.starts(count)
    if n_groups > 1:
        tick_ptr = device.empty(n_rows + 1, np.int64)
        device.launch("every_nth", n=tick_ptr.size, step=n_groups, values=group_ptr, taken=tick_ptr)
    sample_ptr = sample_starts(tick_ptr, n_samples, n_ticks)
    address, tick = (device.empty(int(sample_ptr[-1]), np.int32) for _ in range(2))
    device.launch("merge_items", n_ticks=n_ticks, group_ptr=group_ptr, address=address, tick=tick, **shared)
    return DeviceSpikes.of(device, sample_ptr, address, tick, like, layer.n_out, tick_ptr=tick_ptr)
