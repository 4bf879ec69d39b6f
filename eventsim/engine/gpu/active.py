"""Active sets on a device."""

from dataclasses import dataclass, replace

import numpy as np

from eventsim.engine.active import ActiveSet, starts
from eventsim.kernels.layout import ALL, PAIRS, n_chunks


@dataclass(frozen=True)
class DeviceActiveSet:
    """An `ActiveSet` whose arrays stand on a device; `get` gives the host's.

    lanes, entry_start, pair_start, entry_lane, entry_ticks, rho : as there
    entry_block : int32[entries], the block of every entry; entry_pair : int64[entries], its first pair
    host : the `ActiveSet` of the host, where it was made there
    """

    device: object
    n_samples: int
    n_ticks: int
    n_pairs: int
    lane_neuron: np.ndarray
    lanes: object
    entry_start: object
    pair_start: object
    entry_lane: object
    entry_ticks: object
    entry_block: object
    entry_pair: object
    rho: object
    host: ActiveSet | None = None

    @property
    def full(self) -> bool:
        """Whether every tick of every neuron is active."""
        return self.host is not None and self.host.full

    @property
    def kind(self) -> int:
        """What the kernels call it."""
        return ALL if self.full else PAIRS

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return self.pair_start.size - 1

    def arguments(self) -> dict:
        """What kernels take of it."""
        names = ("kind", "lanes", "entry_start", "pair_start", "entry_lane", "entry_ticks", "entry_pair")
        return {name: getattr(self, name) for name in names}

    def get(self, with_rho=True) -> ActiveSet:
        """The same on the host; without rho, if it is not asked for, only which pairs are active."""
        return self.host or ActiveSet(
            self.n_samples, self.n_ticks, self.lane_neuron,
            *(getattr(self, name).get() for name in ("entry_start", "pair_start", "entry_lane", "entry_ticks")),
            self.rho.get() if with_rho else np.empty(0, np.float32),
        )

    def until(self, n_ticks) -> "DeviceActiveSet":
        """The same pairs among ``n_ticks``, which are not fewer; not of a full set."""
        device, chunks, more = self.device, n_chunks(self.n_ticks), n_chunks(n_ticks)
        if more == chunks:
            return replace(self, n_ticks=n_ticks, host=None)
        first = np.arange(len(self.lane_neuron) * self.n_samples)[:, None] * chunks
        old = device.put(np.append(first + np.minimum(np.arange(more), chunks), self.n_blocks))
        block, start = device.empty(len(self.entry_block), np.int32), {}
        device.launch("renumber_blocks", n_entries=len(block), n_chunks=chunks, new_chunks=more,
                      entry_block=self.entry_block, new_block=block)
        for name in ("entry_start", "pair_start"):
            start[name] = device.empty(len(old), np.int64)
            device.launch("take", n=len(old), index=old, values=getattr(self, name), taken=start[name])
        return replace(self, n_ticks=n_ticks, entry_block=block, host=None, **start)

    def by_neuron(self, n_neurons: int):
        """Active pairs of every neuron, over all samples, int64[N]."""
        return self.get(with_rho=False).by_neuron(n_neurons)


def lanes_of(device, lane_neuron):
    """`ActiveSet.lanes` on the device, int64[tiles]."""
    return device.put(ActiveSet.nothing(0, 0, lane_neuron).lanes.astype(np.int64))


def uploaded(device, host: ActiveSet) -> DeviceActiveSet:
    """An active set that was made on the host, with entries."""
    block = np.repeat(np.arange(len(host.entry_start) - 1, dtype=np.int32), np.diff(host.entry_start))
    pair = starts(host.entries()[2])[:-1]
    arrays = (host.entry_start, host.pair_start, host.entry_lane, host.entry_ticks, block, pair, host.rho)
    return DeviceActiveSet(device, host.n_samples, host.n_ticks, host.n_pairs, host.lane_neuron,
                           lanes_of(device, host.lane_neuron), *map(device.put, arrays), host=host)


def everything(device, n_samples, n_ticks, lane_neuron) -> DeviceActiveSet:
    """The active set of a layer with full support."""
    host = ActiveSet.everything(n_samples, n_ticks, lane_neuron)
    entries = (device.empty(0, kind) for kind in (np.uint8, np.uint64, np.int32, np.int64, np.float32))
    return DeviceActiveSet(
        device, n_samples, n_ticks, host.n_pairs, lane_neuron, lanes_of(device, lane_neuron),
        device.put(host.entry_start), device.put(host.pair_start), *entries, host=host,
    )
