"""The adjoints of layers: gradients of their rows of weights, and the error of the layer below."""

import math
import weakref
from dataclasses import dataclass

import numpy as np

from eventsim import kernels
from eventsim.engine.active import ActiveSet
from eventsim.engine.feed import lane_addresses
from eventsim.engine.runs import by_address, by_tick, empty_runs, even_parts
from eventsim.engine.sink import Sink
from eventsim.engine.wiring import n_taps
from eventsim.kernels.layout import (
    ADD,
    DRIVE_ROWS,
    LIF_FAMILY,
    NONE,
    SHARE_DIFFERENCE,
    SHARE_OTHER_RATE,
    SHARE_RATE,
    SHARE_SLOPE,
    SRM_FAMILY,
    SUMS,
    TILE,
)
from eventsim.kernels.memory import aligned_zeros

# Tiles above a layer, and samples of a convolution, are in groups, each of which adds up a part of its own; the parts
# are added in the order of the groups. The number is fixed, so that sums do not depend on the number of threads.
GROUPS = 8
# Rows of 64 numbers that the g of a block of samples may take: what a second-level cache holds. Fixed for the same
# reason.
_BLOCK_ROWS = 2400
_SMALL = 1e-4  # a tick of so few time constants is taken by the first terms of a series
_NO_LANES = np.empty((0, TILE), np.int32)
# What kernels call the families of neurons.
FAMILIES = {"srm": SRM_FAMILY, "lif": LIF_FAMILY, "li": LIF_FAMILY}


@dataclass(frozen=True)
class Adjoint:
    """What an adjoint gives.

    rows : float32[tiles, rows, 64], the gradient of the wiring's rows; None where it went into the layer's `Sink`
    g_sum : float32[tiles * patches, 64], g over time, summed over samples, where the layer has a constant input
    error : float32[G, P'], to be summed over G, at the pairs of the layer below; None where there is none
    sums : `row_sums`, where rows are on a device
    """

    rows: np.ndarray | None
    g_sum: np.ndarray | None
    error: np.ndarray | None
    sums: np.ndarray | None = None


def block_samples(spikes) -> int:
    """Samples whose g the backward pass holds at once."""
    return max(1, min(_BLOCK_ROWS // max(spikes.n_ticks, 1), spikes.n_samples))


_seen = weakref.WeakKeyDictionary()  # what `_near` found for a layer; tilings of layers do not change


def _near(layer, lane_neuron):
    """(near_ptr, near_tile, near_row) of a convolution and the lanes of the layer before, see `patch_backward`."""
    kept = _seen.get(layer)
    if kept is None or kept[0] is not lane_neuron or kept[1] is not layer.stages:
        address = lane_addresses(layer, lane_neuron)
        tiles, rows = [], []
        for patch in range(layer.patches.n_patches):
            row = layer.patches.row_of(patch, address)
            tiles.append(np.flatnonzero((row >= 0).any(axis=1)))
            rows.append(row[tiles[-1]])
        ends = np.cumsum([0, *map(len, tiles)])
        near = ends, *(np.concatenate(parts).astype(np.int32) for parts in (tiles, rows))
        kept = _seen[layer] = lane_neuron, layer.stages, near
    return kept[2]


def below_arguments(below):
    """The `ActiveSet` of the layer below as kernels take it; None: there is none."""
    lower = ActiveSet.nothing(0, 0, _NO_LANES) if below is None else below
    return {
        "below_kind": NONE if below is None else below.kind, "below_lanes": lower.lanes,
        "below_entry_start": lower.entry_start, "below_pair_start": lower.pair_start,
        "below_lane": lower.entry_lane, "below_ticks": lower.entry_ticks,
    }


def _wants_spikes(neuron, active):
    """Whether kernels need to know when the neurons of a layer fire."""
    return neuron.forgets or (neuron.family == "lif" and active.full)


def tick_integral(shares, dt):
    """float32[2], the integrals over a tick, in ticks, of what an input counts of g and ramp; see `sum_over_time`."""
    of_rate, of_other = (_mean_fall(shares[i] * dt) for i in (SHARE_RATE, SHARE_OTHER_RATE))
    h = shares[SHARE_OTHER_RATE] * dt
    of_slope = (of_other - math.exp(-h)) / h if h > _SMALL else 0.5 - h / 3.0
    of_ramp = shares[SHARE_SLOPE] * dt * of_slope + shares[SHARE_DIFFERENCE] * (of_rate - of_other)
    return np.array([of_rate, of_ramp], np.float32)


def _mean_fall(h):
    """The mean of exp(-x) over 0 <= x < h."""
    return -math.expm1(-h) / h if h else 1.0


def _between(neuron, spikes, wiring, n_rows):
    """Arguments that say what spikes between ticks count; ``n_rows`` of 64 numbers are g."""
    shares = None if spikes.time is None else neuron.shares(spikes.dt)
    has_ramp = shares is not None and shares[[SHARE_SLOPE, SHARE_DIFFERENCE]].any()
    return {
        "integral": np.empty(0, np.float32) if shares is None else tick_integral(shares, spikes.dt),
        **dict(zip(("own_ptr", "own_tick", "own_lane"), wiring.own, strict=True)),
        "g": (n_rows, TILE), "ramp": (n_rows if has_ramp else 0, TILE),
    }


def _common(layer, neuron, spikes, wiring, active, error, below, truncate):
    """Arguments that both kernels take."""
    taps = n_taps(layer, neuron, spikes.dt, truncate)
    constants = neuron.constants(spikes.dt, *([taps] if truncate else []))
    if spikes.time is not None:
        constants = neuron.adjoint_constants(spikes.dt)
    drive = wiring.drive if len(wiring.drive) else np.zeros((len(active.lane_neuron), DRIVE_ROWS, TILE), np.float32)
    return {
        "n_samples": spikes.n_samples, "n_ticks": spikes.n_ticks, "family": FAMILIES[neuron.family],
        "n_abs": neuron.dead_ticks(spikes.dt), "fired": (spikes.n_ticks if _wants_spikes(neuron, active) else 0,),
        "n_taps": taps, "dt": spikes.dt, "rho_width": neuron.rho_width, "rho_peak": neuron.rho_peak,
        "constants": constants, "address": wiring.address, "drive": drive,
        "kind": active.kind, "entry_start": active.entry_start, "pair_start": active.pair_start,
        "entry_lane": active.entry_lane, "entry_ticks": active.entry_ticks, "rho": active.rho, "error": error,
        **below_arguments(below), "ready": (TILE,), "state": (2, TILE),
        "kept": (spikes.n_ticks if taps else 0, TILE), "sums": (SUMS,),
    }


def dense_adjoint(layer, neuron, done, error, below, sink, rows=None, truncate=False) -> Adjoint:
    """The adjoint of a `Dense` layer.

    done : its `LayerTrace`; error : float32[G, P], at its active pairs, to be summed over G
    below : the `ActiveSet` of the layer below, None where there is none
    sink : where the gradient goes, if the layer's input is plain
    rows : `by_address` of its input, where it is there already
    """
    spikes, wiring, active = done.feed.spikes, done.wiring, done.active
    block = block_samples(spikes)
    rows = rows or by_address([spikes], block, [neuron])[0]
    tiles, plain = len(wiring.weight), done.feed.is_plain
    if not plain:
        sink = Sink(gradient=aligned_zeros(wiring.weight.shape, np.float32))
    groups = even_parts(np.ones(tiles), min(GROUPS, tiles))
    error_below = np.zeros((len(groups), 0 if below is None else below.n_pairs), np.float32)
    near = _NO_LANES if below is None else lane_addresses(layer, below.lane_neuron)
    g_sum = np.zeros((tiles if wiring.moving else 0, TILE), np.float32)
    runs = empty_runs(spikes.sample_ptr, 0)
    if active.full or (_wants_spikes(neuron, active) and spikes.time is None):  # and so runs the layer once more
        runs = wiring.runs or by_tick(spikes)
    kernels.call_parts("dense_backward", {
        **_common(layer, neuron, spikes, wiring, active, error, below, truncate), **runs._asdict(), **rows._asdict(),
        "block_samples": block, "n_neurons": layer.n_out, "near_tile": np.arange(len(near), dtype=np.int32),
        "near_row": near, "rule": sink.rule, "settings": sink.settings,
        **_between(neuron, spikes, wiring, block * spikes.n_ticks),
        "total": (layer.n_in if sink.rule != ADD and block < spikes.n_samples else 0, TILE),
        "weight": wiring.weight, "gradient": sink.gradient, "mean": sink.mean, "square": sink.square, "g_sum": g_sum,
        "error_below": error_below,
    }, [{"group": i, "tile_first": first, "tile_last": last} for i, (first, last) in enumerate(groups)])
    return Adjoint(
        None if plain else sink.gradient, g_sum if wiring.moving else None, None if below is None else error_below
    )


def patch_adjoint(layer, neuron, done, error, below, truncate=False) -> Adjoint:
    """The adjoint of a convolution or pool; see `dense_adjoint`."""
    spikes, wiring, active = done.feed.spikes, done.wiring, done.active
    groups = even_parts(np.ones(spikes.n_samples), min(GROUPS, spikes.n_samples))
    n_gradients = len(groups) if layer.n_weights or wiring.moving else 0
    gradient = aligned_zeros((n_gradients, *wiring.weight.shape), np.float32)
    g_sum = np.zeros((len(groups) if wiring.moving else 0, len(active.lane_neuron), TILE), np.float32)
    error_below = np.zeros((1, 0 if below is None else below.n_pairs), np.float32)
    near_ptr, near_tile, near_row = np.zeros(layer.patches.n_patches + 1, np.int64), np.empty(0, np.int32), _NO_LANES
    if below is not None:
        near_ptr, near_tile, near_row = _near(layer, below.lane_neuron)
    kernels.call_parts("patch_backward", {
        **_common(layer, neuron, spikes, wiring, active, error, below, truncate), **wiring.runs._asdict(),
        "lanes": active.lanes, "weight": wiring.weight, "near_ptr": near_ptr, "near_tile": near_tile,
        "near_row": near_row, **_between(neuron, spikes, wiring, spikes.n_ticks), "share": wiring.share,
        "gradient": gradient, "g_sum": g_sum, "error_below": error_below,
    }, [{"group": i, "sample_first": first, "sample_last": last} for i, (first, last) in enumerate(groups)])
    return Adjoint(
        summed(gradient) if len(gradient) else None, summed(g_sum) if wiring.moving else None,
        None if below is None else error_below,
    )


def summed(parts):
    """The sum of what groups added up, in their order."""
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total
