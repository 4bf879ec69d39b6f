"""Models with recurrence and delays on disk."""

import h5py
import numpy as np
import pytest

import eventsim as es
from eventsim.errors import ConfigError, FormatError
from eventsim.model import LIF, CubaLIF
from eventsim.model.layers import Recurrent, Sparse


def round_trip(network, path="model.h5"):
    es.save(path, network)
    return es.load(path)


def version(path="model.h5"):
    with h5py.File(path) as file:
        return file.attrs["version"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of its own to work in."""
    monkeypatch.chdir(tmp_path)


def assert_same(a, b):
    assert a.config() == b.config()
    for mine, theirs in zip(a.layers, b.layers, strict=True):
        for x, y in zip(mine.projections, theirs.projections, strict=True):
            np.testing.assert_array_equal(x.packed, y.packed)
            assert (x.delay is None) == (y.delay is None)
            assert x.delay is None or (x.delay.dtype == np.float64 and np.array_equal(x.delay, y.delay))


@pytest.mark.parametrize("arch", ["9-8r-5", "9-70@d2.5-5", "9-8r@d0-5@d1"])
def test_what_the_notation_says_comes_back(arch):
    network = es.Network(arch, seed=3)
    assert_same(network, round_trip(network))
    assert version() == 2
    with h5py.File("model.h5") as file:
        assert not any("delays" in name for name in file)  # the notation has them


def test_delays_set_later_come_back(rng):
    network = es.Network("9-8r@d2.5-7r-6-5", seed=3)
    first, second, third, _ = network.layers
    first.delay, first.recurrent.delay = None, rng.uniform(0, 9, (8, 8))
    second.recurrent.delay = rng.uniform(0, 9, 7)
    third.delay = 1.0
    assert_same(network, round_trip(network))
    with h5py.File("model.h5") as file:
        assert {name: sorted(file[name]) for name in file if "delays" in name} == {
            "delays": ["dense3", "recurrent1"], "recurrent_delays": ["recurrent1", "recurrent2"]}
        assert file["recurrent_weights/recurrent1"].dtype == np.float32


def test_the_loaded_network_simulates_as_the_saved_one(rng):
    network = es.Network("20x1x1-70r-10@d2", es.SRM(tau_syn=4.0), seed=3)
    network.layers[0].recurrent.delay = rng.uniform(0, 9, (70, 70))
    for layer in network.layers:
        layer.packed *= 3
    events = es.Events(np.sort(rng.integers(0, 50_000, 400)), rng.integers(0, 20, 400), np.zeros(400, int),
                       np.zeros(400, int), es.Sensor(20, 1, 1))
    before, after = network.simulate(events), round_trip(network).simulate(events)
    assert len(before.output) > 0
    assert all(a.spikes == b.spikes for a, b in zip(before.layers, after.layers, strict=True))


def test_a_network_without_either_is_a_file_of_version_1():
    network = es.Network("9-8-5", seed=3)
    assert_same(network, round_trip(network))
    assert version() == 1
    with h5py.File("model.h5") as file:
        assert sorted(file) == ["weights"]
    network.layers[1].delay = 2.0
    assert_same(network, round_trip(network))
    assert version() == 2


def _wrong_shape(file):
    del file["recurrent_weights/recurrent1"]
    file["recurrent_weights/recurrent1"] = np.zeros((8, 7), np.float32)


@pytest.mark.parametrize(("change", "words"), [
    (lambda f: f.attrs.__setitem__("version", 5), "version 5, this eventsim reads 1, 2, 3, 4"),
    (lambda f: f.__setitem__("delays/recurrent1", np.zeros(8)), r"delays of Recurrent\(9, 8\) must have the shape"),
    (lambda f: f.__setitem__("recurrent_delays/recurrent1", np.zeros((9, 8))), r"delays of Dense\(8, 8\) must have"),
    (lambda f: f.__setitem__("delays/recurrent1", np.full(9, -1.0)), "must lie in"),
    (lambda f: f.__setitem__("delays/recurrent1", "long"), "numbers"),
    (lambda f: f.__delitem__("recurrent_weights"), "damaged"), (_wrong_shape, "shape"),
], ids=["newer", "delays", "recurrent delays", "negative", "text", "no weights", "weights"])
def test_damaged_files_are_refused_with_a_sentence(change, words):
    es.save("model.h5", es.Network("9-8r-5"))
    with h5py.File("model.h5", "r+") as file:
        change(file)
    with pytest.raises(FormatError, match=words) as caught:
        es.load("model.h5")
    assert "model.h5" in str(caught.value)


def test_what_is_saved_is_a_network(tmp_path):
    with pytest.raises(ConfigError, match="takes a path and a Network, in this order"):
        es.save(es.Network("5-2", seed=None), str(tmp_path / "x.h5"))


@pytest.mark.parametrize("layer", [Recurrent(9, 8), Sparse(9, 8, [0] * 10, [], [])], ids=repr)
def test_a_layer_that_the_notation_does_not_say_is_not_saved(layer):
    network = es.Network("9-8-5")
    network.layers[0] = layer
    with pytest.raises(ConfigError, match=f"layer {layer.kind}1 cannot be saved: 9-8-5 says dense there"):
        es.save("model.h5", network)


def test_neurons_and_constant_inputs_of_layers_come_back(rng):
    network = es.Network("6x5x2-3c3-2a-7-5", LIF(tau_mem=np.inf, strict=True), seed=3)
    network.layers[0].bias = rng.normal(size=36)
    network.layers[2].neuron = CubaLIF(tau_syn=3.0, reset="hard", v_reset=-0.5)
    network.layers[3].neuron = LIF(theta=2.0, v_drop=2.5)
    loaded = round_trip(network)
    assert_same(network, loaded)
    assert loaded.neurons == network.neurons and version() == 4
    assert [layer.bias is None for layer in loaded.layers] == [False, True, True, True]
    np.testing.assert_array_equal(loaded.layers[0].bias, network.layers[0].bias)
    assert loaded.config()["neurons"][0] is None


def test_the_lowest_version_that_can_say_it_is_written(rng):
    network = es.Network("9-8-5", LIF(), seed=3)
    assert_same(network, round_trip(network))
    assert version() == 1
    network.layers[1].bias = np.zeros(5)
    round_trip(network)
    assert version() == 4


@pytest.mark.parametrize("damage", [np.zeros(4), np.full(5, np.nan), np.zeros(5, int), np.zeros((5, 1))])
def test_damaged_constant_inputs_are_refused(damage):
    network = es.Network("9-8-5", seed=3)
    network.layers[1].bias = np.ones(5)
    es.save("model.h5", network)
    with h5py.File("model.h5", "r+") as file:
        del file["biases/dense2"]
        file["biases/dense2"] = damage
    with pytest.raises(FormatError, match=r"^model.h5: .*biases/dense2 must be 5 finite numbers"):
        es.load("model.h5")


@pytest.mark.parametrize("neurons", [[None], "lif", [None, {"kind": "lif", "tau": 3.0}], [None, 3]])
def test_neurons_that_cannot_be_are_refused(neurons):
    config = es.Network("9-8-5").config() | {"neurons": neurons}
    with pytest.raises(ConfigError, match="neuron"):
        es.Network.from_config(config)
