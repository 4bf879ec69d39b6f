"""NIR graphs in HDF5 files, by the package nir; whatever is wrong with a file is a `FormatError` with one sentence."""

import contextlib
import warnings
from dataclasses import dataclass

import h5py
import numpy as np

from eventsim import files
from eventsim.errors import ConfigError, FormatError
from eventsim.hdf5 import check_heaps

# Deflate does not compress better than 1032 to 1; what claims to is no file to be read.
_MOST_RATIO, _SLACK = 1100, 2**20
_MOST_DEPTH = 8
_WRONG = (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, AssertionError, IndexError,
          NotImplementedError, ArithmeticError, MemoryError)


@dataclass(frozen=True)
class Nested:
    """A node that is a graph, as `nir.NIRGraph` without its checks."""

    nodes: dict
    edges: list


def require():
    """The package nir; raises `ConfigError` where it is not installed."""
    try:
        import nir
    except ImportError:
        raise ConfigError('files of NIR need the package nir; install it with `pip install "eventsim[nir]"`') from None
    return nir


def first_line(error) -> str:
    """What an error says, in a line."""
    if isinstance(error, KeyError):
        return f"there is no {error}"
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def scalar(value) -> float:
    """The number that a value of a file is; raises ValueError where it is none."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "iufb":
        raise ValueError(f"{array.dtype}{list(array.shape)} is no number")
    return float(array.ravel()[0])


def _check_texts(item, raw, size):
    """Raise ValueError where texts are longer than the file, for which HDF5 takes memory before it looks.

    raw : the open file of ``size`` bytes, in which there is a reference for each text, which begins with its length
    """
    begin = item.id.get_offset()
    if h5py.check_string_dtype(item.dtype) is None or begin is None:
        raise ValueError(f"{item.name} is no text as the package nir writes it")
    one = 8 + item.file.id.get_create_plist().get_sizes()[0]  # length, address, number
    raw.seek(begin)
    found = raw.read(one * item.size)
    reference = np.dtype({"names": ["length"], "formats": ["<u4"], "itemsize": one})
    longest = np.frombuffer(found, reference, len(found) // one)["length"].max()
    if longest > size:
        raise ValueError(f"{item.name} claims a text of {longest} bytes, more than the file can hold")


def _plain(group, raw, size, depth=0):
    """A group as a dict, as `nir` does it; raises ValueError for what no file of ``size`` bytes may hold."""
    if depth > _MOST_DEPTH:
        raise ValueError("groups are nested without end")
    out = {}
    for key, item in group.items():
        if isinstance(item, h5py.Group):
            out[key] = _plain(item, raw, size, depth + 1)
        elif isinstance(item, h5py.Dataset):
            if item.shape is not None and item.size * item.dtype.itemsize > _MOST_RATIO * size + _SLACK:
                raise ValueError(f"{item.name} claims {item.size} values, more than the file can hold")
            if item.dtype.hasobject:
                _check_texts(item, raw, size)
            value = item[()]
            out[key] = value.decode("utf8") if isinstance(value, bytes) else value
    return out


@contextlib.contextmanager
def _damaged(path):
    try:
        yield
    except FormatError:
        raise
    except _WRONG as error:
        raise FormatError(
            f"{path}: is damaged or not a NIR file ({first_line(error)}); restore it from a copy, or export it again"
        ) from error


def _node(nir, path, name, values):
    kind = values.get("type") if isinstance(values, dict) else None
    if not isinstance(kind, str) or kind not in nir.ir.__all__:
        raise FormatError(f"{path}: node {name!r} is of the type {kind!r}, which NIR {nir.version} does not have; "
                          "export the file again")
    try:
        if kind == "NIRGraph":
            return Nested(*_graph(nir, path, values, f"{name}."))
        with np.errstate(all="ignore"), warnings.catch_warnings():  # it computes shapes of whatever is there
            warnings.simplefilter("ignore")
            return nir.dict2NIRNode(values)
    except FormatError:  # of a node in it
        raise
    except _WRONG as error:
        raise FormatError(f"{path}: node {name!r} ({kind}) cannot be read ({first_line(error)}); export the file again"
                          ) from error


def _graph(nir, path, data, prefix=""):
    """(nodes by name, edges) of a graph; sentences call its nodes by ``prefix`` and name."""
    nodes, edges = data["nodes"], [tuple(map(_text, edge)) for edge in data["edges"]]
    if not isinstance(nodes, dict) or not all(len(edge) == 2 for edge in edges):
        raise ValueError("nodes and edges are no graph")
    return {name: _node(nir, path, prefix + name, values) for name, values in nodes.items()}, edges


def load(path):
    """(nodes by name, edges, metadata) of the graph in a file; nodes that are graphs are `Nested`."""
    nir = require()
    with files.reading(path):
        size = files.as_path(path).stat().st_size
        files.as_path(path).open("rb").close()
    with _damaged(path):
        check_heaps(path)
    with _damaged(path), h5py.File(path, "r") as file, files.as_path(path).open("rb") as raw:
        data = _plain(file["node"], raw, size)
        metadata = data.get("metadata", {})
        return *_graph(nir, path, data), metadata if isinstance(metadata, dict) else {}


def _text(value):
    return value.decode("utf8") if isinstance(value, bytes) else str(value)


def save(path, graph):
    """Write a graph, all or nothing."""
    nir = require()
    with files.replacing(path) as temporary:
        nir.write(temporary, graph)


def is_nir(path) -> bool:
    """Whether a file is one of NIR, by its name or by what it holds."""
    path = files.as_path(path)
    if path.suffix == ".nir":
        return path.is_file()
    if path.suffix not in (".h5", ".hdf5") or not path.is_file():
        return False
    try:
        with h5py.File(path, "r") as file:
            return "node" in file and "version" in file
    except (OSError, RuntimeError):  # what is damaged is a model, or nothing
        return False
