"""The data set of synthetic digits, made when asked for: nothing is downloaded or stored."""

import numpy as np

from eventsim import checks
from eventsim.data.datasets.base import Dataset
from eventsim.data.synthetic.camera import CameraParameters, record
from eventsim.data.synthetic.saccades import SaccadeParameters
from eventsim.data.synthetic.strokes import HandwritingParameters, draw

REVISION = 1  # goes up whenever the samples change, so that they have another fingerprint
_HANDWRITING, _SACCADES, _CAMERA = HandwritingParameters(), SaccadeParameters(), CameraParameters()
_CLASSES = 10
_SAMPLE, _LABELS = 1, 2  # independent random streams of a seed; not 0, with which SeedSequence pads
_MAX_SEED = 2**32 - 1  # one word of SeedSequence, so that no two (seed, index) share a stream


class SyntheticDigits(Dataset):
    """Handwriting of digits before an event camera, made like N-MNIST.

    n : number of samples; seed : 0..2**32 - 1
    first : index of the first sample in the seed's endless sequence. A sample is a function of seed and index alone, so
        ranges of indices that do not overlap have no sample in common

    Every ten indices hold every digit once, in random order.
    """

    def __init__(self, n, seed=0, first=0):
        n = checks.whole_number("n", n, 1)
        self.seed = checks.whole_number("seed", seed, 0, _MAX_SEED)
        self.first = checks.whole_number("first", first, 0, 2**31 - 1 - n)
        super().__init__(name="synthetic", sensor=_CAMERA.sensor, n_classes=_CLASSES, duration=300.0,
                         labels=_labels(self.seed, self.first, n))

    def events(self, i):
        """The events of sample ``i``; every call makes them anew."""
        ink, rng = self._drawn(i)
        return record(1.0 - ink, _SACCADES, rng, _CAMERA)

    def image(self, i):
        """The digit of sample ``i`` before it moves, float32[28,28]: 0 is paper, 1 ink."""
        return self._drawn(i)[0]

    def _drawn(self, i):
        """The image of sample ``i``, and the sample's generator as the drawing leaves it."""
        i = self.check_index(i)
        rng = np.random.default_rng([_SAMPLE, self.seed, self.first + i])
        return draw(int(self.labels[i]), rng, _HANDWRITING), rng

    def sample_name(self, i):
        return f"synthetic{REVISION}/{self.seed}/{self.first + self.check_index(i)}"


def _labels(seed, first, n):
    """Labels of the samples ``first .. first + n - 1``: a permutation of the digits for every ten of them."""
    blocks = range(first // _CLASSES, (first + n - 1) // _CLASSES + 1)
    order = [np.random.default_rng([_LABELS, seed, block]).permutation(_CLASSES) for block in blocks]
    return np.concatenate(order)[first % _CLASSES:][:n]
