"""Damaged copies of a small file."""

import time

from eventsim.errors import ConfigError, FormatError

LONGEST = 5.0  # s for a copy: no loop without an end, on however slow a machine


def mutants(data, rng, n):
    """``n`` copies with bytes turned, cut off, put in, taken out or repeated in one to three places."""
    for _ in range(n):
        copy = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            at, many = int(rng.integers(0, len(copy) + 1)), int(rng.integers(1, 20))
            what = rng.integers(0, 5)
            if what == 0 and at < len(copy):
                copy[at] ^= 1 << int(rng.integers(0, 8))
            elif what == 1:
                del copy[at:]
            elif what == 2:
                copy[at:at] = rng.bytes(many)
            elif what == 3:
                del copy[at : at + many]
            else:
                copy[at:at] = copy[at : at + many]
        yield bytes(copy)


def survivors(decode, data, rng, n=3000):
    """How many of ``n`` damaged copies decode; fails where one does anything but that or be refused with a sentence."""
    fine = 0
    for copy in mutants(data, rng, n):
        begin = time.monotonic()
        try:
            fine += len(decode(copy)) > 0
        except (FormatError, ConfigError) as error:
            assert "\n" not in str(error) and len(str(error)) < 600, error
        assert time.monotonic() - begin < LONGEST, copy
    return fine
