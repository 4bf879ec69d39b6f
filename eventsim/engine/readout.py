"""The last layer of neurons that never spike, and what is read of their potentials, on either clock."""

import math
import time
from dataclasses import replace

import numpy as np

from eventsim import kernels
from eventsim.engine.active import ActiveSet, starts
from eventsim.engine.exact_wiring import cut_lists, wire_back
from eventsim.engine.feed import feed
from eventsim.engine.runs import empty_runs, item_parts
from eventsim.engine.trace import LayerTrace, Readout
from eventsim.engine.wiring import n_taps, weigh, wire
from eventsim.errors import ConfigError
from eventsim.kernels.layout import CHUNK, EACH_TICK, TILE, n_chunks
from eventsim.model.precision import dequantized
from eventsim.spikes import Spikes

# Cost of an item besides its rows, in weight rows; only the balance of the parts depends on it.
_ITEM_COST = 8


def read_ticks(layer, neuron, spikes, runs, name, support, truncate, rng):
    """A layer of `LI` neurons over a batch on the grid; returns its `LayerTrace`, without spikes, and their runs.

    support : None, or whatever else where `backward` is to follow; the active set has the ticks that a score depends on
    """
    n_taps(layer, neuron, spikes.dt, truncate)
    started = time.perf_counter()
    given = feed(layer, spikes, rng)
    wiring = wire(layer, given, neuron, runs if given.spikes.tick is spikes.tick else None, whole=support is None)
    n_ticks, dt, each = spikes.n_ticks, spikes.dt, wiring.drive[:, EACH_TICK].astype(np.float64)
    lists, share, last = wiring.runs, None, n_ticks - 1
    if neuron.readout == "max":
        when, rate = lists.run_tick.astype(np.float64), dt / neuron.tau_mem
        clock = {"step": 1.0, "last_time": last, "rate": rate, "held": _held(rate)}
    else:
        share = neuron.share(n_ticks, dt)
        when, clock = share.take(lists.run_tick, mode="clip") if n_ticks else np.zeros(len(lists.run_tick)), None
    synapses = {"weight": wiring.weight, "gain": wiring.gain(1.0), "run_base": lists.run_base,
                "run_count": lists.run_count, "run_start": lists.run_start, "address": wiring.address}
    readout = _read(layer, neuron, spikes, wiring.n_lists, synapses, when, clock, each,
                    0.0 if share is None else share.sum(), dt)
    kept = {"feed": given, "rows": len(wiring.weight) * len(wiring.address), "readout": readout,
            "touched": int(lists.run_count.sum()) / max(1, wiring.n_lists * n_ticks)}
    if wiring.pixels is not None:
        kept["synops"] = layer.crossed(wiring.pixels)
    if support is not None:
        kept |= {"wiring": wiring, "active": active_set(readout, layer, spikes)}
    out = no_spikes(spikes, layer)
    return LayerTrace.of(name, layer, given.spikes, out, started, **kept), empty_runs(out.sample_ptr, n_ticks)


def check_timed_gradient(neuron):
    """Raise `ConfigError` where no gradient is known of what is read of `LI` neurons in continuous time."""
    if neuron.readout == "max":
        raise ConfigError("networks whose largest potentials are read are trained on the grid clock only so far; leave "
                          "out the exact one, or read the mean or last")


def read_times(layer, neuron, spikes, dt, name="", support=None, rng=None) -> LayerTrace:
    """A layer of `LI` neurons over a batch in continuous time; dt : ms, the tick that a constant input is one of.

    support : None, or whatever else where `backward` is to follow. What it gets has one tick more, at the end of the
        sample, since it is the potential then, or its integral, that is read.
    """
    if support is not None:
        check_timed_gradient(neuron)
    started, end = time.perf_counter(), spikes.n_ticks * spikes.dt
    given = feed(layer, spikes, rng)
    rows, scale, total = weigh(layer, given)
    rows = dequantized(rows, scale)
    lists = cut_lists(layer, given.spikes.sample_ptr, given.spikes.address, given.spikes.time)
    base, count, start = _at_once(lists)
    each, settled, clock = np.empty((0, TILE)), 0.0, None
    if total is not None:
        each = np.where(layer.lane_neuron < 0, 0.0, total) / dt
    when = lists.time[start[:-1]]
    if neuron.readout == "max":
        rate = 1.0 / neuron.tau_mem
        clock = {"step": 0.0, "last_time": end, "rate": rate, "held": neuron.tau_mem if rate else 0.0}
    elif end:
        when, settled = neuron.share_at(when, end), neuron.settled_at(end)
    synapses = {"weight": rows, "gain": np.ones((len(rows), TILE), np.float32), "run_base": base, "run_count": count,
                "run_start": start, "address": lists.address}
    readout = _read(layer, neuron, spikes, len(count), synapses, when, clock, each, settled, 1.0)
    kept = {"feed": given, "rows": len(rows) * len(lists.address), "readout": readout}
    if support is not None:
        kept["feed"] = to_end = replace(given, spikes=_with_end(given.spikes))
        kept |= {"wiring": wire_back(layer, to_end, rows, lists, neuron), "active": end_set(readout, layer, spikes)}
    return LayerTrace.of(name, layer, given.spikes, no_spikes(spikes, layer), started, **kept)


def _with_end(spikes):
    """The spikes in one tick more, which begins at the end of the sample."""
    out = Spikes.of_kernel(spikes.sample_ptr, spikes.address, spikes.time, spikes, spikes.n_neurons)
    out.n_ticks += 1
    return out


def end_set(readout, layer, like):
    """The tick at the end of every sample; rho: what the potential there, or its integral, adds to a score, over dt."""
    n_ticks, lanes = like.n_ticks, layer.lane_neuron
    if n_ticks == 0:
        return ActiveSet.nothing(like.n_samples, 1, lanes)
    words = np.zeros((len(lanes), like.n_samples, n_chunks(n_ticks + 1), TILE), np.uint64)
    words[:, :, -1] = np.where(lanes >= 0, np.uint64(1) << np.uint64(n_ticks % CHUNK), np.uint64(0))[:, None]
    return ActiveSet.of_words(words, n_ticks + 1, lanes,
                              1.0 / like.dt / (n_ticks * like.dt if readout.kind == "mean" else 1.0))


def decays(rate, n_ticks):
    """What a potential keeps in 0..n_ticks ticks, and what a constant input of 1 adds, float64[T + 1] each."""
    n = np.arange(n_ticks + 1.0)
    if rate == 0.0:
        return np.ones(n_ticks + 1), n
    held = np.array([math.exp(-rate * k) for k in n])
    return held, np.array([-math.expm1(-rate * k) * _held(rate) for k in n])


def _held(rate):
    """What a constant input of 1 in every tick comes to in the end; 0 where it has none."""
    return -1.0 / np.expm1(-rate) if rate else 0.0


def _at_once(lists):
    """(run_base, run_count, run_start) of runs of the spikes of each list that arrive at one time."""
    first = np.ones(len(lists.time), bool)
    first[1:] = lists.time[1:] != lists.time[:-1]
    first[lists.sample_ptr[:-1][lists.sample_ptr[:-1] < len(first)]] = True
    before = starts(first.astype(np.int64))[lists.sample_ptr]
    return before[:-1], np.diff(before), np.append(np.flatnonzero(first), len(first))


def _read(layer, neuron, spikes, n_lists, synapses, when, clock, each, settled, unit):
    """The `Readout` of a layer.

    when : float64[runs], times of the runs, or what input in them adds
    clock : arguments of the kernel `read_peaks`; None: what is read is linear in the input
    each : float64[places, 64], constant input, or no places; settled : what one of 1 adds to a linear read-out
    unit : ms, that times are in
    """
    tiles, n_samples, peaks = len(synapses["weight"]), spikes.n_samples, neuron.readout == "max"
    score, at = np.zeros((tiles * n_lists, TILE)), np.zeros((tiles * n_lists if peaks else 0, TILE))
    if n_samples and spikes.n_ticks:
        run_start, run_count = synapses["run_start"], synapses["run_count"]
        cost = run_start[synapses["run_base"] + run_count] - run_start[synapses["run_base"]] + _ITEM_COST
        parts = [{"item_first": a, "item_last": b} for a, b in item_parts(cost, tiles)]
        shared = {"n_lists": n_lists, **synapses, "score": score}
        if peaks:
            kernels.call_parts("read_peaks", {
                **shared, **clock, "n_batch": n_samples, "run_time": when, "each": each, "when": at}, parts)
        else:
            kernels.call_parts("read_sums", {**shared, "run_share": when}, parts)
    score = by_neuron(score, layer, n_samples)
    if len(each) and not peaks:
        score += settled * by_neuron(each, layer, 1)
    return Readout(neuron.readout, score, by_neuron(at, layer, n_samples) * unit if peaks else None)


def by_neuron(values, layer, n_samples):
    """float64[B, N] of float64[items, 64] of lanes."""
    lanes = layer.lane_neuron
    out, there = np.empty((n_samples, layer.n_out)), lanes >= 0
    out[:, lanes[there]] = values.reshape(len(lanes), n_samples, TILE).transpose(1, 0, 2)[:, there]
    return out


def no_spikes(like, layer):
    ptr = np.zeros(like.n_samples + 1, np.int64)
    when = np.empty(0) if like.is_timed else np.empty(0, np.int32)
    return Spikes.of_kernel(ptr, np.empty(0, np.int32), when, like, layer.n_out)


def active_set(readout, layer, like):
    """The ticks that every score depends on, with rho what a potential in each of them adds to it, over dt."""
    n_samples, n_ticks, lanes = like.n_samples, like.n_ticks, layer.lane_neuron
    chunks, there = n_chunks(n_ticks), lanes >= 0
    words = np.zeros((len(lanes), n_samples, chunks, TILE), np.uint64)
    if n_ticks == 0:
        return ActiveSet.nothing(n_samples, n_ticks, lanes)
    if readout.kind == "mean":
        ends = np.full(chunks, ~np.uint64(0))
        ends[-1] >>= np.uint64(chunks * CHUNK - n_ticks)
        words[:] = np.where(there[:, None, None], ends[None, None, :, None], np.uint64(0))
    else:
        tick = np.full((n_samples, layer.n_out), n_ticks - 1)
        if readout.time is not None:
            tick = np.rint(readout.time / like.dt).astype(np.int64)
        place, lane = np.nonzero(there)
        sample = np.arange(n_samples)[:, None]
        tick = tick[:, lanes[there]]
        words[place, sample, tick // CHUNK, lane] = np.uint64(1) << (tick % CHUNK).astype(np.uint64)
    return ActiveSet.of_words(words, n_ticks, lanes, 1.0 / like.dt / (n_ticks if readout.kind == "mean" else 1))
