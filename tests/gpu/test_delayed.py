"""Delays and recurrence on a device: the bits of the CPU."""

import pytest
from cuda_shim import ShimDevice, build, find_compiler
from delay_scenes import KINDS, N_IN, N_TICKS, random_layer
from lif_scenes import NEURONS as LEAKY
from scenes import random_spikes, some_but_not_all

from eventsim import Network
from eventsim.engine import forward
from eventsim.engine.forward import forward_layer
from eventsim.engine.gpu.devices import on_device
from eventsim.errors import ConfigError
from eventsim.kernels.cuda import source
from eventsim.kernels.spec.cuda import KERNELS
from eventsim.model import SRM

from .test_forward import assert_same

NEURONS = {"srm": SRM(tau_syn=4.0), "srm, dead": SRM(tau_syn=4.0, t_abs=3.0)} | {
    name: LEAKY[name] for name in ("subtract", "hard", "dead", "current", "late")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name, longest", [(name, 9.0) for name in NEURONS] + [("srm", 300.0), ("late", 300.0)])
def test_every_kind_has_the_bits_of_the_cpu(one_device, rng, kind, name, longest):
    neuron = NEURONS[name]
    gain = (4.0 if longest < N_TICKS else 8.0) if neuron.family == "srm" else 0.3 * neuron.theta
    layer = random_layer(rng, kind, gain=gain, longest=longest, n_out=70 if name == "srm" else 9)
    spikes = random_spikes(rng, N_IN, 3, N_TICKS, 0.1, repeats=True, empty=(1,))
    want = forward_layer(layer, neuron, spikes)
    got = forward_layer(layer.on_device(one_device), neuron, spikes)
    assert got.spikes == want.spikes and got.synops == want.synops
    got.spikes.check()


@pytest.mark.parametrize("name", ["srm", "hard"])
@pytest.mark.parametrize("kind, n_out", [
    ("axonal, recurrent synaptic", 70), ("recurrent all", 1100), ("synaptic", 300), ("all", 300),
])
def test_spikes_reach_all_tiles(device, rng, kind, n_out, name):
    """Eighteen tiles are more than a block of threads has at once, and they wait for each other's spikes."""
    neuron = NEURONS[name]
    layer = random_layer(rng, kind, n_out=n_out, gain=4.0 if name == "srm" else 0.3 * neuron.theta)
    if n_out > 1000:
        layer.recurrent.weight = 0.25 * layer.recurrent.weight
    spikes = random_spikes(rng, N_IN, 2, 20, 0.1)
    want = forward_layer(layer, neuron, spikes).spikes
    assert some_but_not_all(want)
    assert forward_layer(layer.on_device(device), neuron, spikes).spikes == want


@pytest.mark.skipif(find_compiler() is None, reason="no C++ compiler, which runs CUDA on the host")
@pytest.mark.parametrize("name", ["srm", "hard"])
def test_tiles_beyond_those_that_are_near_are_heard(rng, monkeypatch, name):
    """Tiles whose spikes do not fit into shared memory have theirs looked up: with room for two of five."""
    here, kernel = "#define NEAR_TILES", f"recurrent{'_lif' if name == 'hard' else ''}_forward"
    text = source.kernels_of("delayed")
    assert text.count(f"{here} 512\n") == 1
    table = {own: entry for own, entry in KERNELS.items() if entry.file == "delayed"}
    library = build.compiled(build.program(text.replace(f"{here} 512\n", f"{here} 2\n"), table))
    launched = []

    def launcher(name):
        if name not in table:
            return build.launcher(name)
        function = getattr(library, f"launch_{name}")
        function.argtypes = build.types_of(table[name])
        launched.append(name)
        return function
    monkeypatch.setattr("cuda_shim.device.launcher", launcher)
    layer = random_layer(rng, "synaptic, recurrent axonal", n_out=300, gain=4.0 if name == "srm" else 0.3)
    spikes = random_spikes(rng, N_IN, 2, 20, 0.1)
    want = forward_layer(layer, NEURONS[name], spikes).spikes
    assert some_but_not_all(want) and want.address.max() > 128
    assert forward_layer(layer.on_device(ShimDevice(descending=True)), NEURONS[name], spikes).spikes == want
    assert launched == [kernel]


def test_between_other_layers(one_device, rng):
    network = Network("6x5x2-12c3-20r-9@d2-4", SRM(tau_syn=3.0), seed=3)
    for layer in network.layers:
        layer.weight = 4.0 * layer.weight
    spikes = random_spikes(rng, 60, 3, N_TICKS, 0.3)
    want = forward(network, spikes)
    assert some_but_not_all(want.output)
    ours = on_device(network, one_device)
    assert_same(forward(ours, spikes), want)
    assert forward(on_device(ours, None), spikes).output == want.output
    with pytest.raises(ConfigError, match="simulated only so far"):
        forward(ours, spikes, supports=[0.5] * 4)
