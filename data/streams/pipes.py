"""Streams from a pipe, and from a file that others append to."""

import io
import os
import stat
import sys

from eventsim import files
from eventsim.data.streams.base import Source
from eventsim.errors import ConfigError, FormatError

_CHUNK = 1 << 16  # bytes: what a pipe holds


def standard_input():
    """A function of a size that reads standard input."""
    if sys.stdin is None:
        raise ConfigError("standard input is closed; pipe a recording into it, or name a file")
    try:
        number = sys.stdin.fileno()
    except (io.UnsupportedOperation, AttributeError):
        return sys.stdin.buffer.read1
    # Not through Python's own buffer: whoever waits in that keeps the interpreter from ending.
    return lambda size: os.read(number, size)


class Pipe(Source):
    """What ``read(size)`` gives, until it gives nothing; it is held back where we are slower."""

    patience = 0.05  # a read that waits for its writer may wait for ever

    def __init__(self, name, capacity, read):
        super().__init__(name, capacity)
        self._read = read

    def read(self):
        while not self.closing and (data := self._read(_CHUNK)):
            self.put(data)


class File(Source):
    """A file and what is appended to it, for ever unless ``once``; one that is truncated or replaced is an error."""

    def __init__(self, path, capacity, once=False):
        super().__init__(str(path), capacity)
        self._path, self._once = path, once
        with files.reading(path):
            if not stat.S_ISFIFO(os.stat(path).st_mode):  # a named pipe waits until somebody writes to it
                open(path, "rb").close()

    def read(self):
        position = 0
        with files.reading(self._path), open(self._path, "rb", buffering=0) as file:
            while not self.closing:
                # Looked at before it is read: then what was appended to a file before its place was taken is not lost.
                trouble = self._trouble(file, position)
                data = file.read(_CHUNK)
                if data:
                    position += len(data)
                    self.put(data)
                elif self._once:
                    return
                elif trouble:
                    raise FormatError(f"{self._path}: {trouble} while it was followed; follow it anew")
                else:
                    self.pause()

    def _trouble(self, file, position):
        """What happened to the file that it cannot be followed on, or None."""
        opened = os.fstat(file.fileno())
        if not stat.S_ISREG(opened.st_mode):
            return None
        if opened.st_size < position:
            return f"was truncated to {opened.st_size} bytes, of which {position} had been read,"
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            return "was removed"
        return None if os.path.samestat(opened, named) else "was replaced by another file"
