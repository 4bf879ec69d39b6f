"""What a sensor recorded: `Events`, a structure of arrays, and `Arrivals`, which may be out of order."""

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.sensor import Sensor

_COLUMNS = {"t": np.int64, "x": np.uint16, "y": np.uint16, "p": np.uint8}
# Names that other libraries give to the same column (aedat and faery call the polarity "on").
ALIASES = {"p": ("p", "on", "polarity"), "t": ("t", "ts", "timestamp"), "x": ("x",), "y": ("y",)}


def column_names(names) -> dict:
    """Which of ``names`` stand for the columns t, x, y and p: {column: its name}, None where there is none."""
    return {column: next((alias for alias in ALIASES[column] if alias in names), None) for column in _COLUMNS}


def _column(name, values):
    """`values` as a contiguous, read-only column; refuses what the column's type cannot hold."""
    array = checks.column(f"events.{name}", values)
    dtype = _COLUMNS[name]
    if array.dtype.kind not in "iub" and array.size:
        raise ConfigError(f"events.{name} must hold whole numbers, got {array.dtype}")
    if array.size and not np.can_cast(array.dtype, dtype):
        low, high = array.min(), array.max()
        limits = np.iinfo(dtype)
        if low < limits.min or high > limits.max:
            raise ConfigError(f"events.{name} must lie in {limits.min}..{limits.max}, got {low}..{high}")
    column = np.require(array, dtype, "CA").view()  # contiguous and aligned, as the kernels want it
    column.flags.writeable = False
    return column


class Arrivals:
    """Address events in the order in which they came, which need not be that of time.

    Attributes
    ----------
    t : int64[E], microseconds from the recording's zero
    x, y : uint16[E], pixel; p : uint8[E], polarity (1 is ON)
    sensor : Sensor
    skipped : dict of str to int, what readers and transforms left out of this recording and how often

    Raises `ConfigError` where columns differ in length or a pixel lies outside the sensor. Columns are read-only views;
    transforms return new events.
    """

    __slots__ = ("p", "sensor", "skipped", "t", "x", "y")

    def __init__(self, t, x, y, p, sensor: Sensor, skipped=None):
        if not isinstance(sensor, Sensor):
            raise ConfigError(f"sensor must be a Sensor, got {sensor!r}")
        self.t, self.x, self.y, self.p = (_column(n, v) for n, v in zip("txyp", (t, x, y, p), strict=True))
        self.sensor = sensor
        self.skipped = dict(skipped or {})
        lengths = {name: len(getattr(self, name)) for name in "txyp"}
        if len(set(lengths.values())) > 1:
            raise ConfigError(f"event columns must have one length, got {lengths}")
        self._check()

    def _check(self):
        if len(self) == 0:
            return
        for name, limit in (("x", self.sensor.width), ("y", self.sensor.height), ("p", self.sensor.polarities)):
            column = getattr(self, name)
            if column.max() >= limit:
                i = int(np.argmax(column >= limit))
                raise ConfigError(
                    f"event {i} has {name} = {column[i]}, outside the {self.sensor} sensor (0..{limit - 1}); "
                    "check the sensor size"
                )

    def __len__(self):
        return len(self.t)

    def __repr__(self):
        span = f", {self.t[0]}..{self.t[-1]} us" if len(self) else ""
        return f"{type(self).__name__}({len(self)} events{span}, {self.sensor})"

    def _repr_html_(self):
        from eventsim.report.notebook import events  # the report imports this module, so it is looked up late

        return events.show(self)

    def __eq__(self, other):
        if not isinstance(other, Arrivals):
            return NotImplemented
        return self.sensor == other.sensor and all(
            np.array_equal(getattr(self, n), getattr(other, n)) for n in "txyp"
        )

    __hash__ = None

    @property
    def address(self):
        """Addresses int32[E], see `Sensor.address`."""
        return self.sensor.address(self.x, self.y, self.p)

    def to_structured(self):
        """A structured array with the fields ``t, x, y, p``."""
        out = np.empty(len(self), dtype=list(_COLUMNS.items()))
        for name in _COLUMNS:
            out[name] = getattr(self, name)
        return out


class Events(Arrivals):
    """Address events in the order of time (equal times are allowed); the rest is as in `Arrivals`.

    Raises `ConfigError` where time descends, too.
    """

    __slots__ = ()

    def _check(self):
        back = np.flatnonzero(self.t[1:] < self.t[:-1])
        if back.size:
            i = int(back[0]) + 1
            raise ConfigError(
                f"event {i} is earlier than the one before it ({self.t[i]} us after {self.t[i - 1]} us); "
                "events must be in the order of time, sort them first"
            )
        super()._check()

    @property
    def duration(self) -> float:
        """Time of the last event in ms (0 where there are none)."""
        return float(self.t[-1]) / 1000.0 if len(self) else 0.0

    def __getitem__(self, index) -> "Events":
        """Events chosen by a slice or a boolean mask."""
        mask = isinstance(index, np.ndarray) and index.dtype == bool
        if not (isinstance(index, slice) or (mask and index.shape == self.t.shape)):
            got = f"{index.dtype} of shape {index.shape}" if isinstance(index, np.ndarray) else repr(index)
            raise ConfigError(f"events are chosen by a slice or a boolean mask of shape {self.t.shape}, got {got}")
        return Events(self.t[index], self.x[index], self.y[index], self.p[index], self.sensor, self.skipped)

    @classmethod
    def from_structured(cls, array, sensor: Sensor) -> "Events":
        """Events from a structured array whose fields are found by *name*, in any order.

        ``t`` in microseconds (also ``ts``, ``timestamp``), ``x``, ``y``, and ``p`` (also ``on``, ``polarity``).
        """
        names = checks.field_names(array)
        if not names:
            raise ConfigError("expected a structured array with the fields t, x, y, p; got a plain array")
        columns = {}
        for column, name in column_names(names).items():
            if name is None:
                raise ConfigError(f"structured array has no field {column!r}; its fields are {', '.join(names)}")
            columns[column] = array[name]
        return cls(**columns, sensor=sensor)
