"""`Population`: how the neurons of one layer, or of the input, fire over many samples."""

import math

import numpy as np

from eventsim import kernels
from eventsim.engine.runs import by_tick, even_parts
from eventsim.kernels.cpu.statistics import TURNS
from eventsim.model.neurons.base import SATURATED

_MOST_BINS = 1 << 20  # of intervals; longer ones are not counted
_MOST_TIMES = 1 << 14  # bins of the time of a sample
_TIME_BITS = 30
_FINE = 4  # in continuous time a tick has 2^4 bins of intervals
_WORTH_A_PART = 1 << 15  # spikes
# What kernels add to, every part of a batch in arrays of its own.
_COUNTS = ("neuron_spikes", "neuron_fired", "neuron_saturated", "activity", "interval_bins")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


class Population:
    """Counts of neurons, added up batch by batch; all samples have the same tick.

    fan_out : int64[J, N], synapses that a spike of every neuron crosses: of several kinds, each counted by itself
    dead : ticks between two spikes of a neuron at the least, on the grid and in continuous time; one that has a third
        of the spikes that that allows is *saturated* in a sample (`SATURATED`)
    repeats : whether spikes on the grid may share address and tick
    fires : False for neurons that never spike, of whose rates there are no figures

    Attributes
    ----------
    n_samples, n_neurons : int; dt : ms, a tick; ticks : of all samples together
    """

    def __init__(self, n_neurons, fan_out, dead=(1.0, 1.0), repeats=False, fires=True):
        self.n_neurons, self._dead, self.fires = n_neurons, dead, fires
        self._fan_out = np.ascontiguousarray(fan_out, np.int64)
        self._repeats = repeats
        self.n_samples, self.dt, self.ticks = 0, 1.0, 0
        empty = dict.fromkeys(_COUNTS, n_neurons) | {"activity": 0, "interval_bins": (TURNS, 0)}
        self._counts = {name: np.zeros(size, np.int64) for name, size in empty.items()}
        self._sheets, self._sheet_ticks = [], -1  # arrays that the parts of a batch add to, and the ticks they are for
        self._batches = []
        self._coarse = self._fine = 0

    def add(self, spikes, runs=None):
        """Count a batch of `Spikes`; runs are theirs, where they are there already."""
        add_all([(self, spikes, runs)])

    def parts(self, spikes, runs):
        """(kernel, its arguments for every part of a batch); what it writes is part of the counts."""
        n_samples, n_ticks = spikes.n_samples, spikes.n_ticks
        batch = {"sample_fired": np.empty(n_samples, np.int64), "sample_synchrony": np.empty(n_samples),
                 "sample_crossed": np.empty((len(self._fan_out), n_samples), np.int64)}
        found = _some_parts(spikes.sample_ptr)
        timed = spikes.time is not None or self._repeats
        when, shift = _fixed_point(spikes)
        self._fine = min(_FINE, shift)
        sheets = self._sheets_for(n_ticks, len(found))
        dead = self._dead[spikes.time is not None]
        given = {
            "n_ticks": n_ticks, "coarse": self._coarse, "address": spikes.address, "fan_out": self._fan_out,
            "saturation": max(2, math.ceil(SATURATED * n_ticks / dead)), "state": (self.n_neurons,),
        }
        if timed:
            given |= {"sample_ptr": spikes.sample_ptr, "when": when, "shift": shift, "fine": self._fine,
                      "twin": (self.n_neurons, 2)}
            batch |= {"sample_interval": np.empty((2, n_samples)), "sample_shared": np.empty(n_samples, np.int64)}
        else:
            given |= (runs or by_tick(spikes))._asdict()
        self._batches.append(batch | {"sample_spikes": np.diff(spikes.sample_ptr)})
        self.dt = spikes.dt
        self.n_samples += n_samples
        self.ticks += n_samples * n_ticks
        return ("survey_times" if timed else "survey_ticks",
                [given | batch | part | sheet for part, sheet in zip(found, sheets, strict=True)])

    def _sheets_for(self, n_ticks, n):
        """Arrays for ``n`` parts of batches with samples of so many ticks."""
        if n_ticks != self._sheet_ticks:
            self._fold()
            self._sheet_ticks = n_ticks
            self._coarsen(max(0, (n_ticks - 1).bit_length() - _MOST_TIMES.bit_length() + 1))
        sizes = dict.fromkeys(_COUNTS, self.n_neurons) | {
            "activity": -(-n_ticks >> self._coarse),
            "interval_bins": (TURNS, min(n_ticks << self._fine, _MOST_BINS) + 1),
        }
        while len(self._sheets) < n:
            self._sheets.append({name: np.zeros(size, np.int64) for name, size in sizes.items()})
        return self._sheets[:n]

    def _coarsen(self, coarse):
        """Let a bin of time have 2^coarse ticks, or more."""
        for _ in range(coarse - self._coarse):
            counts = self._counts["activity"]
            self._counts["activity"] = np.add.reduceat(counts, np.arange(0, len(counts), 2)) if len(counts) else counts
        self._coarse = max(coarse, self._coarse)

    def _fold(self):
        """Add up what the parts have counted."""
        for sheet in self._sheets:
            sheet["interval_bins"] = sheet["interval_bins"][:, :-1]  # in the last stand first spikes
            for name, more in sheet.items():
                self._counts[name] = _sum(self._counts[name], more)
        self._sheets = []

    def _total(self, name):
        self._fold()
        return self._counts[name]

    @property
    def spikes(self):
        """Spikes of every neuron, int64[N]."""
        return self._total("neuron_spikes")

    @property
    def fired(self):
        """Samples in which every neuron fired, int64[N]."""
        return self._total("neuron_fired")

    @property
    def saturated(self):
        """Samples in which every neuron was saturated, int64[N]."""
        return self._total("neuron_saturated")

    @property
    def activity(self):
        """Spikes by time in the sample, int64[bins], see `bin_ms`."""
        return self._total("activity")

    @property
    def bin_ms(self) -> float:
        """ms that have a bin of `activity`."""
        return self.dt * (1 << self._coarse)

    @property
    def interval_ms(self) -> float:
        """ms that have a bin of `interval_bins`."""
        return self.dt / (1 << self._fine)

    @property
    def pairs(self) -> int:
        """(neuron, tick) pairs that hold a spike."""
        shared = sum(int(batch["sample_shared"].sum()) for batch in self._batches if "sample_shared" in batch)
        return int(self.spikes.sum()) - shared

    @property
    def interval_bins(self):
        """Intervals between neighbouring spikes of a neuron in a sample, int64[I], see `interval_ms`."""
        return self._total("interval_bins").sum(axis=0)

    def of_samples(self, name):
        """What was counted by sample, see the kernels: an array whose last axis is samples."""
        parts = [batch[f"sample_{name}"] for batch in self._batches]
        if not parts:
            return np.empty((len(self._fan_out), 0) if name == "crossed" else 0, np.int64)
        return np.concatenate(parts, axis=-1)

    def figures(self) -> dict:
        """Plain values; of a sample, where nothing else is said.

        per_neuron : mean and quantiles over neurons of the mean spikes of a sample
        silent : share of neurons without a spike in any sample; silent_in_a_sample : in one, on average
        saturated : share of neurons that were saturated, averaged over samples
        density : share of neurons and ticks with a spike
        interval_ms, median_interval_ms, variation : mean, median and coefficient of variation of all intervals; of an
            even number the lower median, and in continuous time to a 16th of a tick
        synchrony : Golomb's chi, averaged over samples: 1 where all fire at once, about 1 / sqrt(N) where each fires
            by itself (Golomb & Rinzel 1994, doi:10.1016/0167-2789(94)90214-3)

        Of neurons that never spike all but their number and ``spikes``, 0, are None.
        """
        n, neurons = max(self.n_samples, 1), self.n_neurons
        mean, pairs = self.spikes / n, max(self.ticks, 1) * neurons
        total = int(self.spikes.sum())
        figures = {
            "neurons": neurons, "spikes": total / n, "spikes_per_neuron": total / n / neurons,
            "rate_hz": 1000.0 * total / (pairs * self.dt), "density": self.pairs / pairs,
            "quantiles": dict(zip(map(str, QUANTILES), np.quantile(mean, QUANTILES).tolist(), strict=True)),
            "silent": float(np.mean(self.fired == 0)),
            "silent_in_a_sample": 1.0 - int(self.fired.sum()) / (n * neurons),
            "saturated": int(self.saturated.sum()) / (n * neurons), **self._interval_figures(),
            "synchrony": _mean(self.of_samples("synchrony")) if self.n_samples else None,
        }
        if self.fires:
            return figures
        kept = {"neurons": neurons, "spikes": 0.0, "quantiles": dict.fromkeys(map(str, QUANTILES))}
        return dict.fromkeys(figures) | kept

    def _interval_figures(self):
        bins = self.interval_bins
        number, length = int(bins.sum()), np.arange(len(bins), dtype=np.float64)
        if not number:
            return {"interval_ms": None, "median_interval_ms": None, "variation": None}
        if "sample_interval" in self._batches[0]:
            total, squares = self.of_samples("interval").sum(axis=1)
        else:
            total, squares = bins @ length, bins @ length**2
        middle, mean = int(np.searchsorted(np.cumsum(bins), number / 2)), total / number
        return {
            "interval_ms": float(mean) * self.dt,
            "median_interval_ms": (middle + (0.5 if self._fine else 0.0)) * self.interval_ms,
            "variation": math.sqrt(max(squares / number - mean * mean, 0.0)) / mean if mean else None,
        }


def add_all(batches):
    """Count the spikes of a batch in several populations, on all threads at once.

    batches : (population, `Spikes`, their `Runs` or None)
    """
    todo = {}
    for population, spikes, runs in batches:
        kernel, parts = population.parts(spikes, runs)
        todo.setdefault(kernel, []).extend(parts)
    for kernel, parts in todo.items():
        kernels.call_parts(kernel, {}, parts)


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
    """The sum of two counts by bin, along the last axis, of which either may have more bins."""
    if more.shape[-1] > total.shape[-1]:
        total, more = more.copy(), total
    total[..., : more.shape[-1]] += more
    return total


def _mean(values):
    """The mean of those that are numbers, None where none is."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None
