"""The adjoint of a convolution in which few pairs are active, from those pairs; see the kernel `pair_gradient`."""

import numpy as np

from eventsim import kernels
from eventsim.engine.adjoint import GROUPS, Adjoint, below_arguments, summed
from eventsim.engine.feed import lane_addresses
from eventsim.engine.runs import by_tick, even_parts
from eventsim.engine.wiring import weight_by_channel
from eventsim.kernels.layout import ALPHA_SYN, CHUNK, GAIN_SYN, SIXTEEN, TILE
from eventsim.kernels.memory import aligned, aligned_zeros

# Share of active pairs up to which this is less work than `patch_adjoint`.
_FEW = 0.25
_PIXELS = TILE // SIXTEEN  # of a row of a piece


def goes_by_pairs(layer, done, truncate) -> bool:
    """Whether `pair_adjoint` can be called, and is less work than `patch_adjoint`."""
    active = done.active
    if layer.kind != "conv" or layer.groups > 1 or layer.given.channels % SIXTEEN:
        return False
    if active.full or truncate or done.feed.spikes.time is not None:
        return False
    return active.n_pairs <= _FEW * layer.n_out * active.n_ticks * active.n_samples


def _reach(constants, spikes):
    """float32[T], the sum of g over time that d = 1 in each tick gives."""
    n = np.arange(spikes.n_ticks)
    eps = n * np.float64(constants[ALPHA_SYN]) ** n
    return (spikes.dt * float(constants[GAIN_SYN]) * np.cumsum(eps)).astype(np.float32)


def pair_adjoint(layer, neuron, done, error, below) -> Adjoint:
    """The adjoint of a convolution for which `goes_by_pairs`; see `dense_adjoint`."""
    given, active, spikes = done.feed, done.active, done.feed.spikes
    constants, pixel, runs = neuron.constants(spikes.dt), layer.tap_pixel, by_tick(spikes)
    taps, pieces, channels = pixel.shape[1], layer.given.channels // SIXTEEN, layer.shape.channels
    quads = -(-layer.given.positions // _PIXELS)
    groups = even_parts(np.ones(spikes.n_samples), min(GROUPS, spikes.n_samples))
    gradient = aligned_zeros((len(groups), pieces, channels, taps, SIXTEEN), np.float32)
    g_sum = np.zeros((len(groups) if done.wiring.moving else 0, *active.lane_neuron.shape), np.float32)
    place = pixel // _PIXELS * (CHUNK * TILE) + pixel % _PIXELS * SIXTEEN
    shared = {
        "n_samples": spikes.n_samples, "n_ticks": spikes.n_ticks, "n_pixels": layer.given.positions,
        "n_positions": layer.shape.positions, "dt": spikes.dt, "constants": constants,
        "tap_place": np.where(pixel >= 0, place, -1).astype(np.int32), "lane_neuron": active.lane_neuron,
        "entry_start": active.entry_start, "pair_start": active.pair_start, "entry_lane": active.entry_lane,
        "entry_ticks": active.entry_ticks, "drive": active.rho * error.sum(axis=0), "ticks_at": (CHUNK,),
        "state": (2 * quads, TILE), "y": (quads * CHUNK, TILE),
    }
    parts = [
        {"piece": piece, "sample_first": first, "sample_last": last} for first, last in groups
        for piece in range(pieces)
    ]
    kernels.call_parts("pair_gradient", {
        **shared, **runs._asdict(), "address": spikes.address, "reach": _reach(constants, spikes),
        "gradient": gradient, "g_sum": g_sum,
    }, [{"group": i // pieces, **part} for i, part in enumerate(parts)])
    error_below = None
    if below is not None:
        weight = weight_by_channel(layer, given).reshape(pieces, SIXTEEN, taps, channels)
        error_below = np.zeros((1, below.n_pairs), np.float32)
        kernels.call_parts("pair_error", {
            **shared, "weight": aligned(np.ascontiguousarray(weight.transpose(0, 3, 2, 1))),
            "lane_address": lane_addresses(layer, below.lane_neuron), **below_arguments(below),
            "error_below": error_below,
        }, parts)
    packed = np.ascontiguousarray(summed(gradient).transpose(0, 3, 2, 1))
    return Adjoint(layer.patches.spread(packed), summed(g_sum) if len(g_sum) else None, error_below)
