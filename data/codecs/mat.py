"""MATLAB's ``.mat``, as the toolboxes of the ATIS camera keep events: a struct, ``TD``, of vectors.

The vectors are x, y, p (or on, polarity) and ts (or t, timestamp), in microseconds, of numbers of any type, but whole.
The struct may have another name where no other is like it, and the vectors may be variables of their own. Other
variables and fields are left alone, and named in `Reader.about`. Nothing is said of the sensor.

Two things are said by nobody, and told by the numbers:

- MATLAB counts from 1, and so do pixels in these toolboxes. A recording with an x or y of 0 counts them from 0.
- Polarities are 0 and 1, -1 and 1, or 1 and 2, the larger is ON. Where there is only 1, it is ON.

So a recording without an event in the first column and row that was counted from 0 comes out moved by a pixel.

Files of version 5 (MATLAB's -v6 and -v7) are read by `eventsim.data.codecs.mat5`, those of version 7.3, which are HDF5,
by h5py.

Sources: https://github.com/gorchard/Matlab_AER_vision_functions, whose read_linux.m says "strictly positive integers
only" of pixels and whose functions have polarities of 0 and 1 and of 1 and 2, and https://github.com/rfma23/aertb.
"""

import io

import numpy as np

from eventsim.data.codecs import base, mat5
from eventsim.data.codecs.base import Codec
from eventsim.data.codecs.numpy_array import ArrayReader, listed
from eventsim.errors import FormatError
from eventsim.events import ALIASES, column_names

_TEXTS = (b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file")
_ORDERS = {b"IM": "<", b"MI": ">"}
_USUAL = "TD"
_WANTED = {name for names in ALIASES.values() for name in names}
_POLARITIES = ((0, 1), (-1, 1), (1, 2))
_MOST_NAMES = 100  # of variables that are kept for messages


class MATReader(ArrayReader):
    """Reads a struct of vectors; needs a file that it can move about in."""

    def __init__(self, file, source):
        super().__init__(file, source)
        start = file.tell()
        head = self.read(mat5.HEADER)
        if self.is_empty:
            return
        size = file.seek(0, io.SEEK_END) - start

        def read_at(place, n):
            file.seek(start + place)
            return self.read(n)

        order = _ORDERS.get(head[126:128])
        version = (head[125], head[124]) if order == "<" else (head[124], head[125]) if order else None
        if version == (1, 0):
            found = mat5.variables(read_at, size, order, source, _WANTED)
        elif version == (2, 0):
            from eventsim.data.codecs import mat73  # with h5py, which takes long to load

            file.seek(start)
            found = mat73.variables(file, source, _WANTED)
        else:
            raise FormatError(f"{source}: is no MAT-file of version 5 or 7.3; save it in MATLAB with -v7 or -v7.3")
        self._vectors = self._chosen(found)
        lengths = {column: vector.n for column, vector in self._vectors.items()}
        if len(set(lengths.values())) > 1:
            got = ", ".join(f"{n} of {column}" for column, n in lengths.items())
            raise FormatError(f"{source}: has {got}, expected as many of each; save it anew")

    def _chosen(self, variables):
        """{column: its vector}, of the one struct that has all of them, else of the variables."""
        structs, loose, names = {}, {}, []
        for variable in variables:
            if len(names) < _MOST_NAMES:
                names.append(variable.name + (f" ({variable.n_structs} structs)" if variable.n_structs > 1 else ""))
            if variable.n_structs == 0:
                loose |= variable.columns
            elif _is_whole(variable.columns) and (len(structs) < 2 or variable.name == _USUAL):
                structs[variable.name] = variable
        if _USUAL in structs:
            structs = {_USUAL: structs[_USUAL]}
        if len(structs) == 1:
            (chosen,) = structs.values()
            vectors, used, others = chosen.columns, {chosen.name}, chosen.others
        elif not structs and _is_whole(loose):
            vectors, used, others = loose, set(loose), []
        else:
            what = f"several recordings ({listed(structs)})" if structs else \
                f"the variables {listed(names)}" if names else "no variable"
            raise FormatError(f"{self.source}: holds {what}, expected a struct {_USUAL} with x, y, p and ts (or t), "
                              "all of them vectors of real numbers; save it so")
        for kind, left in (("fields", others), ("variables", [name for name in names if name not in used])):
            if left:
                self.about[f"other {kind}"] = listed(left)
        return {column: vectors[name] for column, name in column_names(vectors).items()}

    def _columns(self, names="txyp"):
        take = {column: self._vectors[column].opened() for column in names}
        n = self._vectors["t"].n
        step = max(base.BLOCK // sum(vector.dtype.itemsize for vector in self._vectors.values()), 1)
        for start in range(0, n, step):
            yield {column: function(min(step, n - start)) for column, function in take.items()}

    def blocks(self):
        """Of every event, after a first look at all pixels and polarities for how they are counted."""
        if self.is_empty:
            return
        first, on = self._survey()
        self._row = self._n = 0
        for t, x, y, p in super().blocks():
            yield t, x - first, y - first, (p == on).view(np.uint8)

    def _survey(self):
        """The first pixel's number, and the polarity that is ON."""
        least, values = np.inf, set()
        for block in self._columns("xyp"):
            least = min(least, block["x"].min(), block["y"].min())
            values.update(np.unique(block["p"])[:4].tolist())
            fitting = [pair for pair in _POLARITIES if values <= {*pair}]
            if not fitting:
                got = ", ".join(f"{value:g}" for value in sorted(values)[:4])
                raise FormatError(f"{self.source}: has the polarities {got}, expected 0 and 1, -1 and 1, or 1 and 2; "
                                  "correct it")
        if not values:
            return 0, 1
        self.about["pixels"] = f"counted from {int(least >= 1)}"
        self.about["polarities"] = " and ".join(map(str, fitting[0]))
        return int(least >= 1), fitting[0][1]


def _is_whole(columns):
    return None not in column_names(columns).values()


CODEC = Codec("mat", "MATLAB", (".mat",), MATReader, seeks=True, matches=lambda head: head.startswith(_TEXTS))
