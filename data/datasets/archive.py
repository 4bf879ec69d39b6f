"""The files of a data set, in a folder or in a zip that is never unpacked; names are relative, with ``/``."""

import contextlib
import os
import threading
import zipfile
import zlib

from eventsim import files
from eventsim.errors import FormatError


class Folder:
    """The files below a folder."""

    def __init__(self, path):
        self.path = files.as_path(path)

    def names(self, below=""):
        """Names of the entries of the folder ``below``, sorted."""
        with files.reading(self.path / below):
            return sorted(os.listdir(self.path / below))

    def is_folder(self, name) -> bool:
        """Whether the entry ``name`` is a folder."""
        return os.path.isdir(self.path / name)

    def where(self, name) -> str:
        """What messages call the file ``name``."""
        return str(self.path / name)

    def size(self, name) -> int:
        """Bytes of the file ``name``."""
        with files.reading(self.path / name):
            return os.path.getsize(self.path / name)

    def read(self, name) -> bytes:
        """The bytes of the file ``name``."""
        with files.reading(self.path / name), open(self.path / name, "rb") as file:
            return file.read()


class Zip:
    """The files in a zip, read in place, from any thread."""

    def __init__(self, path):
        self.path = files.as_path(path)
        with files.reading(self.path), _intact(self.path):
            self._zip = zipfile.ZipFile(self.path)
        self._lock = threading.Lock()  # zipfile promises nothing about threads

    def names(self):
        """Names of all files in the zip, each once, in its own order."""
        return list(dict.fromkeys(info.filename for info in self._zip.infolist() if not info.is_dir()))

    def where(self, name) -> str:
        """What messages call the file ``name``."""
        return f"{self.path}:{name}"

    def size(self, name) -> int:
        """Bytes of the file ``name``, unpacked."""
        return self._zip.getinfo(name).file_size

    def read(self, name) -> bytes:
        """The bytes of the file ``name``, unpacked and checked against their CRC."""
        with files.reading(self.path), _intact(self.where(name)), self._lock:
            return self._zip.read(name)


@contextlib.contextmanager
def _intact(where):
    """Turn what the zip format refuses into a `FormatError`."""
    try:
        yield
    # RuntimeError: encrypted, or (NotImplementedError) packed by an unknown method
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise FormatError(f"{where}: cannot be unpacked ({error}); expected a folder or an intact zip without "
                          "password; check the path or download it again") from error
