"""`Population`: how the neurons of one layer, or of the input, fire over many samples."""

import math

import numpy as np

from eventsim import kernels
from eventsim.engine.runs import even_parts
from eventsim.kernels.cpu.statistics import TURNS

_LONGEST_INTERVAL = 1 << 20  # ticks; longer intervals are not counted
_TIME_BITS = 30
_WORTH_A_PART = 1 << 15  # spikes
_SATURATED = 0.5
_OF_SAMPLES = {"sample_fired": np.int64, "sample_crossed": np.int64, "sample_synchrony": np.float64,
               "sample_interval": np.float64}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


class Population:
    """Counts of neurons, added up batch by batch; all samples have the same tick.

    fan_out : int64[J, N], synapses that a spike of every neuron crosses: of several kinds, each counted by itself
    dead : ticks between two spikes of a neuron at the least; one that has half as many spikes as that allows is
        *saturated* in a sample

    Attributes
    ----------
    n_samples, n_neurons : int; dt : ms, a tick; ticks : of all samples together
    spikes, fired, saturated : int64[N], spikes of every neuron, and samples in which it fired and was saturated
    activity : int64[T], spikes by tick
    interval_bins : int64[I], intervals between neighbouring spikes of a neuron in a sample, by whole ticks
    """

    def __init__(self, n_neurons, fan_out, dead=1.0):
        self.n_neurons, self._fan_out, self._dead = n_neurons, np.ascontiguousarray(fan_out, np.int64), max(dead, 1.0)
        self.n_samples, self.dt = 0, 1.0
        self.spikes, self.fired, self.saturated = np.zeros((3, n_neurons), np.int64)
        self.activity, self.interval_bins = np.zeros((2, 0), np.int64)
        self.ticks = 0
        self._intervals = np.zeros(3)  # number, sum, and sum of squares, in ticks
        self._batches = []

    def add(self, spikes):
        """Count a batch of `Spikes`."""
        add_all([(self, spikes)])

    def _parts(self, spikes):
        """Arguments of the kernel for every part of a batch."""
        n, n_ticks, (when, shift) = self.n_neurons, spikes.n_ticks, _fixed_point(spikes)
        sizes = {"neuron_spikes": n, "neuron_fired": n, "neuron_saturated": n, "activity": n_ticks,
                 "interval_bins": (TURNS, min(n_ticks, _LONGEST_INTERVAL) + 1)}
        shared = {
            "n_ticks": n_ticks, "shift": shift,
            "saturation": max(2, math.ceil(_SATURATED * n_ticks / self._dead)), "sample_ptr": spikes.sample_ptr,
            "address": spikes.address, "when": when, "fan_out": self._fan_out, "state": (n,), "here": (n_ticks,),
            "twin": (n, 2), **self._of_samples(spikes.n_samples),
        }
        return [shared | part | {name: np.zeros(size, np.int64) for name, size in sizes.items()}
                for part in _some_parts(spikes.sample_ptr)]

    def _take(self, spikes, parts):
        """Add what the kernel wrote."""
        for part in parts:
            self.spikes += part["neuron_spikes"]
            self.fired += part["neuron_fired"]
            self.saturated += part["neuron_saturated"]
            self.activity = _sum(self.activity, part["activity"])
        bins = sum(part["interval_bins"].sum(axis=0) for part in parts)[:-1]  # in the last stand first spikes
        self.interval_bins = _sum(self.interval_bins, bins)
        batch = {name: parts[0][name] for name in _OF_SAMPLES}
        length = np.arange(len(bins), dtype=np.float64)
        summed = (bins @ length, bins @ length**2) if spikes.time is None else batch["sample_interval"].sum(axis=1)
        self._intervals += (bins.sum(), *summed)
        self.dt = spikes.dt
        self.n_samples += spikes.n_samples
        self.ticks += spikes.n_samples * spikes.n_ticks
        self._batches.append({"sample_spikes": np.diff(spikes.sample_ptr), **batch})

    def _of_samples(self, n):
        shapes = {"sample_crossed": (len(self._fan_out), n), "sample_interval": (2, n)}
        return {name: np.zeros(shapes.get(name, n), dtype) for name, dtype in _OF_SAMPLES.items()}

    def of_samples(self, name):
        """What was counted by sample, see the kernel `survey_spikes`: an array whose last axis is samples."""
        return np.concatenate([batch[f"sample_{name}"] for batch in self._batches], axis=-1)

    def figures(self) -> dict:
        """Plain values; of a sample, where nothing else is said.

        per_neuron : mean and quantiles over neurons of the mean spikes of a sample
        silent : share of neurons without a spike in any sample; silent_in_a_sample : in one, on average
        saturated : share of neurons that were saturated, averaged over samples
        interval_ms, median_interval_ms, variation : mean, median and coefficient of variation of all intervals
        synchrony : Golomb's chi, averaged over samples: 1 where all fire at once, about 1 / sqrt(N) where each fires
            by itself (Golomb & Rinzel 1994, doi:10.1016/0167-2789(94)90214-3)
        """
        n, neurons = max(self.n_samples, 1), self.n_neurons
        mean, pairs = self.spikes / n, max(self.ticks, 1) * neurons
        total = int(self.spikes.sum())
        return {
            "neurons": neurons, "spikes": total / n, "spikes_per_neuron": total / n / neurons,
            "rate_hz": 1000.0 * total / (pairs * self.dt), "density": total / pairs,
            "quantiles": dict(zip(map(str, QUANTILES), np.quantile(mean, QUANTILES).tolist(), strict=True)),
            "silent": float(np.mean(self.fired == 0)),
            "silent_in_a_sample": 1.0 - int(self.fired.sum()) / (n * neurons),
            "saturated": int(self.saturated.sum()) / (n * neurons), **self._interval_figures(),
            "synchrony": _mean(self.of_samples("synchrony")) if self.n_samples else None,
        }

    def _interval_figures(self):
        number, total, squares = self._intervals
        if not number:
            return {"interval_ms": None, "median_interval_ms": None, "variation": None}
        middle, mean = int(np.searchsorted(np.cumsum(self.interval_bins), number / 2)), total / number
        return {
            "interval_ms": float(mean) * self.dt, "median_interval_ms": middle * self.dt,
            "variation": math.sqrt(max(squares / number - mean * mean, 0.0)) / mean if mean else None,
        }


def add_all(pairs):
    """Count the `Spikes` of a batch in several populations, [(population, spikes)], on all threads at once."""
    found = [population._parts(spikes) for population, spikes in pairs]
    kernels.call_parts("survey_spikes", {}, [part for parts in found for part in parts])
    for (population, spikes), parts in zip(pairs, found, strict=True):
        population._take(spikes, parts)


def _some_parts(sample_ptr):
    """Parts of a batch, few: each has counts of all neurons of its own."""
    n = min(kernels.threads(), 1 + int(sample_ptr[-1]) // _WORTH_A_PART)
    return [{"sample_first": a, "sample_last": b} for a, b in even_parts(np.diff(sample_ptr), n)]


def _fixed_point(spikes):
    """(int32[K], shift), the times of spikes in ticks times 2^shift."""
    if spikes.time is None:
        return spikes.tick, 0
    shift = max(0, _TIME_BITS - spikes.n_ticks.bit_length())
    when = np.minimum(spikes.time * (2.0**shift / spikes.dt), float((spikes.n_ticks << shift) - 1))
    return when.astype(np.int32), shift


def _sum(total, more):
    """The sum of two counts by bin, of which either may have more bins."""
    if len(more) > len(total):
        total, more = more.copy(), total
    total[: len(more)] += more
    return total


def _mean(values):
    """The mean of those that are numbers, None where none is."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None
