"""Networks that snnTorch, Norse and sinabs built, ran and exported, read here; and ours read there: the same spikes."""

import nir
import numpy as np
import pytest
from agreement import agree, dense_of, spikes_of

from eventsim.engine import run
from eventsim.exchange import nir as exchange
from eventsim.model import LIF, CubaLIF, Network

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
TICKS = 120
FLAT, PLANES = (40,), (2, 10, 12)


@pytest.fixture
def torch():
    found = pytest.importorskip("torch")
    found.manual_seed(1)
    found.set_num_threads(1)
    return found


def given(shape, seed=0, rate=0.15):
    return (np.random.default_rng(seed).random((TICKS, *shape)) < rate).astype(np.float32)


def read(graph, tmp_path, **reading):
    """The network of a graph that went through a file."""
    nir.write(tmp_path / "net.nir", graph)
    return exchange.read(tmp_path / "net.nir", exchange.Reading(**reading)).network


def check(name, network, x, wanted, most=2):
    """Assert that layers agree and that they were busy; prints the figures."""
    wanted = [np.asarray(one, float).reshape(TICKS, -1) for one in wanted]
    n_spikes, n_neurons, excused = agree(network, x.reshape(TICKS, -1).astype(float), wanted)
    print(f"{name}: {n_spikes} spikes of {n_neurons} neurons, {excused} neurons excused")
    assert all(0 < one.sum() < one.size for one in wanted) and excused <= most


# snnTorch


def snn_module(torch, kind, n, reset, beta=0.9, alpha=0.8, **more):
    snn = pytest.importorskip("snntorch")
    shape = (n,) if isinstance(n, int) else n
    each = {"beta": torch.full(shape, beta), "threshold": torch.full(shape, 1.0), "reset_mechanism": reset, **more}
    return snn.Leaky(**each) if kind == "Leaky" else snn.Synaptic(alpha=torch.full(shape, alpha), **each)


def snn_run(torch, modules, x):
    """Spikes of every module with neurons."""
    states, out = {}, []
    with torch.no_grad():
        for now in x:
            now = torch.tensor(now)[None]
            for i, module in enumerate(modules):
                if hasattr(module, "reset_mechanism"):
                    now, *state = module(now, *states.get(i, ()))
                    states[i] = state
                    out.append((i, now.numpy()[0]))
                else:
                    now = module(now)
    return [np.array([one for j, one in out if j == i]) for i in sorted(states)]


def snn_graph(torch, modules, x):
    export = pytest.importorskip("snntorch.export_nir").export_to_nir
    for module in modules:
        if hasattr(module, "reset_mechanism"):
            module.init_hidden = True
    graph = export(torch.nn.Sequential(*modules), torch.tensor(x[:1]), ignore_dims=[0])
    for module in modules:
        if hasattr(module, "reset_mechanism"):
            module.init_hidden = False
            module.reset_mem()
    return graph


@pytest.mark.parametrize("kind, reset, ours", [
    ("Leaky", "subtract", "delayed"), ("Leaky", "zero", "hard"), ("Synaptic", "subtract", "delayed"),
])
def test_dense_networks_of_snntorch(torch, tmp_path, kind, reset, ours):
    x = given(FLAT)
    modules = [torch.nn.Linear(40, 70), snn_module(torch, kind, 70, reset, beta=0.85),
               torch.nn.Linear(70, 30, bias=False), snn_module(torch, kind, 30, reset)]
    with torch.no_grad():
        modules[0].weight.mul_(3), modules[2].weight.mul_(4)
    graph = snn_graph(torch, modules, x)
    network = read(graph, tmp_path, scheme="snntorch", reset=ours)
    assert network.dt == 1.0 and network.arch.notation == "40-70-30"
    check(f"snnTorch {kind} {reset}", network, x, snn_run(torch, modules, x))


def test_convolutions_of_snntorch(torch, tmp_path):
    x = given(PLANES, rate=0.08)
    modules = [torch.nn.Conv2d(2, 6, 3, stride=1, padding=1), snn_module(torch, "Leaky", (6, 10, 12), "subtract"),
               torch.nn.AvgPool2d(2), torch.nn.Conv2d(6, 8, 3, bias=False),
               snn_module(torch, "Leaky", (8, 3, 4), "subtract", beta=0.8), torch.nn.Flatten(), torch.nn.Linear(96, 10),
               snn_module(torch, "Leaky", 10, "subtract")]
    with torch.no_grad():
        modules[0].weight.mul_(2), modules[3].weight.mul_(4), modules[6].weight.mul_(4)
    network = read(snn_graph(torch, modules, x), tmp_path, scheme="snntorch")
    assert network.arch.notation == "12x10x2-6c3p1-2p-8c3-10"
    check("snnTorch convolutions", network, x, snn_run(torch, modules, x))


# Norse


def norse_run(torch, modules, x):
    """Spikes of every module with a state."""
    states, out = {}, {}
    with torch.no_grad():
        for now in x:
            now = torch.tensor(now)[None]
            for i, module in enumerate(modules):
                if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Flatten)):
                    now = module(now)
                else:
                    now, states[i] = module(now, states.get(i))
                    out.setdefault(i, []).append(now.numpy()[0])
    return [np.array(out[i]) for i in sorted(out)]


def norse_cells(torch, kind, n, tau=0.01):
    module = pytest.importorskip("norse.torch.module")
    from norse.torch.module import iaf, lif, lif_box

    def full(value):
        return torch.full((n,), value)

    assert module is not None
    if kind == "LIFBoxCell":
        p = lif_box.LIFBoxParameters(tau_mem_inv=full(1 / tau), v_leak=full(-0.1), v_th=full(0.2))
        return lif_box.LIFBoxCell(p)
    if kind == "LIFCell":
        return lif.LIFCell(lif.LIFParameters(tau_mem_inv=full(1 / tau), tau_syn_inv=full(200.0), v_leak=full(0.0),
                                             v_th=full(0.4)))
    return iaf.IAFCell(iaf.IAFParameters(v_th=full(1.0)))


@pytest.mark.parametrize("kind", ["LIFBoxCell", "LIFCell", "IAFCell"])
def test_dense_networks_of_norse(torch, tmp_path, kind):
    to_nir = pytest.importorskip("norse.torch.utils.export_nir").to_nir
    from norse.torch.module.sequential import SequentialState

    x = given(FLAT)
    modules = [torch.nn.Linear(40, 70), norse_cells(torch, kind, 70), torch.nn.Linear(70, 30, bias=False),
               norse_cells(torch, kind, 30, tau=0.02)]
    with torch.no_grad():
        modules[0].weight.mul_(6), modules[2].weight.mul_(6)
    graph = to_nir(SequentialState(*modules), torch.tensor(x[:1]))
    network = read(graph, tmp_path, scheme="norse")
    check(f"Norse {kind}", network, x, norse_run(torch, modules, x))


# sinabs


def sinabs_run(torch, modules, x):
    import sinabs.layers as layers

    now, out = torch.tensor(x), []
    with torch.no_grad():
        for module in modules:
            if isinstance(module, layers.StatefulLayer):
                module.reset_states()
                now = module(now)
                out.append(now.numpy())
            else:
                now = module(now)
    return out


def sinabs_neurons(torch, kind, shape, norm=True):
    layers = pytest.importorskip("sinabs.layers")
    from sinabs.activation import SingleSpike

    each = {"spike_threshold": torch.full(shape, 1.0), "spike_fn": SingleSpike, "batch_size": 1}
    if kind == "LIF":
        return layers.LIFSqueeze(tau_mem=torch.full(shape, 10.0), norm_input=norm, **each)
    return layers.IAFSqueeze(**each)


@pytest.mark.parametrize("kind, norm, scheme", [
    ("LIF", True, "sinabs"), ("LIF", False, "sinabs-sum"), ("IAF", True, "sinabs"),
])
def test_dense_networks_of_sinabs(torch, tmp_path, kind, norm, scheme):
    to_nir = pytest.importorskip("sinabs.nir").to_nir
    x = given(FLAT)
    modules = [torch.nn.Linear(40, 70), sinabs_neurons(torch, kind, (70,), norm), torch.nn.Linear(70, 30, bias=False),
               sinabs_neurons(torch, kind, (30,), norm)]
    with torch.no_grad():
        modules[0].weight.mul_(20 if norm and kind == "LIF" else 2)
        modules[2].weight.mul_(20 if norm and kind == "LIF" else 2)
    graph = to_nir(torch.nn.Sequential(*modules), torch.tensor(x))
    network = read(graph, tmp_path, scheme=scheme)
    check(f"sinabs {kind} norm {norm}", network, x, sinabs_run(torch, modules, x))


def test_convolutions_of_sinabs(torch, tmp_path):
    to_nir = pytest.importorskip("sinabs.nir").to_nir
    import sinabs.layers as layers

    x = given(PLANES, rate=0.08)
    modules = [torch.nn.Conv2d(2, 6, 3, padding=1, bias=False), sinabs_neurons(torch, "IAF", (6, 10, 12)),
               layers.SumPool2d(2), torch.nn.Conv2d(6, 8, 3, bias=False), sinabs_neurons(torch, "IAF", (8, 3, 4)),
               torch.nn.Flatten(), torch.nn.Linear(96, 10, bias=False), sinabs_neurons(torch, "IAF", (10,))]
    graph = to_nir(torch.nn.Sequential(*modules), torch.tensor(x))
    graph.infer_types()  # without it nir cannot write them
    network = read(graph, tmp_path, scheme="sinabs")
    assert network.arch.notation == "12x10x2-6c3p1-2p-8c3-10"
    check("sinabs convolutions", network, x, sinabs_run(torch, modules, x))


def test_the_comparison_sees_another_reset(torch, tmp_path):
    x = given(FLAT)
    modules = [torch.nn.Linear(40, 70), snn_module(torch, "Leaky", 70, "subtract")]
    with torch.no_grad():
        modules[0].weight.mul_(3)
    graph, wanted = snn_graph(torch, modules, x), snn_run(torch, modules, x)
    for reset in ("hard", "subtract"):
        with pytest.raises(AssertionError):
            check("another reset", read(graph, tmp_path, scheme="snntorch", reset=reset), x, wanted)


# Ours, there, by what each of them reads NIR with; they take planes without a batch.


def ours(neuron, notation):
    network = Network(notation, neuron, seed=3)
    rng = np.random.default_rng(5)
    for layer in network.layers:
        scale = 3.0 * neuron.theta / np.sqrt(layer.fan_in) * (4.0 if isinstance(neuron, CubaLIF) else 1.0)
        layer.weight = scale * rng.normal(0.2, 1.0, layer.weight_shape)
        bias = np.maximum(rng.normal(0.0, 0.05, layer.shape.channels), 0.001)  # sinabs and Norse know Affine
        layer.bias = np.repeat(bias * neuron.theta, layer.shape.positions)
    return network


def by_ticks(torch, module, x):
    state, out = None, []
    with torch.no_grad():
        for now in x:
            found, state = module(torch.tensor(now if now.ndim == 3 else now[None]), state)
            out.append((found[0] if isinstance(found, tuple) else found).numpy().ravel())
    return np.array(out)


def snntorch_runs(torch, graph, x):
    return by_ticks(torch, pytest.importorskip("snntorch.import_nir").import_from_nir(graph), x)


def norse_runs(torch, graph, x):
    return by_ticks(torch, pytest.importorskip("norse.torch").from_nir(graph, dt=1e-3, ignore_warnings=True), x)


def sinabs_runs(torch, graph, x):
    module = pytest.importorskip("sinabs.nir").from_nir(graph, batch_size=1)
    from sinabs.activation import SingleSpike

    for one in module.modules():
        if hasattr(one, "spike_fn"):
            one.spike_fn, one.min_v_mem = SingleSpike, None  # it gives IF a lowest potential, of which NIR says nothing
    with torch.no_grad():
        found = module(torch.tensor(x))
    return (found[0] if isinstance(found, tuple) else found).numpy()


HARD = LIF(tau_mem=10.0, reset="hard")
STRICT = LIF(theta=0.7, tau_mem=7.0, reset="hard", strict=True)
CURRENT = CubaLIF(tau_mem=10.0, tau_syn=4.0, reset="hard")
THERE = [
    ("snntorch", snntorch_runs, HARD), ("snntorch", snntorch_runs, STRICT), ("snntorch", snntorch_runs, CURRENT),
    ("norse", norse_runs, HARD), ("norse", norse_runs, STRICT), ("norse", norse_runs, CURRENT),
    ("norse", norse_runs, LIF(tau_mem=np.inf, reset="hard")), ("sinabs", sinabs_runs, LIF(tau_mem=np.inf)),
    ("sinabs", sinabs_runs, LIF(tau_mem=10.0)), ("sinabs", sinabs_runs, LIF(theta=0.7, tau_mem=10.0, strict=True)),
]


@pytest.mark.parametrize("notation, shape", [("40-70-30", FLAT), ("12x10x2-4c3p1-6c3s2-10", PLANES)])
@pytest.mark.parametrize("scheme, runs, neuron", THERE)
def test_ours_fire_the_same_there(torch, tmp_path, scheme, runs, neuron, notation, shape):
    if scheme == "sinabs" and shape == PLANES and np.isfinite(neuron.tau_mem):
        pytest.skip("sinabs 2.0 cannot read LIF in planes")
    network, x = ours(neuron, notation), given(shape, rate=0.1)
    exchange.write(tmp_path / "ours.nir", network, exchange.Writing(scheme))
    out = runs(torch, nir.read(tmp_path / "ours.nir"), x).reshape(TICKS, -1)
    wanted = dense_of(run(network, spikes_of(x.reshape(TICKS, -1))).output)
    print(f"{scheme} runs {neuron}: {int(wanted.sum())} output spikes, {int((out != wanted).sum())} differ")
    assert 0 < wanted.sum() < wanted.size and (out != wanted).any(axis=0).sum() <= 1
