"""Fixtures that every folder of tests shares."""

import os
import pathlib
import zlib

import numpy as np
import pytest

_LAST = "test_specialisations.py"  # looks back at what the whole suite compiled


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name == _LAST)


@pytest.fixture
def root():
    """The repository."""
    return pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture
def shared(root):
    """The folder of shared recordings and published vectors; skips where there is none."""
    folder = pathlib.Path(os.environ.get("EVENTSIM_SHARED", root.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared recordings at {folder}; EVENTSIM_SHARED names their folder")
    return folder


@pytest.fixture
def genn_conv(shared):
    """Pixels float[1, 64, 64] that spike or not, and pairs (kernel float[3, 3], its valid convolution [1, 62, 62])."""
    folder = shared / "golden" / "genn_conv"
    if not folder.is_dir():
        pytest.skip(f"no published convolutions at {folder}")
    pattern = np.zeros(64 * 64)
    pattern[np.load(folder / "test_pattern.npy")] = 1.0
    smooth, slope = np.array([1.0, 2.0, 1.0]), np.array([1.0, 0.0, -1.0])
    kernels = {"horizontal": np.outer(slope, smooth), "vertical": np.outer(smooth, slope)}
    wanted = [(kernel, np.load(folder / f"{name}_output.npy").reshape(1, 62, 62)) for name, kernel in kernels.items()]
    return pattern.reshape(1, 64, 64), wanted


@pytest.fixture
def rng(request):
    """A generator seeded by the test's name (and EVENTSIM_TEST_SEED); the seed is printed where the test fails."""
    seed = [int(os.environ.get("EVENTSIM_TEST_SEED", "0")), zlib.crc32(request.node.name.encode())]
    print(f"rng seed: {seed}")
    return np.random.default_rng(seed)
