"""HDF5 files of data sets: what is wrong inside becomes one sentence, and cochlea recordings become events."""

import contextlib

import numpy as np

from eventsim import files
from eventsim.errors import EventsimError, FormatError
from eventsim.events import Events

_LONGEST = 1e9  # s, which no recording lasts


@contextlib.contextmanager
def readable(path, what, cure="download it again"):
    """Turn what goes wrong while the HDF5 file ``path`` is read into a `FormatError`: it is damaged or no ``what``."""
    try:
        yield
    except FormatError:
        raise
    except (EventsimError, OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError,
            OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"{path}: is damaged or no {what} ({reason}); {cure}") from error


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
