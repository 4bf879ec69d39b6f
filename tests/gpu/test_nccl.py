"""What `NcclCommunicator` asks of NCCL, by a stand-in that adds up what lies where it is told; GPUs have others."""

import contextlib
import ctypes
import os
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from eventsim.kernels.cuda import available
from eventsim.kernels.cuda.communicator import NcclCommunicator

STREAM = 77  # what the stand-in calls the stream in use on device 0


class Nccl:
    """CuPy's module for NCCL: members that are called within a group are added up where it ends."""

    available, NCCL_FLOAT32, NCCL_SUM = True, 7, 0

    def __init__(self):
        self.current, self.group, self.n_groups, self.environment = None, None, 0, None
        self.NcclCommunicator = SimpleNamespace(initAll=self.members)

    @contextlib.contextmanager
    def device(self, number):
        before, self.current = self.current, number
        yield
        self.current = before

    def members(self, numbers):
        assert isinstance(numbers, list)  # CuPy takes a number for so many devices
        self.environment = os.environ["NCCL_NVLS_ENABLE"]
        return [SimpleNamespace(allReduce=lambda *arguments, number=number: self.call(number, *arguments))
                for number in numbers]

    def call(self, number, source, target, size, kind, operation, stream):
        assert self.group is not None and self.current == number and stream == STREAM + number
        assert (kind, operation) == (self.NCCL_FLOAT32, self.NCCL_SUM) and source == target
        self.group.append(np.ctypeslib.as_array((ctypes.c_float * size).from_address(source)))

    def groupStart(self):
        assert self.group is None
        self.group = []

    def groupEnd(self):
        total = sum(self.group, np.float32(0))
        for array in self.group:
            array[:] = total
        self.group, self.n_groups = None, self.n_groups + 1

    def get_version(self):
        return 22501


@pytest.fixture
def nccl(monkeypatch):
    """The stand-in, which is CuPy's."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("NCCL_NVLS_ENABLE", raising=False)
    nccl = Nccl()
    runtime = SimpleNamespace(runtimeGetVersion=lambda: 12090, driverGetVersion=lambda: 12080)
    cuda = SimpleNamespace(nccl=nccl, runtime=runtime, Device=nccl.device, get_current_stream=lambda: SimpleNamespace(
        ptr=STREAM + nccl.current))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(
        cuda=cuda, __version__="14.2.0", __spec__="found"))
    monkeypatch.setitem(sys.modules, "cupy.cuda", cuda)
    monkeypatch.setattr(available, "missing", lambda: None)
    available.missing_to_join.cache_clear()
    yield nccl
    available.missing_to_join.cache_clear()
    os.environ.pop("NCCL_NVLS_ENABLE", None)


def device(nccl, number):
    return SimpleNamespace(number=number, use=lambda: nccl.device(number))


def array(values):
    return SimpleNamespace(values=values, size=values.size, data=SimpleNamespace(ptr=values.ctypes.data))


def test_arrays_of_all_devices_become_their_sum_in_one_group(nccl, rng):
    joined = NcclCommunicator(device(nccl, number) for number in (2, 0, 3))
    arrays = [array(rng.normal(size=500).astype(np.float32)) for _ in range(3)]
    want = sum((each.values.copy() for each in arrays), np.float32(0))
    joined.all_reduce(arrays)
    assert nccl.n_groups == 1
    for each in arrays:
        np.testing.assert_array_equal(each.values, want)


def test_sums_that_differ_from_call_to_call_are_off_unless_asked_for(nccl, monkeypatch):
    NcclCommunicator([device(nccl, 0), device(nccl, 1)])
    assert nccl.environment == "0"
    monkeypatch.setenv("NCCL_NVLS_ENABLE", "1")
    NcclCommunicator([device(nccl, 0), device(nccl, 1)])
    assert nccl.environment == "1"


def test_a_group_ends_where_a_call_in_it_fails(nccl):
    joined = NcclCommunicator([device(nccl, 0), device(nccl, 1)])
    values = np.ones(3, np.float32)
    with pytest.raises(ValueError, match="zip"):
        joined.all_reduce([array(values)])
    assert nccl.group is None


def test_what_is_missing(nccl, monkeypatch):
    assert available.missing_to_join() is None
    assert available.versions()["nccl"] == "2.25.1"
    nccl.available = False
    available.missing_to_join.cache_clear()
    assert available.missing_to_join() == "NCCL is not installed; install it with pip install 'eventsim[gpu]'"
    monkeypatch.setattr(sys, "platform", "win32")
    available.missing_to_join.cache_clear()
    assert available.missing_to_join() == "NCCL, which joins GPUs, runs on Linux only"
    monkeypatch.setattr(available, "missing", lambda: "there is no GPU")
    available.missing_to_join.cache_clear()
    assert available.missing_to_join() == "there is no GPU"


def test_cupy_is_not_to_warn_of_what_is_said(nccl, monkeypatch):
    class Noisy(SimpleNamespace):
        @property
        def nccl(self):
            warnings.warn("nccl library could not be loaded", stacklevel=1)
            return SimpleNamespace(available=False)

    monkeypatch.setitem(sys.modules, "cupy.cuda", Noisy())
    assert "NCCL is not installed" in available.missing_to_join()
