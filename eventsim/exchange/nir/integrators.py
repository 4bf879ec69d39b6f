"""NIR's neurons that never spike as our `LI`, and the other way round; see `neurons` for those that do."""

import math

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir.file import require
from eventsim.exchange.nir.neurons import NEURONS, noted_of, snapped
from eventsim.exchange.nir.timing import MOST_TICKS, NOTE
from eventsim.exchange.nir.values import one_each, uniform
from eventsim.model import LI
from eventsim.model.neurons.li import READOUTS

_SMALLEST = float(np.finfo(np.float32).tiny)
INTEGRATORS = ("LI", "I")  # types of nodes that never spike
_SAID = {"mean": "the mean of their potentials", "last": "their last potential", "max": "their largest potential"}
# Threshold of a neuron that stands in for one that never spikes, where a framework's import has no such node.
_NEVER = 1e8


def is_read(where, node, timing, is_last) -> bool:
    """Whether a node's potentials are read: it never spikes, or eventsim noted that, or the user says so of the last.

    where : what sentences call it; is_last : whether it has the last neurons of its graph
    """
    kind = type(node).__name__
    if kind in INTEGRATORS:
        return True
    return kind in NEURONS and ("readout" in _notes(node, timing, where) or (is_last and timing.readout is not None))


def _notes(node, timing, where):
    return noted_of(node, where) if timing.is_ours else {}


def integrator_of(where, node, shapes, timing, scale, notes):
    """(`LI` for a node to which input comes multiplied with ``scale``, what input must count, float64[N], or None).

    Potentials are counted from v_leak. notes : list, to which doubts are added; raises `FormatError`
    """
    kind = type(node).__name__
    if kind not in (*INTEGRATORS, "IF", "LIF"):
        raise FormatError(f"{where} has a current in its synapses or no memory, and eventsim reads the potentials of "
                          "LI, LIF, I and IF only; end with one of these")
    r, tau, leak = one_each(where, "r", node.r, shapes), math.inf, 0.0
    if kind in ("LI", "LIF"):
        ratio = timing.ratio(where, "tau", uniform(where, "tau", node.tau, shapes), notes)
        leak = uniform(where, "v_leak", node.v_leak, shapes)
        tau = timing.dt / timing.scheme.exact(ratio)
        r = r if timing.scheme.sums else r * timing.scheme.share(ratio)
    own = _notes(node, timing, where)
    readout = timing.readout or own.get("readout")
    if leak:
        notes.append(f"{where} rests at a v_leak of {leak:g}; potentials are counted from there")
    if readout is None:
        readout = READOUTS[0]
        notes.append(f"{where}: NIR does not say what of its potential is read, and its {readout} is taken; "
                     "--nir-readout names another")
    try:
        unit = checks.number("the unit that eventsim noted", own.get("unit", 1.0), least=_SMALLEST)
        strength = [snapped(one) for one in (r * scale / unit).tolist()]
        return LI(tau_mem=tau, readout=readout), None if set(strength) == {1.0} else np.array(strength)
    except ConfigError as error:
        raise FormatError(f"{where} cannot be a neuron of eventsim: {error}") from None


def integrator_node(neuron, shape, clock):
    """The `nir` node of a layer of `LI`, and what it does not say; see `neuron_nodes.node_of`."""
    nir, scheme, dt = require(), clock.scheme, clock.dt
    noted, lost = {"readout": neuron.readout}, [f"are read: what counts is {_SAID[neuron.readout]}"]
    values, kind, gain = {"r": 1.0}, "I", 1.0
    if math.isfinite(neuron.tau_mem):
        if dt / neuron.tau_mem > MOST_TICKS:
            raise ConfigError(f"has potentials that are gone after a tick, with a tau_mem of {neuron.tau_mem:g} ms, "
                              "and NIR has none of these; give them a longer one")
        tau = clock.tau(neuron.tau_mem)
        r = 1.0 if scheme.sums or scheme.r_of_lif == "unit" else float(np.float32(1.0 / clock.share(tau)))
        values, kind = {"tau": tau, "r": r, "v_leak": 0.0}, "LI"
        gain = snapped(r if scheme.sums else r * clock.share(tau))
    if gain != 1.0:
        noted["unit"] = gain
        lost.append(f"have potentials of {gain:.3g} times the size there")
    if kind in scheme.lacks:
        kind = {"I": "IF", "LI": "LIF"}[kind]
        values |= {"v_threshold": _NEVER * gain, "v_reset": 0.0}
        lost.append(f"never spike, and became {kind} with a threshold of {_NEVER * gain:g}")
        if kind == "IF" and scheme.odd_if:
            lost.append(scheme.odd_if)
    arrays = {name: np.full(shape, value, np.float32) for name, value in values.items()}
    return getattr(nir, kind)(**arrays, metadata={NOTE: noted}), lost
