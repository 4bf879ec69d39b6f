"""Architecture strings: names, notation, and a sentence for everything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsim.errors import ConfigError
from eventsim.model import PRESETS, parse
from eventsim.model.neurons import SRM
from eventsim.sensor import Sensor


def test_notation_names_the_input_and_every_layer():
    arch = parse("34x30x2-500-20-10")
    assert (arch.notation, arch.sensor, arch.widths) == ("34x30x2-500-20-10", Sensor(34, 30, 2), (500, 20, 10))
    assert (arch.n_inputs, arch.n_outputs) == (34 * 30 * 2, 10)


def test_a_number_alone_is_an_input_of_as_many_addresses():
    arch = parse("700-128-20")
    assert (arch.n_inputs, arch.sensor, arch.widths) == (700, Sensor(700, 1, 1), (128, 20))


def test_there_are_presets():
    assert {"smlp", "mlp512"} <= set(PRESETS)
    assert parse("smlp").widths == (2000, 1500, 1000, 500, 100, 10)
    assert parse("mlp512").notation == "34x34x2-512-10"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_notation_with_a_neuron_that_works(name):
    preset = PRESETS[name]
    assert parse(name) == parse(preset.notation)
    SRM(**preset.neuron)
    assert preset.learning_rate > 0 and preset.about


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.tuples(st.integers(1, 500), st.integers(1, 500), st.integers(1, 2)),
       st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_notation_round_trip(shape, widths):
    text = "-".join(["x".join(map(str, shape)), *map(str, widths)])
    arch = parse(text)
    assert (arch.sensor, arch.widths, arch.notation) == (Sensor(*shape), tuple(widths), text)


@pytest.mark.parametrize("text, word", [
    ("", "name or a notation"), (None, "name or a notation"), (3, "got 3"), (["10"], "got"), (b"34-10", "got"),
    ("34x34x2", "no layers"), ("10", "no layers"), ("smpl", "no layers"), ("-", "''"), ("-10", "''"), ("10-", "''"),
    ("10--10", "''"), ("34x34-10", "WIDTHxHEIGHTxPOLARITIES"), ("1x2x3x4-10", "WIDTHxHEIGHTxPOLARITIES"),
    ("34x34x-10", "''"), ("0x34x2-10", "'0'"), ("10-0", "'0'"), ("10-5.5", "'5.5'"), ("10-+5", "'+5'"),
    ("10- 5", "' 5'"), ("ax3x2-10", "'a'"), ("10-x", "'x'"), ("10-1e3", "'1e3'"), ("10-²", "'²'"),
    ("34x34x2-12c5-10", "'12c5'"), ("34x34x2-2a-10", "'2a'"), ("10-20p", "'20p'"), ("10-20d0.5-3", "'20d0.5'"),
    ("smlp-10", "'smlp'"), ("SMLP", "no layers"), ("34x34x300-10", "polarities"), ("70000x1x1-10", "width"),
    ("65536x65536x2-10", "int32"),
], ids=repr)
def test_what_is_no_architecture_gets_a_sentence_that_says_where(text, word):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert word in str(caught.value) and len(str(caught.value).split()) > 6


@pytest.mark.parametrize("text", ["10-" + "9" * 30, "9" * 30 + "-10", "10-" + "9" * 5000, "10-" + "9" * 11])
def test_a_layer_too_large_to_number_gets_a_sentence(text):
    with pytest.raises(ConfigError):
        parse(text)
