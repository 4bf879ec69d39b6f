"""The CUDA sources against their table, and against the compiler of GPUs."""

import pathlib
import re

import pytest
from cuda_shim import nvrtc

from eventsim.kernels.cuda import available, source
from eventsim.kernels.spec import KERNELS as CPU
from eventsim.kernels.spec.cuda import KERNELS

FOLDER = pathlib.Path(source.__file__).parent


@pytest.mark.parametrize("file", source.files())
def test_a_file_compiles_for_gpus_without_a_warning(file):
    if nvrtc.library() is None:
        pytest.skip("no NVRTC, which compiles for GPUs; it is in eventsim[test] on Linux")
    ptx = nvrtc.ptx_of(source.source(file), source.OPTIONS)
    entries = set(re.findall(r"\.visible \.entry (\w+)", ptx))
    assert entries == {name for name, kernel in KERNELS.items() if kernel.file == file}
    assert ".atom.global.add.f" not in ptx  # sums would depend on who comes first
    # Sums of products are fused where that is written, in the file or in the windows that it runs, and nowhere else.
    is_written = re.search(r"\bfmaf\(|\b(sweep|run)_window\(", source.kernels_of(file)) is not None
    assert (re.search(r"\bfma\.rn(\.ftz)?\.f32", ptx) is not None) == is_written


def test_a_device_is_tried_out_before_it_is_used(device):
    available._try_out(device)
    assert getattr(device, "launched", ["every_nth"]) == ["every_nth"]


def test_the_compiler_finds_what_is_wrong():
    if nvrtc.library() is None:
        pytest.skip("no NVRTC, which compiles for GPUs; it is in eventsim[test] on Linux")
    with pytest.raises(AssertionError, match=r"kernels\.cu\(2\): error"):
        nvrtc.ptx_of('extern "C" __global__ void f(int* a)\n{ a[0] = b; }', source.OPTIONS)


def test_every_source_is_compiled():
    assert {path.stem for path in FOLDER.glob("*.cu")} == set(source.files())
    assert {path.stem for path in FOLDER.glob("*.cuh")} == set(source._SHARED)


def test_what_both_a_kernel_and_its_twin_take_stands_in_the_same_order():
    twins = KERNELS.keys() & CPU.keys()
    assert len(twins) > 8
    for name in twins:
        ours, theirs = ([a.name for a in table[name].arguments] for table in (KERNELS, CPU))
        assert [a for a in ours if a in theirs] == [a for a in theirs if a in ours], name


@pytest.mark.parametrize("name", KERNELS)
def test_what_a_kernel_writes_stands_last(name):
    roles = [("in", "out").index(a.role) for a in KERNELS[name].arguments]
    assert roles == sorted(roles) and roles[-1] == 1
    assert KERNELS[name].work in {a.name for a in KERNELS[name].arguments if a.rank == 0}
    assert KERNELS[name].threads % 32 == 0


def test_many_threads_are_announced():
    """A block of 1024 threads has 64 registers each, which the compiler keeps to only if it is told."""
    for name, kernel in KERNELS.items():
        if kernel.threads > 256:
            bounds = rf"__launch_bounds__\({kernel.threads}(, 1)?\) {name}\("
            assert re.search(bounds, source.kernels_of(kernel.file)), name


def test_lines_are_no_longer_than_those_of_python():
    for path in sorted(FOLDER.glob("*.cu*")):
        assert max(map(len, path.read_text().splitlines())) <= 120, path.name


def test_indices_are_of_64_bits():
    """The product of two of CUDA's unsigned ints wraps, and so does one that is widened after it."""
    product = re.compile(r"(?<!\(i64\))blockIdx\.x\s*\*")
    for path in sorted(FOLDER.glob("*.cu*")):
        assert not product.search(path.read_text()), path.name
