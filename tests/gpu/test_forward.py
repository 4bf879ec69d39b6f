"""The forward pass on a device: the bits of the CPU, and the naive reference."""

import copy
import pickle

import numpy as np
import pytest
from scenes import (
    Dyadic,
    dense,
    excused_spikes,
    naive_layer,
    random_network,
    random_spikes,
    some_but_not_all,
)

from eventsim.engine import forward, run
from eventsim.engine.forward import forward_layer
from eventsim.engine.gpu.devices import on_device
from eventsim.engine.gpu.spikes import DeviceSpikes
from eventsim.model import LIF, SRM, CubaLIF, Network
from eventsim.spikes import Spikes

INF = np.inf
NEURONS = {
    "plain": SRM(tau_syn=4.0), "dead ticks": SRM(tau_syn=3.0, t_abs=4.0), "dyadic": Dyadic(theta=4.0),
    "slow": SRM(tau_syn=1e8, theta=2e-7, scale_ref=0.0), "dead for long": SRM(tau_syn=3.0, scale_ref=0.0, t_abs=1e9),
}
LISTS = ("entry_start", "pair_start", "entry_lane", "entry_ticks", "rho")


def scene(rng, kind="plain", rate=0.1, n_ticks=100):
    """Three layers of several tiles, the last one of which is padded; with a low rate there are long silences."""
    network = random_network(rng, (50, 130, 70, 20), (3.0, 4.0, 4.0) if rate > 0.01 else (12.0, 9.0, 9.0),
                             NEURONS[kind])
    return network, random_spikes(rng, 50, 3, n_ticks, rate, repeats=True, empty=(1,))


def assert_same(got, want):
    """Two runs have the same spikes, counters and active sets, to the bit; the first was on a device."""
    for ours, theirs in zip(got.layers, want.layers, strict=True):
        assert isinstance(ours.spikes, DeviceSpikes)
        ours.spikes.check()
        assert ours.spikes == theirs.spikes
        assert (ours.synops, ours.dense_macs, ours.rows) == (theirs.synops, theirs.dense_macs, theirs.rows)
        assert (ours.active is None) == (theirs.active is None)
        if theirs.active is not None:
            active = ours.active.get()
            assert ours.active.n_pairs == theirs.active.n_pairs and active.full == theirs.active.full
            for name in LISTS:
                np.testing.assert_array_equal(getattr(active, name), getattr(theirs.active, name), name)
            n = theirs.spikes.n_neurons
            np.testing.assert_array_equal(ours.active.by_neuron(n), theirs.active.by_neuron(n))
    np.testing.assert_array_equal(got.predict(), want.predict())


@pytest.mark.parametrize("kind, rate", [
    ("plain", 0.1), ("plain", 0.004), ("dead ticks", 0.004), ("dyadic", 0.1), ("slow", 0.1), ("dead for long", 0.1),
])
@pytest.mark.parametrize("supports", [None, (0.3, 0.3, 0.3), (1.5, 1.0, 1000.0), (INF, INF, INF), (0.95, 0.3, INF)])
def test_a_run_has_the_bits_of_the_cpu(device, rng, kind, rate, supports):
    network, spikes = scene(rng, kind, rate)
    want = forward(network, spikes, supports=supports)
    assert any(some_but_not_all(done.spikes) for done in want.layers)
    assert_same(forward(on_device(network, device), spikes, supports=supports), want)


@pytest.mark.parametrize("kind", ["plain", "dead ticks"])
def test_spikes_are_those_of_the_naive_reference(device, rng, kind):
    network = random_network(rng, (50, 70), (3.0,), NEURONS[kind])
    spikes = random_spikes(rng, 50, 3, 60, empty=(1,))
    got = forward(on_device(network, device), spikes).output
    assert some_but_not_all(got)
    excuses = 0
    for b in range(3):
        out, u, _, margin = naive_layer(network.layers[0].weight, network.neuron, spikes, b)
        excuses += len(excused_spikes(dense(got, b), out, u, margin, network.neuron.theta))
    assert excuses <= 2


def test_a_batch_without_samples_or_ticks_or_spikes_has_no_output(device):
    network = on_device(random_network(np.random.default_rng(0), (5, 70), (1.0,)), device)
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=5, n_ticks=n_ticks)
        for support in (None, 0.5, 2.0, INF):
            trace = forward(network, spikes, supports=None if support is None else [support])
            trace.output.check()
            assert (trace.output.n_samples, len(trace.output), trace.output.n_neurons) == (n_samples, 0, 70)
            if support in (2.0, INF):
                assert trace.layers[0].active.n_pairs == n_samples * n_ticks * 70


def test_spikes_stay_on_the_device_until_they_are_asked_for(device, rng):
    network, spikes = scene(rng)
    trace = run(on_device(network, device), spikes)
    out = trace.layers[0].spikes
    assert out._fetched == [None, None] and len(out) > 0 and trace.synops > 0
    assert out._fetched == [None, None]
    np.testing.assert_array_equal(out.fired(), out.counts().any(axis=0))
    assert not out.address.flags.writeable and out.address is out.address


def test_a_layer_by_itself_takes_spikes_of_either_side(device, rng):
    network, spikes = scene(rng)
    ours = on_device(network, device)
    first = forward_layer(ours.layers[0], network.neuron, spikes)
    second = forward_layer(ours.layers[1], network.neuron, first.spikes)
    assert second.spikes == forward(network, spikes).layers[1].spikes


@pytest.mark.parametrize("neuron", [SRM(), LIF(), CubaLIF()], ids=lambda neuron: type(neuron).__name__)
def test_wide_blocks_and_others_give_the_same_bits(device, rng, monkeypatch, neuron):
    network = Network("30-130-70-5", neuron=neuron, seed=1)
    for layer in network.layers:
        layer.weight = 6.0 * layer.weight
    spikes, found = random_spikes(rng, 30, 3, 50, 0.4), []
    for many in (1, 1 << 20):
        monkeypatch.setattr(device, "multiprocessors", many)
        found.append(forward(on_device(network, device), spikes))
    for narrow, wide, want in zip(*(trace.layers for trace in (*found, forward(network, spikes))), strict=True):
        assert narrow.spikes == wide.spikes == want.spikes and len(want.spikes)


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, lambda spikes: pickle.loads(pickle.dumps(spikes))])
def test_copies_of_spikes_are_on_the_host(one_device, rng, make):
    network = random_network(rng, (30, 70), (4.0,))
    found = forward(on_device(network, one_device), random_spikes(rng, 30, 2, 40, 0.3)).output
    copied = make(found)
    assert type(copied) is Spikes and copied == found and len(copied)
