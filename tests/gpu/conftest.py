"""The devices that tests of GPU kernels run on: the host, by a shim, and a GPU where there is one."""

import importlib
import os
import pathlib

import pytest
from cuda_shim import ShimCommunicator, ShimDevice, build, find_compiler

from eventsim.kernels.cuda import available

_ON_GPU = pytest.param("gpu", marks=pytest.mark.gpu)
_HERE = pathlib.Path(__file__).parent


def pytest_collection_finish(session):
    """Compile the kernels while the tests of other folders run."""
    own = any(_HERE in item.path.parents for item in session.items)
    if own and find_compiler() and not session.config.option.collectonly:
        build.begin()


def _device(name, number=0):
    """A device; skips, with the reason, where there is none. number : of several on the host"""
    if name == "gpu":
        if os.environ.get("EVENTSIM_REQUIRE_GPU") != "1" and available.missing() is not None:
            pytest.skip(available.missing())
        return available.gpu(0)
    if find_compiler() is None:
        pytest.skip("no C++ compiler, which runs the CUDA kernels on the host")
    return ShimDevice(name == "threads descending", number)


@pytest.fixture(params=["threads ascending", "threads descending", _ON_GPU])
def device(request):
    """A device."""
    return _device(request.param)


@pytest.fixture(params=["threads descending", _ON_GPU])
def one_device(request):
    """A device, once: for what does not depend on how threads wait for each other."""
    return _device(request.param)


@pytest.fixture(params=["threads descending", _ON_GPU])
def as_gpu(request, monkeypatch):
    """A device that is the one called gpu."""
    device = _device(request.param)
    monkeypatch.setattr(available, "missing", lambda: None)
    monkeypatch.setattr(available, "describe", lambda: [
        {"name": device.name, "memory": 80 << 30, "compute_capability": "9.0"}])
    monkeypatch.setattr(available, "gpu", lambda number: device)
    return device


@pytest.fixture(params=["threads descending", _ON_GPU])
def as_gpus(request, monkeypatch):
    """Three devices that are those called gpu:0 to gpu:2; GPUs as they are, where there are two or more."""
    if request.param == "gpu":
        first, n = _device("gpu"), len(available.describe())
        if n < 2:
            pytest.skip("there is one GPU only")
        return [first, *map(available.gpu, range(1, n))]
    devices = [_device(request.param, number) for number in range(3)]
    monkeypatch.setattr(available, "missing", lambda: None)
    monkeypatch.setattr(available, "missing_to_join", lambda: None)
    monkeypatch.setattr(available, "describe", lambda: [
        {"name": f"host {i}", "memory": 80 << 30, "compute_capability": "9.0"} for i in range(3)])
    monkeypatch.setattr(available, "gpu", devices.__getitem__)
    monkeypatch.setattr(available, "joined", ShimCommunicator)
    return devices


@pytest.fixture
def little_room(monkeypatch):
    """A function that lets the backward pass on a device hold as few samples at a time as it can."""
    def shrink(device):
        monkeypatch.setattr(device, "l2_bytes", 1)
        monkeypatch.setattr(device, "tiles_at_once", 1)
        return device
    return shrink


@pytest.fixture
def by_patches(monkeypatch):
    """The CPU sums up gradients of convolutions patch by patch, as devices do."""
    monkeypatch.setattr(importlib.import_module("eventsim.engine.backward"), "goes_by_pairs", lambda *_: False)
