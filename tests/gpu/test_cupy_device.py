"""What `CupyDevice` asks of CuPy, by a stand-in that has NumPy's arrays; a GPU has the other tests."""

import contextlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from eventsim.kernels.cuda import source
from eventsim.kernels.cuda.device import CupyDevice
from eventsim.kernels.spec.cuda import KERNELS


class Calls(list):
    """What was launched, and on which device each thing was done."""

    def __init__(self):
        self.current, self.compiled = None, []

    @contextlib.contextmanager
    def device(self, number):
        before, self.current = self.current, number
        yield
        self.current = before

    def on(self, function):
        """The function, which has to be called on device 1."""
        def called(*arguments, **options):
            assert self.current == 1
            return function(*arguments, **options)
        return called

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
        "sharedMemPerMultiprocessor": 96 << 10}))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(
        ndarray=np.ndarray, empty=calls.on(np.empty), zeros=calls.on(np.zeros), asarray=calls.on(np.array),
        cumsum=calls.on(np.cumsum), RawModule=calls.on(calls.module),
        cuda=SimpleNamespace(Device=calls.device, runtime=runtime)))
    return calls


def test_launches_have_blocks_threads_and_arguments_of_their_types(calls):
    device = CupyDevice(1)
    assert (device.name, device.cache_bytes, device.tiles_at_once) == ("Stand-in", 6 << 20, 200)
    count, size = device.zeros(600, np.int32), device.empty(600, np.int64)
    device.launch("widen", n=600, count=count, size=size)
    device.launch("widen", n=0, count=count, size=size)
    (name, blocks, threads, (n, *arrays)), = calls
    assert (name, blocks, threads) == ("widen", (3,), (256,)) and arrays[0] is count and arrays[1] is size
    assert type(n) is np.int64 and n == 600
    assert len(calls.compiled) == 1  # the kernels of that file


def test_everything_compiles_at_once_if_asked_to(calls):
    device = CupyDevice(1)
    device.compile()
    assert len(calls.compiled) == len(source.files()) and device._functions.keys() == KERNELS.keys()


@pytest.mark.parametrize("sizes", [np.array([[3, 0], [2, 1]]), np.empty(0, np.int64)])
def test_starts_of_lists(calls, sizes):
    np.testing.assert_array_equal(CupyDevice(1).starts(sizes), np.cumsum([0, *sizes.ravel()]))


def test_what_is_put_on_a_device_is_a_copy(calls):
    values = np.arange(6).reshape(2, 3).T
    got = CupyDevice(1).put(values)
    assert got.flags.c_contiguous and not np.shares_memory(got, values)
    np.testing.assert_array_equal(got, values)
