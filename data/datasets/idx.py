"""Labelled images as MNIST and its likes are distributed: four idx files, plain or compressed by gzip.

LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats": two zero bytes, the type
(0x08 for uint8), the number of axes, every axis as a big-endian uint32, then the values.
"""

import gzip
import math
import zlib

import numpy as np

from eventsim import files
from eventsim.errors import FormatError

# What a split is called in the names of its files.
_PARTS = {"train": "train", "validation": "t10k"}
_GZIP, _UINT8 = b"\x1f\x8b", 0x08


def read_idx(path, n_axes):
    """The array in an idx file, uint8 with ``n_axes`` axes; raises `FormatError` where it is none."""
    path = files.as_path(path)
    with files.reading(path):
        raw = path.read_bytes()
    if raw.startswith(_GZIP):
        try:
            raw = gzip.decompress(raw)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FormatError(f"{path}: is damaged ({error}); download it again") from None
    start = 4 + 4 * n_axes
    if len(raw) < start or raw[:4] != bytes((0, 0, _UINT8, n_axes)):
        raise FormatError(f"{path}: starts with the bytes {raw[:4].hex(' ') or '(none)'}, an idx file of uint8 with "
                          f"{n_axes} axes with 00 00 08 {n_axes:02x}; name a file of the MNIST format")
    shape = tuple(np.frombuffer(raw, ">u4", n_axes, offset=4).tolist())
    size = math.prod(shape)
    if len(raw) - start != size:
        raise FormatError(f"{path}: has {len(raw) - start} bytes behind its head of {start}, which announces {size} "
                          f"({'x'.join(map(str, shape))}); download it again")
    return np.frombuffer(raw, np.uint8, size, offset=start).reshape(shape)


def read_images(folder, split):
    """``(images, labels)`` of a split, uint8[n,rows,columns] and int64[n], or None where the folder has none of it.

    folder : holds ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, or ``t10k-...`` for "validation"; the
        names may have ``.idx`` for ``-idx``, and may end with ``.gz``
    """
    folder = files.as_path(folder)
    if folder.exists() and not folder.is_dir():
        raise FormatError(f"{folder}: is a file; name the folder with MNIST's files")
    with files.reading(folder):
        names = {path.name for path in folder.iterdir()}
    found = [_find(names, f"{_PARTS[split]}-{what}", axes) for what, axes in (("images", 3), ("labels", 1))]
    if found[0] is None:
        return None
    if found[1] is None:
        raise FormatError(f"{folder}: has {found[0]} but not its labels, {_PARTS[split]}-labels-idx1-ubyte; add them")
    images, labels = read_idx(folder / found[0], 3), read_idx(folder / found[1], 1)
    if len(images) != len(labels):
        raise FormatError(f"{folder}: {found[0]} has {len(images)} images, {found[1]} {len(labels)} labels; download "
                          "both again")
    return images, labels.astype(np.int64)


def _find(names, stem, axes):
    """The file that is there of those that may have what ``stem`` says."""
    wanted = [f"{stem}{dot}idx{axes}-ubyte{end}" for dot in "-." for end in ("", ".gz")]
    return next((name for name in wanted if name in names), None)
