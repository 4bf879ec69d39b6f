"""What a network eats and emits: `Spikes`, sorted lists over a batch of samples."""

import numbers
from collections.abc import Iterable

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError


def _frozen(values, dtype, name):
    array = checks.column(f"spikes.{name}", values)
    kinds, what = ("iu", "whole numbers") if np.dtype(dtype).kind == "i" else ("iuf", "numbers")
    if array.size and array.dtype.kind not in kinds:
        raise ConfigError(f"spikes.{name} must hold {what}, got {array.dtype}")
    if array.size and np.dtype(dtype).kind == "i" and array.dtype != dtype:
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise ConfigError(f"spikes.{name} must fit {np.dtype(dtype)}, got {array.min()}..{array.max()}")
    array = np.require(array, dtype, "CA").view()  # contiguous and aligned, as the kernels want it
    array.flags.writeable = False
    return array


class Spikes:
    """Spikes of ``B`` samples over ``N`` neurons, sorted by (sample, time, address).

    On the tick clock a spike has a tick, on the exact clock a time:

    Attributes
    ----------
    sample_ptr : int64[B + 1], sample ``b`` owns the spikes ``sample_ptr[b]:sample_ptr[b + 1]``
    address : int32[K], in 0..n_neurons - 1
    tick : int32[K], in 0..n_ticks - 1, or None
    time : float64[K], ms, in 0..n_ticks * dt, or None
    n_neurons, n_ticks : int; dt : float, ms

    A (tick, address) pair may repeat only where input was binned with ``count``. Raises `ConfigError` where the lists
    are out of order or out of range; ``check=False`` is for kernels' own output.
    """

    __slots__ = ("address", "dt", "n_neurons", "n_ticks", "sample_ptr", "tick", "time")

    def __init__(self, sample_ptr, address, *, tick=None, time=None, n_neurons, n_ticks, dt=1.0, check=True):
        if (tick is None) == (time is None):
            raise ConfigError("spikes have either ticks (grid clock) or times (exact clock); give one of the two")
        self.sample_ptr = _frozen(sample_ptr, np.int64, "sample_ptr")
        self.address = _frozen(address, np.int32, "address")
        self.tick = None if tick is None else _frozen(tick, np.int32, "tick")
        self.time = None if time is None else _frozen(time, np.float64, "time")
        self.n_neurons = checks.whole_number("n_neurons", n_neurons, 1)
        self.n_ticks = checks.whole_number("n_ticks", n_ticks, 0)
        self.dt = checks.milliseconds("dt", dt)
        if check:
            self.check()

    @classmethod
    def of_kernel(cls, sample_ptr, address, when, like: "Spikes", n_neurons: int) -> "Spikes":
        """What a kernel wrote, on the clock of ``like``: arrays of the right types, taken as they are and frozen."""
        out = cls.__new__(cls)
        for array in (sample_ptr, address, when):
            array.flags.writeable = False
        out.sample_ptr, out.address = sample_ptr, address
        out.tick, out.time = (None, when) if like.is_timed else (when, None)
        out.n_neurons, out.n_ticks, out.dt = n_neurons, like.n_ticks, like.dt
        return out

    @property
    def is_timed(self) -> bool:
        """Whether the spikes have times; else they have ticks."""
        return self.time is not None

    @property
    def when(self):
        """Ticks or times, whichever there are."""
        return self.tick if self.time is None else self.time

    @property
    def times(self):
        """The time of every spike in ms, float64[K], on either clock: that of a tick is its beginning."""
        return self.tick * self.dt if self.time is None else self.time

    @property
    def n_samples(self) -> int:
        return len(self.sample_ptr) - 1

    def __len__(self):
        return len(self.address)

    def __repr__(self):
        clock = "exact" if self.tick is None else f"{self.dt:g} ms"
        return f"Spikes({len(self)} spikes, {self.n_samples} samples, {self.n_neurons} neurons, clock {clock})"

    def _repr_html_(self):
        from eventsim.report.notebook import spikes  # the report imports this module, so it is looked up late

        return spikes.show(self)

    def __eq__(self, other):
        if not isinstance(other, Spikes):
            return NotImplemented
        return (
            (self.n_neurons, self.n_ticks, self.dt) == (other.n_neurons, other.n_ticks, other.dt)
            and (self.tick is None) == (other.tick is None)
            and np.array_equal(self.sample_ptr, other.sample_ptr)
            and np.array_equal(self.address, other.address)
            and np.array_equal(self.when, other.when)
        )

    __hash__ = None

    def check(self):
        """Raise `ConfigError` unless every invariant of the class holds."""
        ptr, when = self.sample_ptr, self.when
        if len(ptr) < 1 or ptr[0] != 0 or ptr[-1] != len(self.address) or np.any(np.diff(ptr) < 0):
            raise ConfigError("spikes.sample_ptr must rise from 0 to the number of spikes")
        if len(when) != len(self.address):
            raise ConfigError(f"spikes need as many times as addresses, got {len(when)} and {len(self.address)}")
        if len(self) == 0:
            return
        if self.address.min() < 0 or self.address.max() >= self.n_neurons:
            raise ConfigError(
                f"spike addresses must lie in 0..{self.n_neurons - 1}, got {self.address.min()}..{self.address.max()}"
            )
        end = self.n_ticks if self.time is None else self.n_ticks * self.dt
        if not (when.min() >= 0 and when.max() < end):  # also catches NaN
            unit = "ticks" if self.time is None else "ms"
            raise ConfigError(f"spike times must lie in [0, {end}) {unit}, got {when.min()}..{when.max()}")
        inside = np.ones(len(self) - 1, bool)
        starts = ptr[1:-1]
        inside[starts[(starts > 0) & (starts < len(self))] - 1] = False
        step = np.diff(when)
        if np.any(inside & ((step < 0) | ((step == 0) & (np.diff(self.address) < 0)))):
            raise ConfigError("spikes must be sorted by (sample, time, address)")

    def samples(self, first: int, last: int) -> "Spikes":
        """The spikes of the samples first..last-1, as a batch of their own."""
        whole = isinstance(first, numbers.Integral) and isinstance(last, numbers.Integral)
        if not whole or not 0 <= first < last <= self.n_samples:
            raise ConfigError(f"samples must be a range in 0..{self.n_samples}, got {first!r}..{last!r}")
        ptr = self.sample_ptr[first : last + 1]
        part = slice(ptr[0], ptr[-1])
        when = {"tick": self.tick[part]} if self.time is None else {"time": self.time[part]}
        return Spikes(ptr - ptr[0], self.address[part], **when, n_neurons=self.n_neurons, n_ticks=self.n_ticks,
                      dt=self.dt, check=False)

    def sample(self, b: int) -> "Spikes":
        """The spikes of sample ``b`` alone, as a batch of one."""
        b = checks.whole_number("sample", b, 0, self.n_samples - 1)
        return self.samples(b, b + 1)

    def counts(self):
        """Spikes a neuron, int64[B, N]."""
        sample = np.repeat(np.arange(self.n_samples), np.diff(self.sample_ptr))
        flat = np.bincount(sample * self.n_neurons + self.address, minlength=self.n_samples * self.n_neurons)
        return flat.reshape(self.n_samples, self.n_neurons)

    @classmethod
    def concatenate(cls, parts) -> "Spikes":
        """One batch from several over the same neurons and clock."""
        parts = list(parts) if isinstance(parts, Iterable) else [None]
        if not parts or not all(isinstance(part, Spikes) for part in parts):
            raise ConfigError("spikes to concatenate must be a list of Spikes that is not empty")
        first = parts[0]
        kind = {(s.n_neurons, s.n_ticks, s.dt, s.tick is None) for s in parts}
        if len(kind) > 1:
            raise ConfigError(f"spikes to concatenate must share neurons, ticks and clock, got {sorted(kind)}")
        lengths = np.concatenate([np.diff(s.sample_ptr) for s in parts])
        ptr = np.concatenate(([0], np.cumsum(lengths)))
        name = "tick" if first.time is None else "time"
        return cls(ptr, np.concatenate([s.address for s in parts]), n_neurons=first.n_neurons, n_ticks=first.n_ticks,
                   dt=first.dt, check=False, **{name: np.concatenate([s.when for s in parts])})

    def to_structured(self):
        """A structured array with the fields ``sample``, ``tick`` (or ``time``, ms) and ``address``."""
        name, dtype = ("tick", np.int32) if self.time is None else ("time", np.float64)
        out = np.empty(len(self), dtype=[("sample", np.int64), (name, dtype), ("address", np.int32)])
        out["sample"] = np.repeat(np.arange(self.n_samples), np.diff(self.sample_ptr))
        out[name], out["address"] = self.when, self.address
        return out

    @classmethod
    def from_structured(cls, array, *, n_samples, n_neurons, n_ticks, dt=1.0) -> "Spikes":
        """The inverse of `to_structured`; rows may come in any order and fields are found by name."""
        names = checks.field_names(array)
        when = "tick" if "tick" in names else "time"
        missing = [n for n in ("sample", when, "address") if n not in names]
        if missing:
            raise ConfigError(f"structured array lacks {', '.join(missing)}; it needs sample, tick or time, address")
        n_samples = checks.whole_number("n_samples", n_samples, 0)
        sample = _frozen(array["sample"], np.int64, "sample")
        if sample.size and (sample.min() < 0 or sample.max() >= n_samples):
            raise ConfigError(f"samples must lie in 0..{n_samples - 1}, got {sample.min()}..{sample.max()}")
        order = np.lexsort((array["address"], array[when], sample))
        ptr = np.concatenate(([0], np.cumsum(np.bincount(sample, minlength=n_samples))))
        return cls(ptr, array["address"][order], **{when: array[when][order]}, n_neurons=n_neurons,
                   n_ticks=n_ticks, dt=dt)
