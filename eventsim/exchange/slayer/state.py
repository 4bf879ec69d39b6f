"""What the names of a state dict mean: modules of slayerPytorch and blocks of lava-dl."""

import math
import re
from dataclasses import dataclass, field

import numpy as np

from eventsim.errors import FormatError

# Lengths of normalised weights, and their directions; the second is torch's newer way.
_NORMED = {"weight_g": "weight_v", "parametrizations.weight.original0": "parametrizations.weight.original1"}
_KERNELS = ("srmKernel", "refKernel")
_DECAYS = ("current_decay", "voltage_decay")
_NO_DECAY = 4096.0  # of lava-dl's decays: all of it in one step
_DELAY = re.compile(r"(.*\.)?delay\d*", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """An array with its name, and the block that its module is in, "" where it is in none."""

    name: str
    block: str
    values: np.ndarray


@dataclass(frozen=True)
class State:
    """A state dict, sorted out.

    weights : in the order of the file, those of weight normalisation multiplied out
    delays : of axons; in ms, or in ticks where ``is_lava``
    kernels : srmKernel and refKernel of slayerPytorch, where they are saved
    decays : current_decay and voltage_decay of lava-dl's CUBA neurons, of every block
    """

    source: object
    is_lava: bool
    weights: list[Entry] = field(default_factory=list)
    delays: list[Entry] = field(default_factory=list)
    kernels: dict = field(default_factory=dict)
    decays: dict = field(default_factory=dict)

    def neuron(self, dt: float) -> dict | None:
        """Kind and parameters of lava-dl's CUBA neurons, as far as the file says them; None where it says nothing.

        The threshold is no part of a state dict. A decay of a 4096ths a tick is a time constant of -dt / ln(1 - a /
        4096) ms. Raises `FormatError` where neurons differ: a network has one model.
        """
        if not self.decays:
            return None
        out = {"kind": "cubalif", "reset": "hard"}
        for leaf, name in zip(_DECAYS, ("tau_syn", "tau_mem"), strict=True):
            values = np.unique(np.rint(np.concatenate([np.ravel(one) for one in self.decays.get(leaf, [[]])])))
            if len(values) != 1:
                raise FormatError(f"{self.source}: has {len(values)} values of {leaf}, and all neurons of a network "
                                  "have one here; leave them out and give --neuron cubalif with its parameters")
            if not 0 <= values[0] < _NO_DECAY or (values[0] == 0 and name == "tau_syn"):
                raise FormatError(f"{self.source}: {leaf} {values[0]:g} of 4096 a tick has no time constant here; "
                                  "leave the neurons out and name a model that fits with --neuron")
            out[name] = -dt / math.log1p(-values[0] / _NO_DECAY) if values[0] else math.inf
        return out


def parse_state(source, arrays) -> State:
    """Sort out arrays by name; raises `FormatError` for what has no place, since it would change the result."""
    arrays = _multiplied(source, arrays)
    state = State(source, any("synapse" in name.split(".") for name in arrays))
    for name, values in arrays.items():
        module, _, leaf = name.rpartition(".")
        entry = Entry(name, module.rpartition(".")[0], values)
        if leaf in _KERNELS:
            state.kernels[leaf] = values.ravel()
        elif leaf in _DECAYS:
            state.decays.setdefault(leaf, []).append(values)
        elif _DELAY.fullmatch(name):
            state.delays.append(entry)
        elif values.ndim > 1 and (leaf == "weight" or not module) and "recurrent" not in name:
            state.weights.append(entry)
        elif leaf != "bias" or values.any():
            raise FormatError(f"{source}: {name} of the shape {values.shape} has no place in a network of eventsim, "
                              "and would change what it does; leave it out of the file if it may be missing")
    if not state.weights:
        raise FormatError(f"{source}: holds no weights; save the state dict of a network")
    return state


def _multiplied(source, arrays):
    """The arrays with those of weight normalisation as weights, at the places of their lengths."""
    out, used = {}, set()
    for name, values in arrays.items():
        length = next((one for one in _NORMED if name == one or name.endswith("." + one)), None)
        if length is None:
            out[name] = values
            continue
        stem = name.removesuffix(length)
        direction = stem + _NORMED[length]
        if direction not in arrays:
            raise FormatError(f"{source}: has {name} of normalised weights, but no {direction}; save the state dict "
                              "anew")
        out[stem + "weight"] = _weight(source, name, values, direction, arrays[direction])
        used.add(direction)
    return {name: values for name, values in out.items() if name not in used}


def _weight(source, length, g, direction, v):
    """g v / |v| for every output, or for all weights where g is one number (Salimans & Kingma 2016)."""
    if v.ndim < 2 or g.size not in (1, len(v)):
        raise FormatError(f"{source}: {length} of the shape {g.shape} has no lengths for {direction} of the shape "
                          f"{v.shape}; save the state dict anew")
    norm = np.sqrt(np.square(v, dtype=np.float64).sum(axis=tuple(range(g.size > 1, v.ndim)), keepdims=True))
    if not norm.all():
        raise FormatError(f"{source}: {direction} is zero for a neuron, and has no direction then; train again, or set "
                          "it")
    return np.float64(g).reshape(-1, *[1] * (v.ndim - 1)) * v / norm
