"""Bounds of an accuracy."""

import math

import numpy as np
import pytest

from eventsim.report.evaluation import accuracy_line, wilson

Z = 1.959963984540054  # of 95 %


# Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3.
@pytest.mark.parametrize(("right", "n", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
])
def test_wilson_is_as_published(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("right", "n"), [(48, 50), (50, 50), (0, 7), (1985, 2000)])
def test_its_bounds_are_where_the_rate_found_is_z_standard_errors_away(right, n):
    for bound in wilson(right, n):
        if 0 < bound < 1:
            assert abs(right / n - bound) == pytest.approx(Z * math.sqrt(bound * (1 - bound) / n))


def test_no_samples_say_nothing():
    assert wilson(0, 0) == (0.0, 1.0)
    assert accuracy_line(np.zeros((2, 2), int)) == "0.0000 (0 of 0; 95 % interval 0.000 to 1.000)"
    assert accuracy_line(np.diag([1000, 2234])).startswith("1.0000 (3,234 of 3,234; ")
