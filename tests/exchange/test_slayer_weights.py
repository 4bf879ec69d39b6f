"""State dicts of slayerPytorch and lava-dl in networks: orientation, order, normalisation, delays."""

import numpy as np
import pytest
import safetensors.numpy
from naive import lava
from naive import srm as naive
from scenes import dense as dense_spikes
from scenes import random_spikes

from eventsim.engine import forward
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.slayer import parse_state, read_arrays, read_description, set_weights
from eventsim.model import SRM, Network
from eventsim.model.neurons import from_config
from eventsim.spikes import Spikes

from .slayer_files import cnn, dense


def filled(notation, arrays, neuron=None, dt=1.0):
    network = Network(notation, neuron or SRM(), dt=dt, seed=None)
    return network, set_weights(network, parse_state("file", arrays))


def test_a_network_with_convolutions_and_pools(rng):
    arrays = cnn(rng)
    network, placed = filled("6x6x2-3c3-2a-5", arrays)
    assert [(one.layer, one.name) for one in placed] == [
        ("conv1", "conv1.weight"), ("pool2", "pool1.weight"), ("dense3", "fc1.weight")]
    conv, _, fc = network.layers
    for o, i, y, x in np.ndindex(3, 2, 3, 3):
        assert conv.weight[i, y, x, o] == arrays["conv1.weight"][o, i, y, x, 0]
    for o, c, y, x in np.ndindex(5, 3, 2, 2):
        assert fc.weight[c * 4 + y * 2 + x, o] == arrays["fc1.weight"][o, c, y, x, 0]


def test_odd_sizes_are_pooled_as_slayer_pads_them(rng):
    arrays = {"conv1.weight": rng.normal(size=(3, 2, 2, 2, 1)), "fc1.weight": dense(rng, (3, 3, 3), 5)}
    network, _ = filled("6x6x2-3c2-2au-5", arrays)
    assert network.layers[1].shape.size == network.layers[2].n_in == 27


def test_pools_need_not_be_in_the_file(rng):
    arrays = cnn(rng)
    del arrays["pool1.weight"]
    assert len(filled("6x6x2-3c3-2a-5", arrays)[1]) == 2


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1, 1, 1), (4, 2, 1, 3, 1), (4, 2, 1, 3)])
def test_dense_weights_come_in_several_shapes(rng, shape):
    values = rng.normal(size=(4, 6)).astype(np.float32)
    network, _ = filled("3x1x2-4", {"w": values.reshape(shape)})
    np.testing.assert_array_equal(network.layers[0].weight, values.T)


def test_equal_shapes_go_by_the_order_of_the_file(rng):
    arrays = {name: dense(rng, 5, 5) for name in ("fc2.weight", "fc1.weight", "fc3.weight")}
    network, placed = filled("5-5-5-5", arrays)
    assert [one.name for one in placed] == list(arrays)
    np.testing.assert_array_equal(network.layers[0].weight, arrays["fc2.weight"][:, :, 0, 0, 0].T)


@pytest.mark.parametrize("names", [("weight_g", "weight_v"), (
    "parametrizations.weight.original0", "parametrizations.weight.original1")])
@pytest.mark.parametrize("shape", [(4, 1, 1, 1, 1), (1,)])
def test_normalised_weights_are_multiplied_out(rng, names, shape):
    g, v = rng.uniform(1, 2, shape).astype(np.float32), dense(rng, 6, 4)
    network, placed = filled("6-4", {f"fc1.{name}": value for name, value in zip(names, (g, v), strict=True)})
    weight = network.layers[0].weight
    if g.size > 1:
        np.testing.assert_allclose(np.linalg.norm(weight, axis=0), g.ravel(), rtol=1e-6)
    else:
        np.testing.assert_allclose(np.linalg.norm(weight), g[0], rtol=1e-6)
    v = v.reshape(4, 6).T
    np.testing.assert_allclose(weight / np.abs(weight).max(0), v / np.abs(v).max(0), rtol=1e-5)
    assert placed[0].name == "fc1.weight"


def test_delays_of_slayer_are_of_axons_and_rounded_down(rng):
    delay = np.array([0.05, 0.1, 0.25, 0.3], np.float32).reshape(4, 1, 1)
    arrays = {"fc1.weight": dense(rng, 6, 4), "fc2.weight": dense(rng, 4, 2), "delay1.delay": delay}
    network, placed = filled("6-4-2", arrays, dt=0.1)
    assert network.layers[0].delay is None
    np.testing.assert_allclose(network.layers[1].delay, [0.0, 0.1, 0.2, 0.3])
    assert (placed[-1].layer, placed[-1].what, placed[-1].name) == ("dense2", "delays", "delay1.delay")


def test_delays_of_lava_are_ticks_and_those_of_their_block(rng):
    arrays = {"blocks.0.synapse.weight": dense(rng, 6, 4), "blocks.1.synapse.weight": dense(rng, 4, 4),
              "blocks.1.delay.delay": np.array([0.5, 1.0, 2.9, 7.0]), "blocks.2.synapse.weight": dense(rng, 4, 4)}
    network, _ = filled("6-4-4-4", arrays, dt=0.5)
    assert network.layers[1].delay is None
    np.testing.assert_allclose(network.layers[2].delay, [0.0, 0.5, 1.0, 3.5])


def test_delays_of_channels_reach_all_their_positions(rng):
    arrays = cnn(rng)
    arrays["delay.delay"] = np.array([1.0, 2.0, 3.0])
    arrays = {name: arrays[name] for name in ("conv1.weight", "fc1.weight", "delay.delay")}
    network, _ = filled("6x6x2-3c5-5", {**arrays, "conv1.weight": np.zeros((3, 2, 5, 5, 1)),
                                        "fc1.weight": dense(rng, (3, 2, 2), 5)})
    np.testing.assert_array_equal(network.layers[1].delay, np.repeat([1.0, 2.0, 3.0], 4))


def test_delays_of_less_than_a_tick_are_none(rng):
    arrays = {"fc1.weight": dense(rng, 6, 4), "delay1.delay": np.full((4, 1, 1), 0.9)}
    network, placed = filled("6-4", arrays)
    assert network.is_immediate and placed[-1].what == "delays of no tick, after it"


def test_saved_kernels_must_be_those_of_the_neuron(rng):
    kernels = {"slayer.srmKernel": naive.alpha(4.0, 1.0, 30), "slayer.refKernel": -20.0 * naive.alpha(1.0, 1.0, 11)}
    arrays = {"fc1.weight": dense(rng, 6, 4), **{name: k.astype(np.float32) for name, k in kernels.items()}}
    filled("6-4", arrays, SRM(tau_syn=4.0))
    with pytest.raises(ConfigError, match=r"srmKernel is not that of this neuron .*peaks at tick 4 with 1;"):
        filled("6-4", arrays)
    with pytest.raises(ConfigError, match=r"refKernel is not that of this neuron .*peaks at tick 1 with -20;"):
        filled("6-4", arrays, SRM(tau_syn=4.0, scale_ref=1.0))
    with pytest.raises(ConfigError, match="is of SRM neurons, as its srmKernel says"):
        filled("6-4", arrays, from_config({"kind": "lif"}))


def test_cuba_neurons_of_lava_spike_as_they_do_there(rng):
    theta, decays = 1.25, {"current_decay": 1024.0, "voltage_decay": 128.0}
    arrays = {}
    for i, (n_in, n_out) in enumerate([(20, 30), (30, 4)]):
        arrays[f"blocks.{i}.neuron.current_decay"] = np.array([1024.0], np.float32)
        arrays[f"blocks.{i}.neuron.voltage_decay"] = np.array([128.0], np.float32)
        arrays[f"blocks.{i}.synapse.weight"] = (dense(rng, n_in, n_out) + 0.5) / 16
    state = parse_state("file", arrays)
    network = Network("20-30-4", from_config(state.neuron(1.0) | {"theta": theta}), seed=None)
    set_weights(network, state)
    spikes = random_spikes(rng, 20, n_ticks=80)
    trace = forward(network, spikes)
    n = np.zeros(2)
    for b in range(3):
        given = dense_spikes(spikes, b)
        for i, layer in enumerate(trace.layers):
            weight = arrays[f"blocks.{i}.synapse.weight"][:, :, 0, 0, 0].T.astype(float)
            out, v = lava.cuba(given, weight, *(d / 4096 for d in decays.values()), theta)
            given = dense_spikes(layer.spikes, b)
            assert np.abs(v - theta).min() > 1e-5  # where rounding might decide
            np.testing.assert_array_equal(given, out)
            n[i] += out.sum()
    assert n.min() > 20


CUBA = {"b.0.neuron.current_decay": np.array([1024.0]), "b.0.neuron.voltage_decay": np.array([128.0])}


def test_cuba_time_constants(rng):
    state = parse_state("file", {**CUBA, "b.0.synapse.weight": dense(rng, 3, 2)})
    found = state.neuron(0.5)
    assert np.isclose(np.exp(-0.5 / found["tau_syn"]), 0.75) and np.isclose(np.exp(-0.5 / found["tau_mem"]), 1 - 1 / 32)
    never = {**CUBA, "b.0.neuron.voltage_decay": np.zeros(1), "b.0.synapse.weight": np.ones((2, 3))}
    never = parse_state("file", never)
    assert never.neuron(1.0)["tau_mem"] == np.inf
    network = Network("3-2", from_config(never.neuron(0.5) | {"theta": 1.0}), dt=0.5, seed=None)
    set_weights(network, never)
    assert np.all(network.layers[0].weight == 2.0)  # times dt, what that neuron takes of a current


@pytest.mark.parametrize(("change", "said"), [
    ({"b.1.neuron.current_decay": np.array([7.0])}, "has 2 values of current_decay, and all neurons"),
    ({"b.0.neuron.current_decay": np.array([4096.0])}, "current_decay 4096 of 4096 a tick has no time constant"),
    ({"b.0.neuron.current_decay": np.array([0.0])}, "current_decay 0 of 4096 a tick has no time constant"),
])
def test_cuba_neurons_that_are_none_here(change, said):
    with pytest.raises(FormatError, match=f"^file: {said}"):
        parse_state("file", {**CUBA, "b.0.synapse.weight": np.ones((2, 3)), **change}).neuron(1.0)


W = np.ones((4, 6))


@pytest.mark.parametrize(("notation", "arrays", "said"), [
    ("6-5", {"w": W}, r"dense1 of 6-5 wants weights of the shape \(5, 6\) or \(5, 1, 1, 6\), got w \(4, 6\); name the"),
    ("4-6", {"w": W}, r"got w \(4, 6\); the output comes first; name"),
    ("6-4-4", {"w": W}, "dense2 of 6-4-4 wants weights .*, got nothing is left for it"),
    ("6-4", {"w": W, "x": np.ones((2, 4))}, r"x of the shape \(2, 4\) has no place in 6-4; name"),
    ("6-4", {"fc.weight": W, "fc.bias": np.ones(4)}, r"fc.bias of the shape \(4,\) has no place .* would change"),
    ("6-4", {"a.weight": W, "a.mask": W}, "a.mask of the shape .* has no place"),
    ("6-4", {"a.weight": W, "a.recurrent_synapse.weight": np.ones((4, 4))}, "a.recurrent_synapse.weight of the shape"),
    ("6-4", {"bias": np.zeros(4)}, "holds no weights"),
    ("6-4", {"a.weight_g": np.ones((4, 1))}, "has a.weight_g of normalised weights, but no a.weight_v"),
    ("6-4", {"a.weight_g": np.ones(3), "a.weight_v": W}, r"a.weight_g of the shape \(3,\) has no lengths for"),
    ("6-4", {"a.weight_g": np.ones(4), "a.weight_v": 0 * W}, "a.weight_v is zero for a neuron"),
    ("6-4", {"w": W, "delay1": np.ones(4)}, "delay1 delays spikes on their way to the output by up to 1 ms"),
    ("6-4", {"w": W, "delay1": -np.ones(4)}, "delay1 has a delay of -1, before its spike"),
    ("6-4", {"w": W, "delay1": np.ones(7)}, r"delay1 of the shape \(7,\) fits none of the layers"),
    ("6-4-4-1", {"w": W, "v": np.ones((4, 4)), "u": np.ones((1, 4)), "delay1": np.ones(4)}, "delay1 of .* fits 2 of"),
    ("6-4", {"w": np.full((4, 6), 1e39)}, r"file: w: weights of Dense\(6, 4\) must be finite in float32"),
    ("6x6x2-2c3-2a-3", {"c.weight": np.ones((2, 2, 3, 3, 1)), "p.weight": np.ones((1, 1, 2, 2, 1)),
                        "f.weight": np.ones((3, 8))}, "p.weight pools with weights of 1 to 1, .*with 11, .*, 2c2s2g2"),
    ("6x6x2-2c2-2a-3", {"w": W}, "pool2 of .* pools 5x5x2, which SLAYER fills up with zeros; write 2au"),
    ("7x7x2-3au-3", {"w": W}, "pool1 of .* pools 7x7x2 by 3, which SLAYER pads so that windows mix channels"),
    ("6-4r-2", {"w": W}, "recurrent1 of .* has recurrence, normalisation or delays"),
    ("6-4", CUBA | {"b.0.synapse.weight": W}, "is of lava-dl's CUBA neurons, and the network of SRM"),
])
def test_what_does_not_fit_is_refused(notation, arrays, said):
    with pytest.raises((FormatError, ConfigError), match=said) as caught:
        filled(notation, arrays)
    assert "\n" not in str(caught.value)


def test_pools_of_other_weights_are_convolutions_of_as_many_groups(rng):
    arrays = {"c.weight": np.ones((2, 2, 3, 3, 1)), "p.weight": np.full((1, 1, 2, 2, 1), 0.5)}
    network, _ = filled("6x6x2-2c3-2c2s2g2-3", arrays | {"f.weight": np.ones((3, 8))})
    assert network.layers[1].weight.shape == (1, 2, 2, 2) and np.all(network.layers[1].weight == 0.5)


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_the_published_network_spikes_as_published_from_files_in_its_layout(shared, tmp_path, suffix):
    folder = shared / "golden" / "slayer_snnData"
    if not folder.is_dir():
        pytest.skip(f"no published vectors at {folder}")
    arrays = {}
    for i in (1, 2):
        weight = np.loadtxt(folder / f"w{i}learned.txt", ndmin=2).astype(np.float32)
        arrays[f"fc{i}.weight"] = weight.reshape(*weight.shape, 1, 1, 1)
    path = tmp_path / f"learned.{suffix}"
    np.savez(path, **arrays) if suffix == "npz" else safetensors.numpy.save_file(arrays, path)
    description = read_description(folder / "network.yaml")
    network = Network(**description.network, neuron=SRM(**description.neuron), seed=None)
    set_weights(network, parse_state(path, read_arrays(path)))
    times, ids = np.loadtxt(folder / "spikeIn.txt").T
    tick, address = np.rint(times / network.dt).astype(int), ids.astype(int) - 1
    inside = tick < network.n_ticks
    order = np.lexsort((address[inside], tick[inside]))
    given = Spikes([0, inside.sum()], address[inside][order], tick=tick[inside][order], n_neurons=250,
                   n_ticks=network.n_ticks, dt=network.dt)
    hidden, output = (layer.spikes for layer in forward(network, given, truncate=True).layers)
    assert (len(hidden), len(output)) == (289, 3)
    np.testing.assert_allclose(output.tick * network.dt, np.loadtxt(folder / "spikeOut.txt", ndmin=2)[:, 0], atol=1e-9)
