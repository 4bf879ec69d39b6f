"""Potentials that snnTorch, Norse and sinabs computed and exported, read here; and ours read there: the same ones."""

import nir
import numpy as np
import pytest
from agreement import spikes_of
from naive import li as naive

from eventsim.engine import potentials, run
from eventsim.exchange import nir as exchange
from eventsim.model import LIF, Network

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
TICKS, N_IN, WIDTH, N_OUT = 120, 40, 50, 7
ROUNDING = 2e-5


@pytest.fixture
def torch():
    found = pytest.importorskip("torch")
    found.manual_seed(2)
    found.set_num_threads(1)
    return found


@pytest.fixture
def given():
    return (np.random.default_rng(4).random((TICKS, N_IN)) < 0.15).astype(np.float32)


def check(network, given, wanted):
    """The network's potentials over time are those of float[T, N], and what is read of them follows."""
    trace = run(network, spikes_of(given.astype(float)))
    hidden = trace.layers[0].spikes
    assert 0 < len(hidden) < TICKS * WIDTH
    name, size = network.layer_names[-1], np.abs(wanted).max()
    got = potentials(network, trace, name, np.arange(N_OUT))
    np.testing.assert_allclose(got.T, wanted, rtol=0, atol=ROUNDING * size)
    score, _ = naive.read(wanted, network.readout.readout)
    np.testing.assert_allclose(trace.readout.score[0], score, rtol=0, atol=ROUNDING * size)


def by_ticks(torch, modules, x, has_state, takes=lambda found: found):
    """What the last of some modules gives in every tick, float[T, N]."""
    states, out = {}, []
    with torch.no_grad():
        for now in x:
            now = torch.tensor(now)[None]
            for i, module in enumerate(modules):
                if has_state(module):
                    now, states[i] = takes(module(now, *states.get(i, ())))
                else:
                    now = module(now)
            out.append(now.numpy()[0])
    return np.array(out)


def layers(torch, first, last):
    modules = [torch.nn.Linear(N_IN, WIDTH), first, torch.nn.Linear(WIDTH, N_OUT), last]
    with torch.no_grad():
        modules[0].weight.mul_(4), modules[2].weight.mul_(3)
    return modules


@pytest.mark.parametrize("readout", ["mean", "last", "max"])
def test_a_network_of_snntorch_whose_last_layer_resets_nothing(torch, given, tmp_path, readout):
    """Its exporter writes LIF all the same, so whoever reads it says that potentials are read."""
    snn = pytest.importorskip("snntorch")
    export = pytest.importorskip("snntorch.export_nir").export_to_nir

    def leaky(n, beta, reset):
        return snn.Leaky(beta=torch.full((n,), beta), threshold=torch.full((n,), 1.0), reset_mechanism=reset)

    modules = layers(torch, leaky(WIDTH, 0.85, "subtract"), leaky(N_OUT, 0.9, "none"))

    def takes(found):
        return found[0], (found[1],)

    spikes, last = modules[:-1], modules[-1]
    currents = by_ticks(torch, spikes, given, lambda module: hasattr(module, "reset_mechanism"), takes)
    mem, wanted = torch.zeros(1, N_OUT), []
    with torch.no_grad():
        for now in currents:
            _, mem = last(torch.tensor(now)[None], mem)
            wanted.append(mem.numpy()[0])
    for module in modules[1::2]:
        module.init_hidden = True
    nir.write(tmp_path / "net.nir", export(torch.nn.Sequential(*modules), torch.tensor(given[:1]), ignore_dims=[0]))
    reading = exchange.Reading(scheme="snntorch", reset="delayed", readout=readout)
    check(exchange.read(tmp_path / "net.nir", reading).network, given, np.array(wanted))


@pytest.mark.parametrize("v_leak", [0.0, 0.3])
def test_a_leaky_integrator_of_norse(torch, given, tmp_path, v_leak):
    pytest.importorskip("norse.torch")
    from norse.torch.module import leaky_integrator_box, lif_box
    from norse.torch.module.sequential import SequentialState
    from norse.torch.utils.export_nir import to_nir

    def full(n, value):
        return torch.full((n,), value)

    first = lif_box.LIFBoxCell(lif_box.LIFBoxParameters(
        tau_mem_inv=full(WIDTH, 100.0), v_leak=full(WIDTH, 0.0), v_th=full(WIDTH, 0.2)))
    last = leaky_integrator_box.LIBoxCell(leaky_integrator_box.LIBoxParameters(
        tau_mem_inv=full(N_OUT, 40.0), v_leak=full(N_OUT, v_leak)))
    modules = layers(torch, first, last)
    wanted = by_ticks(torch, modules, given, lambda module: module in (first, last),
                      lambda found: (found[0], (found[1],)))
    nir.write(tmp_path / "net.nir", to_nir(SequentialState(*modules), torch.tensor(given[:1])))
    found = exchange.read(tmp_path / "net.nir", exchange.Reading(scheme="norse"))
    assert len(found.notes) == 1 + (v_leak != 0)
    check(found.network, given, wanted - v_leak)


@pytest.mark.parametrize("norm, scheme", [(True, "sinabs"), (False, "sinabs-sum")])
def test_a_leaky_integrator_of_sinabs(torch, given, tmp_path, norm, scheme):
    sinabs = pytest.importorskip("sinabs.layers")
    to_nir = pytest.importorskip("sinabs.nir").to_nir
    from sinabs.activation import SingleSpike

    first = sinabs.LIFSqueeze(tau_mem=torch.full((WIDTH,), 10.0), norm_input=norm, batch_size=1,
                              spike_threshold=torch.full((WIDTH,), 1.0), spike_fn=SingleSpike)
    last = sinabs.ExpLeakSqueeze(tau_mem=torch.full((N_OUT,), 25.0), norm_input=norm, batch_size=1)
    modules = layers(torch, first, last)
    with torch.no_grad():
        modules[0].weight.mul_(5 if norm else 0.5)
        now = torch.tensor(given)
        for module in modules:
            now = module(now)
    graph = to_nir(torch.nn.Sequential(*modules), torch.tensor(given))
    nir.write(tmp_path / "net.nir", graph)
    check(exchange.read(tmp_path / "net.nir", exchange.Reading(scheme=scheme)).network, given, now.numpy())


def ours():
    network = Network(f"{N_IN}-{WIDTH}-{N_OUT}", LIF(tau_mem=10.0, reset="hard"), readout="last", readout_tau=25.0,
                      seed=None)
    rng = np.random.default_rng(7)
    for layer in network.layers:
        layer.weight = 2.0 / np.sqrt(layer.n_in) * rng.normal(0.2, 1.0, layer.weight_shape)
        layer.bias = np.abs(rng.normal(0.01, 0.01, layer.n_out))
    return network


def theirs(torch, scheme, graph, given):
    """Potentials of the last layer in every tick as a framework computes them that read the graph, float[T, N]."""
    if scheme == "sinabs":
        module = pytest.importorskip("sinabs.nir").from_nir(graph, batch_size=1)
        from sinabs.activation import SingleSpike

        for one in module.modules():
            if getattr(one, "spike_fn", None) is not None:
                one.spike_fn, one.min_v_mem = SingleSpike, None
        with torch.no_grad():
            found = module(torch.tensor(given))
        return (found[0] if isinstance(found, tuple) else found).numpy().reshape(TICKS, -1)
    if scheme == "snntorch":
        module = pytest.importorskip("snntorch.import_nir").import_from_nir(graph)
    else:
        module = pytest.importorskip("norse.torch").from_nir(graph, dt=1e-3, ignore_warnings=True)
    state, out, seen = None, [], []
    last = [one for one in module.modules() if type(one).__name__ in ("Leaky", "LIFBoxCell")][-1]
    last.register_forward_hook(lambda module, given, found: seen.append(
        module.mem if scheme == "snntorch" else found[1].v))
    with torch.no_grad():
        for now in given:
            _, state = module(torch.tensor(now)[None], state)
            out.append(seen[-1].numpy().ravel())
    return np.array(out)


@pytest.mark.parametrize("scheme", ["snntorch", "norse", "sinabs"])
def test_ours_have_the_same_potentials_there(torch, given, tmp_path, scheme):
    network = ours()
    if scheme == "sinabs":
        network.neuron = LIF(tau_mem=10.0)
    exchange.write(tmp_path / "ours.nir", network, exchange.Writing(scheme))
    wanted = potentials(network, run(network, spikes_of(given.astype(float))), "dense2", np.arange(N_OUT)).T
    got = theirs(torch, scheme, nir.read(tmp_path / "ours.nir"), given)
    if scheme == "norse":  # a unit of input adds a tick's share there, as the exporter notes
        got = got / -np.expm1(-1.0 / 25.0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=ROUNDING * np.abs(wanted).max())
