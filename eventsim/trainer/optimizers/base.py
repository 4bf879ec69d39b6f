"""What optimisers share: the averages that they keep, laid out like the parameters, and two ways to take a step."""

from typing import ClassVar

import numpy as np

from eventsim import kernels
from eventsim.engine.gpu.backward import parameter_step
from eventsim.engine.sink import Sink
from eventsim.kernels.layout import TILE
from eventsim.kernels.memory import assign, on_host, zeros_like

# Rows that one call of a kernel updates: enough to hide the call, few enough to share out.
_CHUNK = 1 << 12


class Optimizer:
    """An optimiser of float32 arrays in rows of 64, as layers keep their weights.

    A step is `begin` and then, for every parameter, either an `update` from its gradient or what its `sink` does
    within a backward walk over the whole batch; both give the same bits.

    parameters : list of the arrays, of which only the shapes are kept, and where they are
    decayed : list of bool, whether weight decay acts on each, where an optimiser has it; default: on all

    An optimiser gives its ``rule`` in a backward walk (see `Sink`), the ``kernel`` that does the same by itself, the
    names of the averages that it keeps, those of its constructor's further arguments that are settings of a training
    with their defaults, and `_settings`.
    """

    rule: int
    kernel: str
    averages: tuple[str, ...]
    defaults: ClassVar[dict[str, float]] = {}

    def __init__(self, parameters, *, decayed=None):
        self.n_steps = 0
        self._decayed = [True] * len(parameters) if decayed is None else list(decayed)
        self._kept = [
            {name: zeros_like(parameter) for name in self.averages} for parameter in parameters
        ]
        self._now = {}

    def _settings(self, rate, decayed):
        """What the kernels need for the step that ``n_steps`` counts, see `kernels.cpu.optimizer`."""
        raise NotImplementedError

    def begin(self, rate: float):
        """Begin a step with learning rate ``rate``."""
        self.n_steps += 1
        with np.errstate(over="ignore"):  # the weights get infinite then, which is said at the end of the epoch
            self._now = {decayed: np.array(self._settings(rate, decayed), np.float32)
                         for decayed in set(self._decayed)}

    def sink(self, i: int) -> Sink:
        """Where a backward walk over the whole batch takes the step of parameter ``i``."""
        kept = zip(("mean", "square"), self._kept[i].values(), strict=False)
        return Sink(self.rule, self._now[self._decayed[i]], **dict(kept))

    def update(self, i: int, parameter, gradient, device=None):
        """Take the step of parameter ``i``, in place, and set its ``gradient`` to zero.

        device : the `Device` where the network is; None: the host. What normalises always stays on the host
        """
        arrays = {"weight": parameter, "gradient": gradient, **self._kept[i]}
        settings = self._now[self._decayed[i]]
        if not isinstance(parameter, np.ndarray):
            parameter_step(device, self.kernel, settings, arrays)
            return
        n_rows = parameter.size // TILE
        kernels.call_parts(
            self.kernel,
            {"settings": settings,
             **{name: array.reshape(-1, TILE) for name, array in arrays.items()}},
            [{"first": a, "last": min(a + _CHUNK, n_rows)} for a in range(0, n_rows, _CHUNK)],
        )

    def state(self) -> dict:
        """Everything that the next step depends on, as one dict of arrays and numbers."""
        kept = {f"{name}{i}": on_host(array) for i, arrays in enumerate(self._kept) for name, array in arrays.items()}
        return {"n_steps": self.n_steps, **kept}

    def load_state(self, state: dict):
        """Take back what `state` gave; raises `KeyError` or `ValueError` where it does not fit."""
        for i, arrays in enumerate(self._kept):
            for name, array in arrays.items():
                assign(array, np.asarray(state[f"{name}{i}"], np.float32).reshape(array.shape))
        self.n_steps = int(state["n_steps"])
