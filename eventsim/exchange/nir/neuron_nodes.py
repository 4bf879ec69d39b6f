"""Our neurons as NIR's, a line a model in `NODES`: the inverse of `neurons`."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim.errors import ConfigError
from eventsim.exchange.nir.file import require
from eventsim.exchange.nir.integrators import integrator_node
from eventsim.exchange.nir.neurons import snapped
from eventsim.exchange.nir.schemes import Scheme
from eventsim.exchange.nir.timing import NOTE
from eventsim.model import LIF, SRM, CubaLIF

_SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Clock:
    """The scheme that is written for, its unit of time in ms, and the network's tick in ms."""

    scheme: Scheme
    unit: float
    dt: float

    def tau(self, tau) -> float:
        """A time constant as the file has it, of float32, which leaves in a tick what tau in ms does exactly."""
        ratio = self.scheme.ratio(self.dt / tau)
        return float(np.float32(self.dt / (ratio * self.unit)))

    def share(self, tau) -> float:
        """1 - decay of a time constant of the file."""
        return self.scheme.share(self.dt / (tau * self.unit))


def nearest(neuron: SRM, dt: float, share: float) -> CubaLIF:
    """The `CubaLIF` whose psp is that of an `SRM`, a tick earlier, and whose reset takes about as much as its nu.

    An alpha kernel is that of a current and a potential that forget equally fast. NIR has no refractory kernel: v is
    reset so far below the threshold that the integral of what is missing, which the membrane forgets, is a ``share`` of
    that of the SRM's nu, scale_ref theta e tau_ref. It is below 1, for a reset takes what is above the threshold, too.
    """
    decay = math.exp(-dt / neuron.tau_syn)
    gain = math.e * dt / neuron.tau_syn * decay / (1.0 - decay)
    lost = share * neuron.scale_ref * math.e * neuron.tau_ref / neuron.tau_syn
    return CubaLIF(theta=neuron.theta / gain, tau_mem=neuron.tau_syn, tau_syn=neuron.tau_syn, reset="hard",
                   v_reset=neuron.theta * min(1.0 - lost, 0.999) / gain, t_abs=neuron.t_abs)


def _lif(neuron, clock):
    scheme = clock.scheme
    if math.isinf(neuron.tau_mem):
        return "IF", {"r": 1.0}, 1.0
    if math.exp(-clock.dt / neuron.tau_mem) < _SMALLEST:
        return "Threshold", {}, 1.0
    tau = clock.tau(neuron.tau_mem)
    r = 1.0 if scheme.sums or scheme.r_of_lif == "unit" else float(np.float32(1.0 / clock.share(tau)))
    return "LIF", {"tau": tau, "r": r, "v_leak": 0.0}, r if scheme.sums else r * clock.share(tau)


def _cuba_lif(neuron, clock):
    if math.isinf(neuron.tau_mem):
        raise ConfigError("has neurons with a current and without a leak, which NIR does not have; give them a long "
                          "tau_mem")
    tau_mem, tau_syn = clock.tau(neuron.tau_mem), clock.tau(neuron.tau_syn)
    w_in = float(np.float32(1.0 / clock.share(tau_syn)))
    r = 1.0 if clock.scheme.r_of_cuba == "unit" else float(np.float32(1.0 / clock.share(tau_mem)))
    values = {"tau_mem": tau_mem, "tau_syn": tau_syn, "r": r, "v_leak": 0.0, "w_in": w_in}
    return "CubaLIF", values, r * w_in * clock.share(tau_syn)


# By model: a function that gives (type of node, its parameters, what a unit of input adds).
NODES = {LIF: _lif, CubaLIF: _cuba_lif}


def _beside(theta, is_strict, scheme):
    """The threshold of float32 with which a framework's comparison is the neuron's."""
    theta = np.float32(theta)
    if is_strict == scheme.strict:
        return theta
    return np.nextafter(theta, np.float32(-np.inf if scheme.strict else np.inf))


def node_of(neuron, shape, clock):
    """The `nir` node of a layer's neurons, and what it does not say: a list of (what, the value that is lost).

    shape : (N,) or (C, H, W)
    """
    if not neuron.fires:
        return integrator_node(neuron, shape, clock)
    nir, scheme = require(), clock.scheme
    kind, values, gain = NODES[type(neuron)](neuron, clock)
    gain = snapped(gain)
    is_hard, lost, noted = neuron.reset == "hard" or kind == "Threshold", [], {}
    values["v_threshold"] = _beside(neuron.theta * gain, neuron.strict, scheme)
    values["v_reset"] = neuron.v_reset * gain if neuron.reset == "hard" else 0.0
    if kind == "Threshold":
        values = {"threshold": values["v_threshold"]}
    elif neuron.reset == "hard":
        noted["reset"] = "hard"
        if scheme.reader_resets != "hard":
            lost.append("are reset to v_reset")
        elif values["v_reset"] and not scheme.knows_v_reset:
            noted["v_reset"], values["v_reset"] = float(np.float32(values["v_reset"])), 0.0
            lost.append("are reset to another v_reset than 0")
    else:
        noted["reset"] = "subtract"
        if neuron.v_drop is not None:
            noted["drop"] = float(np.float32(neuron.v_drop * gain))
        if scheme.reader_resets != "subtract" or neuron.v_drop is not None:
            lost.append(f"lose {'the threshold' if neuron.v_drop is None else f'{neuron.v_drop:g}'} with a spike")
    if kind == "IF" and scheme.odd_if:
        lost.append(scheme.odd_if)
    if neuron.strict == scheme.strict and is_hard == (scheme.reset == "hard"):
        noted.pop("reset", None)
    if neuron.strict != scheme.strict:
        noted["inclusive"] = float(not neuron.strict)
    dead = neuron.dead_ticks(clock.dt)
    if dead > 1:
        noted["dead_ticks"] = float(dead)
        lost.append(f"are dead for {dead} ticks")
    if getattr(neuron, "late", False):
        noted["late"] = 1.0
        lost.append("take their current a tick later")
    arrays = {name: np.full(shape, value, np.float32) for name, value in values.items()}
    return getattr(nir, kind)(**arrays, metadata={NOTE: noted} if noted else {}), lost
