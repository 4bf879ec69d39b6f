"""What a recording format is to the readers and writers."""

from collections.abc import Callable
from dataclasses import dataclass

from eventsim.events import Events


@dataclass(frozen=True)
class Codec:
    """One recording format.

    ``decode(data, sensor=None, source="recording")`` takes all bytes of a recording; ``sensor`` overrides what the
    format says or assumes, ``source`` is the file's name in messages; raises `FormatError`.
    ``encode(events)`` gives the bytes back; raises `ConfigError` for events that the format cannot hold.
    """

    name: str
    suffixes: tuple[str, ...]
    decode: Callable[..., Events]
    encode: Callable[[Events], bytes]
