"""Damaged NIR files, a few of those of `fuzz_nir`, and files that are none."""

import sys

import fuzz_nir
import h5py
import pytest

from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir import file, read, write
from eventsim.model import LIF, Network


def test_damaged_files_are_read_or_refused_with_a_sentence(tmp_path):
    whole, refused, sentences = fuzz_nir.run(150, 1, tmp_path)
    assert whole > 10 and refused > 60 and len(sentences) > 30


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "net.nir", Network("8-5", LIF()))
    return tmp_path / "net.nir"


def _of_type(kind):
    def change(graph):
        del graph["node/nodes/dense1/type"]
        graph["node/nodes/dense1/type"] = kind

    return change


def _pieces(graph):
    edges = graph["node/edges"][()]
    del graph["node/edges"]
    graph["node"].create_dataset("edges", data=edges, chunks=(1, 2))


def _vectors(graph):
    graph["node"].create_dataset("x", (3,), h5py.vlen_dtype(int))


def _bomb(graph):
    graph["node/nodes"].create_dataset("much/weight", (10**7, 10**4), "f8", compression="gzip")


@pytest.mark.parametrize("change, words", [
    (_of_type("Izhikevich"), "node 'dense1' is of the type 'Izhikevich', which NIR"),
    (_of_type("NIRGraph"), "node 'dense1' (NIRGraph) cannot be read (there is no 'nodes')"),
    (lambda graph: graph.__delitem__("node/edges"), "(there is no 'edges')"), (_bomb, "more than the file can hold"),
    (_pieces, "edges is no text as the package nir writes it"), (_vectors, "x is no text as the package nir writes it"),
    (lambda graph: graph.__delitem__("node/nodes/dense1/tau"), "node 'dense1' (LIF) cannot be read"),
    (lambda graph: graph["node/metadata/eventsim"].__delitem__("dt"), None),
    (lambda graph: graph["node/metadata/eventsim"].__setitem__("n_ticks", -3), "what eventsim noted is damaged"),
    (lambda graph: graph["node/metadata/eventsim"].__setitem__("input_mode", "sum"), "input_mode must be or or count"),
])
def test_what_is_wrong_is_said(path, change, words):
    with h5py.File(path, "r+") as graph:
        change(graph)
    if words is None:
        assert read(path).network.dt == 1.0
        return
    with pytest.raises(FormatError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ") and words in str(caught.value)


@pytest.mark.parametrize("name, place, words", [
    ("node/nodes/dense1/type", 0, "/node/nodes/dense1/type claims a text of 4294967290 bytes, more than the file can"),
    ("node/edges", 16, "/node/edges claims a text of 4294967290 bytes, more than the file can"),
])
def test_texts_of_gigabytes_are_refused_before_they_are_read(path, name, place, words):
    with h5py.File(path) as graph:
        begin = graph[name].id.get_offset() + place
    data = bytearray(path.read_bytes())
    data[begin : begin + 4] = (2**32 - 6).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(FormatError, match=words):
        read(path)


def test_what_is_no_nir_file_is_refused(tmp_path):
    (tmp_path / "text.nir").write_text("weights")
    with pytest.raises(FormatError, match="is damaged or not a NIR file"):
        read(tmp_path / "text.nir")
    with pytest.raises(FormatError, match="no such file"):
        read(tmp_path / "none.nir")
    with pytest.raises(FormatError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(ConfigError, match="cannot be written"):
        write(tmp_path / "none" / "a.nir", Network("8-5", LIF()))


def test_files_are_known_by_name_or_by_what_they_hold(path, tmp_path):
    assert file.is_nir(path) and not file.is_nir(tmp_path / "none.nir") and not file.is_nir(tmp_path)
    other = path.rename(tmp_path / "net.h5")
    assert file.is_nir(other)
    with h5py.File(tmp_path / "other.h5", "w") as graph:
        graph["x"] = 3
    assert not file.is_nir(tmp_path / "other.h5")


def test_without_the_package_its_name_is_said(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(ConfigError, match=r'pip install "eventsim\[nir\]"'):
        read(path)
