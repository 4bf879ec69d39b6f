"""NumPy's ``.npz``: a zip of arrays, each in the format of `eventsim.data.codecs.numpy_array`.

The events are the arrays t (or ts, timestamp) in microseconds, x, y, and p (or on, polarity), a row an event; else the
one structured array that has these fields. An array ``sensor`` may hold width, height and the number of polarities.
Other arrays are left alone, and named in `Reader.about`. Members are stored or deflated. What we write holds t, x, y, p
and the sensor.

Source: https://numpy.org/doc/stable/reference/generated/numpy.savez.html.
"""

import contextlib
import io
import shutil
import tempfile
import zipfile
import zlib

import numpy as np

from eventsim import files
from eventsim.data.codecs import base, numpy_array
from eventsim.data.codecs.base import Codec, Writer, told_sensor
from eventsim.data.codecs.numpy_array import TYPES, listed
from eventsim.errors import EventsimError, FormatError
from eventsim.events import column_names

_LOCAL = b"PK\x03\x04"  # with which a member begins
_IN_MEMORY = 1 << 22  # bytes of a column that is written; what is longer is kept on disk
_LARGE = 1 << 30  # bytes; a member of more may need fields that readers of long ago do not know
_LEVEL = 1  # of compression: zlib's usual 6 takes nine times as long for 6 % less


class NPZReader(numpy_array.ArrayReader):
    """Reads an archive; needs a file that it can move about in."""

    def __init__(self, file, source):
        super().__init__(file, source)
        if not self.read(1):
            return
        file.seek(-1, io.SEEK_CUR)
        with self._unpacking(source):
            self._zip = zipfile.ZipFile(file)
        self._members = {name.removesuffix(".npy"): name for name in self._zip.namelist() if name.endswith(".npy")}
        self.sensor = self._told_sensor()
        found = column_names(self._members)
        self._arrays = self._fields = None
        if None in found.values():
            used = self._find_structured()
        else:
            self._find_separate(found)
            used = set(found.values())
        others = self._members.keys() - used - ({"sensor"} if self.sensor else set())
        if others:
            self.about["other arrays"] = listed(sorted(others))

    def _find_separate(self, names):
        """Open the arrays of four columns."""
        self._arrays = {column: self._open(name) for column, name in names.items()}
        for array in self._arrays.values():
            array.check()
            numpy_array.check_numbers(array.where, array.dtype)
        if len({array.left for array in self._arrays.values()}) > 1:
            got = ", ".join(f"{array.left} of {column}" for column, array in self._arrays.items())
            raise FormatError(f"{self.source}: has {got}, expected as many of each; save it anew")

    def _find_structured(self):
        """Open the one array that has the fields of events; the set of its name."""
        fitting = {}
        for name in self._members:
            array = self._open(name)
            if None not in column_names(array.dtype.names or ()).values():
                fitting[name] = array
        if len(fitting) != 1:
            what = f"several recordings ({listed(fitting)})" if fitting else \
                f"the arrays {listed(self._members)}" if self._members else "no arrays"
            raise FormatError(f"{self.source}: holds {what}, expected the arrays t, x, y and p, or one structured "
                              "array with these fields; save it so")
        (array,) = fitting.values()
        self._arrays, self._fields = {"t": array}, numpy_array.fields_of(array)
        self.tell_fields(array, self._fields)
        return set(fitting)

    def _told_sensor(self):
        """The `Sensor` that the archive says, None where it says none."""
        array = self._open("sensor") if "sensor" in self._members else None
        if array is None or array.dtype.kind not in "iu" or array.shape != (3,):
            return None  # or it is somebody else's array
        return told_sensor(array.where, *array.take(3).tolist())

    def _columns(self):
        if self.is_empty:
            return
        if self._fields:
            yield from self.records(self._arrays["t"], self._fields)
            return
        n = max(base.BLOCK // sum(array.dtype.itemsize for array in self._arrays.values()), 1)
        while self._arrays["t"].left:
            yield {column: array.take(n) for column, array in self._arrays.items()}

    def _open(self, name):
        """A member as an array, at its start."""
        where = f"{self.source}: array {listed([name])}"
        with self._unpacking(where):
            info = self._zip.getinfo(self._members[name])
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FormatError(f"{where} is neither stored nor deflated; save it anew")
            member = self._zip.open(info)

        def read(n):
            parts = []
            with self._unpacking(where):
                while n > 0 and (part := member.read(n)):
                    parts.append(part)
                    n -= len(part)
            return b"".join(parts)

        return numpy_array.Array(read(numpy_array.PREFIX), read, where)

    @contextlib.contextmanager
    def _unpacking(self, where):
        """Turn what the zip says while it is read into a `FormatError`."""
        try:
            with files.reading(self.source):
                yield
        except EventsimError:
            raise
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            said = numpy_array.short(str(error))
            raise FormatError(f"{where}: cannot be unpacked ({said}); copy or download it again") from None


class NPZWriter(Writer):
    """Writes arrays, which can only be one after the other: the columns wait in temporary files until the end."""

    def __init__(self, file, sensor):
        super().__init__(file, sensor)
        self._columns = {name: tempfile.SpooledTemporaryFile(_IN_MEMORY) for name in TYPES}  # noqa: SIM115 - see close

    def write(self, events):
        for name, column in self._columns.items():
            column.write(getattr(events, name).astype(TYPES[name], copy=False).tobytes())
        self.written += len(events)

    def finish(self, source="", skipped=None):
        with zipfile.ZipFile(self.file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            for name, column in self._columns.items():
                self._put(archive, name, numpy_array.header(TYPES[name], self.written), column)
            sensor = np.array([self.sensor.width, self.sensor.height, self.sensor.polarities], "<i8")
            self._put(archive, "sensor", numpy_array.header(sensor.dtype, 3), io.BytesIO(sensor.tobytes()))
        self.close()

    def close(self):
        for column in self._columns.values():
            column.close()

    @staticmethod
    def _put(archive, name, head, column):
        size = column.seek(0, io.SEEK_END)
        column.seek(0)
        with archive.open(f"{name}.npy", "w", force_zip64=size > _LARGE) as member:
            member.write(head)
            shutil.copyfileobj(column, member)


def _matches(head):
    """Whether a zip begins, and with an array."""
    return head.startswith(_LOCAL) and head[30 : 30 + int.from_bytes(head[26:28], "little")].endswith(b".npy")


CODEC = Codec("npz", "NumPy arrays in a zip", (".npz",), NPZReader, seeks=True, writer=NPZWriter, matches=_matches)
