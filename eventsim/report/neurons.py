"""Neuron models as people read them."""

import math

from eventsim.model.neurons import INTEGRATORS, NEURONS

_TEXTS = {
    "theta": "threshold {:g}", "strict": "to be exceeded", "tau_mem": "tau_mem {:g} ms", "tau_syn": "tau_syn {:g} ms",
    "late": "late {}", "tau_ref": "tau_ref {:g} ms", "scale_ref": "scale_ref {:g}", "reset": "{} reset",
    "v_drop": "by {:g}", "v_reset": "to {:g}", "t_abs": "dead time {:g} ms", "tau_rho": "tau_rho {:g}",
    "scale_rho": "scale_rho {:g}", "readout": "read by {}",
}
# What is not said by a number.
_UNUSUAL = {("t_abs", None): "dead time one tick", ("tau_mem", math.inf): "no leak"}
# What is read of a potential, in words.
_READ = {"mean": "its mean", "last": "its last value", "max": "its maximum"}


def neuron_line(config, names=tuple(_TEXTS)) -> str:
    """A neuron's kind and parameters, of a dict as of `eventsim.model.neurons.as_config`; only those named."""
    hidden = {"v_reset"} if config.get("reset") == "subtract" else {"v_drop"}
    hidden |= {name for name, usual in (("strict", False), ("v_drop", None)) if config.get(name) == usual}
    parts = [(NEURONS | INTEGRATORS)[config["kind"]].__name__]
    for name, text in _TEXTS.items():
        if name in config and name in names and name not in hidden:
            value = math.inf if config[name] == "inf" else _READ.get(config[name], config[name])
            parts.append(_UNUSUAL.get((name, value)) or text.format(value))
    return ", ".join(parts)
