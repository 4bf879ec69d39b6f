"""Recipes: those of the package say every setting, and a file that is none is refused with a sentence."""

import math
from dataclasses import fields

import pytest

from eventsim import recipes
from eventsim.errors import ConfigError, FormatError
from eventsim.model import SRM, Network
from eventsim.trainer import Trainer, TrainingConfig

GOOD = """
name = "mine"
version = 2
about = "a small one"

[network]
arch = "34x34x2-16-10"

[neuron]
tau_syn = 5.0

[training]
support = inf
step_epochs = [3, 5]
schedule = "step"
"""


@pytest.fixture(params=recipes.names())
def recipe(request):
    return recipes.load(request.param)


def test_a_recipe_of_the_package_says_every_setting(recipe):
    # Ticks are the data's, and their last layers spike.
    assert set(recipe.network) == set(recipes.TABLES["network"]) - {"n_ticks", "readout", "readout_tau"}
    assert set(recipe.neuron) == {field.name for field in fields(SRM)}
    settled = TrainingConfig(**recipe.training).as_dict()
    assert set(recipe.training) == {name for name, value in settled.items() if value is not None}


def test_a_recipe_of_the_package_makes_a_trainer(recipe):
    network = Network(**recipe.network, neuron=SRM(**recipe.neuron), seed=None)
    trainer = Trainer(network, **recipe.training)
    assert network.sensor.n_addresses == 2312 and network.arch.n_outputs == 10
    assert trainer.config.epochs == recipe.training["epochs"]


def test_a_recipe_of_the_package_says_what_it_gave(recipe):
    assert recipe.version >= 1 and recipe.text.startswith("#") and f"--recipe {recipe.name} " in recipe.text
    assert recipe.results
    for result in recipe.results:
        assert set(result) >= {"train", "test", "seeds", "accuracy", "hours", "spikes", "eventsim"}
        assert len(result["seeds"]) == len(result["accuracy"]) == len(result["hours"])
        assert all(0.5 < accuracy <= 1 for accuracy in result["accuracy"]) and all(h > 0 for h in result["hours"])


def test_a_file_is_a_recipe_too(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    mine = recipes.load(path)
    assert (mine.name, mine.version, mine.about) == ("mine", 2, "a small one")
    assert mine.network == {"arch": "34x34x2-16-10"} and mine.neuron == {"tau_syn": 5.0}
    config = TrainingConfig(**mine.training)
    assert config.support == math.inf and config.step_epochs == (3.0, 5.0)
    assert mine.text == GOOD and "text" not in mine.as_dict()


@pytest.mark.parametrize("old, new, word", [
    ("version = 2", "version = 2.0", "version must be a whole number, got 2.0"),
    ("version = 2", "version = true", "version must be a whole number, got True"),
    ('name = "mine"', "", "name must be a text, got 'nothing'"),
    ("about =", "abuot =", "knows no abuot; there may stand name, version"),
    ("tau_syn", "tau_sin", r"knows no tau_sin in \[neuron\]; there may stand kind, theta, tau_syn"),
    ('arch = "34x34x2-16-10"', "", "says no architecture"),
    ("[neuron]\ntau_syn = 5.0", "", None),
    ("[network]", "[network", "is no TOML: .*line 6"),
    ("[neuron]", "[other]", "knows no other"),
    ('[network]\narch = "34x34x2-16-10"', "network = 3", r"network must be a table, \[network\], got 3"),
    ("version = 2", "version = 2\nresults = 3", "results must be tables"),
])
def test_a_file_that_is_none_is_refused(tmp_path, old, new, word):
    path = tmp_path / "mine.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    if word is None:
        assert recipes.load(path).neuron == {}
        return
    with pytest.raises(FormatError, match=rf"^{path}: {word}"):
        recipes.load(path)


def test_what_is_no_file_and_no_name_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"nmnist-smpl is no recipe; choose one of .*nmnist-scnn"):
        recipes.load("nmnist-smpl")
    with pytest.raises(FormatError, match="no such file"):
        recipes.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(FormatError, match="is no text, at byte 5"):
        recipes.load(tmp_path / "bytes.toml")
    with pytest.raises(ConfigError, match="path"):
        recipes.load(3)
