"""What a layer's kernels get on the exact clock: neurons with rows of weights, and spikes as lists of such rows."""

import math
from typing import NamedTuple

import numpy as np

from eventsim import kernels
from eventsim.engine.active import starts
from eventsim.engine.feed import feed
from eventsim.engine.pieces import list_starts
from eventsim.engine.runs import empty_runs, sample_parts
from eventsim.engine.wiring import NO_DRIVE, NO_OWN, Wiring, weigh
from eventsim.errors import ConfigError
from eventsim.kernels.layout import EXACT_THETA, TILE
from eventsim.model.precision import dequantized
from eventsim.spikes import Spikes

# Of the thresholds, all neurons' and a neuron's own: what the rounding of a bound in float32 cannot reach.
_ROUNDING = 1e-5
_MOST = 3e38  # a bound that left float32 is above it


class Tiles(NamedTuple):
    """The neurons of a layer and their weights; the names are those of kernels' arguments.

    weight : float32[channel_tiles, rows, 64]
    neuron : int32[tiles, 64], the address of every lane, see `Layer.lane_neuron`
    theta : float64[tiles, 64], the threshold of every lane: less by what a constant input comes to in the end, and
        infinite where there is no neuron
    least : float32[tiles, 64], the bound of a potential at which it may have reached theta
    """

    weight: np.ndarray
    neuron: np.ndarray
    theta: np.ndarray
    least: np.ndarray

    @property
    def fires_alone(self) -> bool:
        """Whether a neuron fires without any spike to it, and does not end."""
        return bool((self.theta <= 0.0).any())


def check_settles(network):
    """Raise `ConfigError` where the potential would never settle: a constant input to neurons that do not leak."""
    for name, layer, neuron in zip(network.layer_names, network.layers, network.neurons, strict=True):
        if layer.kind == "sparse" or not neuron.fires or not math.isinf(getattr(neuron, "tau_mem", 0.0)):
            continue
        if layer.norm is not None or layer.bias is not None:
            cause = "a bias" if layer.norm is None else "batch normalisation"
            raise ConfigError(f"neurons of {name} do not leak, and {cause} gives them a constant input, by which they "
                              "never settle in continuous time; give them a tau_mem, or run them on the grid")


def tile(layer, given, neuron, dt) -> Tiles:
    """The tiles of a layer behind a `Feed`, whose constant input in every tick of ``dt`` ms is a constant current."""
    rows, scale, total = weigh(layer, given)
    reached = neuron.exact_constants(dt)[EXACT_THETA]
    theta = np.full(layer.lane_neuron.shape, reached)
    if total is not None:
        theta -= total * neuron.settled(dt)
    least = theta - _ROUNDING * (reached + np.abs(theta))
    theta[layer.lane_neuron < 0] = np.inf
    return Tiles(dequantized(rows, scale), layer.lane_neuron, theta, np.clip(least, -_MOST, _MOST).astype(np.float32))


def inference_tiles(layer, neuron, dt) -> Tiles:
    """The tiles of a layer in inference, whatever its spikes."""
    nothing = Spikes([0, 0], [], time=[], n_neurons=layer.before.size, n_ticks=0, dt=dt)
    return tile(layer, feed(layer, nothing), neuron, dt)


class Lists(NamedTuple):
    """Spikes as lists of rows of weights: one a sample, or ``patch * B + sample`` of a convolution."""

    sample_ptr: np.ndarray
    address: np.ndarray
    time: np.ndarray


def cut_lists(layer, sample_ptr, address, time) -> Lists:
    """The lists of spikes at a layer's synapses."""
    if layer.patches is None:
        return Lists(sample_ptr, address, time)
    patches = layer.patches
    reach_ptr, reach_patch, reach_row = patches.reach
    list_ptr, _ = list_starts(patches, sample_ptr, address)
    row, row_time = np.empty(list_ptr[-1], np.int32), np.empty(list_ptr[-1])
    kernels.call_parts("cut_patch_times", {
        "n_samples": len(sample_ptr) - 1, "rows_a_channel": patches.rows_in * patches.columns_in,
        "sample_ptr": sample_ptr, "address": address, "time": time, "reach_ptr": reach_ptr, "reach_patch": reach_patch,
        "reach_row": reach_row, "list_ptr": list_ptr, "next_spike": (patches.n_patches,), "row": row,
        "row_time": row_time,
    }, sample_parts(sample_ptr))
    return Lists(list_ptr, row, row_time)


def own_spikes(layer, neuron, time, address, counts, spikes):
    """A layer's own spikes by item, as `Wiring` has them, if its neurons forget at a spike; else none.

    time, address, counts : of the run, see `by_sample`; a spike is one of the first tick that is not before it
    """
    if not neuron.forgets:
        return NO_OWN
    tick = np.ceil(time / spikes.dt)  # the quotient rounds, and so does the product that ticks are
    tick -= (tick - 1.0) * spikes.dt >= time
    tick += tick * spikes.dt < time
    lane_of = np.empty(layer.n_out, np.uint8)
    tiles, lanes = np.nonzero(layer.lane_neuron >= 0)
    lane_of[layer.lane_neuron[tiles, lanes]] = lanes
    lane = lane_of[address]
    seen, item = tick < spikes.n_ticks, np.repeat(np.arange(len(counts)), counts)
    return starts(np.bincount(item[seen], minlength=len(counts))), tick[seen].astype(np.int32), lane[seen]


def wire_back(layer, given, rows, lists, neuron, own=NO_OWN) -> Wiring:
    """What the backward pass gets: spikes between ticks count at the next one, see `group_times_by_address`.

    rows : float32[channel_tiles, rows, 64], of the layer's tiles; own : see `own_spikes`
    """
    spikes, n_lists = given.spikes, len(lists.sample_ptr) - 1
    moving = given.constant is not None
    if layer.patches is None:
        return Wiring(rows, None, spikes.address, None, n_lists, layer.n_out, NO_DRIVE, moving, own=own)
    tick, share = np.empty(len(lists.time), np.int32), np.empty((len(lists.time), 2), np.float32)
    runs, parts = empty_runs(lists.sample_ptr, spikes.n_ticks), sample_parts(lists.sample_ptr)
    if spikes.n_ticks:
        kernels.call_parts("share_times", {
            "n_ticks": spikes.n_ticks, "dt": spikes.dt, "shares": neuron.shares(spikes.dt),
            "sample_ptr": lists.sample_ptr, "time": lists.time, "tick": tick, "share": share,
        }, parts)
        kernels.call_parts("group_by_tick", {"sample_ptr": lists.sample_ptr, "tick": tick, **runs._asdict()}, parts)
    n_neurons = len(rows) * TILE
    return Wiring(rows, None, lists.address, runs, n_lists, n_neurons, NO_DRIVE, moving, share=share, own=own)
