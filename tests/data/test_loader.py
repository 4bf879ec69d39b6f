"""Batches: what is in them, what the background thread does, and what the cache must not change."""

import gc
import shutil
import threading
import time

import numpy as np
import pytest

from eventsim.data import BinningReport, Dataset, Loader, bin_events, exact_times, open_dataset
from eventsim.data.cache import SampleCache
from eventsim.data.loader import EncodedSample
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import Sensor
from eventsim.spikes import Spikes


class Made(Dataset):
    """A data set of random events that counts what is read, and fails where it is told to."""

    def __init__(self, n=20, sensor=None, duration=None, failing=None):
        super().__init__(name="made", sensor=sensor or Sensor(6, 5), n_classes=3, labels=np.arange(n) % 3,
                         duration=duration)
        self.failing = failing or {}
        self.read = []

    def sample_name(self, i):
        return f"made-{self.check_index(i)}"

    def events(self, i):
        self.read.append(i)
        if i in self.failing:
            raise self.failing[i]
        rng = np.random.default_rng(i)
        n = 30 * i
        return Events(np.sort(rng.integers(0, 2_000 * (i + 1), n)), rng.integers(0, self.sensor.width, n),
                      rng.integers(0, self.sensor.height, n), rng.integers(0, 2, n), self.sensor)


def loader_threads():
    return [thread for thread in threading.enumerate() if thread.name == "eventsim-loader"]


def gone(threads, seconds=5.0):
    until = time.monotonic() + seconds
    while any(thread.is_alive() for thread in threads) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("mode", ["or", "count"])
def test_batches_are_the_binned_samples_in_the_order_asked_for(mode):
    data, order = Made(), [5, 0, 19, 5, 3]
    loader = Loader(data, order, batch_size=2, dt=0.5, n_ticks=40, mode=mode)
    batches = list(loader)
    assert len(batches) == len(loader) == 3
    want = [bin_events(data.events(i), 0.5, 40, mode) for i in order]
    for k, (spikes, labels, indices) in enumerate(batches):
        part = order[2 * k:2 * k + 2]
        spikes.check()
        assert spikes == Spikes.concatenate([spikes for spikes, _ in want[2 * k:2 * k + 2]])
        assert indices.tolist() == part
        assert labels.tolist() == [i % 3 for i in part]
        assert (labels.dtype, indices.dtype) == (np.int64, np.int64)
    assert loader.report == sum((report for _, report in want), BinningReport())
    assert loader.report.after > 0 and loader.report.spikes > 0


def test_the_exact_clock_has_the_times_of_the_same_window():
    data = Made()
    for spikes, _, indices in Loader(data, batch_size=3, dt=0.5, n_ticks=40, clock="exact"):
        spikes.check()
        want = [exact_times(data.events(i), 20.0, 0.5)[0] for i in indices]
        assert spikes == Spikes.concatenate(want)
        assert spikes.time is not None


def test_the_window_is_the_data_sets_duration_or_the_longest_sample_of_the_batch():
    assert {spikes.n_ticks for spikes, _, _ in Loader(Made(duration=10.0), dt=3.0)} == {4}
    for clock in ("grid", "exact"):
        loader = Loader(Made(), batch_size=5, clock=clock)
        for spikes, _, indices in loader:
            spikes.check()
            assert spikes.n_ticks == max(bin_events(Made().events(i))[0].n_ticks for i in indices)
        assert loader.report.after == 0


@pytest.mark.parametrize("clock", ["grid", "exact"])
@pytest.mark.parametrize("sensor", [Sensor(6, 5), Sensor(400, 300)])  # the second has addresses above 16 bits
def test_the_cache_changes_nothing_but_the_reading(clock, sensor):
    data, plain = Made(sensor=sensor), Made(sensor=sensor)
    cached = Loader(data, clock=clock)
    uncached = Loader(plain, clock=clock, cache_bytes=0)
    for _ in range(3):
        for (spikes, labels, indices), (spikes_, labels_, indices_) in zip(cached, uncached, strict=True):
            assert spikes == spikes_
            assert spikes.address.dtype == np.int32
            assert np.array_equal(labels, labels_) and np.array_equal(indices, indices_)
    assert cached.report == uncached.report
    assert cached.report.events == 3 * sum(30 * i for i in range(20)) > 0
    assert (len(data.read), len(plain.read)) == (20, 60)


def test_the_cache_keeps_to_its_bytes():
    data = Made()
    loader = Loader(data, cache_bytes=5000)
    want = [spikes for spikes, _, _ in Loader(Made(), cache_bytes=0)]
    for _ in range(2):
        assert [spikes for spikes, _, _ in loader] == want
    assert 20 < len(data.read) < 40
    cache = SampleCache(2000)
    for i in range(3):
        cache.put(i, EncodedSample(np.zeros(100, np.int32), np.full(100, 70_000, np.int32), 1, BinningReport()))
    assert cache.used_bytes == 200 + 400 + 512
    assert cache.get(0).when.dtype == np.uint16 and cache.get(0).address.dtype == np.int32
    assert cache.get(1) is None


def test_the_next_epoch_shares_the_cache_and_has_its_own_report():
    data = Made()
    first = Loader(data, np.arange(20))
    list(first)
    second = first.with_indices([3, 1])
    (spikes, _, indices), = second
    assert indices.tolist() == [3, 1]
    assert second.report.events == 120
    assert first.report.events == sum(30 * i for i in range(20))
    assert len(data.read) == 20
    assert spikes.n_samples == 2


def test_the_report_is_of_what_was_consumed_and_the_thread_ends_with_the_consumer():
    data = Made()
    loader = Loader(data, batch_size=1, ahead=2)
    batches = iter(loader)
    for _ in range(3):
        next(batches)
    threads = loader_threads()
    assert len(threads) == 1
    batches.close()
    assert not threads[0].is_alive()
    assert loader.report.events == 30 + 60
    assert len(data.read) <= 3 + 2 + 1


def test_a_forgotten_pass_ends_its_thread():
    batches = iter(Loader(Made(), batch_size=1))
    next(batches)
    threads = loader_threads()
    assert threads
    del batches
    gc.collect()
    assert gone(threads)


def test_nothing_is_prepared_further_ahead_than_asked():
    data = Made()
    batches = iter(Loader(data, batch_size=1, ahead=2))
    next(batches)
    until = time.monotonic() + 5.0
    while len(data.read) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    assert data.read == [0, 1, 2]
    batches.close()


def test_a_full_pass_leaves_no_thread():
    list(Loader(Made()))
    assert gone(loader_threads())


def test_what_reading_raises_reaches_the_consumer_with_the_samples_name():
    loader = Loader(Made(failing={7: FormatError("is torn")}), batch_size=2)
    with pytest.raises(FormatError, match=r"^sample made-7: is torn$"):
        list(loader)
    assert loader.report.events == 30 * sum(range(6))  # the batches before it were consumed
    with pytest.raises(FormatError, match=r"^/a/made-7: is torn$"):
        list(Loader(Made(failing={7: FormatError("/a/made-7: is torn")})))
    with pytest.raises(ZeroDivisionError) as raised:
        list(Loader(Made(failing={7: ZeroDivisionError()})))
    assert raised.value.__notes__ == ["while sample made-7 was loaded"]
    assert gone(loader_threads())


def test_later_epochs_read_no_files(tree):
    folder = tree({"Train": {0: range(1, 11), 1: range(1, 11)}})
    loader = Loader(open_dataset(folder).train)
    first = list(loader)
    shutil.rmtree(folder)
    second = list(loader)
    assert [spikes for spikes, _, _ in first] == [spikes for spikes, _, _ in second]
    assert {spikes.n_ticks for spikes, _, _ in first} == {300}


def test_no_samples_are_no_batches():
    loader = Loader(Made(), [])
    assert (len(loader), list(loader), loader.report) == (0, [], BinningReport())


@pytest.mark.parametrize(("name", "values"), [
    ("dataset", [None, [1, 2], "nmnist"]), ("indices", [[20], [-1], [0.5], "x"]),
    ("batch_size", [0, -1, 1.5, "8", True]), ("dt", [0, -1, "1", float("nan")]), ("n_ticks", [0, -3, 2.5]),
    ("mode", ["sum", None]), ("clock", ["1ms", None, 3]), ("cache_bytes", [-1, 1.5, None]), ("ahead", [0, "2"]),
])
def test_nonsense_is_refused_where_it_is_given(name, values):
    for value in values:
        with pytest.raises(ConfigError, match=f"^{name} must"):
            Loader(**{"dataset": Made(), name: value})
