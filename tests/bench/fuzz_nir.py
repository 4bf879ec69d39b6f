"""Damaged NIR files: each is read or refused with a sentence, quickly and in little memory.

    python tests/bench/fuzz_nir.py --files 10000

Half have bytes changed; in the other half HDF5 is whole, and values, shapes, types, nodes or edges are not.
"""

import argparse
import contextlib
import pathlib
import resource
import sys
import tempfile
import time
from collections import Counter

import h5py
import nir
import numpy as np
from mutations import mutated, outcomes

from eventsim.engine import forward
from eventsim.exchange.nir import Reading, read, to_graph, write
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.spikes import Spikes

_KINDS = (b"LIF", b"IF", b"CubaLIF", b"Threshold", b"Linear", b"Affine", b"Conv2d", b"Conv1d", b"SumPool2d", b"Scale",
          b"AvgPool2d", b"Flatten", b"Delay", b"LI", b"I", b"CubaLI", b"Input", b"Output", b"NIRGraph", b"Lif")
_READINGS = (None, Reading(scheme="snntorch"), Reading("euler", 1000.0), Reading(scheme="sinabs", reset="delayed"))


def examples(folder):
    """Small files with every node that is written, and with a graph in a graph."""
    for i, (notation, neuron) in enumerate((
        ("8-5-3", LIF(v_drop=1.2, t_abs=2.0)), ("6x5x2-3c3-2a-4", LIF(tau_mem=np.inf, reset="hard")),
        ("8x8x2-2c3p1-2p-4c2g2-4", CubaLIF(late=True)), ("8-5", SRM()), ("8-5", LIF(tau_mem=1e-3)),
        ("8-5r@d2-3@d1.5", LIF()), ("8-5@d3-4r", CubaLIF()),
    )):
        network = Network(notation, neuron, n_ticks=40)
        network.layers[-1].bias = np.full(network.layers[-1].n_out, 0.1)
        path = folder / f"{i}.nir"
        write(path, network)
        yield path.read_bytes()
    yield _nested(folder / "nested.nir")


def _nested(path):
    """A file whose recurrent neurons are in a graph of their own."""
    graph = to_graph(Network("8-5r-3", LIF(), seed=0)).graph
    ends = nir.Input(np.array([5])), nir.Output(np.array([5]))
    inner = nir.NIRGraph({"input": ends[0], "lif": graph.nodes.pop("recurrent1"), "output": ends[1],
                          "w_rec": graph.nodes.pop("recurrent1_recurrent")},
                         [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")])
    edges = [edge for edge in graph.edges if "recurrent1_recurrent" not in edge]
    nir.write(path, nir.NIRGraph(graph.nodes | {"recurrent1": inner}, edges, metadata=graph.metadata))
    assert read(path).network.arch.notation == "8-5r-3"
    return path.read_bytes()


def _value(rng, old):
    """Something else than an array of the file."""
    old = np.asarray(old)
    odd = (np.nan, np.inf, -1, 0, 1, 2, 1e30, 1e-30, 3.5, 2**31, -(2**63), 10**6)
    choice = rng.integers(0, 9)
    if choice == 0 or old.size == 0 or old.dtype.kind not in "iufb":
        return odd[rng.integers(0, len(odd))]
    if choice < 4:
        new = old.astype(float).copy()
        new.flat[rng.integers(0, new.size)] = odd[rng.integers(0, len(odd))]
        return new
    if choice == 4:
        return np.full(old.shape, odd[rng.integers(0, len(odd))])
    return (old.ravel(), old[None], old.astype(np.complex64), old.astype("S8"))[choice - 5]


def _damage(rng, file):
    """One change in an open file."""
    found = []
    file.visititems(lambda name, item: found.append(name))
    name = found[rng.integers(0, len(found))]
    kind = rng.integers(0, 6)
    if name.endswith("/type") and kind < 4:
        del file[name]
        file[name] = _KINDS[rng.integers(0, len(_KINDS))]
    elif isinstance(file[name], h5py.Dataset) and kind < 4:
        old = file[name][()]
        del file[name]
        if name.endswith("edges"):
            edges = [*map(tuple, old)]
            i, j = rng.integers(0, len(edges), 2)
            edges[i] = ((edges[i][0], edges[j][1]), (b"x", edges[i][1]), edges[j])[rng.integers(0, 3)]
            more = [(edges[i][0], edges[j][1]), edges[i][::-1], edges[j][:1] * 2][: rng.integers(0, 4)]
            file[name] = np.array(edges[rng.integers(0, 2) :] + more, dtype="S")
        else:
            file[name] = _value(rng, old)
    elif kind == 4:
        del file[name]
    else:
        file.require_group("node/nodes")[f"more{rng.integers(0, 99)}"] = 3


def damaged(rng, data, n, folder):
    """``n`` copies of a file in which HDF5 is whole and NIR is not."""
    path = folder / "damaged.nir"
    for _ in range(n):
        path.write_bytes(data)
        with h5py.File(path, "r+") as file:
            for _ in range(rng.integers(1, 3)):
                with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # where the first left no room
                    _damage(rng, file)
        yield path.read_bytes()


class Reader:
    """Reads bytes as a file, by one reading after the other, and keeps the sentences."""

    def __init__(self, folder):
        self.path, self.n, self.sentences = folder / "now.nir", 0, Counter()

    def __call__(self, data):
        self.path.write_bytes(data)
        self.n += 1
        try:
            network = read(self.path, _READINGS[self.n % len(_READINGS)]).network
        except Exception as error:
            text = str(error)
            assert text.startswith(str(self.path)) or "nir" in text, text
            self.sentences[text.replace(str(self.path), "FILE")] += 1
            raise
        spikes = Spikes([0, 1], [0], tick=[2], n_neurons=network.arch.n_inputs, n_ticks=20, dt=network.dt)
        return forward(network, spikes).layers


def run(n_files, seed, folder):
    """(read, refused, kinds of sentences) of so many damaged files."""
    data, reader = list(examples(folder)), Reader(folder)
    total = np.zeros(2, int)
    for i, one in enumerate(data):
        n = -(-n_files // (2 * len(data)))
        for files in (mutated(np.random.default_rng([seed, i]), one, n), damaged(
                np.random.default_rng([seed, i, 1]), one, n, folder)):
            total += outcomes(reader, files)
    return *total.tolist(), reader.sentences


def main():
    """Damage, read and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all chance (default: %(default)s)")
    parser.add_argument("--show", type=int, default=0, help="print so many of the sentences")
    choices = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        whole, refused, sentences = run(choices.files, choices.seed, pathlib.Path(folder))
    for text, n in sentences.most_common(choices.show):
        print(n, text)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{whole} read, {refused} refused with {len(sentences)} sentences, {time.monotonic() - begin:.0f} s, at most "
          f"{memory:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
