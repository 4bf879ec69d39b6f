"""Recurrence as snnTorch, Norse and sinabs run it, read here, and ours read there: the same spikes.

Only snnTorch exports it. The graphs of the other two are exports of their feed-forward networks, with the way back
added. snnTorch's import fails on recurrence, its own as well, but makes modules of the nodes.
"""

import nir
import numpy as np
import pytest
from agreement import dense_of, spikes_of
from test_nir_peers import FLAT, TICKS, by_ticks, check, given, norse_cells, norse_runs, read, snn_module, torch

from eventsim.engine import run
from eventsim.exchange import nir as exchange
from eventsim.model import LIF, CubaLIF, Network

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
__all__ = ["torch"]


def looped(graph, neurons, weight):
    """A graph with weights from the node of some neurons back to it."""
    ring = [(neurons, "way_back"), ("way_back", neurons)]
    return nir.NIRGraph(graph.nodes | {"way_back": nir.Linear(weight.detach().numpy())}, [*graph.edges, *ring],
                        type_check=False)


def snn_recurrent(torch, kind, n, reset, is_dense, **more):
    snn = pytest.importorskip("snntorch")
    each = {"beta": torch.full((n,), 0.85), "threshold": torch.full((n,), 1.0), "reset_mechanism": reset, **more}
    each |= {"all_to_all": is_dense} | ({"linear_features": n} if is_dense else {"V": torch.linspace(-0.5, 0.8, n)})
    if kind == "RSynaptic":
        each["alpha"] = torch.full((n,), 0.8)
    return getattr(snn, kind)(**each)


def snn_runs(torch, modules, x):
    """Spikes of every module with neurons, which keep their states themselves."""
    out = {}
    with torch.no_grad():
        for module in modules:
            if hasattr(module, "reset_mem"):
                module.reset_mem()
        for now in x:
            now = torch.tensor(now)[None]
            for i, module in enumerate(modules):
                now = module(now)
                if isinstance(now, tuple):
                    now = now[0]
                    out.setdefault(i, []).append(now.numpy()[0])
    return [np.array(out[i]) for i in sorted(out)]


@pytest.mark.parametrize("kind, reset, ours, more", [
    ("RLeaky", "subtract", "delayed", {}), ("RLeaky", "zero", "hard", {"reset_delay": False}),
    ("RSynaptic", "subtract", "delayed", {}),
])
@pytest.mark.parametrize("is_dense", [True, False])
def test_recurrent_networks_of_snntorch(torch, tmp_path, kind, reset, ours, more, is_dense):
    export = pytest.importorskip("snntorch.export_nir").export_to_nir
    x = given(FLAT)
    modules = [torch.nn.Linear(40, 70), snn_recurrent(torch, kind, 70, reset, is_dense, **more),
               torch.nn.Linear(70, 30, bias=False), snn_module(torch, "Leaky", 30, reset)]
    with torch.no_grad():
        modules[0].weight.mul_(3), modules[2].weight.mul_(4)
        if is_dense:
            modules[1].recurrent.weight.mul_(3)
    wanted = snn_runs(torch, modules, x)
    for module in modules[1::2]:
        module.init_hidden = True
    graph = export(torch.nn.Sequential(*modules), torch.tensor(x[:1]), ignore_dims=[0])
    network = read(graph, tmp_path, scheme="snntorch", reset=ours)
    assert network.arch.notation == "40-70r-30"
    check(f"snnTorch {kind} {reset} {'dense' if is_dense else 'one to one'}", network, x, wanted)


def test_what_is_lost_in_snntorch_after_a_reset_to_zero(torch, tmp_path):
    """Its recurrent neurons that are reset a tick late lose what comes in that tick, of which NIR says nothing."""
    export = pytest.importorskip("snntorch.export_nir").export_to_nir
    x = given(FLAT)
    modules = [torch.nn.Linear(40, 70), snn_recurrent(torch, "RLeaky", 70, "zero", True)]
    with torch.no_grad():
        modules[0].weight.mul_(3)
    wanted = snn_runs(torch, modules, x)
    modules[1].init_hidden = True
    network = read(export(torch.nn.Sequential(*modules), torch.tensor(x[:1]), ignore_dims=[0]), tmp_path,
                   scheme="snntorch", reset="hard")
    out = dense_of(run(network, spikes_of(x)).output)
    assert wanted[0].sum() < out.sum() and not (wanted[0][1:] * wanted[0][:-1]).any()


@pytest.mark.parametrize("kind", ["LIFBoxCell", "IAFCell"])
def test_recurrence_as_norse_runs_it(torch, tmp_path, kind):
    to_nir = pytest.importorskip("norse.torch.utils.export_nir").to_nir
    from norse.torch.module.sequential import RecurrentSequential, SequentialState

    x = given(FLAT)
    cell, after, back = norse_cells(torch, kind, 70), norse_cells(torch, kind, 30), torch.nn.Linear(70, 70, bias=False)
    first, second = torch.nn.Linear(40, 70), torch.nn.Linear(70, 30, bias=False)
    with torch.no_grad():
        first.weight.mul_(6), second.weight.mul_(6), back.weight.mul_(3)
    spikes = {0: [], 1: []}
    for i, module in enumerate((cell, after)):
        module.register_forward_hook(lambda _, __, out, i=i: spikes[i].append(out[0].detach().numpy()[0]))
    ring, states = RecurrentSequential(cell, back), [None, None]
    with torch.no_grad():
        for now in x:
            _, states[0] = ring(first(torch.tensor(now)[None]), states[0])
            _, states[1] = after(second(torch.tensor(spikes[0][-1])[None]), states[1])
    wanted = [np.array(spikes[i]) for i in (0, 1)]
    graph = to_nir(SequentialState(first, cell, second, after), torch.tensor(x[:1]))
    [neurons] = [name for name, node in graph.nodes.items() if getattr(node, "v_threshold", np.empty(0)).shape == (70,)]
    network = read(looped(graph, neurons, back.weight), tmp_path, scheme="norse")
    assert network.arch.notation == "40-70r-30"
    check(f"Norse RecurrentSequential of {kind}", network, x, wanted)


@pytest.mark.parametrize("kind, norm, scheme", [
    ("LIF", True, "sinabs"), ("LIF", False, "sinabs-sum"), ("IAF", True, "sinabs"),
])
def test_recurrence_as_sinabs_runs_it(torch, tmp_path, kind, norm, scheme):
    to_nir = pytest.importorskip("sinabs.nir").to_nir
    import sinabs.layers as layers
    from sinabs.activation import SingleSpike
    from test_nir_peers import sinabs_neurons

    x, scale = given(FLAT), 20 if norm and kind == "LIF" else 2
    first, second = torch.nn.Linear(40, 70), torch.nn.Linear(70, 30, bias=False)
    back = torch.nn.Linear(70, 70, bias=False)
    with torch.no_grad():
        first.weight.mul_(scale), second.weight.mul_(scale), back.weight.mul_(scale / 2)
    each = {"spike_threshold": torch.full((70,), 1.0), "spike_fn": SingleSpike, "rec_connect": back}
    ring = (layers.LIFRecurrent(tau_mem=torch.full((70,), 10.0), norm_input=norm, **each) if kind == "LIF"
            else layers.IAFRecurrent(**each))
    top = sinabs_neurons(torch, kind, (30,), norm)
    with torch.no_grad():
        wanted = [ring(first(torch.tensor(x))[None])[0]]
        wanted.append(top(second(wanted[0])))
    alone = torch.nn.Sequential(first, sinabs_neurons(torch, kind, (70,), norm), second, top)
    graph = to_nir(alone, torch.tensor(x))
    [neurons] = [name for name, node in graph.nodes.items() if getattr(node, "v_threshold", np.empty(0)).shape == (70,)]
    network = read(looped(graph, neurons, back.weight), tmp_path, scheme=scheme)
    assert network.arch.notation == "40-70r-30"
    check(f"sinabs {kind}Recurrent norm {norm}", network, x, [one.numpy() for one in wanted])


# Ours, there.


def ours(neuron):
    network, rng = Network("40-70r-30", neuron, seed=None), np.random.default_rng(5)
    strength = neuron.theta * (4.0 if isinstance(neuron, CubaLIF) else 1.0)
    for layer in network.layers:
        layer.weight = 1.5 * strength / np.sqrt(layer.n_in) * rng.normal(0.1, 1.0, layer.weight_shape)
        layer.bias = np.maximum(rng.normal(0.0, 0.05, layer.n_out), 0.001) * neuron.theta  # sinabs knows Affine
    network.layers[0].recurrent.weight = strength * rng.normal(0.0, 0.15, (70, 70))
    return network


def snntorch_runs(torch, graph, x):
    """By the modules that its import makes of nodes, of recurrent neurons from a graph of theirs."""
    importer = pytest.importorskip("snntorch.import_nir")
    graph = importer._replace_rnn_subgraph_with_nirgraph(graph)
    names = ["recurrent1_weight", "recurrent1", "dense2_weight", "dense2"]
    modules = [importer._nir_to_snntorch_module(graph.nodes[name]) for name in names]
    return snn_runs(torch, modules, x)[-1]


def sinabs_runs(torch, graph, x):
    pytest.importorskip("sinabs.nir")
    import sinabs.nir
    from sinabs.activation import SingleSpike

    for name, node in graph.nodes.items():
        if isinstance(node, nir.Linear):
            graph.nodes[name] = nir.Affine(node.weight, np.zeros(len(node.weight), np.float32))
    module = sinabs.nir.from_nir(graph, batch_size=1)
    for one in module.modules():
        if hasattr(one, "spike_fn"):
            one.spike_fn, one.min_v_mem = SingleSpike, None
    return by_ticks(torch, module, x)


THERE = [
    ("snntorch", snntorch_runs, LIF(tau_mem=10.0, reset="hard")),
    ("norse", norse_runs, LIF(theta=0.7, tau_mem=7.0, reset="hard", strict=True)),
    ("norse", norse_runs, CubaLIF(tau_mem=10.0, tau_syn=4.0, reset="hard")),
    ("norse", norse_runs, LIF(tau_mem=np.inf, reset="hard")),
    ("sinabs", sinabs_runs, LIF(tau_mem=10.0)), ("sinabs", sinabs_runs, LIF(tau_mem=np.inf)),
]


@pytest.mark.parametrize("scheme, runs, neuron", THERE)
def test_ours_fire_the_same_there(torch, tmp_path, scheme, runs, neuron):
    network, x = ours(neuron), given(FLAT, rate=0.1)
    exchange.write(tmp_path / "ours.nir", network, exchange.Writing(scheme))
    out = runs(torch, nir.read(tmp_path / "ours.nir"), x).reshape(TICKS, -1)
    wanted = dense_of(run(network, spikes_of(x)).output)
    print(f"{scheme} runs recurrent {neuron}: {int(wanted.sum())} output spikes, {int((out != wanted).sum())} differ")
    assert 0 < wanted.sum() < wanted.size and not (out != wanted).any()
