"""Active sets and gradients of leaky neurons on the exact clock: by following every input, and those of the grid."""

import numpy as np
import pytest
from exact_gradient_scenes import check_active, errors_for, random_times
from lif_scenes import NEURONS, parameters, strength
from naive import exact_lif_gradient as naive
from scenes import gradients_of

from eventsim.engine import run
from eventsim.model import Network

INF = np.inf


def network_of(rng, neurons, widths, dt, n_ticks, gain=0.5):
    """A network with normal weights, on the average excitatory, whose layers have these neurons."""
    network = Network("-".join(map(str, widths)), neurons[0], dt=dt, n_ticks=n_ticks, seed=None)
    for layer, neuron in zip(network.layers, neurons, strict=True):
        layer.neuron = neuron
        layer.weight = gain * strength(neuron) * rng.normal(0.15, 1.0, (layer.n_in, layer.n_out)) * np.sqrt(
            12 / layer.n_in)
    return network


def times_of(neuron, dt):
    """A neuron's parameters as the naive functions take them."""
    p = parameters(neuron, dt)
    p.t_abs = neuron.dead_time(dt)
    return p


def compare_with_naive(network, spikes, supports, errors):
    """Compare a run's spikes, active sets and gradients."""
    trace, plain = (run(network, spikes, supports=kept) for kept in (supports, None))
    dt, n_ticks, p = spikes.dt, spikes.n_ticks, [times_of(neuron, spikes.dt) for neuron in network.neurons]
    for mine, other in zip(trace.layers, plain.layers, strict=True):
        mine.spikes.check()
        assert len(mine.spikes) > 5
        np.testing.assert_array_equal(mine.spikes.address, other.spikes.address)
        np.testing.assert_allclose(mine.spikes.time, other.spikes.time, rtol=0, atol=1e-9)
    lists = [spikes, *(layer.spikes for layer in trace.layers)]
    weights = [layer.weight.astype(float) for layer in network.layers]
    wanted, excused = [np.zeros(w.shape) for w in weights], 0
    for b in range(spikes.n_samples):
        columns = [(one.time, one.address) for one in (given.sample(b) for given in lists)]
        potentials, active, cuts = [], [], []
        for k, (w, support) in enumerate(zip(weights, supports, strict=True)):
            u, dead = naive.sampled(*columns[k], w, *columns[k + 1], p[k], dt, n_ticks)
            where, doubtful = check_active(trace.layers[k].active, b, u, dead, support, p[k])
            potentials.append(u)
            active.append(where)
            cuts.append(naive.fired(*columns[k + 1], dt, n_ticks, w.shape[1]))
            excused += doubtful
        parts = naive.backward(columns[:-1], potentials, active, cuts, weights, errors[b].T, p, dt)
        for total, part in zip(wanted, parts, strict=True):
            total += part
    assert excused <= 3
    for got, want in zip(gradients_of(network, trace, errors), wanted, strict=True):
        assert np.abs(want).max() > 0
        assert np.abs(got - want).max() <= 5e-5 * np.abs(want).max()


@pytest.mark.parametrize(("supports", "n_ticks", "dt"), [((0.3, 0.6), 70, 1.0), ((INF, 1.5), 65, 0.3)], ids=str)
@pytest.mark.parametrize("name", NEURONS)
def test_active_sets_and_gradients_are_those_of_following_every_input(rng, name, supports, n_ticks, dt):
    network = network_of(rng, [NEURONS[name]] * 2, (12, 66, 6), dt, n_ticks)
    spikes = random_times(rng, 12, 60, n_ticks, dt, n_samples=2)
    compare_with_naive(network, spikes, supports, errors_for(network, spikes, rng))
