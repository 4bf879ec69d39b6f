"""How far a graph's spikes are from those of the network that it was made of."""

from dataclasses import replace

import numpy as np

from eventsim.engine import run
from eventsim.exchange.nir.reader import from_graph
from eventsim.exchange.nir.writer import Writing, to_graph
from eventsim.model import SRM
from eventsim.spikes import Spikes

_TICKS, _RATE, _SEED = 300, 0.02, 0
_SHARES = (0.75, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of equal ones the first is taken


def random_spikes(network) -> Spikes:
    """Input for a measurement where there is none: every address spikes in 2 % of the ticks, by chance.

    For a network in continuous time each lies anywhere in its tick.
    """
    rng, n, ticks = np.random.default_rng(_SEED), network.arch.n_inputs, network.n_ticks or _TICKS
    count = rng.binomial(n * ticks, _RATE)
    place = np.unique(rng.integers(0, n * ticks, count))
    tick, address = np.divmod(place, n)
    when = {"tick": tick.astype(np.int32)}
    if network.clock == "exact":
        time = (tick + rng.random(len(tick))) * network.dt
        order = np.argsort(time)
        address, when = address[order], {"time": time[order]}
    return Spikes([0, len(place)], address.astype(np.int32), **when, n_neurons=n, n_ticks=ticks, dt=network.dt)


def difference(network, exported, spikes, writing=None, own=None) -> list[dict]:
    """By layer: the network's spikes, those of the graph as others read it, and how far apart neurons' counts are.

    What others do not do at all, `Exported.unmeasured`, is done.

    spikes : `Spikes` on the network's input, on the grid
    own : the same as the network itself gets it, with times where it runs in continuous time; None: ``spikes``

    ``apart`` is the sum of what each neuron has too many or too few, as a share of the network's spikes.
    """
    writing = writing or Writing()
    other = from_graph(exported.graph, writing.as_read(network.dt)).network
    out = []
    names = network.spiking.layer_names  # a last layer whose potentials are read has no spikes
    ran, read = run(network, spikes if own is None else own), run(other, spikes)
    for name, ours, theirs in zip(names, ran.layers, read.layers, strict=False):
        counts = [np.bincount(one.spikes.address, minlength=one.spikes.n_neurons) for one in (ours, theirs)]
        total = int(counts[0].sum())
        out.append({"layer": name, "spikes": total, "exported": int(counts[1].sum()),
                    "apart": float(np.abs(counts[0] - counts[1]).sum() / max(1, total))})
    return out


def fitted(network, spikes, writing=None, own=None) -> Writing:
    """``writing`` with the share of the refractoriness that brings the spikes nearest; itself without such neurons.

    spikes, own : see `difference`
    """
    writing = writing or Writing()
    if not any(isinstance(neuron, SRM) for neuron in network.neurons):
        return writing

    def apart(one):
        return sum(layer["apart"] for layer in difference(network, to_graph(network, one), spikes, one, own))

    return min((replace(writing, share=share) for share in _SHARES), key=apart)
