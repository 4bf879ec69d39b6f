"""Layers with delays and recurrence on the grid: the naive equations, immediate layers where they are the same."""

import numpy as np
import pytest
from delay_scenes import KINDS, N_IN, N_OUT, N_TICKS, random_delay, random_layer
from naive import delayed as naive
from naive.srm import alpha
from scenes import (
    ROUNDING,
    Dyadic,
    dense,
    excused_spikes,
    naive_neuron,
    pairs,
    random_network,
    random_spikes,
    some_but_not_all,
)

from eventsim import kernels
from eventsim.engine import Sink, backward, forward
from eventsim.engine.forward import forward_layer
from eventsim.errors import ConfigError
from eventsim.model import SRM, Network
from eventsim.model.layers import Dense, Recurrent
from eventsim.spikes import Spikes


def naive_synapses(part, dt):
    """Weights, and delays in ticks, of every synapse; ties of rounding go to the even tick, as Python rounds."""
    shape = part.n_in, part.n_out
    delay = np.zeros(()) if part.delay is None else part.delay
    delay = np.broadcast_to(delay[:, None] if delay.ndim == 1 else delay, shape)
    return part.weight.astype(float), np.array([round(d / dt) for d in delay.flat]).reshape(shape)


def naive_layer(layer, eps, nu, theta, n_abs, spikes, b, own=None):
    """`naive.layer` on sample ``b``; a layer that is not recurrent has no weights back to itself."""
    back = layer.recurrent if layer.kind == "recurrent" else Dense(layer.n_out, layer.n_out)
    synapses = *naive_synapses(layer, spikes.dt), *naive_synapses(back, spikes.dt)
    return naive.layer(dense(spikes, b), *synapses, eps, nu, theta, n_abs, own)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scene", [
    {}, {"neuron": SRM(tau_syn=4.0, t_abs=3.0), "repeats": True}, {"dt": 0.5, "neuron": SRM(tau_syn=2.0, t_abs=0.7)},
    {"longest": 300.0, "step": 12.5},
], ids=["plain", "dead ticks, repeats", "short ticks", "beyond the sample"])
def test_spikes_are_those_of_the_equations_but_for_rounding(rng, kind, scene):
    """The equations get back the spikes that were found, so that one that rounding decides is one difference."""
    neuron, dt = scene.get("neuron", SRM(tau_syn=4.0)), scene.get("dt", 1.0)
    longest = scene.get("longest", 9.0)
    gain = 8.0 if longest > N_TICKS else 4.0
    layer = random_layer(rng, kind, longest=longest, step=scene.get("step", 0.25), gain=gain)
    spikes = random_spikes(rng, N_IN, 3, N_TICKS, 0.1, scene.get("repeats", False), empty=(1,), dt=dt)
    p = naive_neuron(neuron, dt)
    eps, nu = alpha(p.tau_syn, dt, N_TICKS), -p.scale_ref * p.theta * alpha(p.tau_ref, dt, N_TICKS)
    got, excuses = forward_layer(layer, neuron, spikes).spikes, 0
    assert some_but_not_all(got) or (kind.startswith("all") and longest > N_TICKS)
    for b in range(3):
        ours = dense(got, b)
        want, u, size = naive_layer(layer, eps, nu, p.theta, p.n_abs, spikes, b, own=ours)
        excuses += len(excused_spikes(ours, want, u, ROUNDING * (size.max(axis=0) + p.theta), p.theta))
    assert excuses <= 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("t_abs", [None, 3.0])
def test_exact_sums_give_exact_spikes(rng, kind, t_abs):
    """Nothing is given back here; delays of half ticks, so that there are ties."""
    layer, neuron = random_layer(rng, kind, gain=2.0, longest=3.0, step=0.5, grid=0.25), Dyadic(theta=4.0, t_abs=t_abs)
    spikes = random_spikes(rng, N_IN, 4, 9, 0.2, repeats=True, empty=(2,))
    got = forward_layer(layer, neuron, spikes).spikes
    assert some_but_not_all(got)
    for b in range(4):
        want, *_ = naive_layer(layer, *neuron.kernels(9, False), 4.0, neuron.dead_ticks(1.0), spikes, b)
        np.testing.assert_array_equal(dense(got, b), want)


@pytest.mark.parametrize("delay", ["all", "axonal", "synaptic"])
@pytest.mark.parametrize("recurrent", [False, True])
def test_delays_of_0_and_no_recurrent_weights_are_an_immediate_layer(rng, delay, recurrent):
    immediate, neuron = Dense(N_IN, N_OUT), Dyadic(theta=4.0)
    immediate.weight = rng.integers(-6, 9, (N_IN, N_OUT)) / 4
    layer = (Recurrent if recurrent else Dense)(N_IN, N_OUT)
    layer.weight = immediate.weight
    layer.delay = random_delay(rng, layer, delay, 0.0, 1.0)
    spikes = random_spikes(rng, N_IN, 4, 10, 0.2, repeats=True, empty=(2,))
    got, want = forward_layer(layer, neuron, spikes), forward_layer(immediate, neuron, spikes)
    assert some_but_not_all(got.spikes) and got.spikes == want.spikes
    assert got.synops == want.synops + recurrent * len(got.spikes) * N_OUT


def test_a_delay_is_input_that_comes_later(rng):
    layer, neuron = random_layer(rng, "all"), SRM(tau_syn=4.0)
    layer.delay = None
    spikes = random_spikes(rng, N_IN)
    last = spikes.tick < N_TICKS - 3
    later = Spikes.from_structured(spikes.to_structured()[last], n_samples=3, n_neurons=N_IN, n_ticks=N_TICKS)
    later = Spikes(later.sample_ptr, later.address, tick=later.tick + 3, n_neurons=N_IN, n_ticks=N_TICKS)
    want = forward_layer(layer, neuron, later).spikes
    layer.delay = 3.0
    assert some_but_not_all(want) and forward_layer(layer, neuron, spikes).spikes == want


@pytest.mark.parametrize("delay, tick", [
    (None, 1), (0.0, 1), (0.5, 1), (0.5000001, 2), (1.5, 3), (2.5, 3), (3.5, 5), (7.0, 8), (7.5, None), (1e6, None),
])
def test_delays_are_rounded_to_the_nearest_tick_and_ties_to_even(delay, tick):
    """An arrival acts from the next tick on, as input does; at the sample's end it acts no more."""
    layer = Recurrent(1, 1)
    layer.weight, layer.delay = [[1000.0]], delay
    got = forward_layer(layer, SRM(t_abs=100.0), Spikes([0, 1], [0], tick=[0], n_neurons=1, n_ticks=9)).spikes
    assert pairs(got, 0) == ([] if tick is None else [(tick, 0)])


def test_a_spike_comes_back_after_its_delay():
    """Neuron 0 is made to fire once; it excites neuron 1 after 2 ms, and that one neuron 2 at once."""
    layer = Recurrent(1, 3)
    layer.weight = [[1000.0, 0.0, 0.0]]
    layer.recurrent.weight = [[0.0, 1000.0, 0.0], [0.0, 0.0, 1000.0], [0.0, 0.0, 0.0]]
    layer.recurrent.delay = [2.0, 0.0, 5.0]
    got = forward_layer(layer, SRM(t_abs=100.0), Spikes([0, 1], [0], tick=[0], n_neurons=1, n_ticks=9))
    assert pairs(got.spikes, 0) == [(1, 0), (4, 1), (5, 2)]
    assert (got.synops, got.dense_macs) == (1 * 3 + 3 * 3, (3 + 9) * 9)


def test_the_order_in_memory_of_delays_does_not_matter(rng):
    layer, neuron, spikes = random_layer(rng, "synaptic"), SRM(tau_syn=4.0), random_spikes(rng, N_IN)
    want = forward_layer(layer, neuron, spikes).spikes
    layer.delay = np.asfortranarray(layer.delay)
    assert some_but_not_all(want) and forward_layer(layer, neuron, spikes).spikes == want


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_batches_change_nothing(rng, kind):
    layer, neuron = random_layer(rng, kind), SRM(tau_syn=4.0)
    spikes = random_spikes(rng, N_IN, 11, empty=(4,))
    found = []
    for n in (1, 2, 5):
        kernels.set_threads(n)
        try:
            found.append(forward_layer(layer, neuron, spikes).spikes)
        finally:
            kernels.set_threads(None)
    assert some_but_not_all(found[0]) and found[1:] == found[:1] * 2
    assert Spikes.concatenate([forward_layer(layer, neuron, spikes.sample(b)).spikes for b in range(11)]) == found[0]


@pytest.mark.parametrize("cut", [0, 7, 20])
def test_the_future_does_not_change_the_past(rng, cut):
    layer, neuron = random_layer(rng, "synaptic, recurrent axonal"), SRM(tau_syn=4.0)
    spikes = random_spikes(rng, N_IN)
    past = Spikes.from_structured(spikes.to_structured()[spikes.tick < cut], n_samples=3, n_neurons=N_IN,
                                  n_ticks=N_TICKS)
    a, b = (forward_layer(layer, neuron, given).spikes.to_structured() for given in (spikes, past))
    np.testing.assert_array_equal(a[a["tick"] <= cut], b[b["tick"] <= cut])
    assert np.any(a["tick"] <= cut) or cut == 0


def test_buffers_grow_until_everything_fits():
    """Without a refractory response everybody fires in every tick from the second on."""
    layer = Recurrent(1, 70)
    layer.weight, layer.recurrent.weight = np.full((1, 70), 1000.0), np.full((70, 70), 1.0)
    layer.recurrent.delay = np.full(70, 3.0)
    spikes = Spikes([0, 9, 18], [0] * 18, tick=[*range(9)] * 2, n_neurons=1, n_ticks=9)
    got = forward_layer(layer, SRM(scale_ref=0.0, tau_syn=50.0), spikes).spikes
    got.check()
    for b in range(2):
        assert pairs(got, b) == [(t, i) for t in range(1, 9) for i in range(70)]


def test_no_input_is_no_output(rng):
    layer = random_layer(rng, "synaptic, recurrent")
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=N_IN, n_ticks=n_ticks)
        got = forward_layer(layer, SRM(), spikes)
        got.spikes.check()
        assert (got.spikes.n_samples, len(got.spikes), got.spikes.n_neurons, got.synops) == (n_samples, 0, N_OUT, 0)


def test_layers_of_every_kind_stand_in_a_network(rng):
    network = random_network(rng, ("20", "90r@d2.5", "80", "70@d1", "5"), (6.0, 3.0, 3.0, 3.0), SRM(tau_syn=4.0))
    network.layers[0].recurrent.weight = rng.normal(0.0, 0.5, (90, 90))
    spikes = random_spikes(rng, 20)
    trace, given = forward(network, spikes), spikes
    for layer, got in zip(network.layers, trace.layers, strict=True):
        assert some_but_not_all(got.spikes)
        assert got.spikes == forward_layer(layer, network.neuron, given).spikes
        own = 90 * len(got.spikes) if layer.kind == "recurrent" else 0
        assert got.synops == layer.n_out * len(given) + own
        assert got.dense_macs == layer.n_weights * 40 * 3
        given = got.spikes


@pytest.mark.parametrize("arguments", [{"support": 0.3}, {"support": np.inf}, {"truncate": True}])
def test_what_needs_a_backward_pass_is_refused(rng, arguments):
    for kind in ("recurrent", "all"):
        with pytest.raises(ConfigError, match="can be simulated only so far"):
            forward_layer(random_layer(rng, kind), SRM(), random_spikes(rng, N_IN), **arguments)


def test_there_is_no_gradient(rng):
    network = Network("9-8r-5")
    sinks = [Sink(gradient=np.zeros_like(layer.packed)) for layer in network.layers]
    with pytest.raises(ConfigError, match="9-8r-5 has delays or recurrence, which are for simulation only so far"):
        backward(network, forward(network, random_spikes(rng, 9)), lambda b: np.zeros((5, 40), np.float32), sinks)
