"""Delay nodes and the delays of our layers; what they mean on the grid is said in `schemes`."""

import numpy as np

from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir.file import require
from eventsim.exchange.nir.timing import LONG
from eventsim.exchange.nir.values import checked
from eventsim.model.layers.dense import MOST_DELAY

# How far from half and whole ticks float32 leaves a time; writing is more generous, so that it can be read back.
_READ, _WRITE = 1e-6, 2e-6
NONE = np.zeros(())


def _snapped(ticks, rounding):
    """Times in ticks, those next to a half or whole one on it."""
    near = np.rint(2.0 * ticks) / 2.0
    return np.where(np.abs(ticks - near) <= rounding * near, near, ticks)


def delay_of(where, node, shapes, timing, notes):
    """float64 ms, () or [N], of a Delay node that gets what has one of these ``shapes``; doubts go to ``notes``."""
    delay = checked(where, "delay", node.delay, shapes)
    if delay.any():
        unit = timing.known_unit(where, "delay", delay.max())
        delay = np.array([float(str(value)) * unit for value in np.asarray(node.delay).ravel()])  # 3e-4 of float32, too
    low, high = delay.min(), delay.max()
    if not (low >= 0 and high <= MOST_DELAY):
        found = f"a delay of {low:g} ms" if low == high else f"delays from {low:g} to {high:g} ms"
        raise FormatError(f"{where} has {found}, and eventsim takes 0 to {MOST_DELAY:g}; name another --nir-time-unit, "
                          "or export the file again")
    if high > LONG:
        notes.append(f"{where} has a delay of {high / 1000:.4g} s, which is long for a synapse; --nir-time-unit may be "
                     "another")
    ticks = _snapped(delay / timing.dt, _READ)
    odd = ticks[ticks != np.rint(ticks)]
    if len(odd):
        notes.append(f"{where} has delays that are no whole ticks of {timing.dt:g} ms, such as "
                     f"{odd[0] * timing.dt:.6g} ms; on the grid they are rounded to the nearest")
    delay = np.array([float(f"{value:.12g}") for value in ticks * timing.dt])  # 0.3, not 3 x 0.1 of float64
    return delay[0] if delay.min() == delay.max() else delay


def joined(before, after, n_in):
    """What delays before and after weights from ``n_in`` neurons come to, as `Dense.delay` takes it; None: nothing."""
    if after.ndim:
        before = np.broadcast_to(before, n_in)[:, None]
    total = before + after
    return total if total.any() else None


def nodes_of(part, clock, more=0.0):
    """(Delay node before the weights of the synapses ``part`` or None, that after them or None).

    more : ms that every delay is longer in NIR

    Raises `ConfigError` where delays differ by synapse.
    """
    if part.delay is None or not part.delay.any():
        return None, None
    delay, is_after = part.delay + more, False
    if delay.ndim == 2:
        is_after = not (delay == delay[:, :1]).all()
        if is_after and not (delay == delay[:1]).all():
            raise ConfigError("has delays that differ by synapse, and NIR has them by neuron; give all synapses from a "
                              "neuron one delay, or all to a neuron")
        delay = delay[0] if is_after else delay[:, 0]
    time = np.float32(_snapped(delay / clock.dt, _WRITE) * (clock.dt / clock.unit))
    if not time.any():  # shorter than float32 can say
        return None, None
    node = require().Delay(delay=np.broadcast_to(time, part.n_out if is_after else part.n_in).copy())
    return (None, node) if is_after else (node, None)
