"""Recording formats, one file each, and `read` and `write` that choose among them."""

import pathlib
import sys

from eventsim import checks, files
from eventsim.data.codecs import csv, nmnist
from eventsim.data.codecs.base import Codec, Decoder
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events

CODECS: dict[str, Codec] = {codec.name: codec for codec in (nmnist.CODEC, csv.CODEC)}

__all__ = ["CODECS", "Codec", "Decoder", "choose", "read", "write"]
_STDIN = "standard input"  # what messages call it


def read(path, sensor=None, codec=None) -> Events:
    """The events of one recording.

    path : a path, ``"-"`` for standard input, or a file object opened in binary mode
    sensor : `Sensor` that overrides what the format says or assumes
    codec : a name in `CODECS`; by default the suffix of the file's name decides

    Raises `FormatError` where the recording cannot be read, `ConfigError` where an argument makes no sense.
    """
    sensor = None if sensor is None else checks.sensor(sensor)
    if isinstance(path, str) and path == "-":
        return _decode(sys.stdin.buffer, _STDIN, sensor, codec)
    if hasattr(path, "read"):
        name = getattr(path, "name", None)
        return _decode(path, name if isinstance(name, str) else "file object", sensor, codec)
    path = files.as_path(path)
    with files.reading(path), open(path, "rb") as file:
        return _decode(file, str(path), sensor, codec)


def write(path, events, codec=None):
    """Write ``events`` to ``path``, in the format ``codec`` or that of the suffix; an earlier file stays until the end.

    Raises `ConfigError` where the format cannot hold the events or the place cannot be written.
    """
    path = files.as_path(path)
    try:
        encode = choose(str(path), codec).encode
    except FormatError as error:
        raise ConfigError(str(error)) from None
    files.write_atomically(path, encode(events))


def _decode(file, source, sensor, codec):
    chosen = choose(source, codec)
    try:
        with files.reading(source):
            data = file.read()
    except ValueError as error:  # closed, or text that does not decode
        raise ConfigError(f"{source}: cannot be read ({error}); open the file in binary mode") from None
    if not isinstance(data, bytes):
        raise ConfigError(f"{source}: read() gave {type(data).__name__}, not bytes; open the file in binary mode")
    return chosen.decode(data, sensor, source)


def choose(source, name=None) -> Codec:
    """The codec called ``name``, else the one that claims the suffix of ``source``, a file's name.

    Raises `ConfigError` for another name, `FormatError` for another suffix.
    """
    if name is not None:
        return CODECS[checks.choice("codec", name, CODECS)]
    suffix = pathlib.PurePath(source).suffix.lower()
    for codec in CODECS.values():
        if suffix in codec.suffixes:
            return codec
    supported = ", ".join(f"{codec.name} ({' '.join(codec.suffixes)})" for codec in CODECS.values())
    got = f"the suffix {suffix!r}" if suffix else "no suffix"
    cure = "name its format" if source == _STDIN else "rename the file or name its format"
    raise FormatError(f"{source}: has {got}, which names no known format; supported are {supported}; "
                      f"{cure}, e.g. --codec nmnist")
