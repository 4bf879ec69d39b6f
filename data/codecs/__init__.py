"""Recording formats, one file each, and `read`, `open_recording` and `write`, which choose among them."""

import contextlib
import io
import pathlib
import sys
import tempfile

from eventsim import checks, files
from eventsim.data.codecs import (
    aedat2,
    aedat3,
    aedat4,
    csv,
    dat,
    es,
    evt2,
    evt3,
    mat,
    nmnist,
    numpy_archive,
    numpy_array,
    slayer,
    store,
)
from eventsim.data.codecs.base import Codec, Decoder, Reader, Writer, sensor_or_none
from eventsim.data.codecs.recording import Recording
from eventsim.data.codecs.slayer import read_target_counts
from eventsim.errors import ConfigError, FormatError
from eventsim.events import Events
from eventsim.sensor import mismatch

# Of several that claim a suffix and know none of the first bytes, the first is taken.
CODECS: dict[str, Codec] = {codec.name: codec for codec in (
    nmnist.CODEC, csv.CODEC, evt2.CODEC, evt3.CODEC, dat.CODEC, aedat2.CODEC, aedat3.CODEC, aedat4.CODEC, es.CODEC,
    slayer.BS1, slayer.BS3, numpy_array.CODEC, numpy_archive.CODEC, mat.CODEC, store.CODEC,
)}

__all__ = [
    "CODECS", "Codec", "Decoder", "Reader", "Recording", "Writer", "choose", "choose_target", "codec_of",
    "open_for", "open_recording", "read", "read_target_counts", "write",
]
_STDIN = "standard input"  # what messages call it
_HEAD = 4096  # bytes that a format is told by
_IN_MEMORY = 1 << 24  # bytes of a stream that is kept; what is longer is kept on disk


@contextlib.contextmanager
def open_recording(path, sensor=None, codec=None, default_sensor=None, repair=False):
    """A `Recording` to read in blocks, closed at the end.

    path : a path, ``"-"`` for standard input, or a file object opened in binary mode
    sensor : `Sensor` that overrides what the recording says or its format implies
    codec : a name in `CODECS`; by default the first bytes decide, and where they tell nothing the name's suffix
    default_sensor : `Sensor` of a recording that says nothing of it, that of a network; None: the smallest that holds
        all events
    repair : leave out what is damaged and sort the rest, see `Recording`

    Raises `FormatError` where the recording cannot be read, `ConfigError` where an argument makes no sense.
    """
    settings = {"sensor": sensor_or_none(sensor), "default_sensor": sensor_or_none(default_sensor), "repair": repair}
    if isinstance(path, str) and path == "-":
        with _opened(sys.stdin.buffer, _STDIN, settings, codec) as recording:
            yield recording
    elif hasattr(path, "read"):
        name = getattr(path, "name", None)
        with _opened(path, name if isinstance(name, str) else "file object", settings, codec) as recording:
            yield recording
    else:
        path = files.as_path(path)
        with files.reading(path):
            file = path.open("rb")  # what its user raises is not of reading it
        with file, _opened(file, str(path), settings, codec) as recording:
            yield recording


@contextlib.contextmanager
def open_for(wanted, path, sensor=None, codec=None):
    """The `Recording` that `open_recording` opens for a network; raises `ConfigError` unless it is of its sensor."""
    with open_recording(path, sensor, codec, default_sensor=wanted) as recording:
        if recording.declared != wanted:
            raise ConfigError(mismatch(f"{recording.source}:", recording.declared, wanted))
        yield recording


def read(path, sensor=None, codec=None, default_sensor=None, repair=False) -> Events:
    """All events of one recording; see `open_recording`."""
    with open_recording(path, sensor, codec, default_sensor, repair) as recording:
        return recording.events()


def write(path, events, codec=None):
    """Write ``events`` to ``path``, in the format ``codec`` or that of the suffix; an earlier file stays until the end.

    Raises `ConfigError` where the format cannot hold the events or the place cannot be written.
    """
    path = files.as_path(path)
    files.write_atomically(path, choose_target(str(path), codec).encode(events))


@contextlib.contextmanager
def _opened(file, source, settings, codec):
    """The recording in a file object, of whose bytes none have been read."""
    with contextlib.ExitStack() as stack:
        if codec is not None:
            chosen, head = choose(source, codec), b""
        else:
            head = Reader(file, source).read(_HEAD)
            if not head and not pathlib.PurePath(source).suffix:
                raise FormatError(f"{source}: is empty; a recording has at least one event; copy or download it again")
            chosen = choose(source, head=head)
        if _can_seek(file):
            file.seek(-len(head), io.SEEK_CUR)
        else:
            file = _Kept(head, file, stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY)))
            if chosen.seeks:
                file = file.whole(source)
        recording = Recording(file, chosen, source, **settings)
        if isinstance(file, _Kept) and recording.declared is not None and not recording.repair:
            file.let_go()
        yield recording


def _can_seek(file):
    return hasattr(file, "seekable") and file.seekable()


class _Kept:
    """A stream that can be read again from its start, since what is read of it is kept, until it is let go.

    head : bytes that were read from it already; kept : file to keep it in
    """

    def __init__(self, head, file, kept):
        self._file, self._kept, self._keeps = file, kept, True
        kept.write(head)
        kept.seek(0)

    def read(self, n):
        if data := self._kept.read(n):
            return data
        data = self._file.read(n)
        if self._keeps and isinstance(data, bytes):  # whoever reads refuses others
            self._kept.write(data)
        return data

    def whole(self, source):
        """The file that it is kept in, with all of it, to move about in."""
        reader = Reader(self, source)
        while reader.read(1 << 20):
            pass
        self._kept.seek(0)
        return self._kept

    def let_go(self):
        """Keep nothing of what comes."""
        self._keeps = False

    def seekable(self):
        return self._keeps

    def tell(self):
        return self._kept.tell()

    def seek(self, place):
        self._kept.seek(place)


def codec_of(path) -> Codec:
    """The codec of the file at a path; raises `FormatError` where it is that of none, or cannot be read."""
    with files.reading(path), open(path, "rb") as file:
        head = file.read(_HEAD)
    return choose(str(path), head=head)


def choose_target(path, name=None) -> Codec:
    """The codec called ``name``, else that of the suffix, to write by: a mistake is the user's, so a `ConfigError`."""
    try:
        return choose(path, name)
    except FormatError as error:
        raise ConfigError(str(error)) from None


def choose(source, name=None, head=b"") -> Codec:
    """The codec called ``name``, else the one that knows the first bytes, else claims the suffix of ``source``.

    Raises `ConfigError` for another name, `FormatError` for another suffix and for that of a table of target counts.
    """
    if name is not None:
        return CODECS[checks.choice("codec", name, CODECS)]
    suffix = pathlib.PurePath(source).suffix.lower()
    for fits in (lambda codec: codec.matches(head), lambda codec: suffix in codec.suffixes):
        for codec in CODECS.values():
            if fits(codec):
                return codec
    if suffix == slayer.BSN_SUFFIX:
        raise FormatError(f"{source}: holds how many spikes neurons ought to fire, no events; name a recording, or "
                          "read it with eventsim.data.read_target_counts")
    supported = ", ".join(f"{codec.name} ({' '.join(codec.suffixes)})" for codec in CODECS.values())
    got = f"the suffix {suffix!r}" if suffix else "no suffix"
    cure = "name its format" if source == _STDIN else "rename the file or name its format"
    raise FormatError(f"{source}: has {got}, which names no known format, nor do its first bytes; supported are "
                      f"{supported}; {cure}, e.g. --codec nmnist")
