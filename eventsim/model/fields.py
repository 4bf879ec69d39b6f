"""The fields of an architecture's notation: a layer, or a stage between layers."""

import re
from dataclasses import dataclass

from eventsim.errors import ConfigError
from eventsim.model.layers.dense import MOST_DELAY
from eventsim.model.shape import Shape, Window

_MOST_NEURONS = 2**31 - 1  # what an int32 address can name
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_DENSE = re.compile(rf"(\d+)([rdo]?)(?:@d{_NUMBER})?")
_CONV = re.compile(r"(\d+)c(\d+)((?:[spdg]\d+)*)", re.ASCII)
_OPTIONS = {"s": "stride", "p": "padding", "d": "dilation", "g": "groups"}
_POOL = re.compile(r"(\d{1,9})(au?|p)", re.ASCII)
_DROPOUT = re.compile(rf"do{_NUMBER}")


@dataclass(frozen=True)
class StageField:
    """A stage as a notation says it; ``value`` is the size of a pool or the share of a dropout."""

    kind: str  # in `eventsim.model.stages.STAGES`
    given: Shape
    shape: Shape
    value: float | None = None


@dataclass(frozen=True)
class LayerField:
    """A layer as a notation says it: the shape of its neurons, and what comes before its synapses."""

    kind: str  # in `eventsim.model.layers.LAYERS`
    shape: Shape
    given: Shape  # of what reaches the synapses
    window: Window | None = None  # of a convolution or pool
    groups: int = 1
    delay: float | None = None  # ms to cross any synapse
    stages: tuple[StageField, ...] = ()


def positive(text, what, notation, names):
    """A number above 0 that an address can name; raises `ConfigError` for everything else."""
    digits = len(str(_MOST_NEURONS))
    if not text.isdecimal() or len(text) > digits or not 0 < int(text) <= _MOST_NEURONS:
        raise ConfigError(
            f"architecture {notation!r}: {text!r} is not {what}; write for example 34x34x2-500-500-10, or one of the "
            f"names {', '.join(names)}"
        )
    return int(text)


class TextReader:
    """Reads the fields of one notation; raises `ConfigError` with the field that is wrong.

    names : of architectures, for the sentences
    """

    def __init__(self, notation, names):
        self._notation, self._names = notation, names

    def read(self, text, given: Shape, stages) -> LayerField | StageField:
        """The field ``text``, to which neurons of the shape ``given`` come through ``stages``."""
        if text == "bn":
            return self._stage(text, "batch_norm", given, given, stages)
        if found := _DROPOUT.fullmatch(text):
            share = float(found[1])
            if not share < 1:
                raise self._wrong(text, "drops everything; write a share below 1, such as do0.1")
            return self._stage(text, "dropout", given, given, stages, share)
        if found := _POOL.fullmatch(text):
            return self._pool(text, int(found[1]), found[2], given, stages)
        if found := _CONV.fullmatch(text):
            return self._convolution(text, found, given, stages)
        return self._dense(text, given, stages)

    def _wrong(self, text, why):
        return ConfigError(f"architecture {self._notation!r}: {text!r} {why}")

    def _stage(self, text, kind, given, shape, stages, value=None):
        kinds = {stage.kind for stage in stages}
        names = {"average_pool": "average pooling", "batch_norm": "batch normalisation", "dropout": "dropout"}
        if kind in kinds:
            raise self._wrong(text, f"is a second {names[kind]} between two layers; write it once")
        if {kind, *kinds} >= {"batch_norm", "dropout"}:
            raise self._wrong(text, "makes both batch normalisation and dropout between two layers, and the one would "
                              "normalise what the other drops; leave one out, or put a layer between")
        if kind == "average_pool" and kinds:
            raise self._wrong(text, f"pools after {names[stages[-1].kind]}; write the pooling first")
        return StageField(kind, given, shape, value)

    def _over(self, text, window, given, channels):
        try:
            shape = window.over(given, channels)
        except ConfigError as error:
            raise self._wrong(text, f"does not fit: {error}; write a smaller one") from None
        if shape.size > _MOST_NEURONS:
            raise self._wrong(text, f"has {shape.size} neurons, more than an int32 address can name")
        return shape

    def _pool(self, text, size, kind, given, stages):
        if size < 1:
            raise self._wrong(text, "pools nothing; write a size, such as 2p or 2a")
        window = Window(size, stride=size, rounds_up=kind == "au")
        shape = self._over(text, window, given, given.channels)
        if kind == "p":
            return self._stage(text, "average_pool", given, shape, stages, size)
        return LayerField("pool", shape, given, window, groups=given.channels, stages=stages)

    def _convolution(self, text, found, given, stages):
        if any(len(part) > 9 or int(part) < 1 for part in found.groups()[:2]):
            raise self._wrong(text, "is no convolution; write channels and a kernel of at least 1, such as 32c5")
        channels, size = map(int, found.groups()[:2])
        options = re.findall(r"([spdg])(\d+)", found[3])
        letters = [letter for letter, _ in options]
        values = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        for letter, number in options:
            least = 0 if letter == "p" else 1
            if letters.count(letter) > 1 or len(number) > 9 or int(number) < least:
                raise self._wrong(text, "is no convolution; write each of stride, padding, dilation and groups once at "
                                  f"most, such as 32c5s2p1, and {_OPTIONS[letter]} not below {least}")
            values[_OPTIONS[letter]] = int(number)
        groups = values.pop("groups")
        if given.channels % groups or channels % groups:
            raise self._wrong(text, f"has {groups} groups, which must divide both the {given.channels} channels that "
                              f"come in and the {channels} that go out")
        window = Window(size, **values)
        if window.padding >= window.span:
            raise self._wrong(text, f"looks at nothing but padding somewhere; write a padding below {window.span}")
        return LayerField("conv", self._over(text, window, given, channels), given, window, groups, stages=stages)

    def _dense(self, text, given, stages):
        found = _DENSE.fullmatch(text)
        if found is None and not text.isdecimal() and re.search(r"\d", text):
            raise self._wrong(text, "is not a layer; write its neurons, such as 512, an r where their spikes come back "
                              "to them (512r), @d with a delay in ms (512@d2.5); 32c5 for a convolution, 2a or 2p for "
                              "pooling, bn, or do0.1 for dropout")
        width, recurrent, delay = found.groups() if found else (text, "", None)
        width = positive(width, "a number of neurons", self._notation, self._names)
        if delay is not None and float(delay) > MOST_DELAY:
            raise self._wrong(text, f"has a delay longer than {MOST_DELAY:g} ms; write a shorter one")
        kind = "recurrent" if recurrent == "r" else "dense"
        if stages and (kind == "recurrent" or delay is not None):
            raise self._wrong(text, "is recurrent or has a delay, and takes spikes as they are; leave out the pooling, "
                              "normalisation or dropout before it, or put a layer between")
        return LayerField(kind, Shape(width), given, delay=None if delay is None else float(delay), stages=stages)
