"""Runs last: what the suite compiled."""

import sys

import pytest

from eventsim.kernels.spec import KERNELS


@pytest.mark.parametrize("name", KERNELS)
def test_every_caller_was_served_by_one_specialisation(name):
    module = sys.modules.get(f"eventsim.kernels.cpu.{KERNELS[name].file}")
    signatures = getattr(getattr(module, name, None), "signatures", [])
    if not signatures:
        pytest.skip("no test that ran called it")
    assert len(signatures) == 1
