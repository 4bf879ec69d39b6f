"""Delays and recurrence into NIR graphs and back: the same bytes and spikes, and what NIR does not say."""

import nir
import numpy as np
import pytest
from agreement import dense_of, spikes_of
from test_nir_write import NEURONS, digest

from eventsim.engine import run
from eventsim.errors import ConfigError
from eventsim.exchange.nir import WRITE, Writing, from_graph, read, to_graph, write
from eventsim.model import LIF, SRM, CubaLIF, Network

DELAYS = {"none": None, "all": (), "by neuron": (1,), "to a neuron": (0,)}


def delay_of(part, kind, rng, dt):
    """Delays of up to four ticks, a quarter of one fine."""
    if DELAYS[kind] is None:
        return None
    ticks = rng.integers(1, 16, {"all": (), "by neuron": part.n_in, "to a neuron": part.n_out}[kind]) / 4
    return dt * (np.broadcast_to(ticks, (part.n_in, part.n_out)) if kind == "to a neuron" else ticks)


def network_of(neuron, rng, kind="none", own="none", dt=1.0, notation="40-30r-20@d2-5r"):
    network = Network(notation, neuron, dt=dt, seed=None)
    strength = neuron.theta * (4.0 if isinstance(neuron, CubaLIF) else 1.0)
    for layer in network.layers:
        layer.weight = rng.normal(0.8, 1.5, layer.weight_shape) * strength / np.sqrt(layer.n_in)
        layer.delay = delay_of(layer, kind, rng, dt)
        if layer.kind == "recurrent":
            layer.recurrent.weight = rng.normal(0.0, 0.7, (layer.n_out, layer.n_out)) * strength / np.sqrt(layer.n_out)
            layer.recurrent.delay = delay_of(layer.recurrent, own, rng, dt)
            if kind != "to a neuron" and not isinstance(neuron, SRM):
                layer.bias = rng.normal(0.0, 0.05, layer.n_out) * neuron.theta
    return network


@pytest.mark.parametrize("scheme", WRITE)
@pytest.mark.parametrize("name", ["LIF", "hard, strict", "late, dead", "SRM"])
def test_the_same_bytes(name, scheme, rng, tmp_path):
    writing = Writing(scheme)
    for kind, own, dt in zip(DELAYS, [*DELAYS][::-1], (1.0, 0.1, 0.3, 0.5), strict=True):
        network = network_of(NEURONS[name], rng, kind, own, dt)
        write(tmp_path / "a.nir", network, writing)
        back = read(tmp_path / "a.nir").network
        write(tmp_path / "b.nir", back, writing)
        assert digest(tmp_path / "a.nir") == digest(tmp_path / "b.nir")
        for ours, theirs in zip(network.layers, back.layers, strict=True):
            for mine, found in zip(ours.projections, theirs.projections, strict=True):
                np.testing.assert_array_equal(mine.weight, found.weight)
                wanted = 0.0 if mine.delay is None else mine.delay
                if name == "SRM" and mine is not ours and mine.delay is not None:
                    wanted = wanted + dt
                np.testing.assert_allclose(0.0 if found.delay is None else found.delay, wanted, rtol=1e-6)


@pytest.mark.parametrize("kind, own", [("none", "none"), ("all", "by neuron"), ("by neuron", "to a neuron"),
                                       ("to a neuron", "all")])
@pytest.mark.parametrize("name", [name for name in NEURONS if name != "SRM"])
def test_what_was_read_fires_as_what_was_written(name, kind, own, rng):
    network = network_of(NEURONS[name], rng, kind, own, 0.5)
    back = from_graph(to_graph(network).graph).network
    assert [layer.kind for layer in back.layers] == ["recurrent", "dense", "recurrent"]
    given = spikes_of((rng.random((60, 40)) < 0.1).astype(float), 0.5)
    ours, theirs = run(network, given), run(back, given)
    for a, b in zip(ours.layers, theirs.layers, strict=True):
        differ = (dense_of(a.spikes) != dense_of(b.spikes)).any(axis=1)
        assert len(a.spikes) > 0 and (not differ.any() or np.argmax(differ) > 30)  # float32 knows tau otherwise


def test_the_nodes_are_those_of_nir(rng, tmp_path):
    network = network_of(LIF(reset="hard"), rng, "by neuron", "all", notation="40-30r-5")
    network.layers[1].delay = None
    write(tmp_path / "a.nir", network)
    graph = nir.read(tmp_path / "a.nir")
    assert {name: type(node).__name__ for name, node in graph.nodes.items()} == {
        "input": "Input", "recurrent1_delay": "Delay", "recurrent1_weight": "Affine", "recurrent1": "LIF",
        "recurrent1_recurrent_delay": "Delay", "recurrent1_recurrent": "Linear", "dense2_weight": "Linear",
        "dense2": "LIF", "output": "Output"}
    assert [edge for edge in graph.edges if "recurrent1_recurrent" in " ".join(edge)] == [
        ("recurrent1", "recurrent1_recurrent_delay"), ("recurrent1_recurrent_delay", "recurrent1_recurrent"),
        ("recurrent1_recurrent", "recurrent1")]
    np.testing.assert_allclose(graph.nodes["recurrent1_delay"].delay, 1e-3 * network.layers[0].delay, rtol=1e-6)
    own = graph.nodes["recurrent1_recurrent_delay"].delay
    assert own.shape == (30,) and (own == np.float32(1e-3 * network.layers[0].recurrent.delay)).all()


def test_delays_behind_planes_come_after_the_flatten(rng):
    network = Network("4x3x2-5@d1.5", LIF(), seed=0)
    network.layers[0].delay = np.arange(24.0)
    graph = to_graph(network).graph
    assert [a for a, _ in graph.edges] == ["input", "dense1_flatten", "dense1_delay", "dense1_weight", "dense1"]
    np.testing.assert_array_equal(from_graph(graph).network.layers[0].delay, np.arange(24.0))


@pytest.mark.parametrize("delay", [0.0, 3.0])
def test_what_comes_back_to_spike_response_neurons_comes_at_the_same_time(delay):
    """A spike that goes around from neuron to neuron, each of which fires once: all a tick earlier, as without."""
    network = Network("1-20r", SRM(theta=1.0, tau_syn=5.0, scale_ref=0.0), seed=None)
    layer = network.layers[0]
    layer.weight = np.where(np.arange(20) == 0, 3.0, 0.0)[None]
    layer.recurrent.weight, layer.recurrent.delay = 2.0 * np.eye(20, k=1), delay
    given = np.zeros((150, 1))
    given[3] = 1
    exported = to_graph(network, Writing(share=0.0)).graph
    assert ("recurrent1_recurrent_delay" in exported.nodes) == (delay > 0)
    ours, theirs = (dense_of(run(one, spikes_of(given)).output) for one in (network, from_graph(exported).network))
    first = [np.where(out.any(axis=0), out.argmax(axis=0), -1) for out in (ours, theirs)]
    assert (first[0] > 0).all() and len(set(first[0])) == 20
    np.testing.assert_array_equal(first[0] - 1, first[1])


def _by_synapse(network):
    network.layers[0].delay = np.arange(40.0).reshape(8, 5)


def _own_by_synapse(network):
    network.layers[0].recurrent.delay = np.arange(25.0).reshape(5, 5)


def _with_bias(network):
    network.layers[0].delay = np.broadcast_to(np.arange(5.0), (8, 5))
    network.layers[0].bias = np.ones(5)


@pytest.mark.parametrize("change, words", [
    (_by_synapse, "it has delays that differ by synapse, and NIR has them by neuron; give all synapses from a neuron"),
    (_own_by_synapse, "it has delays that differ by synapse"),
    (_with_bias, "it has delays by the neurons that it goes to, and constant inputs, which NIR would delay as well"),
])
def test_delays_that_nir_cannot_say_are_refused_with_the_layer(change, words, tmp_path):
    network = Network("8-5r", LIF(), seed=0)
    change(network)
    with pytest.raises(ConfigError) as caught:
        write(tmp_path / "a.nir", network)
    assert str(caught.value).startswith(f"layer recurrent1 cannot be exported: {words}")
    assert list(tmp_path.iterdir()) == []


def test_what_a_framework_does_not_read_is_said():
    network = Network("8-5r@d2-3", LIF(reset="hard"), seed=0)
    wanted = {"euler": [], "exponential": [], "norse": ["Delay nodes"], "snntorch": ["Delay nodes", "recurrence"]}
    for scheme, what in wanted.items():
        notes = to_graph(network, Writing(scheme)).notes
        assert [note.split(" has no ")[1].split(",")[0] for note in notes] == what
    assert "the import of sinabs has no Delay nodes, here recurrent1_delay, recurrent1_recurrent_delay" in (
        to_graph(network, Writing("sinabs")).notes)
