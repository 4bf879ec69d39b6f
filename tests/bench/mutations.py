"""Damaged files: what a reader makes of them must be events or one sentence, and soon."""

import time

from eventsim.errors import ConfigError, FormatError

_LONGEST = 5.0  # s, of one file of some hundred bytes


def mutated(rng, data, n, header=0):
    """``n`` copies of ``data`` with bytes changed, left out, added or cut off; half of them in the first ``header``."""
    for _ in range(n):
        out = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            end = header if header and rng.random() < 0.5 else len(out)
            i = int(rng.integers(0, min(end, len(out)) + 1))
            kind = rng.integers(0, 5)
            if kind < 2 and i < len(out):
                out[i] = rng.integers(0, 256) if kind else out[i] ^ 1 << int(rng.integers(0, 8))
            elif kind == 2:
                out[i:i] = rng.bytes(int(rng.integers(1, 10)))
            elif kind == 3:
                del out[i : i + int(rng.integers(1, 10))]
            else:
                del out[i:]
        yield bytes(out)


def outcomes(decode, files):
    """How many of the files decode, and how many are refused; whatever else happens is raised."""
    decoded = refused = 0
    for data in files:
        begin = time.monotonic()
        try:
            assert len(decode(data)) > 0
            decoded += 1
        except (ConfigError, FormatError) as error:
            assert "\n" not in str(error)
            refused += 1
        assert time.monotonic() - begin < _LONGEST
    return decoded, refused
