"""N-MNIST made again: labelled images before the synthetic event camera."""

import zlib

import numpy as np

from eventsim import checks
from eventsim.data.datasets.base import Dataset, Splits
from eventsim.data.datasets.idx import read_images
from eventsim.data.synthetic.camera import CameraParameters, record
from eventsim.data.synthetic.saccades import SaccadeParameters
from eventsim.errors import ConfigError, FormatError

REVISION = 1  # goes up whenever the samples change, so that they have another fingerprint
_CLASSES = 10
_STREAMS = {"train": 3, "validation": 4}  # of a seed, independent of those of synthetic digits
_MAX_SEED = 2**32 - 1  # one word of SeedSequence


class SaccadeImages(Dataset):
    """Images that move along three saccades before an event camera, as N-MNIST was made from MNIST.

    images : uint8[n,rows,columns], 0 is paper (white on the screen) and 255 ink, as MNIST's; a pixel is as large as one
        of the sensor, so 28x28 is right for N-MNIST's 34x34
    labels : whole numbers in 0..9, one an image
    seed : of mismatch, spreads and jitter; a sample is a function of seed, split and index alone
    split : "train" or "validation", so that the two share no random numbers

    Raises `ConfigError` for what is none of these.
    """

    def __init__(self, images, labels, *, seed=0, split="train", saccades=None, camera=None):
        self._saccades, self._camera = saccades or SaccadeParameters(), camera or CameraParameters()
        self.images, sensor = np.asarray(images), self._camera.sensor
        if self.images.dtype != np.uint8 or self.images.ndim != 3:
            raise ConfigError(f"images must be uint8 with three axes (n, rows, columns), got {self.images.dtype} with "
                              f"{self.images.ndim}")
        rows, columns = self.images.shape[1:]
        if not (0 < rows <= sensor.height and 0 < columns <= sensor.width):
            raise ConfigError(f"images of {columns}x{rows} pixels do not fit the sensor of {sensor.width}x"
                              f"{sensor.height}; scale them to 28x28")
        self.seed, self.split = checks.whole_number("seed", seed, 0, _MAX_SEED), split
        self._stream = _STREAMS[checks.choice("split", split, _STREAMS)]
        super().__init__(name="images", sensor=sensor, n_classes=_CLASSES, labels=labels, duration=300.0)
        if len(self.images) != len(self.labels):
            raise ConfigError(f"there are {len(self.images)} images and {len(self.labels)} labels; give one each")
        self._name = f"images{REVISION}-{zlib.crc32(np.ascontiguousarray(self.images)):08x}/{self.seed}/{self.split}"

    def events(self, i):
        """The events of sample ``i``; every call makes them anew."""
        i = self.check_index(i)
        rng = np.random.default_rng([self._stream, self.seed, i])
        return record(1.0 - self.images[i] / 255.0, self._saccades, rng, self._camera)

    def sample_name(self, i):
        return f"{self._name}/{self.check_index(i)}"


def open_images(folder, *, seed=0, train=None, validation=None) -> Splits:
    """Recordings of the images in MNIST's four files, made when asked for; see `read_images` and `SaccadeImages`.

    train, validation : how many of each split, the first; None: all

    Raises `FormatError` where there are no images, or fewer than asked for.
    """
    parts = {}
    for split, n in (("train", train), ("validation", validation)):
        found = read_images(folder, split)
        if found is None:
            parts[split] = None
            continue
        images, labels = found
        n = len(images) if n is None else checks.whole_number(split, n, 1)
        if n > len(images):
            raise FormatError(f"{folder}: has {len(images)} images for {split}, not {n}; ask for fewer")
        if len(labels) and labels.max() >= _CLASSES:
            raise FormatError(f"{folder}: label {labels.max()} of image {labels.argmax()} for {split} is none of "
                              f"0..{_CLASSES - 1}; N-MNIST's layout has ten classes")
        parts[split] = SaccadeImages(images[:n], labels[:n], seed=seed, split=split)
    if parts["train"] is None:
        raise FormatError(f"{folder}: has no train-images-idx3-ubyte, plain or .gz; name a folder with MNIST's files")
    return Splits(parts["train"], parts["validation"], f"images of {folder} before the synthetic camera, seed {seed}")
