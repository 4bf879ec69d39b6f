"""Spikes of a run on disk: one HDF5 file.

Layout, version 1: attributes ``format`` = "eventsim-spikes", ``version``, ``package``, ``source`` (JSON), ``dt`` (ms)
and ``n_ticks``; group ``input`` and one group a layer, in order of their attribute ``index``, each with int32
``address``, int64 ``sample_ptr``, and int32 ``tick`` or float64 ``time`` (ms); attribute ``n_neurons``. A layer whose
potentials are read has no spikes, but float64 ``score`` by sample and neuron, and its attribute ``readout`` says what.
"""

import json
from importlib.metadata import version

import h5py

from eventsim import files
from eventsim.errors import ConfigError, FormatError
from eventsim.hdf5 import WRITING, check_heaps
from eventsim.spikes import Spikes

FORMAT, VERSION = "eventsim-spikes", 1


def write(path, trace, source):
    """Write the input and the spikes of every layer of ``trace``; ``source`` is a dict that says where it came from."""
    with files.replacing(path) as temporary, h5py.File(temporary, "w", **WRITING) as file:
        file.attrs.update(
            format=FORMAT, version=VERSION, package=version("eventsim"), source=json.dumps(source),
            dt=trace.input.dt, n_ticks=trace.input.n_ticks,
        )
        named = [("input", trace.input), *((layer.name, layer.spikes) for layer in trace.layers)]
        readout, last = trace.readout, named[-1][0]
        for index, (name, spikes) in enumerate(named):
            group = file.create_group(name)
            group.attrs.update(index=index, n_neurons=spikes.n_neurons)
            columns = {"sample_ptr": spikes.sample_ptr, "address": spikes.address}
            columns |= {"tick": spikes.tick} if spikes.time is None else {"time": spikes.time}
            for column, values in columns.items():
                group.create_dataset(column, data=values)
        if readout is not None:
            file[last].attrs["readout"] = readout.kind
            file[last]["score"] = readout.score


def _is_ours(file):
    return (file.attrs.get("format"), file.attrs.get("version")) == (FORMAT, VERSION)


def _groups(file):
    """(name, group) of the input and of every layer, in order."""
    return sorted(file.items(), key=lambda item: item[1].attrs["index"])


def is_spike_file(path) -> bool:
    """Whether a file says that it is one, damaged or not."""
    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            return _is_ours(file)
    except OSError:
        return False


def read(path) -> tuple[dict[str, Spikes], str | None]:
    """The spikes of the input and every spiking layer, by name; and the layer whose potentials are read, or None.

    Raises `FormatError` for another file or a damaged one.
    """
    with files.reading(path):
        open(path, "rb").close()  # what the operating system refuses is said in its own words
    if not is_spike_file(path):
        raise FormatError(f"{path}: is no file of spikes of version {VERSION}; name one that `simulate --out` wrote")
    try:
        with h5py.File(path, "r") as file:
            shared = {"n_ticks": int(file.attrs["n_ticks"]), "dt": float(file.attrs["dt"])}
            groups = _groups(file)
            potentials = next((name for name, group in groups if "readout" in group.attrs), None)
            return {name: _read_spikes(group, shared) for name, group in groups if name != potentials}, potentials
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, ConfigError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise FormatError(f"{path}: is damaged ({reason}); write it again with `simulate --out`") from error


def _read_spikes(group, shared):
    when = "time" if "time" in group else "tick"
    columns = {name: group[name][()] for name in ("sample_ptr", "address", when)}
    return Spikes(**columns, n_neurons=int(group.attrs["n_neurons"]), **shared)


def describe(path) -> dict | None:
    """What a spike file says of itself; None where the file is none, or damaged."""
    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            if not _is_ours(file):
                return None
            groups = _groups(file)
            return {
                "kind": "spikes", "source": str(path), "from": json.loads(file.attrs["source"]),
                "clock": "exact" if "time" in groups[0][1] else "grid", "dt": float(file.attrs["dt"]),
                "n_ticks": int(file.attrs["n_ticks"]),
                "layers": [{"name": name, "neurons": int(group.attrs["n_neurons"]), "spikes": len(group["address"])}
                           for name, group in groups],
            }
    except (OSError, KeyError, ValueError, TypeError):
        return None
