"""HDF5 files of data sets: what is wrong inside becomes one sentence, and cochlea recordings become events."""

import contextlib
import io

import numpy as np

from eventsim import files
from eventsim.errors import EventsimError, FormatError
from eventsim.events import Events
from eventsim.hdf5 import WRITING, check_head

_LONGEST = 1e9  # s, which no recording lasts


@contextlib.contextmanager
def readable(path, what, cure="download it again"):
    """Turn what goes wrong while the HDF5 file ``path`` is read into a `FormatError`: it is damaged or no ``what``."""
    try:
        yield
    except FormatError:
        raise
    except (EventsimError, OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError,
            OverflowError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"{path}: is damaged or no {what} ({reason}); {cure}") from error


def attribute(path, name):
    """An attribute of an HDF5 file, None where it has none, or the file is none."""
    import h5py  # takes long to load

    try:
        with open(path, "rb") as file:
            check_head(file)
        with h5py.File(path, "r") as file:
            return file.attrs.get(name)
    except (OSError, RuntimeError, LookupError, ValueError, TypeError):
        return None


class GuardedFile(io.RawIOBase):
    """A binary file for HDF5 to write to, which keeps what the operating system refuses for later: see `checked`.

    HDF5 cannot close a file that cannot be written any more, and crashes when the process ends.
    """

    def __init__(self, file):
        self._file, self.failure = file, None
        self._position, self._size = 0, file.seek(0, io.SEEK_END)

    @contextlib.contextmanager
    def checked(self):
        """Raise the first `OSError` there was at the end, also where HDF5 raised something because of it."""
        try:
            yield
        finally:
            if self.failure is not None:
                raise self.failure

    def _attempt(self, call, otherwise):
        """What ``call`` gives at the position; ``otherwise``, once something has failed."""
        if self.failure is None:
            try:
                self._file.seek(self._position)
                return call()
            except OSError as error:
                self.failure = error
        return otherwise

    def _write(self, data):
        self._file.write(data)
        self._file.flush()  # so that what fails does so here

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def tell(self):
        return self._position

    def readinto(self, buffer):
        n = self._attempt(lambda: self._file.readinto(buffer), len(buffer))
        self._position += n
        return n

    def write(self, data):
        self._attempt(lambda: self._write(data), None)
        self._position += len(data)
        self._size = max(self._size, self._position)
        return len(data)

    def truncate(self, size=None):
        self._size = self._position if size is None else size
        self._attempt(lambda: self._file.truncate(self._size), None)
        return self._size


@contextlib.contextmanager
def written_hdf5(file, mode):
    """An HDF5 file in a binary file that can be written, opened by ``mode``; raises `OSError` where that failed."""
    import h5py  # takes long to load

    guarded = GuardedFile(file)
    with guarded.checked(), h5py.File(guarded, mode, **WRITING) as hdf5:
        yield hdf5


def check_file(path):
    """Raise `FormatError`, in the words of the operating system, where a file cannot be opened."""
    with files.reading(path):
        path.open("rb").close()


def channel_events(seconds, channel, sensor, where) -> Events:
    """Events of a sensor of one row from their times in s, float[K], and channels, int[K]; sorted by time.

    Raises `FormatError`, with ``where``, for times that are none and for channels that the sensor does not have.
    """
    seconds, channel = np.asarray(seconds, np.float64), np.asarray(channel)
    if seconds.shape != channel.shape or seconds.ndim != 1:
        raise FormatError(f"{where}: has times of the shape {seconds.shape} for channels of {channel.shape}; download "
                          "it again")
    if not (np.abs(seconds) < _LONGEST).all():
        i = int(np.argmin(np.abs(seconds) < _LONGEST))
        raise FormatError(f"{where}: event {i} is at {seconds[i]} s, which is no time; download it again")
    bad = (channel < 0) | (channel >= sensor.width) | (channel != np.rint(channel))
    if bad.any():
        i = int(np.argmax(bad))
        raise FormatError(f"{where}: event {i} has the channel {channel[i]}, expected 0..{sensor.width - 1}; download "
                          "it again")
    t = np.rint(seconds * 1e6).astype(np.int64)
    order = np.argsort(t, kind="stable")
    zero = np.zeros(len(t), np.uint8)
    return Events(t[order], channel[order].astype(np.uint16), zero, zero, sensor)
