"""What a layer's kernels get: rows of weights, and the spikes as lists of such rows."""

from dataclasses import dataclass, field

import numpy as np

from eventsim.engine.pieces import Pieces
from eventsim.engine.runs import Runs, by_tick
from eventsim.errors import ConfigError
from eventsim.kernels.layout import ALPHA_SYN, BASE, DRIVE_ROWS, EACH_TICK, GAIN_SYN, LIF_SYN_GAIN, TILE
from eventsim.kernels.memory import aligned, on_host
from eventsim.model.precision import quantized

# Rounding of a potential that is the difference of two large ones, as a share of them.
ROUNDING = 1e-5
_NO_SHARE = np.empty((0, 2), np.float32)
NO_OWN = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8)
NO_DRIVE = np.empty((0, DRIVE_ROWS, TILE), np.float32)


@dataclass(frozen=True)
class Wiring:
    """A layer's synapses and input, as kernels of tiles want them.

    weight : float32[tiles, rows, 64], or int8 or the bits of float16, of which each patch has all
    scale : float32[tiles, 64], what one unit of ``weight`` weighs; None: 1
    address, runs : the input as lists of rows, one for each sample, or ``patch * B + sample`` of a convolution
    n_lists : their number; n_neurons : lanes that a list has in all tiles together
    drive : float32[tiles * patches, 4, 64], see `kernels.layout`, or empty where there is no constant input and, in a
        convolution, no lane without a neuron
    moving : whether there is a constant input
    pixels : int64[pixels], spikes that came from every pixel of a convolution's input; None: the layer is none
    share : float32[K, 2], what spikes between ticks count, see `share_times`; empty for those on ticks
    own : (ptr int64[items + 1], tick int32[K'], lane uint8[K']) of the layer's own spikes, where the backward pass asks
        for them and they are between ticks; else empty
    """

    weight: np.ndarray
    scale: np.ndarray | None
    address: np.ndarray
    runs: Runs | None
    n_lists: int
    n_neurons: int
    drive: np.ndarray
    moving: bool
    pixels: np.ndarray | None = None
    share: np.ndarray = field(default_factory=lambda: _NO_SHARE)
    own: tuple = NO_OWN

    def gain(self, unit):
        """float32[tiles, 64], what kernels multiply a neuron's summed rows with; a weight of 1 is ``unit``."""
        gain = np.full((len(self.weight), TILE), unit, np.float32)
        return gain if self.scale is None else gain * self.scale


def by_input(layer, values):
    """float64[rows], the value of a row's channel, of ``values`` by the channels that come in."""
    pixels = layer.given.positions if layer.patches is None else layer.patches.rows_in * layer.patches.columns_in
    return np.repeat(values, pixels)


def what_counts(layer, given):
    """float32[channels], what a spike of every channel counts."""
    return np.broadcast_to(given.unit if given.scale is None else given.scale, layer.given.channels).astype(np.float32)


def weight_by_channel(layer, given):
    """float32[channels, n], the weights of each channel that comes in, by what its spikes count."""
    weight = layer.weight.reshape(layer.given.channels, -1)
    return aligned(weight if given.is_plain else weight * what_counts(layer, given)[:, None])


def unscaled_rows(layer):
    """float32[tiles, rows, 64], the weights of a layer."""
    return layer.rows() if layer.patches is None else layer.patches.expand(on_host(layer.packed))


def weigh(layer, given):
    """(weight, scale, total) behind a `Feed`: weight and scale as in `Wiring`, and `constant_input`; None: none."""
    is_ready = layer.kind in ("dense", "recurrent") and (layer.precision == "float32" or layer.scale is not None)
    if given.is_plain and is_ready and layer.bias is None:
        return layer.packed, layer.scale, None
    rows, scale, total = unscaled_rows(layer), None, None
    if given.constant is not None:
        total = constant_input(layer, rows, given.constant)
    if layer.bias is not None:
        lanes = layer.lane_neuron
        total = np.where(lanes >= 0, layer.bias[lanes], 0.0) + (0.0 if total is None else total)
    if not given.is_plain:
        rows = rows * by_input(layer, what_counts(layer, given))[:, None]
    if given.is_plain and is_ready:
        return layer.packed, layer.scale, total
    if layer.precision != "float32":
        rows, scale = quantized(rows, layer.precision)
    return aligned(rows), scale, total


def wire(layer, given, neuron, runs=None, truncate=False, whole=False) -> Wiring:
    """The wiring of a dense or convolutional layer for a `Feed` on the grid.

    runs : those of the feed's spikes, where they are there already
    whole : nobody will ask for single spikes, so those of a tick may be summed up; gives the same bits
    """
    spikes = given.spikes
    check_truncated(given, truncate)
    rows, scale, total = weigh(layer, given)
    rest = {"scale": scale, "drive": DRIVES[neuron.family](layer, total, neuron.constants(spikes.dt)),
            "moving": total is not None}
    if layer.patches is None:
        return Wiring(rows, address=spikes.address, runs=runs or by_tick(spikes), n_lists=spikes.n_samples,
                      n_neurons=layer.n_out, **rest)
    pieces = Pieces(layer.patches, spikes, runs or by_tick(spikes))
    rest |= {"n_lists": spikes.n_samples * layer.patches.n_patches, "n_neurons": len(rows) * TILE,
             "pixels": pieces.pixels}
    if whole and scale is None and pieces.are_worth_summing:
        total = pieces.summed(weight_by_channel(layer, given))
        return Wiring(total, address=np.arange(total.shape[1], dtype=np.int32), runs=pieces.runs, **rest)
    return Wiring(rows, address=pieces.cut(), runs=pieces.runs, **rest)


def n_taps(layer, neuron, dt, truncate) -> int:
    """Taps of the psp of a layer where it is truncated, else 0."""
    if truncate and neuron.family != "srm":
        raise ConfigError(f"{type(neuron).__name__} neurons of {layer} have no psp that could be truncated, but "
                          "potentials that decay; leave out truncate")
    return neuron.n_taps(dt) if truncate else 0


def check_truncated(given, truncate):
    """Raise `ConfigError` for a truncated psp of a `Feed` with a constant input."""
    if truncate and given.constant is not None:
        raise ConfigError("the psp cannot be truncated behind batch normalisation, whose constant input has no end; "
                          "leave out truncate")


def constant_input(layer, rows, constant):
    """float64[tiles * patches, 64], the sum over a lane's synapses of weight times constant input."""
    weighed = rows * by_input(layer, constant)[:, None]
    if layer.patches is None:
        return weighed.sum(axis=1)
    kinds, kind = layer.patches.borders
    totals = np.stack([weighed[:, inside].sum(axis=1) for inside in kinds], axis=1)
    return totals[:, kind].reshape(-1, TILE)


def _drive(layer, total, constants):
    """The drive of every tile and patch, of a constant input ``total``; see `Wiring`.

    Its psp is that of the two-state system at rest plus a state that decays from the start.
    """
    idle = layer.lane_neuron < 0
    if total is None and (layer.patches is None or not idle.any()):
        return NO_DRIVE
    drive = np.zeros((len(idle), DRIVE_ROWS, TILE))
    if total is not None:
        alpha, gain = float(constants[ALPHA_SYN]), float(constants[GAIN_SYN])
        p = gain * total / (1.0 - alpha)
        q = alpha * p / (1.0 - alpha)
        drive = np.stack((q, -p, -q, ROUNDING * np.abs(q)), axis=1)
    drive[:, 0][idle] = -np.inf
    drive[:, 1:].transpose(0, 2, 1)[idle] = 0.0
    return drive.astype(np.float32)


def lif_drive(layer, total=None):
    """The drive of leaky integrate-and-fire neurons, which add their constant input tick by tick; None: their bias."""
    lanes = layer.lane_neuron
    if total is None and layer.bias is not None:
        total = layer.bias[lanes]
    drive = np.zeros((len(lanes), DRIVE_ROWS, TILE), np.float32)
    drive[:, BASE][lanes < 0] = -np.inf
    if total is not None:
        drive[:, EACH_TICK] = np.where(lanes < 0, 0.0, total)
    return drive


def _lif_drive(layer, total, constants):
    """`lif_drive`, or none where `sweep_lif` needs none."""
    is_full = layer.patches is None or (layer.lane_neuron >= 0).all()
    return NO_DRIVE if total is None and is_full and not constants[LIF_SYN_GAIN] else lif_drive(layer, total)


def _li_drive(layer, total, constants):
    """`lif_drive`, or none where there is no constant input."""
    return NO_DRIVE if total is None else lif_drive(layer, total)


# By the family of kernels that a neuron model runs in.
DRIVES = {"srm": _drive, "lif": _lif_drive, "li": _li_drive}
