"""A sparsely connected layer."""

import copy

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.kernels.memory import on_host
from eventsim.model.precision import WEIGHTS


class Sparse:
    """Synapses from ``n_in`` to ``n_out`` neurons, listed by presynaptic neuron (compressed sparse rows).

    row_start : int64[n_in + 1], neuron j owns the synapses row_start[j]..row_start[j + 1] - 1
    target : int32[synapses], postsynaptic neurons, ascending and each once in a row
    values : float32[synapses], weights

    lists_on_device : row_start and target where the layer's ``device`` is; None: on the host

    For simulation on the grid; `eventsim.engine.forward.forward_layer` runs it. Raises `ConfigError` for lists that are
    none of that.
    """

    kind = "sparse"
    precision = "float32"
    is_immediate = True
    delay = lists_on_device = None
    stages = ()
    norm = neuron = bias = patches = device = None

    def __init__(self, n_in: int, n_out: int, row_start, target, values):
        self.n_in, self.n_out = checks.whole_number("n_in", n_in, 1), checks.whole_number("n_out", n_out, 1)
        self.row_start = self._column("row_start", row_start, np.int64, "iu")
        self.target = self._column("target", target, np.int32, "iu")
        self.values = self._column("values", values, np.float32, "iuf")
        self._check()

    def _column(self, name, values, dtype, kinds):
        """An array of the kernels' type that holds the same numbers."""
        column = checks.column(f"{name} of {self}", values)
        if column.size and column.dtype.kind not in kinds:
            raise ConfigError(f"{name} of {self} must hold {'whole ' if 'f' not in kinds else ''}numbers, got "
                              f"{column.dtype}")
        limits = np.finfo(dtype) if "f" in kinds else np.iinfo(dtype)
        if column.size and not (column.min() >= limits.min and column.max() <= limits.max):
            raise ConfigError(f"{name} of {self} must fit {np.dtype(dtype)}, got {column.min()}..{column.max()}")
        return np.ascontiguousarray(column, dtype)

    def _check(self):
        start, target = self.row_start, self.target
        if start.shape != (self.n_in + 1,) or start[0] != 0 or start[-1] != len(target) or np.any(np.diff(start) < 0):
            raise ConfigError(f"row_start of {self} must have {self.n_in + 1} entries that rise from 0 to the synapses")
        if target.shape != self.values.shape or target.ndim != 1 or not np.isfinite(self.values).all():
            raise ConfigError(f"{self} needs as many finite weights as targets")
        if len(target) and (target.min() < 0 or target.max() >= self.n_out):
            raise ConfigError(f"targets of {self} must lie in 0..{self.n_out - 1}, got {target.min()}..{target.max()}")
        rises = np.diff(target) > 0
        ends = start[1:-1]
        rises[ends[(ends > 0) & (ends < len(target))] - 1] = True
        if not rises.all():
            raise ConfigError(f"targets of {self} must rise within every row")

    def __repr__(self):
        return f"Sparse({self.n_in}, {self.n_out})"

    @property
    def n_weights(self) -> int:
        """Synapses of the layer."""
        return len(self.target)

    @property
    def n_synapses(self) -> int:
        """Synapses of the layer."""
        return self.n_weights

    @property
    def projections(self) -> tuple:
        """The synapses of the layer."""
        return (self,)

    @property
    def weight(self):
        """The weights, float32[synapses]."""
        return on_host(self.values)

    @property
    def packed(self):
        """The weights as they are kept."""
        return self.values

    @property
    def live_fan_out(self):
        """Synapses of every presynaptic neuron that weigh something, int64[n_in]."""
        source = np.repeat(np.arange(self.n_in), np.diff(self.row_start))
        return np.bincount(source[self.weight != 0], minlength=self.n_in)

    @property
    def fan_out(self):
        """Synapses of every presynaptic neuron, int64[n_in]."""
        return np.diff(self.row_start)

    def synops(self, given, own) -> int:
        """Synapses that input spikes of the addresses ``given`` cross; the layer's ``own`` cross those of the next."""
        return int(self.fan_out[given].sum())

    def with_weights(self, precision: str) -> "Sparse":
        """The layer itself for "float32"; raises `ConfigError` for what its weights cannot be."""
        checks.choice("weights", precision, WEIGHTS)
        if precision != self.precision:
            raise ConfigError(
                f"weights of {self} cannot be {precision}: sparse layers run in float32; leave them in it"
            )
        return self

    def on_device(self, device) -> "Sparse":
        """A layer with the same synapses on a `Device`, or with None on the host."""
        other = copy.copy(self)
        other.device, other.lists_on_device = device, None
        values = on_host(self.values)
        other.values = values.copy() if device is None else device.put(values)
        if device is not None:
            other.lists_on_device = device.put(self.row_start), device.put(self.target)
        return other

    @classmethod
    def random(cls, n_in, n_out, fan_in, gain, rng: np.random.Generator) -> "Sparse":
        """About ``fan_in`` synapses to every neuron, from random matchings of all neurons; duplicates are one.

        Weights are U(-gain, gain) / sqrt(fan_in), as of `Dense.initialize`.
        """
        fan_in = checks.whole_number("fan_in", fan_in, 1)
        target = np.empty((n_in, max(1, round(fan_in * n_out / n_in))), np.int32)
        for column in target.T:
            column[:] = np.resize(rng.permutation(n_out), n_in)
        target.sort(axis=1)
        fresh = np.ones(target.shape, bool)
        fresh[:, 1:] = target[:, 1:] != target[:, :-1]
        bound = gain / np.sqrt(fan_in)
        row_start = np.concatenate(([0], np.cumsum(fresh.sum(axis=1))))
        return cls(n_in, n_out, row_start, target[fresh], rng.uniform(-bound, bound, row_start[-1]))
