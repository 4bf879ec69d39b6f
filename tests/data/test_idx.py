"""idx files: what is read, and what is refused with a sentence."""

import gzip

import numpy as np
import pytest
from idx_files import idx, write_images

from eventsim.data.datasets.idx import read_idx, read_images
from eventsim.errors import FormatError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)


@pytest.mark.parametrize("dot", "-.")
@pytest.mark.parametrize("compressed", [False, True])
def test_reads_what_was_written(tmp_path, dot, compressed):
    write_images(tmp_path, IMAGES, LABELS, dot=dot, compressed=compressed)
    images, labels = read_images(tmp_path, "train")
    assert images.dtype == np.uint8 and np.array_equal(images, IMAGES)
    assert labels.dtype == np.int64 and np.array_equal(labels, LABELS)
    assert read_images(tmp_path, "validation") is None


def test_mnist_itself(shared):
    images, labels = read_images(shared / "data" / "mnist", "train")
    assert images.shape == (60000, 28, 28) and np.bincount(labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    images, labels = read_images(shared / "data" / "mnist", "validation")
    assert images.shape == (10000, 28, 28) and labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize("change, word", [
    (lambda raw: b"", r"starts with the bytes \(none\), an idx file of uint8 with 3 axes with 00 00 08 03"),
    (lambda raw: raw[:9], "starts with the bytes 00 00 08 03"),
    (lambda raw: b"\0\0\x0d" + raw[3:], "starts with the bytes 00 00 0d 03"),
    (lambda raw: raw[:3] + b"\1" + raw[4:], "starts with the bytes 00 00 08 01"),
    (lambda raw: raw[:-1], "has 59 bytes behind its head of 16, which announces 60 .5x4x3."),
    (lambda raw: raw + b"\0", "has 61 bytes"),
    (lambda raw: raw[:4] + b"\xff" * 12 + raw[16:], "has 60 bytes .* announces 79228162458924105385300197375"),
    (lambda raw: gzip.compress(raw)[:-9], "is damaged .*; download it again"),
    (lambda raw: gzip.compress(raw)[:20] + b"\xff\xff\xff\xff", "is damaged"),
], ids=range(9))
def test_files_that_are_none_are_refused(tmp_path, change, word):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(change(idx(IMAGES)))
    with pytest.raises(FormatError, match=f"^{path}: {word}"):
        read_idx(path, 3)


def test_files_that_do_not_go_together_are_refused(tmp_path):
    write_images(tmp_path, IMAGES, LABELS[:4])
    with pytest.raises(FormatError, match="train-images-idx3-ubyte has 5 images, train-labels-idx1-ubyte 4 labels"):
        read_images(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FormatError, match="has train-images-idx3-ubyte but not its labels, train-labels-idx1-ubyte"):
        read_images(tmp_path, "train")
    with pytest.raises(FormatError, match="is a file; name the folder"):
        read_images(tmp_path / "train-images-idx3-ubyte", "train")
    with pytest.raises(FormatError, match="no such file or folder"):
        read_images(tmp_path / "none", "train")
