"""A share of a batch: its samples, what is drawn for them, and what is summed up over the samples of others, too."""

import copy
import threading

import numpy as np


class Meeting:
    """Where shares of a batch that are at work at once, on a thread each, add up what all of them need."""

    def __init__(self, n_shares: int):
        self._given, self._total = [None] * n_shares, None
        self._barrier = threading.Barrier(n_shares, self._add)

    def _add(self):
        """Add up what is given, in the order of the shares; one of the threads does it while all others wait."""
        total = self._given[0].copy()
        for values in self._given[1:]:
            total += values
        total.flags.writeable = False
        self._total = total

    def summed(self, rank: int, values):
        """The sum of what every share gives, on all of them; raises `threading.BrokenBarrierError` after `abort`."""
        self._given[rank] = values
        self._barrier.wait()
        return self._total

    def abort(self):
        """Let nobody wait any more, now or later."""
        self._barrier.abort()


class Share:
    """The samples ``first..last-1`` of a batch of ``total``.

    What is drawn for a sample is the same whatever the share that it is in.

    rng : generator of dropout's masks as it is when the batch begins
    rank, meeting : number of the share, and where it meets the others that are at work now; None: there are none
    """

    def __init__(self, rng, first: int, last: int, total: int, rank=0, meeting=None):
        self._rng, self.first, self.last, self.total = rng, first, last, total
        self.rank, self._meeting = rank, meeting

    @classmethod
    def whole(cls, rng, n_samples: int) -> "Share":
        """All of a batch."""
        return cls(rng, 0, n_samples, n_samples)

    @property
    def n_samples(self) -> int:
        """Samples of the share."""
        return self.last - self.first

    def of(self, spikes, labels):
        """Spikes and labels of the share, of those of the batch."""
        if self.n_samples == self.total:
            return spikes, labels
        return spikes.samples(self.first, self.last), labels[self.first : self.last]

    def piece(self, first: int, last: int) -> "Share":
        """The samples ``first..last-1`` of the share, itself for all; nothing must have been drawn from it yet."""
        if last - first == self.n_samples:
            return self
        return Share(copy.deepcopy(self._rng), self.first + first, self.first + last, self.total, self.rank,
                     self._meeting)

    def random(self, shape):
        """`Generator.random` for an array whose first axis has a row for every sample: the rows of the share."""
        row = int(np.prod(shape[1:]))
        before, behind = self.first * row, (self.total - self.last) * row
        if before:
            self._rng.bit_generator.advance(before)  # a float64 takes one step
        out = self._rng.random(shape)
        if behind:
            self._rng.bit_generator.advance(behind)
        return out

    def summed(self, values):
        """The sum of an array over all shares of the batch that are at work at once."""
        return values if self._meeting is None else self._meeting.summed(self.rank, values)
