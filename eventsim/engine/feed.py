"""What stages make of a layer's spikes before they reach the synapses of the next."""

from dataclasses import dataclass

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.gpu import stages as gpu
from eventsim.engine.gpu.spikes import DeviceSpikes
from eventsim.engine.runs import sample_parts, ticks
from eventsim.engine.share import Share
from eventsim.kernels.layout import CHUNK
from eventsim.spikes import Spikes

_ALL_STAY = np.empty((0, 0), bool)


@dataclass(frozen=True)
class Statistics:
    """Mean and biased variance of every channel, float64[channels], over ``n`` numbers each, those of a whole batch.

    share : the `Share` of the batch that took part in them
    """

    mean: np.ndarray
    var: np.ndarray
    n: int
    share: Share


@dataclass(frozen=True)
class Feed:
    """What reaches a layer's synapses.

    spikes : `Spikes` of the layer's presynaptic neurons; after pooling a pair may repeat, and addresses do not ascend
    unit : what a spike counts, before normalisation
    scale : float64[channels], what a spike of a channel counts; None: ``unit``
    constant : float64[channels], a constant input in every tick; None: none
    statistics : of the batch, where it was normalised by them
    kept : bool[B,N], whom dropout left; None: everybody
    """

    spikes: Spikes
    unit: float = 1.0
    scale: np.ndarray | None = None
    constant: np.ndarray | None = None
    statistics: Statistics | None = None
    kept: np.ndarray | None = None

    @property
    def is_plain(self) -> bool:
        """Whether every spike counts 1 and there is nothing else."""
        return self.unit == 1.0 and self.scale is None


def feed(layer, spikes, rng=None) -> Feed:
    """What ``spikes`` of the layer before become.

    rng : in a training step, in which normalisation takes the batch's statistics, of dropout's masks: a generator, or
        where the spikes are but a part of a batch a `Share` of it; None: inference
    """
    share = Share.whole(rng, spikes.n_samples) if isinstance(rng, np.random.Generator) else rng
    unit, scale, constant, statistics, kept = 1.0, None, None, None, None
    for stage in layer.stages:
        if stage.kind == "average_pool":
            spikes, unit = _routed(spikes, stage.table, _ALL_STAY, stage.shape.size), unit * stage.weight
        elif stage.kind == "dropout":
            if share is not None:
                kept = stage.draw(share, spikes.n_samples)
                everyone = np.arange(stage.given.size, dtype=np.int32)
                spikes, unit = _routed(spikes, everyone, kept, stage.given.size), unit * stage.weight
        else:
            statistics = None if share is None else batch_statistics(spikes, stage.given, unit, share)
            mean, var = (stage.running_mean, stage.running_var) if share is None else (statistics.mean, statistics.var)
            scale, constant = stage.affine(mean, var)
            scale = scale * unit
    return Feed(spikes, unit, scale, constant, statistics, kept)


def lane_addresses(layer, lane_neuron):
    """int32[tiles, 64], the presynaptic address that every lane of the layer before has behind the stages, or -1."""
    for stage in layer.stages:
        if stage.kind == "average_pool":
            return np.where(lane_neuron >= 0, stage.table[lane_neuron], -1).astype(np.int32)
    return lane_neuron


def arrivals(layer):
    """int32[N], the presynaptic address that every address before the stages has behind them, -1 for none."""
    return lane_addresses(layer, np.arange(layer.before.size, dtype=np.int32))


def _routed(spikes, table, kept, n_neurons):
    """The spikes that stay, with new addresses."""
    if isinstance(spikes, DeviceSpikes):
        return gpu.routed(spikes, table, kept, n_neurons)
    when, n_samples = (spikes.tick if spikes.time is None else spikes.time), spikes.n_samples
    shared = {"sample_ptr": spikes.sample_ptr, "address": spikes.address, "table": table, "kept": kept}
    parts = sample_parts(spikes.sample_ptr)
    if not len(kept) and table.min() >= 0:  # all stay, when they were
        address = np.empty(len(spikes), np.int32)
        kernels.call_parts("move_spikes", {
            "sample_ptr": spikes.sample_ptr, "address": spikes.address, "table": table, "new_address": address,
        }, parts)
        return Spikes.of_kernel(spikes.sample_ptr, address, when, spikes, n_neurons)
    count = np.zeros(n_samples, np.int64)
    kernels.call_parts("count_routed", {**shared, "count": count}, parts)
    ptr = starts(count)
    address, new_when = np.empty(ptr[-1], np.int32), np.empty(ptr[-1], when.dtype)
    kernels.call_parts("route_spikes", {
        **shared, "when": when, "new_ptr": ptr, "new_address": address, "new_when": new_when,
    }, parts)
    return Spikes.of_kernel(ptr, address, new_when, spikes, n_neurons)


def batch_statistics(spikes, shape, unit, share) -> Statistics:
    """Mean and variance of what spikes of neurons of a ``shape`` drive; each counts ``unit``.

    The spikes are those of a `Share`, the statistics those of its batch: whole numbers are summed up, so the order does
    not matter.
    """
    if isinstance(spikes, DeviceSpikes):
        total = gpu.channel_sums(spikes, shape)
    else:
        total = np.zeros((spikes.n_samples, 2, shape.channels), np.int64)
        kernels.call_parts("sum_squares", {
            "n_positions": shape.positions, "sample_ptr": spikes.sample_ptr, "address": spikes.address,
            "tick": ticks(spikes), "spikes": (spikes.n_neurons,), "total": total,
        }, sample_parts(spikes.sample_ptr))
    n = share.total * shape.positions * spikes.n_ticks
    first, second = share.summed(total.sum(axis=0)) / max(n, 1)
    mean = unit * first
    return Statistics(mean, np.maximum(unit**2 * second - mean**2, 0.0), n, share)


def statistics_of(trace) -> list:
    """The `Statistics` that every layer of a run was normalised by; None for layers that were not."""
    return [done.feed.statistics for done in trace.layers]


def take_in_statistics(network, statistics):
    """Let the running statistics of batch normalisation take in those of a training step; see `statistics_of`."""
    for layer, found in zip(network.layers, statistics, strict=True):
        if found is not None:
            layer.norm.take_in(found.mean, found.var, found.n)


def route_back(layer, given: Feed, active, lane_address, error, shift=None, slope=None):
    """Make the error of the spikes that reach a layer's synapses that of the spikes before the stages, in place.

    active : the `ActiveSet` of the layer before; lane_address : int32[tiles,64], the address after the stages of each
        of its lanes; error : float32[G,P], at its pairs
    shift, slope : float32[channels], what normalisation by the batch's statistics adds: a constant, and so much for
        each spike of an address in a tick
    """
    shared = {
        "n_samples": active.n_samples, "n_ticks": active.n_ticks, "kind": active.kind, "lanes": active.lanes,
        "entry_start": active.entry_start, "pair_start": active.pair_start, "entry_lane": active.entry_lane,
        "entry_ticks": active.entry_ticks, "lane_address": lane_address, "error": error,
    }
    parts = sample_parts(given.spikes.sample_ptr)
    if given.kept is not None:
        kernels.call_parts("mask_error", {**shared, "kept": given.kept}, parts)
    if shift is not None:
        shape = layer.given
        kernels.call_parts("normalise_error", {
            **shared, "n_positions": shape.positions, "sample_ptr": given.spikes.sample_ptr,
            "address": given.spikes.address, "tick": ticks(given.spikes), "shift": shift, "slope": slope,
            "spikes": (shape.size, CHUNK),
        }, parts)
