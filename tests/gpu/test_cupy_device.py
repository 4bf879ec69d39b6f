"""What `CupyDevice` asks of CuPy, by a stand-in that has NumPy's arrays; a GPU has the other tests."""

import contextlib
import copy
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from eventsim.kernels.cuda import available, source
from eventsim.kernels.cuda.device import CupyDevice
from eventsim.kernels.spec.cuda import KERNELS


class Calls(list):
    """What was launched, and on which device each thing was done."""

    def __init__(self):
        self.current, self.compiled, self.clock = None, [], 0.0

    @contextlib.contextmanager
    def device(self, number):
        before, self.current = self.current, number
        yield SimpleNamespace(synchronize=self.on(lambda: self.append("synchronized")))
        self.current = before

    def on(self, function):
        """The function, which has to be called on device 1."""
        def called(*arguments, **options):
            assert self.current == 1
            return function(*arguments, **options)
        return called

    def event(self):
        """A CUDA event; what is between two takes 5 ms."""
        mark = SimpleNamespace(at=None)

        def record():
            self.clock += 5.0
            mark.at = self.clock
        mark.record = self.on(record)
        return mark

    def module(self, code, options, backend):
        assert options == source.OPTIONS and backend == "nvrtc" and '#define TILE 64' in code
        self.compiled.append(code)
        return SimpleNamespace(get_function=lambda name: self.on(
            lambda blocks, threads, arguments: self.append((name, blocks, threads, arguments))))


@pytest.fixture
def calls(monkeypatch):
    calls = Calls()
    runtime = SimpleNamespace(getDeviceProperties=calls.on(lambda number: {
        "name": b"Stand-in", "l2CacheSize": 6 << 20, "multiProcessorCount": 40, "maxThreadsPerMultiProcessor": 1024,
        "sharedMemPerMultiprocessor": 96 << 10, "major": 7, "minor": 5}),
        deviceGetAttribute=calls.on(lambda what, number: {13: 1_980_000}[what]))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(
        ndarray=np.ndarray, empty=calls.on(np.empty), zeros=calls.on(np.zeros), asarray=calls.on(np.array),
        cumsum=calls.on(np.cumsum), argsort=calls.on(lambda keys: np.argsort(keys, kind="stable")),
        get_default_memory_pool=calls.on(lambda: SimpleNamespace(total_bytes=lambda: 7)),
        RawModule=calls.on(calls.module),
        cuda=SimpleNamespace(Device=calls.device, runtime=runtime, Event=calls.on(calls.event),
                             get_elapsed_time=lambda mark, later: later.at - mark.at)))
    return calls


def test_launches_have_blocks_threads_and_arguments_of_their_types(calls):
    device = CupyDevice(1)
    assert (device.name, device.l2_bytes, device.multiprocessors) == ("Stand-in", 6 << 20, 40)
    assert (device.tiles_at_once, device.clock, device.compute_capability) == (200, 1.98e9, (7, 5))
    values, taken = device.zeros(600, np.int64), device.empty(600, np.int64)
    device.launch("every_nth", n=600, step=1, values=values, taken=taken)
    device.launch("every_nth", n=0, step=1, values=values, taken=taken)
    (name, blocks, threads, (n, step, *arrays)), = calls
    assert (name, blocks, threads) == ("every_nth", (3,), (256,)) and arrays[0] is values and arrays[1] is taken
    assert type(n) is np.int64 and (n, step) == (600, 1)
    assert len(calls.compiled) == 1  # the kernels of that file


def test_launches_are_timed_by_events(calls):
    device = CupyDevice(1)
    arguments = {"n": 3, "step": 1, "values": device.zeros(3, np.int64), "taken": device.empty(3, np.int64)}
    with device.timed() as taken:
        device.launch("every_nth", **arguments)
        device.launch("every_nth", **arguments)
        assert not taken
    assert taken == {"every_nth": pytest.approx(0.01)} and calls[-1] == "synchronized"
    device.launch("every_nth", **arguments)
    assert calls.clock == 20.0  # nothing is marked any more


def test_memory_is_that_of_the_pool(calls):
    assert CupyDevice(1).reserved() == 7


def test_everything_compiles_at_once_if_asked_to(calls):
    device = CupyDevice(1)
    device.compile()
    assert len(calls.compiled) == len(source.files()) and device._functions.keys() == KERNELS.keys()


@pytest.mark.parametrize("sizes", [np.array([[3, 0], [2, 1]]), np.empty(0, np.int64)])
def test_starts_of_lists(calls, sizes):
    np.testing.assert_array_equal(CupyDevice(1).starts(sizes), np.cumsum([0, *sizes.ravel()]))


@pytest.mark.parametrize("keys", [np.array([0.5, 0.25, 0.5, 0.0]), np.array([3, 1, 3, 1]), np.empty(0)])
def test_an_order_leaves_what_is_equal_as_it_is(calls, keys):
    got = CupyDevice(1).order(keys)
    assert got.dtype == np.int64 and got.tolist() == sorted(range(len(keys)), key=lambda i: keys[i])


def test_what_is_put_on_a_device_is_a_copy(calls):
    values = np.arange(6).reshape(2, 3).T
    got = CupyDevice(1).put(values)
    assert got.flags.c_contiguous and not np.shares_memory(got, values)
    np.testing.assert_array_equal(got, values)


def test_copies_of_a_device_are_the_device(calls, monkeypatch):
    device = CupyDevice(1)
    monkeypatch.setattr(available, "gpu", {1: device}.__getitem__)
    assert copy.deepcopy([device])[0] is device and copy.copy(device) is device
