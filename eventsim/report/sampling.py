"""Which of many neurons are shown."""

import numpy as np

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def some_of(n, most):
    """At most ``most`` of ``n`` neurons, int64, ascending: one of every stretch of as many.

    Which one differs from stretch to stretch, or those of a layer with a plane might all stand in one of its columns.
    """
    if n <= most:
        return np.arange(n)
    begin = np.arange(most + 1) * n // most
    return begin[:-1] + (np.arange(most) * _GOLDEN % 1.0 * np.diff(begin)).astype(np.int64)
