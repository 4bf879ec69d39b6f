"""What a file's numbers mean: its unit of time, the tick, and the scheme."""

from dataclasses import dataclass, replace

from eventsim import checks
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir.file import scalar
from eventsim.exchange.nir.schemes import READ, RESETS, Scheme
from eventsim.model.neurons.li import READOUTS
from eventsim.sensor import Sensor

NOTE = "eventsim"  # the group of metadata that is ours
# Time constants and delays beyond which a unit is doubted, in ms.
LONG = 5000.0
# Of a tick and a time constant: what leaves a decay that float32 tells from 0 and 1.
_LEAST, MOST_TICKS = 1e-8, 80.0


@dataclass(frozen=True)
class Reading:
    """How a file shall be read.

    scheme : one in `READ`; None: as the file says where eventsim wrote it, else "euler"
    time_unit : the file's unit of time, in ms
    dt : ms, the tick to run in
    reset : one of `RESETS`; None: that of the scheme, or what eventsim noted
    sensor : `Sensor`, the shape of an input that the file says flat
    readout : one of `READOUTS`, of the last neurons, which do not spike then, whatever the file says; None: as it says
    """

    scheme: str | None = None
    time_unit: float | None = None
    dt: float | None = None
    reset: str | None = None
    sensor: Sensor | None = None
    readout: str | None = None

    def __post_init__(self):
        for name, choices in (("scheme", READ), ("reset", RESETS), ("readout", READOUTS)):
            if getattr(self, name) is not None:
                checks.choice(name, getattr(self, name), choices)
        for name in ("time_unit", "dt"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, checks.milliseconds(name, getattr(self, name)))
        if self.sensor is not None:
            checks.sensor(self.sensor)


@dataclass(frozen=True)
class Timing:
    """Scheme, unit of time in ms (None: nobody told) and tick in ms of one file."""

    source: str
    scheme: Scheme
    unit: float | None
    dt: float
    reset: str
    is_ours: bool  # whether notes of eventsim count
    readout: str | None = None  # what the user says

    @classmethod
    def of(cls, source, reading: Reading, metadata) -> "Timing":
        """By what the reader said, else the file's notes, else the scheme."""
        notes = {} if reading.scheme is not None else metadata.get(NOTE, {})
        notes = notes if isinstance(notes, dict) else {}
        name = reading.scheme or notes.get("scheme", "euler")
        if name not in READ:
            raise FormatError(f"{source}: was written for the scheme {name!r}, known are {', '.join(READ)}; name one "
                              "with --nir-scheme")
        try:
            dt, unit = (number if number is not None or key not in notes
                        else checks.milliseconds(key, scalar(notes[key]))
                        for key, number in (("dt", reading.dt), ("time_unit", reading.time_unit)))
        except (ConfigError, TypeError, ValueError) as error:
            raise FormatError(f"{source}: its note of time is damaged ({error}); name --nir-time-unit and --nir-dt"
                              ) from None
        scheme = READ[name]
        if scheme.tick is not None and dt is None and unit is not None:
            dt = unit * scheme.tick
        dt = 1.0 if dt is None else dt
        if scheme.tick is not None and unit is None:
            unit = dt / scheme.tick
        return cls(source, scheme, unit, dt, reading.reset or scheme.reset, bool(notes) and reading.reset is None,
                   reading.readout)

    def known_unit(self, where, name, value) -> float:
        """The unit of time in ms; raises `FormatError` for the node ``where`` and its ``value`` if nobody told it."""
        if self.unit is None:
            raise FormatError(
                f"{where} has a {name} of {value:.6g} and the file does not say in what unit; frameworks disagree, so "
                "name it: --nir-time-unit s (most) or ms, or --nir-scheme snntorch, norse or sinabs for files of "
                "theirs"
            )
        return self.unit

    def ratio(self, where, name, tau, notes) -> float:
        """dt / tau; ``where`` names the node, and doubts go to the list ``notes``."""
        self.known_unit(where, name, tau)
        if not tau > 0:
            raise FormatError(f"{where} has a {name} of {tau:g}, which must be above 0; export the file again")
        ratio = self.dt / (tau * self.unit)
        if not self.scheme.exponential and ratio >= 1:
            raise FormatError(
                f"{where} has a {name} of {tau:.6g}, with this unit {tau * self.unit:.4g} ms, which is not above the "
                f"tick of {self.dt:g} ms; name another --nir-time-unit, a shorter --nir-dt, or, for files of a "
                "framework, --nir-scheme snntorch, norse or sinabs"
            )
        if not _LEAST <= ratio <= MOST_TICKS:
            raise FormatError(f"{where} has a {name} of {tau:.6g}, with this unit {tau * self.unit:.4g} ms, which no "
                              f"tick of {self.dt:g} ms can follow; name another --nir-time-unit or --nir-dt")
        if tau * self.unit > LONG:
            notes.append(f"{where} has a {name} of {tau * self.unit / 1000:.4g} s, which is long for a neuron; "
                         "--nir-time-unit may be another")
        return ratio

    def with_reset(self, reset) -> "Timing":
        """The same with another reset."""
        return replace(self, reset=reset)
