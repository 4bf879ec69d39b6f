"""Batches of spikes from a data set, read and binned one step ahead of the consumer."""

import copy
import queue
import threading

import numpy as np

from eventsim import checks
from eventsim.data.cache import EncodedSample, SampleCache
from eventsim.data.datasets.base import Dataset
from eventsim.data.encoders import ENCODERS, MODES, BinningReport, bin_events, exact_times
from eventsim.data.encoders.binning import ticks_of
from eventsim.errors import ConfigError, EventsimError
from eventsim.spikes import Spikes


class Loader:
    """Iterates over batches ``(spikes, labels, indices)`` of the samples ``indices``, in that order.

    dataset : Dataset
    indices : int[n], samples of the data set; None takes all of them
    batch_size : samples a batch; the last one may be smaller
    dt : ms; mode : ``"or"`` or ``"count"``, see `bin_events`
    n_ticks : ticks a sample; None takes the data set's duration, else the longest sample of each batch
    clock : ``"grid"``, or ``"exact"`` for times to the microsecond in the same window, see `exact_times`
    cache_bytes : memory for encoded samples, so that later passes read no files; 0 for none
    ahead : batches that a background thread prepares while the consumer works
    augment : `Augment`; what is drawn depends on ``augment_key`` and the sample's index alone

    A pass yields `Spikes` of B samples, their labels int64[B], and their indices int64[B]. ``report`` sums up the
    binning of every batch that was yielded so far. `with_indices` gives the next epoch's loader. Raises `ConfigError`
    for arguments that make no sense, and passes on, with the sample's name, what reading a sample raises.
    """

    def __init__(self, dataset, indices=None, batch_size=8, dt=1.0, n_ticks=None, mode="or", *, clock="grid",
                 cache_bytes=1 << 30, ahead=4, augment=None, augment_key=()):
        if not isinstance(dataset, Dataset):
            raise ConfigError(f"dataset must be a Dataset, got {dataset!r}")
        self.dataset = dataset
        self.batch_size = checks.whole_number("batch_size", batch_size, 1)
        self.dt = checks.milliseconds("dt", dt)
        self.mode = checks.choice("mode", mode, MODES)
        self.clock = checks.choice("clock", clock, ENCODERS)
        if n_ticks is not None:
            n_ticks = checks.whole_number("n_ticks", n_ticks, 1)
        elif dataset.duration is not None:
            n_ticks = ticks_of(dataset.duration, self.dt)
        self.n_ticks = n_ticks
        self._ahead = checks.whole_number("ahead", ahead, 1)
        self._cache = SampleCache(checks.whole_number("cache_bytes", cache_bytes, 0, 2**63 - 1))
        self.augment, self.augment_key = augment, tuple(augment_key)
        self._choose(indices)

    def _choose(self, indices):
        n = len(self.dataset)
        self.indices = np.arange(n) if indices is None else checks.indices("indices", indices, n)
        self.report = BinningReport()

    def with_indices(self, indices, augment_key=()) -> "Loader":
        """A loader of other samples, or of another order, that shares this one's settings and cache."""
        other = copy.copy(self)
        other.augment_key = tuple(augment_key)
        other._choose(indices)
        return other

    def __len__(self):
        """Batches a pass."""
        return -(-len(self.indices) // self.batch_size)

    def __iter__(self):
        ready, room, stop = queue.SimpleQueue(), threading.Semaphore(self._ahead), threading.Event()
        thread = threading.Thread(target=self._prepare, args=(ready, room, stop), name="eventsim-loader", daemon=True)
        thread.start()
        try:
            for _ in range(len(self)):
                batch = ready.get()
                if isinstance(batch, Exception):
                    raise batch
                room.release()
                *batch, report = batch
                self.report += report
                yield tuple(batch)
        finally:  # also where the consumer stops early and the generator is closed
            stop.set()
            room.release()
            thread.join()

    def _prepare(self, ready, room, stop):
        """The background thread: puts batches, or the exception that ended it, into ``ready``."""
        try:
            for start in range(0, len(self.indices), self.batch_size):
                room.acquire()
                if stop.is_set():
                    return
                ready.put(self._batch(self.indices[start:start + self.batch_size]))
        except Exception as error:
            ready.put(error)

    def _batch(self, indices):
        samples = [self._sample(i) for i in indices.tolist()]
        ptr = np.concatenate(([0], np.cumsum([len(sample.address) for sample in samples])))
        address = np.concatenate([sample.address for sample in samples], dtype=np.int32)
        name, dtype = ("tick", np.int32) if self.clock == "grid" else ("time", np.float64)
        when = np.concatenate([sample.when for sample in samples], dtype=dtype)
        spikes = Spikes(ptr, address, **{name: when}, n_neurons=self.dataset.sensor.n_addresses,
                        n_ticks=max(sample.n_ticks for sample in samples), dt=self.dt, check=False)
        report = sum((sample.report for sample in samples), BinningReport())
        return spikes, self.dataset.labels[indices], indices, report

    def _sample(self, i):
        sample = self._cache.get(i)
        if sample is None:
            sample = self._encode(i)
            self._cache.put(i, sample)
        return self._augmented(sample, i) if self.augment else sample

    def _augmented(self, sample, i):
        rng, sensor = np.random.default_rng([*self.augment_key, i]), self.dataset.sensor
        address = np.asarray(sample.address, np.int32)
        if self.clock == "grid":
            tick = np.asarray(sample.when, np.int32)
            when, address, change = self.augment.on_grid(
                tick, address, sensor, sample.n_ticks, self.dt, rng, self.mode == "count"
            )
        else:
            duration = sample.n_ticks * self.dt
            when, address, change = self.augment.on_times(sample.when, address, sensor, duration, rng)
        return sample._replace(when=when, address=address, report=sample.report + change)

    def _encode(self, i):
        try:
            events = self.dataset.events(i)
            if self.clock == "grid":
                spikes, report = bin_events(events, self.dt, self.n_ticks, self.mode)
                return EncodedSample(spikes.tick, spikes.address, spikes.n_ticks, report)
            duration = None if self.n_ticks is None else self.n_ticks * self.dt
            spikes, report = exact_times(events, duration, self.dt)
            return EncodedSample(spikes.time, spikes.address, spikes.n_ticks, report)
        except EventsimError as error:
            name = self.dataset.sample_name(i)
            if name in str(error):
                raise
            raise type(error)(f"sample {name}: {error}") from error
        except Exception as error:
            error.add_note(f"while sample {self.dataset.sample_name(i)} was loaded")
            raise
