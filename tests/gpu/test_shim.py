"""The host as a device is strict: it finds what would only fail on a GPU."""

import numpy as np
import pytest
from cuda_shim import ShimDevice, build, find_compiler

from eventsim.kernels.spec.cuda_launch import launched

WRONG = """
extern "C" __global__ void sum_up(i64 n, const i32* values, i32* out)
{
    __shared__ int kept[64];
    kept[threadIdx.x] = values[threadIdx.x];
    if (n != 1) __syncthreads();
    int total = 0;
    for (int i = 0; i < 64; i++) total += kept[i];
    out[threadIdx.x] = total;
}
extern "C" __global__ void diverge(i64 n, const i32* values, i32* out)
{
    out[threadIdx.x] = 1;
    if (threadIdx.x % WARP < n) __syncthreads();
    else __ballot_sync(EVERY_LANE, values[0]);
}
extern "C" __global__ void leave(i64 n, const i32* values, i32* out)
{
    out[threadIdx.x] = values[0];
    if (threadIdx.x < n) return;
    __syncthreads();
}
extern "C" __global__ void turn_round(i64 n, const i32* values, i32* out)
{
    __shared__ int kept[64];
    kept[threadIdx.x] = values[threadIdx.x];
    if (threadIdx.x < WARP) {
        if (n != 1) __syncwarp();
        out[threadIdx.x] = kept[WARP - 1 - threadIdx.x];
    }
    __syncthreads();
    if (threadIdx.x >= WARP) out[threadIdx.x] = 0;
}
extern "C" __global__ void overrun(i64 n, const i32* values, i32* out)
{
    out[n + threadIdx.x] = values[0];
}
"""
TABLE = {name: launched("wrong", "n", "int64: n\nint32[n]: values\nout int32[n]: out")
         for name in ("sum_up", "turn_round", "diverge", "leave", "overrun")}

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler, which runs CUDA on the host")


@pytest.fixture(params=[False, True])
def device(request, monkeypatch):
    """The host with the kernels above."""
    library = build.compiled(build.program(WRONG, TABLE))

    def launcher(name):
        function = getattr(library, f"launch_{name}")
        function.argtypes = build.types_of(TABLE[name])
        return function

    monkeypatch.setattr("cuda_shim.device.launcher", launcher)
    monkeypatch.setattr("eventsim.kernels.cuda.device.KERNELS", TABLE)
    return ShimDevice(request.param)


def run(device, name, n=2, values=1):
    out = device.zeros(64, np.int32)
    device.launch(name, n=n, values=device.put(np.arange(values, values + 64, dtype=np.int32)), out=out)
    return out.get()


def test_threads_wait_for_each_other(device):
    assert (run(device, "sum_up", n=2) == 64 * 65 // 2).all()


def test_a_barrier_that_is_missing_shows(device):
    run(device, "sum_up", values=1000)
    assert not (run(device, "sum_up", n=1) == 64 * 65 // 2).all()


def test_threads_of_a_warp_wait_for_each_other_while_the_others_wait_for_them(device):
    run(device, "turn_round", values=1000)
    assert run(device, "turn_round", n=1, values=5)[:32].tolist() != list(range(36, 4, -1))
    assert run(device, "turn_round", values=5).tolist() == [*range(36, 4, -1), *[0] * 32]


@pytest.mark.parametrize("name, n, what", [
    ("diverge", 16, "wait for different things"), ("leave", 32, "have left"), ("overrun", 64, "beyond the bounds"),
])
def test_what_a_kernel_does_wrong_is_found(device, name, n, what):
    with pytest.raises(AssertionError, match=what):
        run(device, name, n)
    assert (run(device, "sum_up", n=2) == 64 * 65 // 2).all()  # and what comes after is not


def test_arrays_do_not_turn_into_those_of_the_host(device):
    array = device.put(np.arange(3))
    for use in (np.asarray, np.sum, lambda a: np.zeros(3) + a):
        with pytest.raises(TypeError):
            use(array)
    assert array.get().tolist() == [0, 1, 2]


def test_arguments_are_held_against_the_table(device):
    good = {"n": 1, "values": device.zeros(64, np.int32), "out": device.zeros(64, np.int32)}
    for wrong, what in (
        ({"values": np.zeros(64, np.int32)}, "wants a contiguous int32 array of 1 axes on the device, got ndarray"),
        ({"values": device.zeros(64, np.int64)}, r"got int64\[1 axes\]"),
        ({"values": device.zeros((8, 8), np.int32)}, r"got int32\[2 axes\]"),
        ({"values": device.zeros(128, np.int32)[::2]}, "wants a contiguous"), ({"more": 1}, "has no argument more"),
    ):
        with pytest.raises(TypeError, match=what):
            device.launch("sum_up", **(good | wrong))
    del good["out"]
    with pytest.raises(TypeError, match="lacks out"):
        device.launch("sum_up", **good)
