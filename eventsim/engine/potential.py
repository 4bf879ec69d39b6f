"""Membrane potentials after a run: what the spikes to a neuron and its own make of it, as the model's equations say."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.engine.feed import feed
from eventsim.engine.potential_lif import li_parts, lif_parts
from eventsim.engine.responses import summed
from eventsim.engine.trace import Trace
from eventsim.engine.wiring import weigh
from eventsim.errors import ConfigError
from eventsim.kernels.layout import TILE
from eventsim.kernels.memory import on_host
from eventsim.model.precision import dequantized


@dataclass(frozen=True)
class Membrane:
    """One neuron of a run over time; potentials are in the units of the threshold, if it has one.

    Attributes
    ----------
    neuron : int, its address in the layer
    time : float64[T], ms
    psp : float64[T], what its input alone makes of the potential
    refractory : float64[T], what its own spikes add
    arrival, weight : float64[K], when a spike reached a synapse (ms), ascending, and what it weighs there
    spikes : float64[S], ms, its own
    """

    neuron: int
    time: np.ndarray
    psp: np.ndarray
    refractory: np.ndarray
    arrival: np.ndarray
    weight: np.ndarray
    spikes: np.ndarray

    @property
    def potential(self):
        """The potential, float64[T]."""
        return self.psp + self.refractory


def membranes(network, trace, layer, neurons, sample=0, time=None) -> list[Membrane]:
    """What went on in chosen ``neurons`` of a run, in float64.

    trace : `Trace` of the network
    layer : its name, as in ``network.layer_names``
    neurons : addresses in the layer
    time : ms, of the potentials on the exact clock; None: at every tick of the trace. On the grid it is always that:
        the potential of a tick has the refractory terms of the spikes up to it, as where it is compared with theta

    A constant input is part of the psp, and no arrival; of a leaky integrate-and-fire neuron, what resets take off is
    the refractory part. Raises `ConfigError` for a trace of
    another network, and for neurons that are not there.
    """
    index = _checked_index(network, trace, layer)
    layer, done = network.layers[index], trace.layers[index]
    sample = checks.whole_number("sample", sample, 0, trace.input.n_samples - 1)
    neurons = checks.indices(f"neurons of {done.name}", neurons, layer.n_out)
    before = trace.layers[index - 1].spikes if index else trace.input
    given, own = done.feed or feed(layer, before), done.spikes.sample(sample)
    time = _checked_time(time, own)
    weights, constant = _weights(layer, given, neurons)
    sources = [(layer, weights, given.spikes.sample(sample))]
    if layer.kind == "recurrent":
        sources.append((layer.recurrent, layer.recurrent.weight[:, neurons].T, own))
    model, own_times = network.neurons[index], own.times
    out = []
    for i, neuron in enumerate(neurons):
        parts = [_arrivals(part.delay, neuron, weights[i], spikes) for part, weights, spikes in sources]
        arrival, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(arrival, kind="stable")
        arrival, weight = arrival[order], weight[order]
        fired = own_times[own.address == neuron]
        psp, refractory = _PARTS[model.family](model, own, time, arrival, weight, constant[i], fired)
        out.append(Membrane(int(neuron), time, psp, refractory, arrival, weight, fired))
    return out


def potentials(network, trace, layer, neurons, sample=0, time=None):
    """The potentials of chosen neurons, float64[n, T]; see `membranes`."""
    found = [one.potential for one in membranes(network, trace, layer, neurons, sample, time)]
    return np.stack(found) if found else np.empty((0, len(_checked_time(time, trace.input))))


def _checked_index(network, trace, layer):
    """The place of a layer, of a trace that is the network's."""
    if not isinstance(trace, Trace):
        raise ConfigError(f"trace must be a Trace, got {type(trace).__name__}; Network.simulate gives one")
    widths = [(name, one.n_out) for name, one in zip(network.layer_names, network.layers, strict=True)]
    if [(done.name, done.spikes.n_neurons) for done in trace.layers] != widths or trace.input.dt != network.dt:
        raise ConfigError("the trace is of another network than the one given; simulate with the one or give the other")
    return network.layer_names.index(checks.choice("layer", layer, network.layer_names))


def _checked_time(time, spikes):
    if time is None:
        return np.arange(spikes.n_ticks) * spikes.dt
    if spikes.time is None:
        raise ConfigError("potentials on the grid clock are those of its ticks; leave out time, or simulate exactly")
    return checks.column("time", time).astype(np.float64)


def _weights(layer, given, neurons):
    """(weights float64[n, n_in] of the synapses into ``neurons`` behind a `Feed`, constant input float64[n] a tick)."""
    if layer.kind == "sparse":
        source = np.repeat(np.arange(layer.n_in), np.diff(layer.row_start))
        out = np.zeros((len(neurons), layer.n_in))
        for weight, neuron in zip(out, neurons, strict=True):
            chosen = layer.target == neuron
            weight[source[chosen]] = layer.weight[chosen]
        return out, np.zeros(len(neurons))
    rows, scale, total = weigh(layer, given)
    rows = dequantized(on_host(rows), scale)
    place = np.argsort(np.where(layer.lane_neuron < 0, layer.n_out, layer.lane_neuron), axis=None, kind="stable")
    tile, lane = np.divmod(place[neurons], TILE)
    constant = np.zeros(len(neurons)) if total is None else total[tile, lane]
    if layer.patches is None:
        return rows[tile, :, lane].astype(np.float64), constant
    channel_tile, patch = np.divmod(tile[:, None], layer.patches.n_patches)
    row = layer.patches.row_of(patch, np.arange(layer.n_in))
    return np.where(row >= 0, rows[channel_tile, row, lane[:, None]], 0.0).astype(np.float64), constant


def _arrivals(delay, neuron, weights, spikes):
    """(times in ms, weights) at which ``spikes`` reach the synapses of a neuron that they have, within the sample."""
    linked = weights[spikes.address] != 0.0
    address = spikes.address[linked]
    if delay is None:
        return spikes.times[linked], weights[address]
    delay = delay[:, neuron] if delay.ndim == 2 else delay
    late = np.broadcast_to(delay, len(weights))[address]
    if spikes.time is None:
        arrival = (spikes.tick[linked] + np.rint(late / spikes.dt)) * spikes.dt
    else:
        arrival = spikes.time[linked] + late
    inside = arrival < spikes.n_ticks * spikes.dt
    return arrival[inside], weights[address[inside]]


def _alphas(time, when, weight, tau):
    """The sum of alpha kernels that begin at the ascending times ``when``, by ``weight``: float64[T]."""
    return summed(time, when, weight, 1.0 / tau, 0.0, math.e / tau)


def _srm_parts(neuron, spikes, time, arrival, weight, constant, fired):
    """(psp, refractory) at ``time``, float64[T] each; see `lif_parts`."""
    refractory = -neuron.scale_ref * neuron.theta * _alphas(time, fired, np.ones(len(fired)), neuron.tau_ref)
    settled = constant * _settling(neuron, spikes, time) if constant else 0.0
    return _alphas(time, arrival, weight, neuron.tau_syn) + settled, refractory


_PARTS = {"srm": _srm_parts, "lif": lif_parts, "li": li_parts}


def _settling(neuron, spikes, time):
    """The psp of a constant input of 1 in every tick, float64[T]; on the exact clock it is a constant current."""
    age = time / neuron.tau_syn
    if spikes.time is None:
        return np.cumsum(age * np.exp(1.0 - age))
    return math.e * neuron.tau_syn / spikes.dt * (1.0 - (1.0 + age) * np.exp(-age))
