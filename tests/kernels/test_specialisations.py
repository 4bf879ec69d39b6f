"""Runs last: what the suite compiled."""

import sys

import pytest

from eventsim.kernels.spec import KERNELS


@pytest.mark.parametrize("name", KERNELS)
def test_every_caller_was_served_by_one_specialisation_a_type(name):
    module = sys.modules.get(f"eventsim.kernels.cpu.{KERNELS[name].file}")
    signatures = getattr(getattr(module, name, None), "signatures", [])
    if not signatures:
        pytest.skip("no test that ran called it")
    kinds = [len(argument.dtypes) for argument in KERNELS[name].arguments]
    assert len(signatures) <= max(kinds)
