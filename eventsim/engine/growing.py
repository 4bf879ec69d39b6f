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


def doubled(*buffers):
    """The buffers at twice their length, with what is in them."""
    return tuple(np.concatenate((buffer, np.empty_like(buffer))) for buffer in buffers)
