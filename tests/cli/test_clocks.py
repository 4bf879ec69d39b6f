"""A network on another clock than its own."""

import numpy as np
import pytest

import eventsim as es
from eventsim.cli.clocks import on_clock
from eventsim.engine.simulate import run
from eventsim.model.neurons import LIF, SRM, CubaLIF
from eventsim.spikes import Spikes


def _spikes(rng, n_ticks, dt):
    """Input of the network below, at the same times whatever the tick."""
    tick, address = np.sort(rng.integers(0, 60, 200)), rng.integers(0, 32, 200)
    pairs = np.unique(np.stack((tick * round(1 / dt), address), axis=1), axis=0)
    return Spikes([0, len(pairs)], pairs[:, 1], tick=pairs[:, 0], n_neurons=32, n_ticks=n_ticks, dt=dt)


@pytest.mark.parametrize("neuron", [SRM(theta=2.0), LIF(), CubaLIF(tau_mem=8.0)], ids=["srm", "lif", "cubalif"])
def test_what_is_constant_in_every_tick_is_so_in_the_sum_of_finer_ones(neuron):
    rng = np.random.default_rng(0)
    network = es.Network("4x4x2-8c3p1-bn-6", neuron, n_ticks=100, seed=0)
    network.layers[0].weight = np.abs(rng.normal(0, 1, network.layers[0].weight_shape))
    network.layers[1].weight = np.abs(rng.normal(0, 0.5, network.layers[1].weight_shape))
    network.layers[1].bias = np.full(6, 0.02)
    norm = network.layers[1].norm
    norm.running_mean, norm.running_var, norm.beta = np.full(8, 0.02), np.full(8, 0.5), np.full(8, 0.05)
    silent = Spikes([0, 0], np.empty(0, np.int32), tick=np.empty(0, np.int32), n_neurons=32, n_ticks=100, dt=1.0)
    counts = {}
    for dt in (1.0, 0.5, 0.1):
        fine = on_clock(network, ("grid", dt))
        assert fine.layers[1].bias[0] == pytest.approx(0.02 * dt)
        counts[dt] = len(run(fine, _spikes(np.random.default_rng(1), fine.n_ticks, dt)).output)
        alone = Spikes(silent.sample_ptr, silent.address, tick=silent.tick, n_neurons=32, n_ticks=fine.n_ticks, dt=dt)
        counts[dt, "alone"] = len(run(fine, alone).output)
    assert counts[1.0] > 100 and counts[1.0, "alone"] > 20
    for key, count in counts.items():
        wanted = counts[1.0] if isinstance(key, float) else counts[1.0, "alone"]
        assert abs(count - wanted) < 0.15 * wanted, counts
    assert network.layers[1].bias[0] == 0.02 and np.all(network.layers[1].norm.beta == np.float32(0.05))


@pytest.mark.parametrize("readout", ["mean", "last", "max"])
def test_potentials_that_are_read_hardly_depend_on_the_tick(readout):
    network = es.Network("4x4x2-20-3", LIF(), n_ticks=100, readout=readout, seed=0)
    network.layers[0].weight = np.abs(network.layers[0].weight) * 20
    scores = [run(on_clock(network, ("grid", dt)), _spikes(np.random.default_rng(1), round(100 / dt), dt))
              .readout.score for dt in (1.0, 0.25)]
    assert np.abs(scores[0]).max() > 0.05
    np.testing.assert_allclose(*scores, atol=0.15 * np.abs(scores[0]).max())
