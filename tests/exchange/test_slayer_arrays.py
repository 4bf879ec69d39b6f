"""Files of arrays: what comes back, what is refused, and that nothing in them is ever run."""

import io
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from mutations import mutated, outcomes

from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.slayer import read_arrays
from eventsim.exchange.slayer.arrays import in_order

from .slayer_files import cnn


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __reduce__(self):
        return os.system, ("touch owned",)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def test_npz(rng, here):
    turned = np.asfortranarray(rng.normal(size=(3, 4)))
    arrays = cnn(rng) | {"turned": turned, "whole": np.arange(3), "none": np.ones(())}
    np.savez("a.npz", **arrays)
    np.savez_compressed("b.npz", **arrays)
    for name in ("a.npz", "b.npz"):
        found = read_arrays(name)
        assert list(found) == list(arrays)
        for key, values in arrays.items():
            np.testing.assert_array_equal(found[key], values)
            assert found[key].dtype == values.dtype


def test_safetensors_are_ordered_by_name(rng, here):
    arrays = {f"fc{i}.weight": rng.normal(size=(2, 3)).astype(np.float32) for i in (1, 10, 2)} | cnn(rng)
    safetensors.numpy.save_file(arrays, "a.safetensors")
    found = read_arrays("a.safetensors")
    assert list(found) == ["conv1.weight", "fc1.weight", "fc2.weight", "fc10.weight", "pool1.weight"]
    for key, values in arrays.items():
        np.testing.assert_array_equal(found[key], values)


def test_names_are_ordered_by_their_numbers():
    names = ["b", "a10.x", "a2.x", "a02.y", "3", "20", "", "a²"]
    assert sorted(names, key=in_order) == ["", "3", "20", "a2.x", "a02.y", "a10.x", "a²", "b"]


def test_a_pickle_in_an_archive_is_not_run(here):
    np.savez("a.npz", w=np.array([Touch()], dtype=object))
    with pytest.raises(FormatError, match=r"^a.npz: w holds Python objects, which are never loaded; save arrays"):
        read_arrays("a.npz")
    with zipfile.ZipFile("b.npz", "w") as archive:
        archive.writestr("w.npy", pickle.dumps(Touch()))
    with pytest.raises(FormatError, match=r"^b.npz: is damaged or not what its name says"):
        read_arrays("b.npz")
    (here / "c.npz").write_bytes(pickle.dumps(Touch()))
    with pytest.raises(FormatError, match=r"^c.npz: is damaged or not what its name says"):
        read_arrays("c.npz")
    assert not (here / "owned").exists()


def test_a_pickle_for_torch_is_not_run(torch, here):
    (here / "a.pt").write_bytes(pickle.dumps(Touch()))
    torch.save({"w": Touch()}, "b.pt")
    torch.save(torch.nn.Linear(2, 3), "c.pt")
    for name in ("a.pt", "b.pt", "c.pt"):
        with pytest.raises(FormatError, match=rf"^{name}: is damaged, or holds more than a state dict, which is never"):
            read_arrays(name)
    assert not (here / "owned").exists()


def test_torch_state_dicts(torch, rng, here):
    arrays = cnn(rng)
    state = {name: torch.nn.Parameter(torch.from_numpy(values)) for name, values in arrays.items()}
    torch.save(state, "a.pt")
    torch.save({"epoch": 3, "net": state}, "b.pth")
    torch.save({name: value.to(torch.bfloat16) for name, value in state.items()}, "c.pt")
    for name, rtol in (("a.pt", 0), ("b.pth", 0), ("c.pt", 1e-2)):
        found = read_arrays(name)
        assert list(found) == list(arrays)
        for key, values in arrays.items():
            np.testing.assert_allclose(found[key], values, rtol=rtol)
    torch.save([1], "d.pt")
    torch.save({**state, "epoch": 3}, "e.pt")
    for name, said in (("d.pt", "holds a list, expected"), ("e.pt", "epoch is a int, expected a tensor")):
        with pytest.raises(FormatError, match=said):
            read_arrays(name)


def test_without_the_packages(here, monkeypatch):
    install = r'install it with `pip install "eventsim\[slayer\]"`'
    for package, name, said in (("torch", "a.pt", "a.pt: .pt files are read by torch, which is not installed"),
                                ("safetensors", "a.safetensors", install)):
        (here / name).write_bytes(b"x")
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ConfigError, match=said):
            read_arrays(name)


def member(header, data=b"", version=b"\x01\x00"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("w.npy", b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + data)
    return out.getvalue()


HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }\n"


@pytest.mark.parametrize(("data", "said"), [
    (b"", "is damaged"), (b"PK\x03\x04", "is damaged"), (npz(), "holds no arrays"),
    (member(HEADER % b"10000000000000"), r"w of the shape \(10000000000000,\) in \d+ bytes"),
    (member(HEADER % b"-1"), r"w of the shape \(-1,\)"),
    (member(HEADER % b"2", bytes(8), b"\x09\x00"), "is damaged"),
    (member(HEADER % b"__import__('os').system('touch owned')", bytes(8)), "is damaged"),
    (npz(w=np.array(["a"])), "w holds <U1, expected numbers"),
    (npz(w=np.ones(2) * 1j), "w holds complex128, expected numbers"),
    (npz(w=np.array([1, np.nan])), "w holds numbers that are not finite"),
])
def test_archives_that_are_none(here, data, said):
    (here / "a.npz").write_bytes(data)
    with pytest.raises(FormatError, match=rf"^a.npz: .*{said}"):
        read_arrays("a.npz")
    assert not (here / "owned").exists()


def test_names_and_places_that_are_none(here):
    with pytest.raises(ConfigError, match=r"a.txt: weights are read from .npz, .safetensors, .pt, .pth"):
        read_arrays("a.txt")
    for name in ("a.npz", "a.safetensors", "a.pt"):
        with pytest.raises(FormatError, match=f"^{name}: no such file"):
            read_arrays(name)


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_damaged_files_are_refused_or_read(rng, here, suffix):
    arrays = {name: values[:, :1] for name, values in cnn(rng).items()}
    data = npz(**arrays) if suffix == "npz" else safetensors.numpy.save(arrays)

    def read(damaged):
        (here / f"a.{suffix}").write_bytes(damaged)
        return read_arrays(f"a.{suffix}")

    decoded, refused = outcomes(read, mutated(rng, data, 600, header=200))
    assert refused > 100 and decoded > 0


def test_damaged_torch_files_are_refused_or_read(torch, rng, here):
    torch.save({name: torch.from_numpy(values) for name, values in cnn(rng).items()}, "whole.pt")

    def read(damaged):
        (here / "a.pt").write_bytes(damaged)
        return read_arrays("a.pt")

    decoded, refused = outcomes(read, mutated(rng, (here / "whole.pt").read_bytes(), 150, header=300))
    assert refused > 20 and decoded >= 0
