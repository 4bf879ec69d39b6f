"""Networks from NIR graphs: neurons against NIR's equations, what nodes become, and what is refused."""

import nir
import numpy as np
import pytest
from agreement import ROUNDING, agree, dense_of, spikes_of
from naive import nir as naive
from nir_graphs import chain, conv, cuba, flatten, full, integrate, lif, linear, pool

from eventsim.engine import potentials, run
from eventsim.errors import ConfigError, FormatError
from eventsim.exchange.nir import READ, Reading, from_graph
from eventsim.exchange.nir.timing import NOTE
from eventsim.model import LIF, CubaLIF
from eventsim.sensor import Sensor

SECOND = {"time_unit": 1000.0}
TICKS = 90


def network_of(*nodes, shape=(30,), **reading):
    return from_graph(chain(shape, *nodes), Reading(**(reading or SECOND))).network


def steps_of(name):
    scheme = READ[name]
    return {"step": naive.exact if scheme.exponential else naive.euler, "strict": scheme.strict, "sums": scheme.sums,
            "sums_current": scheme.sums_current}


def one(node):
    """A node's numbers, without arrays."""
    names = [name for name in vars(node) if isinstance(getattr(node, name), np.ndarray)]
    return type("Numbers", (), {name: float(getattr(node, name).flat[0]) for name in names})


@pytest.mark.parametrize("reset", ["hard", "subtract", "delayed"])
@pytest.mark.parametrize("scheme", READ)
@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF", "Threshold"])
def test_neurons_fire_as_the_equations_say(kind, scheme, reset, rng):
    tick = READ[scheme].tick or 1e-3
    node = {
        "IF": lambda: integrate(50, r=0.5, theta=0.9, reset=-0.25),
        "LIF": lambda: lif(50, tau=12 * tick, r=2.0, theta=0.4, leak=-0.1, reset=-0.2),
        "CubaLIF": lambda: cuba(50, 12 * tick, 4 * tick, r=3.0, theta=0.5, leak=0.1, reset=0.05, w_in=2.0),
        "Threshold": lambda: nir.Threshold(full(50, 0.6)),
    }[kind]()
    weights = linear(50, 30, bias=0.05)
    network = network_of(weights, node, scheme=scheme, reset=reset, **({} if READ[scheme].tick else SECOND))
    assert network.dt == 1.0
    given = (rng.random((TICKS, 30)) < 0.2).astype(float)
    drive = given @ weights.weight.T.astype(float) + weights.bias.astype(float)
    reset = "hard" if kind == "Threshold" else reset
    out, u = naive.neurons(kind, one(node), drive, tick, reset=reset, **steps_of(scheme))
    assert 0.002 < out.mean() < 0.9
    ours = dense_of(run(network, spikes_of(given)).output)
    theta = one(node).threshold if kind == "Threshold" else one(node).v_threshold
    size = np.abs(u).max() + np.abs(drive).sum(axis=0).max() * 3
    differ = [(i, np.flatnonzero(ours[:, i] != out[:, i])[0]) for i in np.flatnonzero((ours != out).any(axis=0))]
    assert len(differ) <= 1 and all(abs(u[t, i] - theta) <= ROUNDING * size for i, t in differ)


@pytest.mark.parametrize("scheme, wanted", [("euler", [4, 8]), ("sinabs", [3, 6, 9])])
def test_thresholds_are_strict_or_not(scheme, wanted):
    weights = nir.Linear(np.full((1, 1), 0.25, np.float32))
    network = network_of(weights, integrate(1, theta=0.75), shape=(1,), scheme=scheme, reset="hard")
    given = np.zeros((12, 1))
    given[1:11] = 1
    assert run(network, spikes_of(given)).output.tick.tolist() == wanted


def test_weights_stay_and_potentials_are_scaled():
    weights = linear(4, 3)
    network = network_of(weights, lif(4, tau=0.01, r=5.0, theta=0.4, leak=0.1, reset=-0.1), shape=(3,))
    np.testing.assert_array_equal(network.layers[0].weight, weights.weight.T)
    assert network.neuron.theta == pytest.approx(0.3 / 0.5) and network.neuron.v_reset == pytest.approx(-0.2 / 0.5)
    assert np.exp(-1.0 / network.neuron.tau_mem) == pytest.approx(0.9)


def test_a_gain_of_one_but_for_rounding_is_one():
    network = network_of(linear(4, 3), lif(4, tau=0.1 / 3, r=100 / 3, theta=1.0), shape=(3,))
    assert network.neuron.theta == 1.0


@pytest.mark.parametrize("reading, dt, unit", [
    ({"time_unit": 1000.0}, 1.0, 20.0), ({"time_unit": 1000.0, "dt": 0.5}, 0.5, 20.0),
    ({"time_unit": 5000.0}, 1.0, 100.0),
    ({"scheme": "snntorch", "dt": 2.0}, 2.0, 400.0), ({"scheme": "snntorch", "time_unit": 1000.0}, 0.1, 20.0),
    ({"scheme": "snntorch", "time_unit": 1000.0, "dt": 1.0}, 1.0, 20.0), ({"scheme": "sinabs", "dt": 50.0}, 50.0, 1.0),
])
def test_units_of_time(reading, dt, unit):
    network = network_of(linear(4, 3), lif(4, tau=0.02), shape=(3,), **reading)
    tau = network.neuron.tau_mem
    assert network.dt == dt
    if not READ[reading.get("scheme", "euler")].exponential:
        tau = dt / (1 - np.exp(-dt / tau))
    assert tau == pytest.approx(unit)


CONVOLUTIONS = {
    "12c3": ((2, 7, 6), [conv(12, 2, bias=0.1), lif((12, 5, 4))], "6x7x2-12c3"),
    "options": ((2, 9, 8), [conv(4, 2, 3, 2, 2, 2, 2), lif((4, 5, 4))], "8x9x2-4c3s2p2d2g2"),
    "same": ((2, 7, 6), [nir.Conv2d(None, full((3, 2, 3, 3), 0.23), 1, "same", 1, 1, full(3, 0.0)), lif((3, 7, 6))],
             "6x7x2-3c3p1"),
    "valid": ((1, 7, 6), [nir.Conv2d(None, full((3, 1, 3, 3), 0.3), 1, "valid", 1, 1, full(3, 0.0)), lif((3, 5, 4))],
              "6x7x1-3c3"),
    "sum pool": ((2, 8, 6), [pool(nir.SumPool2d, 2), integrate((2, 4, 3))], "6x8x2-2c2s2g2"),
    "sum pool, weighed": ((2, 8, 6), [pool(nir.SumPool2d, 3, 2, 1), nir.Scale(full((2, 4, 3), 0.7)),
                                      integrate((2, 4, 3))], "6x8x2-2c3s2p1g2"),
    "mean pool": ((2, 8, 6), [pool(nir.AvgPool2d, 2), integrate((2, 4, 3), theta=0.4)], "6x8x2-2c2s2g2"),
    "pools between": ((2, 8, 8), [conv(4, 2, padding=1), lif((4, 8, 8)), pool(nir.SumPool2d, 2),
                                  conv(5, 4, bias=0.2), lif((5, 2, 2)), pool(nir.AvgPool2d, 2), flatten((5, 1, 1)),
                                  linear(3, 5, bias=0.1), lif(3, theta=0.1)], "8x8x2-4c3p1-2p-5c3-2p-3"),
    "one to one": ((3, 4, 4), [lif((3, 4, 4), theta=1.2)], "4x4x3-3c1g3"),
    "dense, one to one": ((8,), [linear(5, 8), lif(5), integrate(5)], "8-5-5c1g5"),
    "scales": ((8,), [nir.Scale(full(8, 2.0)), linear(5, 8, bias=0.2), nir.Scale(full(5, 0.5)), lif(5)], "8-5"),
    "flat from the start": ((2, 3, 4), [flatten((2, 3, 4)), linear(5, 24), lif(5)], "4x3x2-5"),
    "batch axis": ((1, 8), [linear(5, 8), lif(5)], "8-5"),
}


def naive_values(x, node):
    """What a node that does not spike makes of float[T, ...]."""
    if isinstance(node, nir.Flatten):
        return x.reshape(len(x), -1)
    if isinstance(node, nir.Scale):
        return x * node.scale
    if isinstance(node, nir.Linear | nir.Affine):
        return x @ node.weight.T.astype(float) + getattr(node, "bias", 0.0)
    if isinstance(node, nir.Conv2d):
        size, (stride, dilation), groups = node.weight.shape[2], (node.stride[0], node.dilation[0]), node.groups
        pad = {"same": size // 2, "valid": 0}.get(node.padding) if isinstance(node.padding, str) else node.padding[0]
        weight, bias, scale = node.weight.astype(float), node.bias, 1.0
    else:
        size, stride, pad, dilation = node.kernel_size[0], node.stride[0], node.padding[0], 1
        groups, bias = x.shape[1], np.zeros(x.shape[1])
        weight = np.ones((groups, 1, size, size))
        scale = 1 / size**2 if isinstance(node, nir.AvgPool2d) else 1.0
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    span = (size - 1) * dilation + 1
    rows, columns = ((n - span) // stride + 1 for n in x.shape[2:])
    out = np.zeros((len(x), len(weight), rows, columns))
    own, given = len(weight) // groups, weight.shape[1]
    for c in range(len(weight)):
        group = c // own
        for i in range(rows):
            for j in range(columns):
                seen = x[:, group * given : (group + 1) * given, i * stride : i * stride + span : dilation,
                         j * stride : j * stride + span : dilation]
                out[:, c, i, j] = (seen * weight[c]).sum(axis=(1, 2, 3)) * scale + bias[c]
    return out


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_chains_of_nodes(name, rng):
    shape, nodes, notation = CONVOLUTIONS[name]
    network = network_of(*nodes, shape=shape)
    assert network.arch.notation == notation
    x = (rng.random((60, *[n for n in shape if n > 1 or len(shape) == 3])) < 0.3).astype(float)
    given, wanted = x.reshape(60, -1), []
    for node in nodes:
        if isinstance(node, nir.LIF | nir.IF):
            flat = x.reshape(60, -1)
            out, _ = naive.neurons(type(node).__name__, one(node), flat, 1e-3)
            wanted.append(out)
            x = out.reshape(x.shape)
        else:
            x = naive_values(x, node)
    spikes, _, excused = agree(network, given, wanted)
    assert spikes > 20 and excused <= 1


def test_an_input_may_be_flat_and_be_that_of_a_sensor():
    network = network_of(linear(5, 24), integrate(5), shape=(24,), sensor=Sensor(4, 3, 2))
    assert network.arch.notation == "4x3x2-5"
    network = network_of(conv(5, 2), integrate((5, 1, 2)), shape=(24,), sensor=Sensor(4, 3, 2))
    assert network.arch.notation == "4x3x2-5c3"


def test_neurons_differ_by_layer():
    network = network_of(linear(5, 8), lif(5), linear(4, 5), cuba(4), linear(3, 4), integrate(3), shape=(8,))
    assert [type(neuron) for neuron in network.neurons] == [LIF, CubaLIF, LIF]
    assert network.layers[0].neuron is None and network.neurons[2].tau_mem == np.inf


def test_a_long_time_constant_is_doubted():
    notes = from_graph(chain((8,), linear(5, 8), lif(5, tau=20.0)), Reading(time_unit=1000.0)).notes
    assert len(notes) == 1 and "20 s, which is long for a neuron" in notes[0]


def test_a_reset_that_the_file_does_not_say_is_doubted():
    graph = chain((8,), linear(5, 8), lif(5))
    for scheme, reset, n in (("snntorch", None, 1), ("snntorch", "hard", 0), ("norse", None, 0), ("sinabs", None, 1)):
        notes = from_graph(graph, Reading(scheme=scheme, reset=reset, time_unit=10_000.0, dt=1.0)).notes
        notes = [note for note in notes if "long" not in note]
        assert len(notes) == n and all("is read with the framework's default reset" in note for note in notes)


def varied(node, name, factor=2):
    values = getattr(node, name).copy()
    values.flat[0] *= factor
    setattr(node, name, values)
    return node


def integrating(kind, shape=6, tau=0.02, r=20.0, leak=0.0):
    values = {"tau": tau, "r": r, "v_leak": leak} if kind == "LI" else {"r": r}
    return getattr(nir, kind)(**{name: full(shape, value) for name, value in values.items()})


@pytest.mark.parametrize("scheme", READ)
@pytest.mark.parametrize("kind, r, leak", [("LI", 20.0, 0.0), ("LI", -3.0, 0.2), ("I", 0.5, 0.0)])
def test_what_never_spikes_has_the_potentials_of_the_equations(kind, r, leak, scheme, rng):
    """Counted from v_leak; the weights take over the resistance, whatever its sign."""
    tick = READ[scheme].tick or 1e-3
    nodes = [linear(6, 30, bias=0.1), integrating(kind, tau=20 * tick, r=r, leak=leak)]
    reading = Reading(scheme=scheme, time_unit=None if READ[scheme].tick else 1000.0, readout="max")
    found = from_graph(chain((30,), *nodes), reading)
    assert len(found.notes) == (leak != 0) + (READ[scheme].reset != "hard")
    x = (rng.random((TICKS, 30)) < 0.1).astype(float)
    p = one(nodes[1])
    given = x @ nodes[0].weight.T + nodes[0].bias
    if kind == "I":
        wanted = np.cumsum(p.r * given, axis=0)
    else:
        p.v_threshold = 1e9
        _, wanted = naive.neurons("LIF", p, given, tick, **steps_of(scheme))
    trace = run(found.network, spikes_of(x))
    got = potentials(found.network, trace, "dense1", range(6))
    np.testing.assert_allclose(got.T, wanted - leak, rtol=0, atol=1e-5 * np.abs(wanted).max())
    np.testing.assert_allclose(trace.scores[0], (wanted - leak).max(axis=0), atol=1e-5 * np.abs(wanted).max())


def test_neurons_that_never_spike_may_differ_in_resistance(rng):
    node = integrating("LI")
    node.r = rng.normal(0.0, 20.0, 6).astype(np.float32)
    network = network_of(linear(6, 30), node)
    plain = network_of(linear(6, 30), integrating("LI", r=20.0))
    np.testing.assert_allclose(network.layers[0].weight, plain.layers[0].weight * (node.r / 20.0), rtol=1e-5)


@pytest.mark.parametrize("last", [lif(5, theta=9.0), integrate(5), integrating("LI", 5), integrating("I", 5)])
def test_the_last_neurons_are_read_where_one_says_so(last):
    found = from_graph(chain((8,), linear(5, 8), lif(5), linear(5, 5), last), Reading(**SECOND, readout="last"))
    assert found.network.readout.readout == "last" and found.network.neuron == from_graph(
        chain((8,), linear(5, 8), lif(5)), Reading(**SECOND)).network.neuron
    assert not any("--nir-readout" in note for note in found.notes)
    if type(last).__name__ in ("LI", "I"):
        alone = from_graph(chain((8,), linear(5, 8), last), Reading(**SECOND))
        assert alone.network.readout.readout == "mean" and "its mean is taken; --nir-readout" in alone.notes[-1]


@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF", "Threshold"])
def test_neurons_of_a_layer_may_differ_in_scale(kind, rng):
    """Each fires as a layer of its own numbers does."""
    theta, r = (rng.uniform(0.5, 2.0, 20).astype(np.float32) for _ in range(2))
    node = {"IF": lambda: nir.IF(r, theta, -0.5 * theta), "Threshold": lambda: nir.Threshold(theta),
            "LIF": lambda: nir.LIF(full(20, 0.02), 20 * r, full(20, 0.0), theta, -0.5 * theta),
            "CubaLIF": lambda: nir.CubaLIF(full(20, 5e-3), full(20, 0.02), r, full(20, 0.0), theta, w_in=20 * r)}
    node = node[kind]()
    weights = linear(20, 30, bias=0.05)
    given = (rng.random((TICKS, 30)) < 0.2).astype(float)
    ours = dense_of(run(network_of(weights, node), spikes_of(given)).output)
    drive, differ = given @ weights.weight.T.astype(float) + weights.bias.astype(float), 0
    for i in range(20):
        alone = type("Numbers", (), {name: float(value[i]) for name, value in vars(node).items()
                                     if isinstance(value, np.ndarray)})
        out, _ = naive.neurons(kind, alone, drive[:, [i]], 1e-3)
        differ += (out[:, 0] != ours[:, i]).any()
    assert 0.002 < ours.mean() < 0.9 and differ <= 1


REFUSED = {
    "no unit": ([linear(5, 8), lif(5)], {}, "node '1' (LIF) has a tau of 0.02 and the file does not say in what unit"),
    "too short": ([linear(5, 8), lif(5)], {"time_unit": 1.0}, "0.02 ms, which is not above the tick of 1 ms"),
    "varied": ([linear(5, 8), varied(lif(5), "tau")], SECOND, "(LIF) has 2 different values of tau from 0.02 to "
               "0.04, and eventsim has one for a layer; give all its neurons the same, before they are trained"),
    "varied reset": ([linear(5, 8), varied(lif(5, reset=-1.0), "v_threshold")], SECOND, "2 different values of v_thr"),
    "varied leak": ([linear(5, 8), varied(lif(5, leak=-1.0), "r")], SECOND, "2 different values of r from 20 to 40"),
    "varied sign": ([linear(5, 8), varied(lif(5), "r", -1)], SECOND, "whose input counts 0, or is of different"),
    "no number": ([linear(5, 8), lif(5, theta=np.nan)], SECOND, "v_threshold that are not finite"),
    "restless": ([linear(5, 8), lif(5, theta=1.0, leak=2.0)], SECOND,
                 "has a v_leak of 2, which is not below its v_threshold of 1, so that it fires without input"),
    "threshold": ([linear(5, 8), lif(5, theta=-1.0)], SECOND, "cannot be a neuron of eventsim: neuron parameter theta"),
    "reset": ([linear(5, 8), lif(5, reset=2.0)], SECOND, "v_reset must lie below the threshold"),
    "resistance": ([linear(5, 8), lif(5, r=-1.0)], SECOND, "input that counts -0.05"),
    "behind a read-out": ([linear(5, 8), nir.LI(full(5, 1.0), full(5, 1.0), full(5, 0.0)), linear(4, 5), lif(4)],
                          SECOND, "node '1' (LI) never spikes, so nothing comes to node '2' (Linear) behind it"),
    "scaled read-out": ([linear(5, 8), nir.I(full(5, 1.0)), nir.Scale(full(5, 2.0))], SECOND,
                        "node '1' (I) never spikes, so nothing comes to node '2' (Scale)"),
    "a read current": ([linear(5, 8), cuba(5)], {"time_unit": 1000.0, "readout": "max"},
                       "node '1' (CubaLIF) has a current in its synapses or no memory"),
    "varied read-out": ([linear(5, 8), varied(nir.LI(full(5, 1.0), full(5, 1.0), full(5, 0.0)), "tau")], SECOND,
                        "(LI) has 2 different values of tau"),
    "integrated current": ([linear(5, 8), nir.CubaLI(full(5, 1.0), full(5, 1.0), full(5, 1.0), full(5, 0.0))], SECOND,
                           "node '1' (CubaLI) integrates a current and never spikes"),
    "no neurons": ([linear(5, 8)], SECOND, "node 'output' (Output) gets numbers, not spikes"),
    "pool last": ([pool(nir.SumPool2d, 2)], SECOND, "looks at planes, but gets the shape (8,)"),
    "two weights": ([linear(5, 8), linear(5, 5), lif(5)], SECOND, "node '1' (Linear) follows other weights"),
    "inputs": ([linear(5, 7), lif(5)], SECOND, "has weights for 7 inputs, but gets 8"),
    "shape": ([linear(5, 8), lif(4)], SECOND, "has tau of the shape (4,)"),
    "scale": ([nir.Scale(np.arange(8.0)), linear(5, 8), lif(5)], SECOND,
              "values of scale from 0 to 7, and eventsim has one for a layer; multiply the weights with them, and"),
    "zero": ([nir.Scale(full(8, 0.0)), linear(5, 8), lif(5)], SECOND, "gets input that counts 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_with_the_node_and_what_would_work(name):
    nodes, reading, words = REFUSED[name]
    with pytest.raises(FormatError) as caught:
        from_graph(chain((8,), *nodes), Reading(**reading))
    assert words in str(caught.value) and str(caught.value).startswith("graph: ") and "\n" not in str(caught.value)


def test_axes_that_are_neither_neurons_nor_planes_are_refused():
    with pytest.raises(FormatError, match=r"node 'input' \(Input\) has the shape \(2, 8\); eventsim takes \(N,\) or"):
        from_graph(chain((2, 8), linear(5, 16), lif(5)), Reading(**SECOND))


def test_damaged_notes_are_refused_with_their_node():
    node = lif(5)
    node.metadata = {NOTE: 3}
    graph = chain((8,), linear(5, 8), node)
    graph.metadata = {NOTE: {"scheme": "euler", "dt": 1.0, "time_unit": 1000.0}}
    with pytest.raises(FormatError, match=r"^graph: node '1' \(LIF\) has damaged notes of eventsim; remove"):
        from_graph(graph)


PLANES = {
    "no flatten": ([linear(5, 96), lif(5)], "put a Flatten before it"),
    "rectangle": ([nir.Conv2d(None, full((2, 2, 3, 2), 1.0), 1, 0, 1, 1, full(2, 0.0))], "one kernel for both axes"),
    "strides": ([nir.Conv2d(None, full((2, 2, 3, 3), 1.0), (1, 2), 0, 1, 1, full(2, 0.0))], "one stride for both axes"),
    "even same": ([nir.Conv2d(None, full((2, 2, 2, 2), 1.0), 1, "same", 1, 1, full(2, 0.0))], "the padding 'same'"),
    "channels": ([conv(4, 3)], "in 1 groups, but gets 2 channels"), "large": ([conv(4, 2, 9)], "do not fit planes"),
    "padding": ([conv(4, 2, 3, padding=3)], "a padding below the window"),
    "overlap": ([pool(nir.AvgPool2d, 3, 2), conv(4, 2, 1), lif((4, 2, 3))], "make stride and window equal"),
    "varied": ([conv(4, 2), varied(lif((4, 4, 6)), "r")], "numbers that differ within a channel"),
    "two pools": ([pool(nir.SumPool2d, 2), pool(nir.SumPool2d, 2)], "put neurons (IF or LIF) before it"),
    "some axes": ([nir.Flatten(np.array([2, 6, 8]), 1, -1)], "flattens all of them"),
    "pool at the end": ([pool(nir.SumPool2d, 2)], "put neurons (IF or LIF) before it"),
}


@pytest.mark.parametrize("name", PLANES)
def test_what_cannot_be_of_planes_is_refused(name):
    nodes, words = PLANES[name]
    with pytest.raises(FormatError) as caught:
        from_graph(chain((2, 6, 8), *nodes), Reading(**SECOND))
    assert words in str(caught.value)


def test_graphs_that_are_no_chain_are_refused():
    nodes = {"input": nir.Input(np.array([8])), "w": linear(8, 8), "lif": lif(8), "output": nir.Output(np.array([8]))}
    edges = [("input", "w"), ("w", "lif"), ("lif", "output")]

    def refused(words, more=(), without=(), extra=None):
        kept = [edge for edge in edges if edge not in without]
        graph = nir.NIRGraph(nodes | (extra or {}), kept + list(more), type_check=False)
        with pytest.raises(FormatError) as caught:
            from_graph(graph, Reading(**SECOND))
        assert words in str(caught.value)

    refused("node 'w' gets its own output back through 'lif'", more=[("lif", "w")])
    refused("sends its output to 2 nodes ('output', 'v')", more=[("lif", "v")], extra={"v": linear(8, 8)})
    refused("takes its input from 2 nodes", more=[("v", "w")], extra={"v": linear(8, 8)})
    refused("there is no node 'v'", more=[("lif", "v")])
    refused("2 Input nodes", extra={"v": nir.Input(np.array([8]))})
    refused("node 'output' is not on the way", without=[("lif", "output")])


@pytest.mark.parametrize("reading", [{"scheme": "brian"}, {"dt": 0.0}, {"time_unit": "s"}, {"reset": "soft"},
                                     {"sensor": (4, 3)}])
def test_readings_that_cannot_be_are_refused(reading):
    with pytest.raises(ConfigError):
        Reading(**reading)
