"""Runs kernels whose output buffers grow until everything fits: no spike is dropped, no room taken beforehand."""

import numpy as np

from eventsim import kernels
from eventsim.kernels.status import Status


def run_to_end(kernel, shared, parts):
    """Call a kernel on every part, again on those whose buffers were full, until all are done.

    A part gives the kernel's own `arguments` and can `grow`; the kernel resumes from the progress that it wrote back.
    """
    todo = parts
    while todo:
        status = kernels.call_parts(kernel, shared, [part.arguments() for part in todo])
        todo = [part for part, word in zip(todo, status, strict=True) if word == Status.GROW]
        for part in todo:
            part.grow()


class Buffers:
    """Lists that a kernel fills, and its progress, which says how much of each is used.

    kinds : of every list that there can be the type, and the entry of ``progress`` that counts it
    sizes : entries of those that there are
    """

    def __init__(self, kinds, sizes, progress):
        self.lists = {name: np.empty(int(size), kinds[name][0]) for name, size in sizes.items()}
        self.progress, self._kinds = np.array(progress, np.int64), kinds

    def grow(self):
        """Double the lists, keeping what is in them."""
        self.lists = dict(zip(self.lists, doubled(*self.lists.values()), strict=True))

    def used(self, name):
        """A list as far as it is used."""
        return self.lists[name][: self.progress[self._kinds[name][1]]]


def doubled(*buffers):
    """The buffers at twice their length, with what is in them."""
    return tuple(np.concatenate((buffer, np.empty_like(buffer))) for buffer in buffers)
