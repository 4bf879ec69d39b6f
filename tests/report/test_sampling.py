"""Which neurons are shown."""

import numpy as np
import pytest

from eventsim.report.sampling import some_of


@pytest.mark.parametrize("n, most", [(5, 10), (10, 10), (11, 10), (28_800, 160), (1_000_003, 150), (1, 1), (7, 1)])
def test_they_are_different_ones_of_all_parts(n, most):
    chosen = some_of(n, most)
    assert len(chosen) == min(n, most) and chosen[0] >= 0 and chosen[-1] < n
    assert np.all(np.diff(chosen) > 0)
    begin = np.arange(len(chosen) + 1) * n // len(chosen)
    assert np.all(begin[:-1] <= chosen) and np.all(chosen < begin[1:])


def test_they_do_not_keep_step_with_a_plane():
    columns = some_of(32 * 30 * 30, 160) % 30
    assert np.bincount(columns, minlength=30).max() <= 3 * 160 / 30
