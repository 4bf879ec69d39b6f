"""Networks and their layers: packing, starts, arguments, and the round trip through a config."""

import json
import math

import h5py
import numpy as np
import pytest

import eventsim
from eventsim.errors import ConfigError, FormatError
from eventsim.kernels.layout import TILE, n_tiles
from eventsim.model import LI, LIF, PRESETS, SRM, Network
from eventsim.model.layers import LAYERS, Conv, Dense, Recurrent
from eventsim.model.neurons import NEURONS
from eventsim.model.shape import Shape, Window


@pytest.mark.parametrize("n_out", [1, 63, 64, 65, 128, 130])
@pytest.mark.parametrize("n_in", [1, 3])
def test_weights_survive_packing_and_padding_lanes_are_zero(rng, n_in, n_out):
    layer = Dense(n_in, n_out)
    weight = rng.normal(size=(n_in, n_out)).astype(np.float32)
    layer.weight = np.asfortranarray(weight.astype(float))
    np.testing.assert_array_equal(layer.weight, weight)
    assert layer.packed.shape == (n_tiles(n_out), n_in, TILE) and layer.packed.flags.c_contiguous
    for j in range(n_in):
        for i in range(n_out):
            assert layer.packed[i // TILE, j, i % TILE] == weight[j, i]
    assert np.count_nonzero(layer.packed) == n_in * n_out
    assert (layer.n_weights, layer.fan_in) == (n_in * n_out, n_in)


def test_tiles_hold_64_neurons():
    assert [n_tiles(n) for n in (1, 64, 65, 128, 129)] == [1, 1, 2, 2, 3]


def test_the_weight_is_a_copy():
    layer = Dense(2, 3)
    layer.weight[0, 0] = 5.0
    assert not layer.packed.any()


@pytest.mark.parametrize("values", [
    np.zeros((3, 2)), np.zeros(6), 0.0, None, [[1.0, 2.0], [3.0]], np.zeros((2, 3, 1)), "weights",
    np.full((2, 3), math.nan), np.full((2, 3), math.inf), np.full((2, 3), 1e300), np.full((2, 3), "1"),
    np.full((2, 3), 1j),
], ids=repr)
def test_weights_of_another_shape_or_no_numbers_are_refused(values):
    layer = Dense(2, 3)
    layer.weight = np.ones((2, 3))
    with pytest.raises(ConfigError, match=r"^weights of Dense\(2, 3\) must "):
        layer.weight = values
    assert np.all(layer.weight == 1.0)


def test_starts_are_uniform_within_the_gain_over_the_root_of_the_fan_in():
    layer = Dense(400, 300)
    layer.initialize(np.random.default_rng(0), 6.0)
    weight = layer.weight
    assert np.abs(weight).max() <= 0.3 and np.abs(weight).max() > 0.299
    assert abs(weight.mean()) < 0.003
    np.testing.assert_allclose(weight.std(), 0.3 / math.sqrt(3), rtol=0.01)


def test_every_layer_and_neuron_is_registered_by_its_name():
    assert LAYERS["dense"] is Dense and NEURONS["srm"] is SRM
    assert all(cls.kind == name for name, cls in LAYERS.items())


def test_a_seed_gives_the_same_weights_and_another_seed_others():
    a, b, c = (Network("6x5x2-70-4", seed=seed) for seed in (3, 3, 4))
    zero = Network("6x5x2-70-4", seed=None)
    for x, y, z, none in zip(a.layers, b.layers, c.layers, zero.layers, strict=True):
        np.testing.assert_array_equal(x.packed, y.packed)
        assert np.all(x.weight != z.weight) or np.mean(x.weight == z.weight) < 0.01
        assert not none.packed.any()


def test_a_network_knows_its_sizes():
    network = Network("6x5x2-70-4")
    assert [(layer.n_in, layer.n_out) for layer in network.layers] == [(60, 70), (70, 4)]
    assert network.n_weights == 60 * 70 + 70 * 4
    assert "6x5x2-70-4" in repr(network) and str(network.n_weights) in repr(network)


def test_a_preset_brings_its_neuron_unless_another_is_given():
    assert Network("smlp", seed=None).neuron == SRM(**PRESETS["smlp"].neuron)
    assert Network("smlp", SRM(tau_syn=9.0), seed=None).neuron.tau_syn == 9.0
    assert Network(seed=None).arch.notation == PRESETS["mlp512"].notation


@pytest.mark.parametrize("name, values", [
    ("arch", ["", None, 3, "10", "10-0"]),
    ("neuron", ["srm", 3, {}, SRM, []]),
    ("dt", [0, -1.0, math.nan, math.inf, "1", None, True, [1.0], 1e300]),
    ("n_ticks", [0, -1, 2.0, "3", True, math.nan, 2**40, [3]]),
    ("clock", ["1ms", "", None, 3, ["grid"], "GRID"]),
    ("input_mode", ["and", "", None, 3, ["or"]]),
    ("seed", [-1, 1.5, "0", True, [1], math.nan]),
])
def test_every_argument_is_checked(name, values):
    for value in values:
        with pytest.raises(ConfigError) as caught:
            Network(**({"arch": "10-5"} | {name: value}))
        assert name.replace("arch", "architecture") in str(caught.value), value


def test_notation_makes_the_layers():
    network = Network("6x5x2-70r@d2.5-50r-40@d3-4", seed=1)
    assert network.layer_names == ["recurrent1", "recurrent2", "dense3", "dense4"]
    first, second, third, fourth = network.layers
    assert first.delay == first.recurrent.delay == 2.5 and third.delay == 3.0
    assert second.delay is second.recurrent.delay is fourth.delay is None
    assert [layer.is_immediate for layer in network.layers] == [False, False, False, True]
    assert not network.is_immediate and Network("6-5-4").is_immediate
    assert network.n_weights == 60 * 70 + 70 * 70 + 70 * 50 + 50 * 50 + 50 * 40 + 40 * 4


def test_recurrent_weights_start_by_the_fan_in_of_both():
    layer = Recurrent(300, 100)
    assert (layer.fan_in, layer.n_weights) == (400, 300 * 100 + 100 * 100)
    layer.initialize(np.random.default_rng(0), 6.0)
    for weight in (layer.weight, layer.recurrent.weight):
        assert 0.299 < np.abs(weight).max() <= 0.3 and abs(weight.mean()) < 0.005
    assert not np.array_equal(layer.weight[:100], layer.recurrent.weight)


@pytest.mark.parametrize("shape", [(), (3,), (3, 2)])
def test_delays_are_a_frozen_copy(rng, shape):
    layer, delays = Dense(3, 2), rng.uniform(0, 9, shape)
    layer.delay = delays
    np.testing.assert_array_equal(layer.delay, delays)
    assert layer.delay.dtype == np.float64 and layer.delay.shape == shape and layer.delay is not delays
    with pytest.raises(ValueError, match="read-only"):
        layer.delay[...] = 1.0
    assert not layer.is_immediate
    layer.delay = None
    assert layer.delay is None and layer.is_immediate


@pytest.mark.parametrize("values, word", [
    (-1.0, "0..1e"), (math.nan, "0..1e"), (math.inf, "0..1e"), (1.1e6, "0..1e"), ([0.0, 1.0, -1.0], "0..1e"),
    ([0.0, 1.0], "shape"), (np.zeros((2, 3)), "shape"), (np.zeros((3, 1)), "shape"), ([], "shape"),
    ([[1.0, 2.0], [3.0]], "numbers"), ("2.5", "numbers"), (True, "numbers"), (2.5j, "numbers"),
], ids=repr)
def test_what_cannot_be_delays_is_refused(values, word):
    layer = Dense(3, 2)
    layer.delay = 2.5
    with pytest.raises(ConfigError, match=r"^delays of Dense\(3, 2\) must ") as caught:
        layer.delay = values
    assert word in str(caught.value) and layer.delay == 2.5


def test_recurrent_delays_have_the_shape_of_the_recurrent_weights():
    layer = Recurrent(3, 2)
    layer.recurrent.delay = [[1.0, 2.0], [3.0, 4.0]]
    assert layer.delay is None
    with pytest.raises(ConfigError, match=r"^delays of Dense\(2, 2\) must have the shape \(\) or \(2,\) or \(2, 2\)"):
        layer.recurrent.delay = [1.0, 2.0, 3.0]


@pytest.mark.parametrize("arch", ["10-5r", "10-5@d0", "10-7r@d2.5-5"])
def test_notation_with_recurrence_and_delays_survives_a_config(arch):
    network = Network(arch)
    other = Network.from_config(json.loads(json.dumps(network.config())))
    assert other.arch == network.arch and other.n_weights == network.n_weights
    for mine, theirs in zip(network.layers, other.layers, strict=True):
        assert (mine.kind, mine.delay) == (theirs.kind, theirs.delay)
        assert not any(part.packed.any() for part in theirs.projections)


@pytest.mark.parametrize("options", [
    {}, {"neuron": SRM(theta=3.0, t_abs=2.5)}, {"dt": 0.25, "n_ticks": 300, "clock": "exact", "input_mode": "count"},
])
def test_a_config_is_plain_and_gives_the_same_network_with_zero_weights(options):
    network = Network("6x5x2-70-4", **options)
    config = json.loads(json.dumps(network.config()))
    other = Network.from_config(config)
    assert other.config() == network.config() == config
    assert (other.neuron, other.arch, other.dt) == (network.neuron, network.arch, network.dt)
    assert not any(layer.packed.any() for layer in other.layers)


def test_a_preset_s_config_stands_alone():
    assert Network.from_config(Network("smlp", seed=None).config()).neuron == SRM(**PRESETS["smlp"].neuron)


@pytest.mark.parametrize("change", [
    {"neuron": {"kind": "izhikevich"}}, {"neuron": {}}, {"neuron": None}, {"neuron": "srm"},
    {"neuron": {"kind": ["srm"]}},
    {"neuron": {"kind": "srm", "tau": 3.0}}, {"neuron": {"kind": "srm", "theta": -1}}, {"arch": None}, {"dt": "fast"},
    {"colour": "blue"}, {"seed": 3},
], ids=repr)
def test_a_config_that_is_none_is_refused_with_a_sentence(change):
    with pytest.raises(ConfigError):
        Network.from_config(Network("10-5", seed=None).config() | change)


@pytest.mark.parametrize("config", [None, 3, "smlp", [], {}, {"arch": "10-5"}], ids=repr)
def test_what_is_no_config_is_refused_with_a_sentence(config):
    with pytest.raises(ConfigError):
        Network.from_config(config)


@pytest.mark.parametrize("make, word", [
    (lambda: Shape(0), "channels must be a whole number from 1"), (lambda: Shape(2, 3, 1.5), "width"),
    (lambda: Window(0), "size must be"), (lambda: Window(3, stride=0), "stride must be"),
    (lambda: Window(3, padding=-1), "padding must be"), (lambda: Window(3, dilation=0), "dilation must be"),
    (lambda: Window(9).over(Shape(2, 8, 8), 4), "does not fit in 8x8"),
    (lambda: Conv(Shape(4, 8, 8), 6, Window(3), groups=4), "groups must divide .* 4 and 6; got 4"),
    (lambda: Conv(Shape(4, 8, 8), 6, Window(3), groups=0), "groups must be"),
    (lambda: Dense(9, 4, Shape(2, 2, 2)), "2x2x2 of what comes in has 8 neurons, not 9"),
], ids=range(10))
def test_shapes_and_layers_that_cannot_be_are_refused(make, word):
    with pytest.raises(ConfigError, match=word):
        make()


@pytest.mark.parametrize("neuron, word", [
    ("lif", "got 'lif'$"), ({"kind": "lif"}, r"got \{'kind': 'lif'\}$"), ({}, r"got \{\}$"), (0, "got 0$"),
    (LIF, r"got <class .*; make one, LIF\(\)$"), (LI, "got <class"), (np.zeros(2), r"got array\("),
], ids=repr)
def test_what_is_no_neuron_is_refused_wherever_it_is_given(neuron, word, tmp_path):
    with pytest.raises(ConfigError, match="^neuron must be one of the models SRM, LIF, CubaLIF, " + word):
        Network("4x4x1-3-2", neuron)
    network = Network("4x4x1-3-2")
    network.layers[1].neuron = neuron
    nothing = eventsim.Events([], [], [], [], network.sensor)
    for use in (lambda: network.simulate(nothing), lambda: network.simulate(nothing, clock="exact"),
                lambda: eventsim.save(tmp_path / "n.h5", network), lambda: eventsim.Stream(network)):
        with pytest.raises(ConfigError, match="^the neuron of dense2 must be one of the models SRM, LIF, .*" + word):
            use()
    assert not list(tmp_path.iterdir())
    network = Network("4x4x1-3-2")
    network.neuron = neuron
    with pytest.raises(ConfigError, match=r"^neuron must be one of"):
        network.simulate(nothing)


def test_a_network_that_cannot_run_is_neither_saved_nor_loaded(tmp_path):
    network = Network("4x4x1-3-2", readout="mean")
    eventsim.save(tmp_path / "n.h5", network)
    network.layers[1].delay = 2.0
    with pytest.raises(ConfigError, match=r"without delays or recurrence, and dense2 has delays; end with one"):
        eventsim.save(tmp_path / "n.h5", network)
    assert eventsim.load(tmp_path / "n.h5").readout is not None
    with h5py.File(tmp_path / "n.h5", "a") as file:
        file["delays/dense2"] = 2.0
    with pytest.raises(FormatError, match=r"n\.h5: .*dense2 has delays"):
        eventsim.load(tmp_path / "n.h5")
    with pytest.raises(ConfigError, match="and pool1 is a pool layer; end"):
        Network("4x4x1-2a", readout="mean")


def test_a_network_s_repr_names_the_neurons_that_layers_have_of_their_own():
    assert repr(Network("4-3-2", LIF())) == f"Network('4-3-2', 18 weights, {LIF()})"
    network = Network("4-3-2", LIF(), readout="last")
    network.layers[0].neuron = SRM(theta=2.0)
    assert repr(network) == f"Network('4-3-2', 18 weights, {LIF()}, dense1 {SRM(theta=2.0)}, dense2 {network.readout})"
