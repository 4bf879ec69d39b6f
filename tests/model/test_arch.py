"""Architecture strings: names, notation, and a sentence for everything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsim.errors import ConfigError
from eventsim.model import PRESETS, parse
from eventsim.model.fields import LayerField
from eventsim.model.neurons import SRM
from eventsim.model.shape import Shape
from eventsim.sensor import Sensor


def test_notation_names_the_input_and_every_layer():
    arch = parse("34x30x2-500-20-10")
    assert (arch.notation, arch.sensor, arch.widths) == ("34x30x2-500-20-10", Sensor(34, 30, 2), (500, 20, 10))
    assert (arch.n_inputs, arch.n_outputs) == (34 * 30 * 2, 10)


def test_a_number_alone_is_an_input_of_as_many_addresses():
    arch = parse("700-128-20")
    assert (arch.n_inputs, arch.sensor, arch.widths) == (700, Sensor(700, 1, 1), (128, 20))


def test_layers_may_be_recurrent_and_have_a_delay():
    arch = parse("34x34x2-512r-100@d2.5-50r@d0-10")
    given = Shape(2, 34, 34), Shape(512), Shape(100), Shape(50)
    assert arch.layers == (
        LayerField("recurrent", Shape(512), given[0]), LayerField("dense", Shape(100), given[1], delay=2.5),
        LayerField("recurrent", Shape(50), given[2], delay=0.0), LayerField("dense", Shape(10), given[3]),
    )
    assert [layer.kind for layer in arch.layers] == ["recurrent", "dense", "recurrent", "dense"]
    assert (arch.widths, arch.n_outputs) == ((512, 100, 50, 10), 10)


@pytest.mark.parametrize("text, immediate", [
    ("9-5", True), ("smlp", True), ("9-5r", False), ("9-5@d0", False), ("9-7-5@d1.25", False), ("9-7r-5", False),
])
def test_an_architecture_without_recurrence_and_delays_is_immediate(text, immediate):
    assert parse(text).is_immediate is immediate


@pytest.mark.parametrize("delay", [0.0, 0.001, 2.5, 1e6])
def test_delays_are_written_in_ms(delay):
    assert parse(f"9-5@d{delay:.3f}").layers[0].delay == delay


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
    ("10-20p", "'20p' does not fit"), ("10-20d0.5-3", "'20d0.5'"), ("4x4x2-12c5-10", "'12c5' does not fit"),
    ("4x4x2-12c5x-10", "'12c5x'"), ("4x4x2-0c3-10", "'0c3' is no convolution"), ("4x4x2-3c0-10", "'3c0' is no"),
    ("9x9x2-3c3s0-1", "'3c3s0'"), ("9x9x2-3c3s1s2-1", "'3c3s1s2'"), ("9x9x2-3c3g2-1", "2 groups"),
    ("9x9x3-2c3g2-1", "2 groups"), ("9x9x2-3c3p3-1", "nothing but padding"), ("9x9x2-0a-1", "'0a' pools nothing"),
    ("9x9x2-0au-1", "'0au' pools nothing"), ("9x9x2-2pu-1", "'2pu' is not a layer"),
    ("9x9x2-0p-1", "'0p' pools nothing"), ("9x9x2-3c3-bn", "nothing comes after 'bn'"), ("9x9x2-2p", "nothing comes"),
    ("9x9x2-bn-bn-3", "second batch normalisation"), ("9x9x2-2p-2p-3", "second average pooling"),
    ("9x9x2-bn-do0.5-3", "both batch normalisation and dropout"), ("9x9x2-do0.5-bn-3", "both batch normalisation"),
    ("9x9x2-bn-2p-3", "pools after batch normalisation"), ("9x9x2-do0.1-2p-3", "pools after dropout"),
    ("9-do1-3", "drops everything"), ("9-do-3", "'do'"), ("9-do1.5-3", "drops everything"), ("9-do0.-3", "'do0.'"),
    ("9x9x2-2p-3r", "recurrent or has a delay"), ("9x9x2-bn-3@d2", "recurrent or has a delay"), ("9-bnn-3", "'bnn'"),
    ("9x9x2-3c3@d2-3", "'3c3@d2'"), ("9x9x2-999999999c1-3", "int32"),
    ("10-512@d", "'512@d'"), ("10-512@d-1", "'512@d'"), ("10-@d2", "'@d2'"), ("10-512@d1e9", "'512@d1e9'"),
    ("10-512rr", "'512rr'"), ("10-r", "'r'"), ("10-512@", "'512@'"), ("10-512@2", "'512@2'"), ("10-512@d.5", "512@d.5"),
    ("10-512@d+1", "'512@d+1'"), ("10-512@d2@d3", "'512@d2@d3'"), ("10-512@d2r", "'512@d2r'"), ("10-512@dinf", "inf"),
    ("10-0r", "'0' is not a number of neurons"), ("10-0@d2", "'0' is not a number of neurons"), ("10-512@d²", "512@d²"),
    ("10-512@d1000000.1", "longer than 1e+06 ms"), ("10-512@d" + "9" * 500, "longer than 1e+06 ms"),
    ("10@d2-5", "the input '10@d2' has no synapses"), ("5x5x2@d2-5", "has no synapses"), ("10r-5", "'10r'"),
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


@pytest.mark.parametrize(("notation", "sizes"), [
    ("7x5x2-2au-3au-1", [(2, 3, 4), (2, 1, 2)]), ("6x4x2-2au-1", [(2, 2, 3)]), ("1x1x3-2au-1", [(3, 1, 1)]),
    ("2x9x1-4au-1", [(1, 3, 1)]),
])
def test_pools_that_round_up(notation, sizes):
    shapes = [layer.shape for layer in parse(notation).layers[:-1]]
    assert [(shape.channels, shape.height, shape.width) for shape in shapes] == sizes
