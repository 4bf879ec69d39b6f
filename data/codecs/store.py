"""eventsim's own event store, ``.h5``, where it holds one recording; see `eventsim.data.store`."""

import io

from eventsim.data import store
from eventsim.data.codecs.base import Codec, Reader, Writer
from eventsim.data.hdf5 import GuardedFile
from eventsim.errors import FormatError
from eventsim.hdf5 import WRITING

_MAGIC = b"\x89HDF\r\n\x1a\n"


class StoreReader(Reader):
    """Reads the one recording of a store by slices."""

    def __init__(self, file, source):
        super().__init__(file, source)
        self._store = store.Store(_Seekable(file), source)
        self.is_empty = False
        if len(self._store) != 1:
            raise FormatError(f"{source}: holds {len(self._store)} recordings, expected one; use it as a data set, or "
                              f"take it apart with `eventsim convert --to es {source} FOLDER`")
        self.sensor = self._store.sensor
        self._part = next(part for part, labels in self._store.labels.items() if len(labels))
        self.skipped.update(self._store.skipped(self._part, 0))
        if name := self._store.recording_name(self._part, 0):
            self.about["Converted"] = f"from {name}"

    def blocks(self):
        for start, columns in self._store.blocks(self._part, 0):
            self._start = start
            yield columns

    def place(self, i):
        return f"row {self._start + i}"


class _Seekable(io.RawIOBase):
    """A binary file as HDF5 wants it; it stays open where HDF5 closes its own."""

    def __init__(self, file):
        self._file = file

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        return self._file.seek(offset, whence)

    def tell(self):
        return self._file.tell()

    def readinto(self, buffer):
        data = self._file.read(len(buffer))
        buffer[:len(data)] = data
        return len(data)


class StoreFileWriter(Writer):
    """Writes a store of one recording."""

    def __init__(self, file, sensor):
        import h5py  # takes long to load

        super().__init__(file, sensor)
        self._guarded = GuardedFile(file)
        self._hdf5 = h5py.File(self._guarded, "w", **WRITING)
        self._store = store.StoreWriter(self._hdf5, sensor)

    def write(self, events):
        with self._guarded.checked():
            self._store.gather("recordings", events)
        self.written += len(events)

    def finish(self, source="", skipped=None):
        with self._guarded.checked():
            self._store.end("recordings", name=source, skipped=skipped)
            self._store.flush()
            self._hdf5.close()

    def close(self):
        self._hdf5.close()


CODEC = Codec("store", "eventsim event store", (".h5",), StoreReader, matches=lambda head: head.startswith(_MAGIC),
              seeks=True, writer=StoreFileWriter)
