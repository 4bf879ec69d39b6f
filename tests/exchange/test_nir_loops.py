"""Delays and recurrence in NIR graphs: against NIR's equations, in graphs in graphs, and what is refused."""

import nir
import numpy as np
import pytest
from agreement import ROUNDING, dense_of, spikes_of
from naive import nir as naive
from nir_graphs import chain, conv, cuba, flatten, full, integrate, lif, linear, looped, pool

from eventsim.engine import run
from eventsim.errors import FormatError
from eventsim.events import Events
from eventsim.exchange.nir import READ, Reading, from_graph, read, to_graph
from eventsim.model import LIF, Network
from eventsim.sensor import Sensor

SECOND = Reading(time_unit=1000.0)
TICKS = 90
KINDS = {
    "IF": lambda tick: integrate(30, r=0.5, theta=0.9, reset=-0.25),
    "LIF": lambda tick: lif(30, tau=12 * tick, r=2.0, theta=0.4, leak=-0.1, reset=-0.2),
    "CubaLIF": lambda tick: cuba(30, 12 * tick, 4 * tick, r=3.0, theta=0.5, leak=0.1, reset=0.05, w_in=2.0),
    "Threshold": lambda tick: nir.Threshold(full(30, 0.6)),
}


def reading_of(scheme):
    return Reading(scheme, None if READ[scheme].tick else 1000.0)


def numbers(node):
    """A node's numbers, without arrays."""
    return type("Numbers", (), {name: float(value.flat[0]) for name, value in vars(node).items()
                                if isinstance(value, np.ndarray)})


def check(network, given, kind, node, drive, scheme, tick, back=None):
    """Assert that the network's output is that of NIR's equations, up to a potential at the threshold."""
    how = READ[scheme]
    step = naive.exact if how.exponential else naive.euler
    out, u = naive.neurons(kind, numbers(node), drive, tick, step, "hard" if kind == "Threshold" else how.reset,
                           how.strict, how.sums, how.sums_current, back)
    ours = dense_of(run(network, spikes_of(given, network.dt)).output)
    assert 0.002 < out.mean() < 0.9
    differ = np.flatnonzero((ours != out).any(axis=1))
    if len(differ):
        t, theta = differ[0], numbers(node).threshold if kind == "Threshold" else numbers(node).v_threshold
        size = np.abs(u).max() + np.abs(drive).sum(axis=0).max() * 3
        assert t > TICKS // 2 and (np.abs(u[t] - theta)[ours[t] != out[t]] <= ROUNDING * size).all()


@pytest.mark.parametrize("scheme", READ)
@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_back_takes_a_tick(kind, scheme, rng):
    tick = READ[scheme].tick or 1e-3
    node, weights, back = KINDS[kind](tick), linear(30, 40, bias=0.05), linear(30, 30, bias=0.02, seed=1)
    graph = looped((40,), [weights, node], [back])
    network = from_graph(graph, reading_of(scheme)).network
    assert network.arch.notation == "40-30r" and network.layers[0].recurrent.delay is None
    given = (rng.random((TICKS, 40)) < 0.2).astype(float)
    drive = given @ weights.weight.T.astype(float) + weights.bias.astype(float)
    check(network, given, kind, node, drive, scheme, tick, naive.returning(back.weight.astype(float), back.bias))


def late(rng, shape, most=4):
    return rng.integers(0, most, shape)


@pytest.mark.parametrize("where", ["before", "after", "both", "back", "back after", "all"])
def test_delays_are_those_of_the_nodes(where, rng):
    weights, node, back = linear(30, 40), KINDS["LIF"](1e-3), linear(30, 30, seed=1)
    before, after, before_back, after_back = late(rng, 40), late(rng, 30), late(rng, 30), late(rng, 30)
    if where not in ("before", "both", "all"):
        before[:] = 0
    if where not in ("after", "both", "all"):
        after[:] = 0
    if where not in ("back", "all"):
        before_back[:] = 0
    if where not in ("back after", "all"):
        after_back[:] = 0

    def delays(ticks):
        return nir.Delay(1e-3 * ticks.astype(np.float32))

    graph = looped((40,), [delays(before), weights, delays(after), node],
                   [delays(before_back), back, delays(after_back)])
    found = from_graph(graph, SECOND)
    assert found.notes == []
    given = (rng.random((TICKS, 40)) < 0.2).astype(float)
    drive = naive.delayed(naive.delayed(given, before) @ weights.weight.T.astype(float), after)
    check(found.network, given, "LIF", node, drive, "euler", 1e-3,
          naive.returning(back.weight.astype(float), 0.0, before_back, after_back))


@pytest.mark.parametrize("delay, back, notation", [
    (2.0, 2.0, "40-30r@d2"), (2.0, None, "40-30r"), (None, 3.0, "40-30r"), (0.3, 0.3, "40-30r@d0.3"),
    (None, None, "40-30r"), (0.0, 0.0, "40-30r"),
])
def test_the_notation_says_what_all_synapses_share(delay, back, notation):
    def nodes(ms, n):
        return [] if ms is None else [nir.Delay(full(n, ms * 1e-3))]

    graph = looped((40,), [*nodes(delay, 40), linear(30, 40), lif(30)], [*nodes(back, 30), linear(30, 30)])
    layer = from_graph(graph, SECOND).network
    assert layer.arch.notation == notation
    layer = layer.layers[0]
    assert (layer.delay, layer.recurrent.delay) == (delay or None, back or None)


def test_delays_between_ticks_are_kept_and_said():
    delay = np.linspace(0.0, 7.3e-3, 40, dtype=np.float32)
    found = from_graph(chain((40,), nir.Delay(delay), linear(30, 40), lif(30)), SECOND)
    np.testing.assert_allclose(found.network.layers[0].delay, np.linspace(0.0, 7.3, 40), rtol=1e-6)
    assert len(found.notes) == 1
    assert "(Delay) has delays that are no whole ticks of 1 ms, such as 0.187179 ms; on the grid they are" in (
        found.notes[0])
    fine = from_graph(chain((40,), nir.Delay(full(40, 3e-4)), linear(30, 40), lif(30)),
                      Reading(time_unit=1000.0, dt=0.1))
    assert fine.notes == [] and fine.network.layers[0].delay == 0.3


def test_long_delays_are_said():
    graph = chain((8,), nir.Delay(full(8, 900.0)), linear(5, 8), lif(5))
    assert from_graph(graph, SECOND).notes == [
        "graph: node '0' (Delay) has a delay of 900 s, which is long for a synapse; --nir-time-unit may be another"]
    network = Network("8-5@d3-4r-2", LIF(reset="hard"), n_ticks=30)
    for delay, said in ((29.0, []), (30.0, ["graph: recurrent2 has a delay of 30 ms, and a sample lasts 30 ms: what "
                                            "arrives later does nothing, though SynOps count it"])):
        network.layers[1].recurrent.delay = delay
        assert from_graph(to_graph(network).graph).notes == said


def test_the_exact_clock_has_the_very_delays():
    weights = nir.Linear(full((1, 1), 25.0))
    graph = chain((1,), nir.Delay(full(1, 2.3e-3)), weights, lif(1))
    network = from_graph(graph, SECOND).network
    network.n_ticks = 10
    events = Events([4000], [0], [0], [0], Sensor(1, 1, 1))
    assert network.simulate(events, clock="exact").output.time == pytest.approx([6.3])
    assert network.simulate(events, clock="grid").output.tick.tolist() == [6]


def test_graphs_in_graphs_are_their_nodes(rng, tmp_path):
    weights, node, back = linear(30, 40), KINDS["LIF"](1e-3), linear(30, 30, seed=1)
    inner = nir.NIRGraph(
        {"input": nir.Input(np.array([30])), "lif": node, "w_rec": back, "output": nir.Output(np.array([30]))},
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")], type_check=False)
    outer = chain((40,), weights, inner, linear(5, 30), lif(5))
    nir.write(tmp_path / "nested.nir", outer)
    found = [from_graph(outer, SECOND).network, read(tmp_path / "nested.nir", SECOND).network]
    wanted = from_graph(looped((40,), [weights, node, linear(5, 30), lif(5)], [back], at=1), SECOND).network
    given = spikes_of((rng.random((TICKS, 40)) < 0.2).astype(float))
    for network in found:
        assert network.arch.notation == "40-30r-5" == wanted.arch.notation
        assert run(network, given).output == run(wanted, given).output


def test_graphs_in_graphs_in_graphs_and_those_around_whom_it_goes_back(rng):
    """The way back may lie around the graph that the neurons are in, and graphs may do nothing at all."""
    weights, node, back = linear(30, 40), KINDS["LIF"](1e-3), linear(30, 30, seed=1)
    nothing = nir.NIRGraph({"input": nir.Input(np.array([30])), "output": nir.Output(np.array([30]))},
                           [("input", "output")], type_check=False)
    outer = looped((40,), [weights, nothing, chain((30,), chain((30,), node)), nothing], [back], at=2)
    wanted = from_graph(looped((40,), [weights, node], [back]), SECOND).network
    found = from_graph(outer, SECOND).network
    given = spikes_of((rng.random((TICKS, 40)) < 0.2).astype(float))
    assert found.arch.notation == "40-30r" and run(found, given).output == run(wanted, given).output


def test_what_multiplies_the_input_does_not_multiply_what_comes_back(rng):
    weights, node, back = linear(30, 40, bias=0.1), KINDS["LIF"](1e-3), linear(30, 30, bias=0.1, seed=1)
    graph = looped((40,), [nir.Scale(full(40, 0.7)), weights, nir.Scale(full(30, 1.3)), node],
                   [nir.Scale(full(30, 2.0)), back, nir.Scale(full(30, 0.4))])
    network = from_graph(graph, SECOND).network
    given = (rng.random((TICKS, 40)) < 0.2).astype(float)
    drive = 1.3 * (0.7 * given @ weights.weight.T.astype(float) + weights.bias)
    check(network, given, "LIF", node, drive, "euler", 1e-3,
          naive.returning(0.8 * back.weight.astype(float), 0.4 * back.bias))


def test_recurrent_neurons_may_differ_in_scale(rng):
    theta = rng.uniform(0.5, 2.0, 30).astype(np.float32)
    weights, back = linear(30, 40), linear(30, 30, seed=1)
    node = nir.LIF(full(30, 0.02), full(30, 20.0), full(30, 0.0), theta, full(30, 0.0))
    same = nir.Linear(weights.weight / theta[:, None]), nir.Linear(back.weight / theta[:, None])
    found, wanted = (from_graph(looped((40,), [w, n], [b]), SECOND).network
                     for w, n, b in ((weights, node, back), (same[0], lif(30), same[1])))
    given = spikes_of((rng.random((TICKS, 40)) < 0.2).astype(float))
    ours, theirs = (dense_of(run(one, given).output) for one in (found, wanted))
    assert ours.sum() > 100 and (ours != theirs).any(axis=1).sum() == 0


def _graph(nodes, edges):
    return nir.NIRGraph(nodes | {"input": nir.Input(np.array([8])), "output": nir.Output(np.array([8]))}, edges,
                        type_check=False)


_CHAIN = [("input", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("b", "output")]
_NODES = {"w": linear(8, 8), "a": lif(8), "v": linear(8, 8), "b": lif(8), "x": linear(8, 8), "y": linear(8, 8)}
_SUB = {"w": linear(8, 8), "sub": chain((8,), lif(8)), "sub.0": lif(8)}
REFUSED = {
    "other layer": (_NODES, [*_CHAIN, ("b", "x"), ("x", "a")], "and the neurons 'b'; eventsim has recurrence within"),
    "weights": (_NODES, [*_CHAIN, ("b", "v")], "node 'v' gets its own output back through 'b', and is no neurons; let"),
    "two ways": (_NODES, [*_CHAIN, ("a", "x"), ("x", "a"), ("a", "y"), ("y", "a")], "through 'x' and 'y'; add the"),
    "branch": (_NODES, [*_CHAIN, ("a", "x"), ("x", "a"), ("x", "output")], "'x' is connected to others as well ("),
    "entry": (_NODES, [*_CHAIN, ("a", "x"), ("x", "a"), ("input", "x")], "node 'input' sends its output to 2 nodes"),
    "itself": (_NODES, [*_CHAIN, ("a", "a")], "gets its own spikes back without weights; put a Linear on the way"),
    "input": (_NODES, [*_CHAIN, ("w", "input")], "node 'input' gets its own output back through 'w', and is no"),
    "convolution": (_NODES | {"x": conv(8, 8)}, [*_CHAIN, ("a", "x"), ("x", "a")],
                    "node 'x' (Conv2d) is on the way back to the neurons 'a'; eventsim has recurrence through Linear"),
    "size": (_NODES | {"x": linear(7, 8)}, [*_CHAIN, ("a", "x"), ("x", "a")], "gets 7 numbers back for 8 neurons"),
    "inputs": (_NODES | {"x": linear(8, 7)}, [*_CHAIN, ("a", "x"), ("x", "a")], "weights for 7 inputs, but gets 8"),
    "twice": (_SUB, [("input", "w"), ("w", "sub")], "has two nodes called 'sub.0', with those in 'sub'; rename one"),
    "no door": ({"sub": nir.NIRGraph({"a": lif(8)}, [], type_check=False)}, [("input", "sub")],
                "node 'sub' (NIRGraph) has 0 Input nodes; eventsim takes graphs with one"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_cycles_and_graphs_are_refused(name):
    nodes, edges, words = REFUSED[name]
    used = {end for edge in edges for end in edge}
    with pytest.raises(FormatError) as caught:
        from_graph(_graph({key: node for key, node in nodes.items() if key in used or "sub" in key}, edges), SECOND)
    assert words in str(caught.value) and str(caught.value).startswith("graph: ") and "\n" not in str(caught.value)


def delay(n, seconds=2e-3):
    return nir.Delay(full(n, seconds))


CHAINS = {
    "convolution": ((2, 6, 8), [delay((2, 6, 8)), conv(4, 2), lif((4, 4, 6))], SECOND, "eventsim has delays of dense"),
    "no weights": ((8,), [delay(8), lif(8)], SECOND, "node '1' (LIF) gets delayed input, and eventsim has delays of"),
    "pooled": ((2, 6, 8), [delay((2, 6, 8)), pool(nir.SumPool2d, 2)], SECOND, "node '1' (SumPool2d) pools what is del"),
    "pool": ((2, 6, 8), [pool(nir.SumPool2d, 2), delay((2, 3, 4))], SECOND, "node '1' (Delay) delays what was pooled"),
    "bias": ((8,), [linear(5, 8, bias=0.1), delay(5), lif(5)], SECOND, "node '1' (Delay) delays a bias, which"),
    "output": ((8,), [linear(5, 8), lif(5), delay(5)], SECOND, "node 'output' (Output) gets delayed spikes, and"),
    "negative": ((8,), [delay(8, -1e-3), linear(5, 8), lif(5)], SECOND, "has a delay of -1 ms, and eventsim"),
    "long": ((8,), [delay(8, 1e5), linear(5, 8), lif(5)], SECOND, "has a delay of 1e+08 ms, and eventsim takes 0 to"),
    "unit": ((8,), [delay(8), linear(5, 8), integrate(5)], Reading(), "has a delay of 0.002 and the file does not say"),
    "shape": ((8,), [delay(7), linear(5, 8), lif(5)], SECOND, "(Delay) has delay of the shape (7,)"),
    "number": ((8,), [delay(8, np.nan), linear(5, 8), lif(5)], SECOND, "has values of delay that are not finite"),
    "read-out": ((8,), [delay(8), linear(5, 8), nir.LI(full(5, 0.02), full(5, 1.0), full(5, 0.0))], SECOND,
                 "node '2' (LI) never spikes, and eventsim reads potentials of neurons without delays or recurrence"),
    "late read-out": ((8,), [linear(5, 8), delay(5), nir.I(full(5, 1.0))], SECOND, "node '2' (I) never spikes, and"),
}


@pytest.mark.parametrize("name", CHAINS)
def test_delays_that_cannot_be_are_refused(name):
    shape, nodes, reading, words = CHAINS[name]
    with pytest.raises(FormatError) as caught:
        from_graph(chain(shape, *nodes), reading)
    assert words in str(caught.value)


def test_delays_of_planes_go_through_a_flatten(rng):
    ticks = late(rng, (2, 3, 4)).astype(np.float32)
    network = from_graph(chain((2, 3, 4), nir.Delay(1e-3 * ticks), flatten((2, 3, 4)), linear(5, 24), lif(5)),
                         SECOND).network
    np.testing.assert_array_equal(network.layers[0].delay, ticks.ravel())


def test_recurrent_neurons_whose_potentials_are_read_are_refused():
    graph = looped((8,), [linear(5, 8), lif(5)], [linear(5, 5)])
    with pytest.raises(FormatError, match=r"node '1' \(LIF\) never spikes, and eventsim reads potentials"):
        from_graph(graph, Reading(time_unit=1000.0, readout="mean"))


def test_recurrence_behind_convolutions_and_pools_is_refused():
    is_dense = "gets its own spikes back, and eventsim has recurrence of dense layers; put Linear or Affine before it"
    pooled = [pool(nir.AvgPool2d, 2), flatten((2, 3, 4)), linear(96, 24), lif(96)]
    for nodes, back, words in (
        ([conv(4, 2), lif((4, 4, 6))], linear(96, 96), is_dense), ([lif((2, 6, 8))], linear(96, 96), is_dense),
        ([conv(4, 2), lif((4, 4, 6))], conv(4, 4), is_dense), (pooled, linear(96, 96), "leave out the pooling"),
    ):
        with pytest.raises(FormatError) as caught:
            from_graph(looped((2, 6, 8), nodes, [back]), SECOND)
        assert words in str(caught.value)
