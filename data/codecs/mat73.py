"""MAT-files of version 7.3, which are HDF5 behind 512 bytes of text: structs of vectors, as in version 5.

A struct is a group, its fields are data sets. A vector is a data set of two axes, one of which has length 1.

Source: https://www.mathworks.com/help/matlab/import_export/mat-file-versions.html.
"""

import math

import h5py

from eventsim.data.codecs.numpy_array import listed
from eventsim.data.hdf5 import readable
from eventsim.errors import FormatError

_CHUNKS = 1 << 24  # bytes, of the largest chunk of a data set, and of those that are kept
_MOST_DEFLATED = 1032  # bytes that zlib can put into one
_WHAT, _CURE = "MAT-file of version 7.3", "copy or download it again"


class Column:
    """A vector of ``n`` numbers."""

    def __init__(self, data, where):
        self._data, self._where = data, where
        self.n, self.dtype = 0 if "MATLAB_empty" in data.attrs else data.size, data.dtype
        stored = data.id.get_storage_size()
        if self.n * self.dtype.itemsize > _MOST_DEFLATED * stored:  # HDF5 would give zeros
            raise FormatError(f"{where}: says that it has {self.n} numbers, which {stored} bytes cannot hold; {_CURE}")

    def opened(self):
        """A function of n that gives the next n numbers; raises `FormatError` where they are damaged."""
        start = 0

        def take(n):
            nonlocal start
            place = tuple(slice(start, start + n) if size == self.n else 0 for size in self._data.shape)
            if self.n == 1:
                place = tuple(slice(0, 1) if axis == 0 else 0 for axis in range(self._data.ndim))
            start += n
            with readable(self._where, _WHAT, _CURE):
                return self._data[place]

        return take


class Variable:
    """One variable; attributes as those of `eventsim.data.codecs.mat5.Variable`."""

    def __init__(self, name, item, source, wanted):
        self.name, self.n_structs = name, int(isinstance(item, h5py.Group))
        fields = {field: _own(item, field) for field in item if field in wanted} if self.n_structs else {name: item}
        where = f"{source}: {listed([name])}"
        self.columns = {field: Column(data, f"{where}.{field}" if self.n_structs else where)
                        for field, data in fields.items() if field in wanted and _is_vector(data)}
        self.others = [field for field in item if field not in wanted] if self.n_structs else []


def variables(file, source, wanted):
    """Every `Variable` of an HDF5 file; wanted : names of columns."""
    with readable(source, _WHAT, _CURE):
        hdf5 = h5py.File(file, "r", rdcc_nbytes=_CHUNKS)
        for name in hdf5:
            yield Variable(name, _own(hdf5, name), source, wanted)


def _own(group, name):
    """What a group holds by a name, None where it is a link to elsewhere."""
    return group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None


def _is_vector(data):
    """Whether it is a data set of real numbers along one axis, that stand in this file in chunks that are not huge."""
    return (
        isinstance(data, h5py.Dataset) and data.dtype.kind in "iuf" and data.shape
        and data.size in (0, max(data.shape)) and not data.external and not data.is_virtual
        and math.prod(data.chunks or (0,)) * data.dtype.itemsize <= _CHUNKS
    )
