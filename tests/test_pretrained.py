"""The networks that come with the package: their size, their cards, and what they know of real recordings."""

import re

import numpy as np
import pytest

import eventsim
from eventsim import pretrained
from eventsim.data.datasets import nmnist
from eventsim.errors import ConfigError
from eventsim.trainer.checkpoint import describe

NAMES = pretrained.names()
LARGEST = 2_000_000  # bytes
HEADINGS = ("Data", "Training", "Accuracy", "Sparsity", "Licence")


def test_the_default_is_there():
    assert pretrained.DEFAULT in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_networks_are_small_and_say_where_they_come_from(name):
    path = pretrained.path(name)
    assert path.stat().st_size <= LARGEST
    about = describe(path)
    assert about["config"] is None  # no state of training
    assert about["provenance"]["recipe"] and about["provenance"]["trained_on"]


@pytest.mark.parametrize("name", NAMES)
def test_cards_say_what_there_is_to_know(name):
    card = pretrained.card(name)
    assert card.startswith(f"# {name}\n")
    assert tuple(re.findall(r"^## (.*)$", card, re.MULTILINE)) == HEADINGS
    assert describe(pretrained.path(name))["network"]["arch"] in card


def test_a_name_that_is_none():
    with pytest.raises(ConfigError, match="network must be nmnist, got 'mnist'"):
        pretrained.path("mnist")


def test_real_recordings_of_the_camera(shared):
    """Right on as many of the 50 test recordings of N-MNIST as the card says; it was trained on none of N-MNIST's."""
    network = eventsim.load(pretrained.path("nmnist"))
    test = nmnist.open_nmnist(shared / "data" / "nmnist_raw").validation
    assert len(test) == 50
    chosen = [network.simulate(test.events(i)).predict()[0] for i in range(len(test))]
    right = int(np.sum(np.array(chosen) == test.labels))
    assert right >= 48
    assert f"{right} of 50" in pretrained.card("nmnist")
