"""MAT-files made by hand, bit for bit as their format is described."""

import io
import struct
import zlib

import h5py
import numpy as np

CLASSES = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13, "i8": 14, "u8": 15}
TYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9, "i8": 12, "u8": 13}


def element(kind, data, order="<"):
    """An element, in the short form where it fits."""
    if 0 < len(data) <= 4:
        return struct.pack(order + "I", len(data) << 16 | kind) + data.ljust(4, b"\0")
    return struct.pack(order + "2I", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(name, kind, shape, contents, order="<", flags=0):
    head = [(6, struct.pack(order + "2I", flags << 8 | kind, 0)), (5, struct.pack(f"{order}{len(shape)}i", *shape)),
            (1, name.encode())]
    return element(14, b"".join(element(*one, order) for one in head) + contents, order)


def vector(name, values, order="<", kind=None, flags=0):
    """A row of numbers of their own type, or of the class ``kind`` whatever their type."""
    values = np.asarray(values)
    code = values.dtype.str[1:]
    return matrix(name, kind or CLASSES[code], (1, len(values)),
                  element(TYPES[code], values.astype(order + code).tobytes(), order), order, flags)


def of_structs(name, fields, order="<", n=1, width=8):
    """A struct array, of which ``fields`` {name: matrix} are those of all its structs."""
    names = b"".join(field.encode().ljust(width, b"\0") for field in fields)
    contents = element(5, struct.pack(order + "i", width), order) + element(1, names, order)
    return matrix(name, 2, (1, n), contents + n * b"".join(fields.values()), order)


def mat5(*variables, order="<", deflated=False):
    mark = {"<": b"\0\1IM", ">": b"\1\0MI"}[order]
    if deflated:
        variables = [struct.pack(order + "2I", 15, len(data)) + data for data in map(zlib.compress, variables)]
    return b"MATLAB 5.0 MAT-file, made by hand".ljust(116) + bytes(8) + mark + b"".join(variables)


def mat73(make):
    """A file of version 7.3; ``make`` is called with the `h5py.File` to fill."""
    out = io.BytesIO()
    with h5py.File(out, "w", userblock_size=512) as file:
        make(file)
    data = bytearray(out.getvalue())
    data[:128] = b"MATLAB 7.3 MAT-file, made by hand".ljust(116) + bytes(8) + b"\0\2IM"
    return bytes(data)


def td_group(columns, **options):
    """What fills a file with a struct TD of columns {name: values}, for `mat73`."""
    def make(file):
        group = file.create_group("TD")
        for name, values in columns.items():
            group.create_dataset(name, data=np.asarray(values).reshape(-1, 1), **options)

    return make
