"""NIR's neurons as ours, a line a type in `NEURONS`.

Ours have neither resistance nor resting potential: potentials are counted from v_leak, and divided by what a unit of
input adds to them. So weights stay as they are, and threshold and reset are scaled.
"""

import math

import numpy as np

from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir.file import scalar
from eventsim.exchange.nir.timing import NOTE
from eventsim.exchange.nir.values import levelled
from eventsim.model import LIF, CubaLIF

# What float32 leaves of a product that should be 1.
_ROUNDING = 1e-6
# Ticks that a potential without memory takes to fall to 1/e.
_AT_ONCE = 1e-3


def snapped(gain) -> float:
    """A gain that is 1 but for rounding as 1."""
    return 1.0 if abs(gain - 1.0) <= _ROUNDING else gain


def _if(p, timing, notes, where):
    return LIF, {"tau_mem": math.inf}, p["r"], 1.0


def _lif(p, timing, notes, where):
    ratio, scheme = timing.ratio(where, "tau", p["tau"], notes), timing.scheme
    gain = p["r"] if scheme.sums else p["r"] * scheme.share(ratio)
    return LIF, {"tau_mem": timing.dt / scheme.exact(ratio)}, gain, scheme.decay(ratio)


def _cuba_lif(p, timing, notes, where):
    scheme = timing.scheme
    ratio, of_current = (timing.ratio(where, name, p[name], notes) for name in ("tau_mem", "tau_syn"))
    jump = p["w_in"] if scheme.sums_current else p["w_in"] * scheme.share(of_current)
    taus = {"tau_mem": timing.dt / scheme.exact(ratio), "tau_syn": timing.dt / scheme.exact(of_current)}
    return CubaLIF, taus, p["r"] * jump, scheme.decay(ratio)


def _threshold(p, timing, notes, where):
    p["v_threshold"] = p.pop("threshold")
    return LIF, {"tau_mem": _AT_ONCE * timing.dt, "reset": "hard"}, 1.0, 0.0


# By type: what makes it ours, (class, time constants, what a unit of input adds, decay), and the parameters it has.
NEURONS = {
    "IF": (_if, ("r", "v_threshold", "v_reset")),
    "LIF": (_lif, ("tau", "r", "v_leak", "v_threshold", "v_reset")),
    "CubaLIF": (_cuba_lif, ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")),
    "Threshold": (_threshold, ("threshold",)),
}


def noted_of(node, where):
    """What eventsim noted of a neuron, which NIR cannot say."""
    notes = (node.metadata or {}).get(NOTE, {})
    try:
        return {key: (str if key in ("reset", "readout") else scalar)(value) for key, value in dict(notes).items()}
    except (TypeError, ValueError):
        raise FormatError(f"{where} has damaged notes of eventsim; remove its metadata") from None


def neuron_of(where, node, shapes, timing, scale, notes):
    """(our neuron for a node to which input comes multiplied with ``scale``, strengths as of `levelled`).

    notes : list, to which doubts are added; raises `FormatError`
    """
    make, names = NEURONS[type(node).__name__]
    p, strength = levelled(where, {name: getattr(node, name) for name in names}, shapes)
    kind, settings, gain, decay = make(p, timing, notes, where)
    gain = snapped(gain * scale)
    if not gain > 0:
        raise FormatError(f"{where} has input that counts {gain:g}; eventsim needs more than 0: change the sign of the "
                          "weights instead")
    noted = noted_of(node, where) if timing.is_ours else {}
    leak = p.get("v_leak", 0.0)
    if leak and leak >= p["v_threshold"]:
        raise FormatError(f"{where} has a v_leak of {leak:g}, which is not below its v_threshold of "
                          f"{p['v_threshold']:g}, so that it fires without input; export it with a lower one")
    with np.errstate(over="ignore"):
        theta = np.float32(p["v_threshold"])
    is_strict = timing.scheme.strict
    if noted.get("inclusive", not is_strict) == is_strict:  # the file has the number next to the threshold
        theta = np.nextafter(theta, np.float32(np.inf if is_strict else -np.inf))
        is_strict = not is_strict
    theta = (float(theta) - leak) / gain if leak else float(theta) / gain
    reset = settings.pop("reset", None) or noted.get("reset", timing.reset)
    if reset == "hard":
        settings |= {"reset": reset, "v_reset": (noted.get("v_reset", p.get("v_reset", 0.0)) - leak) / gain}
    elif reset == "delayed":
        settings["v_drop"] = (theta + leak / gain) / decay
    elif "drop" in noted:
        settings["v_drop"] = noted["drop"] / gain
    elif leak:  # the threshold that is taken away is not counted from v_leak
        settings["v_drop"] = theta + leak / gain
    if "dead_ticks" in noted:
        settings["t_abs"] = noted["dead_ticks"] * timing.dt
    if kind is CubaLIF and noted.get("late"):
        settings["late"] = True
    try:
        if reset not in ("hard", "subtract", "delayed"):
            raise ConfigError(f"there is no reset {reset!r}")
        return kind(theta=theta, strict=is_strict, **settings), strength
    except ConfigError as error:
        raise FormatError(f"{where} cannot be a neuron of eventsim: {error}") from None
