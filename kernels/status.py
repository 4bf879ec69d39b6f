"""What a kernel returns instead of raising."""

from enum import IntEnum


class Status(IntEnum):
    """Status words; ``>= 0`` is a result that the caller goes on from."""

    OK = 0
    GROW = 1  # an output buffer is full: grow it and resume at the position that the kernel wrote back
