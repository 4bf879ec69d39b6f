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
