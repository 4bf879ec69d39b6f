"""Networks into NIR graphs and back: the same bytes and spikes, and what a file does not say."""

import hashlib
import itertools

import nir
import numpy as np
import pytest
from agreement import dense_of, spikes_of
from nir_graphs import chain, conv, cuba, flatten, full, integrate, lif, linear, pool

from eventsim.engine import run
from eventsim.errors import ConfigError
from eventsim.exchange.nir import (
    WRITE,
    Reading,
    Writing,
    difference,
    fitted,
    from_graph,
    random_spikes,
    read,
    to_graph,
    write,
)
from eventsim.model import LI, LIF, SRM, CubaLIF, Network

NEURONS = {
    "LIF": LIF(tau_mem=10.0), "IF": LIF(tau_mem=np.inf, reset="hard"),
    "hard, strict": LIF(theta=0.7, tau_mem=7.0, reset="hard", v_reset=-0.2, strict=True),
    "drop": LIF(tau_mem=8.0, v_drop=1.2),
    "threshold": LIF(tau_mem=1e-3, reset="hard"), "CubaLIF": CubaLIF(tau_mem=10.0, tau_syn=4.0, reset="hard"),
    "late, dead": CubaLIF(tau_mem=10.0, tau_syn=4.0, late=True, t_abs=3.0), "SRM": SRM(theta=1.0, tau_syn=4.0),
}
NOTATIONS = ("40-30-5", "10x12x2-4c3s2p1-2p-6c2g2-10", "8x6x2-4c3-2a-2p-10", "8x6x2-2c1g2-2c2s2g2-5")


def network_of(notation, neuron, rng, dt=1.0):
    network = Network(notation, neuron, dt=dt, seed=None)
    for layer in network.layers:
        if layer.kind != "pool":
            spread = rng.normal(0.8, 1.5, layer.weight_shape) * neuron.theta / np.sqrt(layer.fan_in)
            layer.weight = spread * (4.0 if isinstance(neuron, CubaLIF) else 1.0)
    layer = network.layers[-1]
    layer.bias = np.repeat(rng.normal(0.0, 0.05, layer.shape.channels), layer.shape.positions)
    return network


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("scheme", WRITE)
@pytest.mark.parametrize("readout, tau", [("mean", 10.0), ("last", np.inf), ("max", 25.0)])
def test_what_is_read_of_potentials_comes_back(readout, tau, scheme, rng, tmp_path):
    for notation, dt in (("40-30-5", 1.0), ("10x12x2-4c3s2p1-2p-6c2", 0.5)):
        network, writing = network_of(notation, NEURONS["LIF"], rng, dt), Writing(scheme)
        network.layers[-1].neuron = LI(tau_mem=tau, readout=readout)
        exported = write(tmp_path / "a.nir", network, writing)
        assert sum("are read: what counts is the" in note or "are read: what counts is their" in note
                   for note in exported.notes) == 1
        back = read(tmp_path / "a.nir")
        write(tmp_path / "b.nir", back.network, writing)
        assert digest(tmp_path / "a.nir") == digest(tmp_path / "b.nir") and back.notes == []
        found = back.network.readout
        assert (found.readout, found.tau_mem) == (readout, pytest.approx(tau, rel=1e-5))
        x = spikes_of((rng.random((60, network.arch.n_inputs)) < 0.1).astype(float), dt)
        wanted = run(network, x).scores
        np.testing.assert_allclose(run(back.network, x).scores, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
        assert [one["layer"] for one in difference(network, exported, x, writing)] == network.layer_names[:-1]


def test_potentials_without_memory_are_not_in_nir(rng):
    network = network_of("40-5", NEURONS["LIF"], rng)
    network.layers[-1].neuron = LI(tau_mem=0.01)
    with pytest.raises(ConfigError, match="layer dense1 cannot be exported: it has potentials that are gone after"):
        to_graph(network)


@pytest.mark.parametrize("scheme", WRITE)
@pytest.mark.parametrize("name", NEURONS)
def test_what_was_written_is_read_and_written_to_the_same_bytes(name, scheme, rng, tmp_path):
    writing = Writing(scheme)
    for notation, dt in zip(NOTATIONS, (1.0, 0.1, 1.0, 0.5), strict=True):
        network = network_of(notation, NEURONS[name], rng, dt)
        write(tmp_path / "a.nir", network, writing)
        back = read(tmp_path / "a.nir")
        write(tmp_path / "b.nir", back.network, writing)
        assert digest(tmp_path / "a.nir") == digest(tmp_path / "b.nir") and back.notes == []
        assert back.network.dt == dt and back.network.arch.widths == network.arch.widths
        for ours, theirs in zip(network.layers, back.network.layers, strict=True):
            np.testing.assert_array_equal(ours.weight, theirs.weight)
            if ours.bias is not None:
                np.testing.assert_array_equal(np.float32(ours.bias), np.float32(theirs.bias))
        if name != "SRM":
            for mine, found in zip(network.neurons, back.network.neurons, strict=True):
                assert (mine.strict, mine.reset, mine.dead_ticks(dt), type(mine)) == (
                    found.strict, found.reset if name != "threshold" else mine.reset, found.dead_ticks(dt), type(found))
                assert (mine.theta, mine.taken) == pytest.approx((found.theta, found.taken))


@pytest.mark.parametrize("name", [name for name in NEURONS if name != "SRM"])
def test_what_was_read_fires_as_what_was_written(name, rng):
    for notation in NOTATIONS:
        network = network_of(notation, NEURONS[name], rng)
        back = from_graph(to_graph(network).graph).network
        given = spikes_of((rng.random((80, network.arch.n_inputs)) < 0.2).astype(float))
        ours, theirs = run(network, given), run(back, given)
        assert len(ours.layers[0].spikes) > 0
        different = sum((dense_of(a.spikes) != dense_of(b.spikes)).any(axis=0).sum()
                        for a, b in zip(ours.layers, theirs.layers, strict=True))
        assert different <= 2  # time constants of float32 are not those of float64


GRAPHS = {
    "IF": [linear(5, 8), integrate(5)], "LIF": [linear(5, 8, bias=0.1), lif(5)], "CubaLIF": [linear(5, 8), cuba(5)],
    "Threshold": [linear(5, 8), nir.Threshold(full(5, 0.5))], "Scale": [nir.Scale(full(8, 2.0)), linear(5, 8), lif(5)],
    "none": [integrate(8)],
}
PLANES = {
    "Conv2d": [conv(4, 2, bias=0.1), lif((4, 4, 6))], "SumPool2d": [pool(nir.SumPool2d, 2), integrate((2, 3, 4))],
    "AvgPool2d": [pool(nir.AvgPool2d, 2), integrate((2, 3, 4))],
    "Scale": [pool(nir.SumPool2d, 3, 1, 1), nir.Scale(full((2, 6, 8), 0.3)), lif((2, 6, 8))],
    "Flatten": [pool(nir.AvgPool2d, 2), flatten((2, 3, 4)), linear(5, 24), lif(5)],
}


@pytest.mark.parametrize("shape, nodes", [*(((8,), nodes) for nodes in GRAPHS.values()),
                                          *(((2, 6, 8), nodes) for nodes in PLANES.values())])
def test_every_node_comes_back(shape, nodes, tmp_path):
    """A network that was read writes the same nodes, and then the same bytes."""
    network = from_graph(chain(shape, *nodes), Reading(time_unit=1000.0)).network
    exported = write(tmp_path / "a.nir", network)
    kinds = [type(node).__name__ for node in exported.graph.nodes.values()]
    wanted = [type(node).__name__ for node in nodes if not isinstance(node, nir.Scale) or len(shape) == 3]
    assert kinds == ["Input", *wanted, "Output"]
    write(tmp_path / "b.nir", read(tmp_path / "a.nir").network)
    assert digest(tmp_path / "a.nir") == digest(tmp_path / "b.nir")


def test_the_package_reads_what_is_written(rng, tmp_path):
    write(tmp_path / "a.nir", network_of("10x12x2-4c3s2p1-2p-6c2-10", NEURONS["LIF"], rng))
    graph = nir.read(tmp_path / "a.nir")
    assert {type(node).__name__ for node in graph.nodes.values()} == {
        "Input", "Conv2d", "LIF", "AvgPool2d", "Flatten", "Affine", "Output"}
    node = graph.nodes["conv1"]
    assert node.tau.shape == (4, 6, 5) and node.tau.flat[0] == pytest.approx(1e-3 / (1 - np.exp(-0.1)))
    assert float(graph.metadata["eventsim"]["dt"]) == 1.0
    exported = write(tmp_path / "b.nir", network_of("4x4x2-4c3g2", NEURONS["LIF"], rng))
    assert any("type_check=False" in note for note in exported.notes)
    nir.read(tmp_path / "b.nir", type_check=False)


@pytest.mark.parametrize("notation", ["6x6x2-4c3-bn-5", "6x6x2-bn-4c3-2p-bn-6c2g2-5"])
def test_batch_normalisation_is_folded(notation, rng):
    network = network_of(notation, NEURONS["hard, strict"], rng)
    for layer in network.layers:
        if layer.norm is not None:
            n = layer.norm.shape.channels
            layer.norm.gamma, layer.norm.beta = rng.uniform(0.5, 2, n), rng.normal(0, 0.1, n)
            layer.norm.running_mean, layer.norm.running_var = rng.uniform(0, 0.3, n), rng.uniform(0.5, 2, n)
    back = from_graph(to_graph(network).graph).network
    assert "bn" not in back.arch.notation and any(layer.bias is not None for layer in back.layers)
    given = spikes_of((rng.random((80, network.arch.n_inputs)) < 0.2).astype(float))
    ours, theirs = run(network, given), run(back, given)
    assert all(len(one.spikes) for one in ours.layers)
    for a, b in zip(ours.layers, theirs.layers, strict=True):
        assert (dense_of(a.spikes) != dense_of(b.spikes)).any(axis=0).sum() <= 1


def test_spike_response_neurons_become_the_nearest_and_the_difference_is_measured(rng):
    network = network_of("60-50-20", SRM(theta=1.0, tau_syn=4.0), rng)
    for layer in network.layers:
        layer.weight = layer.weight * 1.5
    spikes = random_spikes(network)
    writing = fitted(network, spikes)
    exported = to_graph(network, writing)
    assert "NIR has no alpha kernels: dense1, dense2" in exported.notes[0]
    assert f"{writing.share:g}" in exported.notes[0]
    figures = difference(network, exported, spikes, writing)
    total = [one["spikes"] for one in figures]
    assert total == [len(one.spikes) for one in run(network, spikes).layers] and min(total) > 100
    assert 0 < figures[0]["apart"] < 0.25
    assert figures[0]["apart"] <= difference(network, to_graph(network, Writing(share=0.0)), spikes)[0]["apart"]


def test_the_psp_of_the_nearest_is_the_same_a_tick_earlier(rng):
    """Neurons that fire once, so that their refractoriness does not count."""
    network = Network("1-40", SRM(theta=1.0, tau_syn=5.0, scale_ref=0.0), seed=None)
    network.layers[0].weight = np.linspace(0.3, 3.0, 40)[None]
    given = np.zeros((50, 1))
    given[3] = 1
    back = from_graph(to_graph(network).graph).network
    first = [np.argmax(dense_of(run(one, spikes_of(given)).output) > 0, axis=0) for one in (network, back)]
    assert (first[0] > 0).sum() > 20
    np.testing.assert_array_equal(first[0][first[0] > 0] - 1, first[1][first[0] > 0])


def test_the_sample_and_its_input_come_back():
    network = Network("8-5", LIF(), n_ticks=70, input_mode="count")
    back = from_graph(to_graph(network).graph).network
    assert (back.n_ticks, back.input_mode) == (70, "count")


@pytest.mark.parametrize("dt, reading, n_ticks", [
    (1.0, Reading(dt=0.5), 140), (1.0, Reading(dt=0.7), 100), (1.0, Reading(dt=0.3), 234), (0.1, Reading(dt=0.7), 10),
    (0.5, Reading("euler", time_unit=1000.0), 35), (0.5, Reading(), 70), (1.0, Reading(dt=1.0), 70),
])
def test_ticks_of_another_length_make_no_shorter_sample(dt, reading, n_ticks):
    """A scheme that is named puts away the tick of the file, too."""
    found = from_graph(to_graph(Network("8-5", LIF(reset="hard"), n_ticks=70, dt=dt)).graph, reading, "a.nir")
    assert found.network.n_ticks == n_ticks
    said = f"a.nir: was written for a tick of {dt:g} ms, and with one of {found.network.dt:g} ms may be another network"
    assert [note.startswith(said) for note in found.notes] == ([True] if dt != found.network.dt else [])


def test_of_continuous_time_is_said_what_ticks_make_of_it(rng):
    network = Network("8-20-5", LIF(tau_mem=10.0, reset="hard"), n_ticks=200, clock="exact")
    exported = to_graph(network)
    assert exported.notes == ["NIR has no clock, and the network ran in continuous time: its file runs on ticks of 1 ms"
                              ", in eventsim unless --clock exact says otherwise"]
    own = random_spikes(network)
    grid = from_graph(exported.graph).network
    spikes = random_spikes(grid)
    assert grid.clock == "grid" and np.array_equal(np.sort(np.floor(own.time)), spikes.tick)
    for layer, ours, theirs in zip(difference(network, exported, spikes, None, own), run(network, own).layers,
                                   run(grid, spikes).layers, strict=True):
        assert (layer["spikes"], layer["exported"]) == (len(ours.spikes), len(theirs.spikes))
        assert layer["spikes"] > 20 and layer["apart"] > 0
    assert all(layer["apart"] == 0 for layer in difference(network, exported, spikes))  # inputs on ticks are the grid's


def test_what_others_do_not_learn_is_said(rng):
    notes = to_graph(network_of("8-5", NEURONS["late, dead"], rng)).notes
    assert len(notes) == 3 and all("; readers other than eventsim do not learn it" in note for note in notes)
    assert to_graph(network_of("8-5", LIF(reset="hard"), rng)).notes == []
    assert to_graph(network_of("8-5", LIF(), rng), Writing("sinabs")).notes == []
    assert to_graph(network_of("8-5", LIF(reset="hard", v_reset=-0.5), rng)).notes == []
    for scheme in ("snntorch", "norse"):
        exported = to_graph(network_of("8-5", LIF(reset="hard", v_reset=-0.5), rng), Writing(scheme))
        assert "another v_reset than 0" in exported.notes[0] and not exported.graph.nodes["dense1"].v_reset.any()
        assert from_graph(exported.graph).network.neuron.v_reset == pytest.approx(-0.5)
    assert "do not leak" in to_graph(network_of("8-5", NEURONS["IF"], rng), Writing("snntorch")).notes[0]
    network = network_of("8-5", LIF(), rng)
    assert difference(network, to_graph(network), random_spikes(network))[0]["apart"] > 0


def test_inclusive_thresholds_are_written_as_the_number_below():
    for strict, scheme in itertools.product((False, True), ("euler", "sinabs")):
        node = to_graph(Network("8-5", LIF(strict=strict)), Writing(scheme)).graph.nodes["dense1"]
        wanted = {(False, "euler"): np.nextafter(np.float32(1), np.float32(0)), (True, "sinabs"):
                  np.nextafter(np.float32(1), np.float32(2))}.get((strict, scheme), np.float32(1))
        assert (node.v_threshold == wanted).all()


def _varied_bias(network):
    network.layers[0].bias = np.arange(network.layers[0].n_out) / 100


@pytest.mark.parametrize("notation, change, words", [
    ("6x6x2-bn-4c3p1-5", "norm", "it normalises the input of a convolution with padding"),
    ("6x6x2-4c3-5", _varied_bias, "constant inputs that differ within a channel"),
    ("8-5-1c1", None, "looks at planes behind a layer that has none"),
])
def test_what_cannot_be_written_is_refused_with_the_layer(notation, change, words, tmp_path):
    network = Network(notation, SRM())
    if change == "norm":
        network.layers[0].norm.beta = [0.5, 0.5]
    elif change:
        change(network)
    with pytest.raises(ConfigError) as caught:
        write(tmp_path / "a.nir", network)
    assert words in str(caught.value) and list(tmp_path.iterdir()) == []


def test_units_of_time_that_a_scheme_does_not_have_are_refused():
    assert Writing("snntorch", 10_000.0).clock(1.0).unit == 10_000.0
    with pytest.raises(ConfigError, match=r"for snntorch a tick is 0\.0001 of the unit of time"):
        Writing("snntorch", 1000.0).clock(1.0)
    with pytest.raises(ConfigError, match="dense1 cannot be exported: it has neurons with a current and without"):
        to_graph(Network("8-5", CubaLIF(tau_mem=np.inf)))
    with pytest.raises(ConfigError):
        Writing("brian")
