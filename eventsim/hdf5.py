"""HDF5 files in which a damaged byte would crash the library, or keep it busy for ever."""

import mmap
import struct

# A *global heap* holds texts and lists of any length, objects one behind the other (HDF5 File Format Specification
# 3.0, III.E): signature, version and three zeros, then its size; each object has number, uses, four zeros, its size.
_HEAP = b"GCOL\x01\0\0\0"
_SIZE, _OBJECT = struct.Struct("<8xQ"), struct.Struct("<H6xQ")
_WORD = 1 << 64
# How files are written: since its version 1.10 the format has checksums of all that is not data or in a global heap.
WRITING = {"libver": ("v110", "v110")}
# Where the attributes of a file are that was written from its attributes on.
HEAD = 1 << 20


def check_heaps(path):
    """Raise OSError where HDF5 2.0 would never come to the end of a global heap in the file ``path``.

    It takes an object of no size, which damage may make of any, again and again.
    """
    with open(path, "rb") as file:
        if file.seek(0, 2):
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                _check(data)


def check_head(file):
    """`check_heaps` of the first bytes of a binary file, `HEAD` of them."""
    file.seek(0)
    _check(file.read(HEAD))


def _check(data):
    at = data.find(_HEAP)
    while at >= 0:
        _walk(data, at)
        at = data.find(_HEAP, at + len(_HEAP))


def _walk(data, at):
    """Raise OSError where an object of the heap at a byte is followed by itself."""
    if at + _SIZE.size > len(data):
        return
    end, here = min(at + _SIZE.unpack_from(data, at)[0], len(data)), at + _SIZE.size
    while here + _OBJECT.size <= end:
        number, size = _OBJECT.unpack_from(data, here)
        step = size if number == 0 else (_OBJECT.size + (size + 7) // 8 * 8) % _WORD
        if step == 0:
            raise OSError(f"an object of no size at byte {here} of the file")
        here += step
