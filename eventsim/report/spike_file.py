"""Spikes of a run on disk: one HDF5 file.

Layout, version 1: attributes ``format`` = "eventsim-spikes", ``version``, ``package``, ``source`` (JSON), ``dt`` (ms)
and ``n_ticks``; group ``input`` and one group a layer, in order of their attribute ``index``, each with int32
``address``, int64 ``sample_ptr``, and int32 ``tick`` or float64 ``time`` (ms); attribute ``n_neurons``.
"""

import json
from importlib.metadata import version

import h5py

from eventsim import files

FORMAT, VERSION = "eventsim-spikes", 1


def write(path, trace, source):
    """Write the input and the spikes of every layer of ``trace``; ``source`` is a dict that says where it came from."""
    with files.replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(
            format=FORMAT, version=VERSION, package=version("eventsim"), source=json.dumps(source),
            dt=trace.input.dt, n_ticks=trace.input.n_ticks,
        )
        named = [("input", trace.input), *((layer.name, layer.spikes) for layer in trace.layers)]
        for index, (name, spikes) in enumerate(named):
            group = file.create_group(name)
            group.attrs.update(index=index, n_neurons=spikes.n_neurons)
            columns = {"sample_ptr": spikes.sample_ptr, "address": spikes.address}
            columns |= {"tick": spikes.tick} if spikes.time is None else {"time": spikes.time}
            for column, values in columns.items():
                group.create_dataset(column, data=values)


def describe(path) -> dict | None:
    """What a spike file says of itself; None where the file is none, or damaged."""
    try:
        with h5py.File(path, "r") as file:
            if (file.attrs.get("format"), file.attrs.get("version")) != (FORMAT, VERSION):
                return None
            groups = sorted(file.items(), key=lambda item: item[1].attrs["index"])
            return {
                "kind": "spikes", "source": str(path), "from": json.loads(file.attrs["source"]),
                "clock": "exact" if "time" in groups[0][1] else "grid", "dt": float(file.attrs["dt"]),
                "n_ticks": int(file.attrs["n_ticks"]),
                "layers": [{"name": name, "neurons": int(group.attrs["n_neurons"]), "spikes": len(group["address"])}
                           for name, group in groups],
            }
    except (OSError, KeyError, ValueError, TypeError):
        return None
