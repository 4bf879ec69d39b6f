"""`eventsim train --recipe`: what it shows, what it trains, and what goes before it."""

import pytest

from eventsim import recipes
from eventsim.trainer.checkpoint import describe

MINE = """
name = "mine"
version = 3
about = "a small one"

[network]
arch = "34x34x2-16-10"
dt = 2.0

[neuron]
tau_syn = 5.0
tau_ref = 2.0

[training]
epochs = 2
learning_rate = 0.004
optimizer = "adamw"
weight_decay = 0.02
calibrate = false
seed = 4
"""


@pytest.fixture
def mine(here):
    (here / "mine.toml").write_text(MINE)
    return "mine.toml"


def test_shows_a_recipe_as_it_stands(call, mine):
    assert call("train", "--recipe", mine, "--show") == MINE
    name = recipes.names()[0]
    assert call("train", "--recipe", name, "--show") == recipes.load(name).text
    figures = call("train", "--recipe", mine, "--show", "--json")
    assert figures["version"] == 3 and figures["training"]["weight_decay"] == 0.02


def test_trains_by_a_recipe(call, mine, tree):
    figures = call("train", "--recipe", mine, "--data", tree, "--json")
    assert figures["run"] == "runs/mine-blobs-01"
    about = describe(figures["run"])
    assert (about["network"]["arch"], about["network"]["dt"]) == ("34x34x2-16-10", 2.0)
    assert (about["network"]["neuron"]["tau_syn"], about["network"]["neuron"]["tau_ref"]) == (5.0, 2.0)
    wanted = {"epochs": 2, "learning_rate": 0.004, "optimizer": "adamw", "weight_decay": 0.02, "calibrate": False,
              "seed": 4}
    assert wanted.items() <= about["config"].items()
    assert about["provenance"]["recipe"] == "mine, version 3" and "gains" not in about["provenance"]
    assert "\nRecipe     mine, version 3\n" in call("info", figures["run"])


def test_what_is_typed_goes_before_the_recipe(call, mine, tree):
    arguments = ["--arch", "34x34x2-8-10", "--epochs", 1, "--tau-ref", 1, "--optimizer", "adam", "--dt", 1.0]
    figures = call("train", "--recipe", mine, "--data", tree, *arguments, "--json")
    about = describe(figures["run"])
    assert (about["network"]["arch"], about["network"]["dt"]) == ("34x34x2-8-10", 1.0)
    assert (about["network"]["neuron"]["tau_syn"], about["network"]["neuron"]["tau_ref"]) == (5.0, 1.0)
    config = about["config"]
    assert (config["epochs"], config["optimizer"], config["weight_decay"]) == (1, "adam", None)
    assert config["learning_rate"] == 0.004


def test_what_makes_no_sense_beside_recipes_is_refused(refuse, mine, run):
    assert refuse("train", "--show").startswith("--show prints a recipe; name it with --recipe, one of nmnist-")
    assert "is no recipe; choose one of nmnist-" in refuse("train", "--recipe", "nmnist")
    assert "--recipe cannot be changed in a run" in refuse("train", "--resume", run, "--recipe", mine)
