"""Encoded samples kept in memory, so that later epochs read no files."""

import threading
from typing import NamedTuple

import numpy as np

from eventsim.data.encoders import BinningReport

_OVERHEAD = 512  # bytes of Python objects around a sample's two arrays


class EncodedSample(NamedTuple):
    """The spikes of one sample, and how they came about."""

    when: np.ndarray  # [K], ticks (int32, or uint16 in the cache) or times (float64, ms)
    address: np.ndarray  # [K], int32, or uint16 in the cache
    n_ticks: int
    report: BinningReport


class SampleCache:
    """Keeps samples until ``max_bytes`` are taken, then keeps those.

    Nothing is thrown out: with a new order every epoch, the sample that was not used for longest is no less likely to
    come next than any other.
    """

    def __init__(self, max_bytes):
        self.max_bytes = max_bytes
        self.used_bytes = 0
        self._samples = {}
        self._lock = threading.Lock()

    def get(self, i) -> EncodedSample | None:
        """Sample ``i``, or None."""
        return self._samples.get(i)

    def put(self, i, sample: EncodedSample):
        """Keep sample ``i`` in as few bytes as it fits in, if there is room."""
        small = sample._replace(when=_narrow(sample.when), address=_narrow(sample.address))
        size = small.when.nbytes + small.address.nbytes + _OVERHEAD
        with self._lock:
            if i not in self._samples and self.used_bytes + size <= self.max_bytes:
                self._samples[i] = small
                self.used_bytes += size


def _narrow(array):
    """A copy as uint16 where the values fit, else as they are; never a view, which would keep a larger buffer alive."""
    fits = array.dtype.kind == "i" and (not array.size or array.max() <= np.iinfo(np.uint16).max)
    return array.astype(np.uint16 if fits else array.dtype)
