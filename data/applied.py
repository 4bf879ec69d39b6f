"""`Transforms`, some of `TRANSFORMS` as people write them, and recordings and data sets behind them."""

import contextlib
import hashlib
import inspect

import numpy as np

from eventsim import checks
from eventsim.data.codecs.base import EVENTS_BLOCK
from eventsim.data.datasets.base import Dataset, Splits
from eventsim.data.transforms import TRANSFORMS, left_out
from eventsim.errors import ConfigError
from eventsim.events import Events

# Parameters of which one is needed, or nothing would happen.
_ONE_OF = {"time_window": ("start", "stop"), "hot_pixel_filter": ("rate", "factor"), "jitter": ("time", "space")}


class Transforms:
    """Transforms to call one after the other; its text tells them as they are written.

    steps : pairs (name in `TRANSFORMS`, dict of its parameters)
    """

    def __init__(self, steps):
        self.steps = [(name, dict(parameters)) for name, parameters in steps]

    def __call__(self, events, *number) -> Events:
        """The events that come out.

        number : whole numbers that tell this recording from others, so that chance differs between them; a lone 0, or
            none, gives what the transforms themselves give of their seeds

        Raises `ConfigError` for a value that a transform does not allow.
        """
        for name, parameters in self.steps:
            try:
                if number and "seed" in parameters:
                    seed = checks.whole_number("seed", parameters["seed"], 0, 2**64 - 1)
                    parameters = parameters | {"seed": np.random.default_rng([seed, *number])}
                events = TRANSFORMS[name](events, **parameters)
            except ConfigError as error:
                raise ConfigError(f"{name}: {error}") from None
        return events

    def __str__(self):
        return " ".join(name + _written(parameters) for name, parameters in self.steps)

    def sensor(self, sensor):
        """The sensor of what comes out where events of ``sensor`` go in; raises as a call does."""
        return self(Events([], [], [], [], sensor)).sensor


def parse_transform(text):
    """The name and the parameters that ``NAME[:KEY=VALUE,...]`` says; raises `ConfigError` unless they fit."""
    name, _, listed = text.partition(":")
    if name not in TRANSFORMS:
        raise ConfigError(f"there is no transform {name!r}; there are {', '.join(TRANSFORMS)}")
    _, *known = inspect.signature(TRANSFORMS[name]).parameters.values()
    defaults = {parameter.name: parameter.default for parameter in known}
    usage = f"write {name}" + _written({key: key.upper() if value in (None, inspect.Parameter.empty) else value
                                        for key, value in defaults.items()})
    given = {}
    for part in listed.split(",") if listed else ():
        key, _, value = part.partition("=")
        if key not in defaults or not value:
            raise ConfigError(f"{name} takes {', '.join(defaults) or 'no parameter'}, got {part!r}; {usage}")
        if key in given:
            raise ConfigError(f"{name} is given {key} twice; {usage}")
        given[key] = _value(value)
    missing = [key for key, value in defaults.items() if value is inspect.Parameter.empty and key not in given]
    limits = _ONE_OF.get(name, ())
    if limits and not any(key in given for key in limits):
        missing.append(" or ".join(limits))
    if missing:
        raise ConfigError(f"{name} needs {', '.join(missing)}; {usage}")
    return name, given


def _written(parameters):
    """Parameters as they are written behind a transform's name."""
    words = [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in parameters.items()]
    return ":" + ",".join(words) if words else ""


def _value(text):
    """A number where the text is one, true or false, else the text."""
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(text)
    return {"true": True, "false": False}.get(text, text)


class TransformedRecording:
    """A recording behind transforms, read as a `Recording` is. They see all of it, so it is held in memory.

    number : of this recording among others, see `Transforms`
    """

    def __init__(self, recording, transforms, number=0):
        self._recording, self._transforms, self._number = recording, transforms, number
        self.source, self.sensor = recording.source, transforms.sensor(recording.sensor)
        self.skipped = {}

    @property
    def reordered(self) -> int:
        return self._recording.reordered

    def __iter__(self):
        events = self._transforms(self._recording.events(), self._number)
        self.skipped = events.skipped
        if not len(events):
            raise ConfigError(f"{self.source}: no event is left, left out were {left_out(self.skipped)}; apply less "
                              "to it")
        for start in range(0, len(events), EVENTS_BLOCK):
            yield events[start:start + EVENTS_BLOCK]


class TransformedDataset(Dataset):
    """The samples of a data set behind transforms; one of which no event is left stays a sample."""

    def __init__(self, whole, transforms, number=0):
        self._whole, self._transforms, self._number = whole, transforms, number
        super().__init__(name=whole.name, sensor=transforms.sensor(whole.sensor), n_classes=whole.n_classes,
                         labels=whole.labels, duration=whole.duration)

    def events(self, i):
        return self._transforms(self._whole.events(i), self.check_index(i), self._number)

    def sample_name(self, i):
        return self._whole.sample_name(i)

    def sample_size(self, i):
        return self._whole.sample_size(i)

    def fingerprint(self):
        return hashlib.sha256(f"{self._whole.fingerprint()} {self._transforms}".encode()).hexdigest()[:16]


def transformed_splits(splits, transforms) -> Splits:
    """`Splits` behind transforms, which its note tells."""
    parts = (part and TransformedDataset(part, transforms, number)
             for number, part in enumerate((splits.train, splits.validation)))
    return Splits(*parts, f"{splits.note}; after {transforms}")
