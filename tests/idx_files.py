"""Writes idx files, as MNIST is distributed."""

import gzip

import numpy as np


def idx(array):
    """An array of uint8 as the bytes of an idx file."""
    array = np.asarray(array, np.uint8)
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_images(folder, images, labels, part="train", dot="-", compressed=False):
    """Write the two files of a split."""
    folder.mkdir(exist_ok=True)
    for what, array, axes in (("images", images, 3), ("labels", labels, 1)):
        name = f"{part}-{what}{dot}idx{axes}-ubyte" + (".gz" if compressed else "")
        (folder / name).write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    return folder
