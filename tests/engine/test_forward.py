"""The tile sweep against the naive layer: the same bits in float32, the same spikes in float64 but for rounding."""

import numpy as np
import pytest
from naive import srm as naive
from naive import srm32
from scenes import (
    Dyadic,
    dense,
    excused_spikes,
    naive_layer,
    naive_neuron,
    pairs,
    random_network,
    random_spikes,
    some_but_not_all,
)

from eventsim import kernels
from eventsim.engine.forward import forward, forward_layer
from eventsim.model import SRM
from eventsim.model.layers import Dense
from eventsim.spikes import Spikes

CASES = {
    "plain": {},
    "full tiles": {"widths": (30, 64, 128)},
    "one neuron": {"widths": (20, 1, 1), "gains": (4.0, 30.0)},
    "one tick": {"n_ticks": 1, "silent": True},
    "two ticks": {"n_ticks": 2, "silent": True},
    "dead ticks": {"neuron": SRM(tau_syn=4.0, t_abs=3.0)},
    "weak refractory response": {"neuron": SRM(tau_syn=3.0, scale_ref=0.05, tau_ref=2.0, t_abs=2.0)},
    "no refractory response": {"neuron": SRM(tau_syn=3.0, scale_ref=0.0)},
    "counted repeats": {"repeats": True, "rate": 0.3},
    "short ticks": {"dt": 0.25, "neuron": SRM(tau_syn=2.0, tau_ref=0.5, t_abs=0.6)},
    "truncated": {"truncate": True, "neuron": SRM(tau_syn=2.0)},
    "truncated, repeats, dead ticks": {"truncate": True, "repeats": True, "neuron": SRM(tau_syn=1.0, t_abs=2.0)},
    "no input": {"rate": 0.0, "silent": True},
    "long silences": {"n_ticks": 300, "rate": 0.0012, "gains": (9.0, 15.0)},
    "long silences, truncated": {"n_ticks": 300, "rate": 0.0012, "gains": (9.0, 15.0), "truncate": True},
}


def scene(rng, *, widths=(50, 70, 130), gains=(3.0, 4.0), n_ticks=40, rate=0.08, repeats=False, neuron=None, dt=1.0,
          truncate=False, silent=False):
    network = random_network(rng, widths, gains, neuron, dt)
    spikes = random_spikes(rng, widths[0], 3, n_ticks, rate, repeats, empty=(1,), dt=dt)
    return network, spikes, truncate, silent


@pytest.mark.parametrize("case", CASES)
def test_spikes_are_bit_for_bit_those_of_the_float32_recursion(rng, case):
    network, spikes, truncate, silent = scene(rng, **CASES[case])
    neuron, dt = network.neuron, network.dt
    n_taps = neuron.n_taps(dt) if truncate else 0
    trace = forward(network, spikes, truncate=truncate)
    before, jumped = spikes, 0
    for layer, got in zip(network.layers, trace.layers, strict=True):
        assert silent or some_but_not_all(got.spikes)
        for b in range(spikes.n_samples):
            part = before.sample(b)
            want, ticks = srm32.layer(part.tick, part.address, layer.weight, spikes.n_ticks, neuron.dead_ticks(dt),
                                      neuron.constants(dt, n_taps), n_taps)
            assert pairs(got.spikes, b) == want
            jumped += ticks
        before = got.spikes
    assert jumped > 100 or not case.startswith("long silences")


@pytest.mark.parametrize("precision", ["int8", "float16"])
@pytest.mark.parametrize("case", [name for name, case in CASES.items() if not case.get("truncate")])
def test_spikes_of_fewer_bits_are_those_of_the_same_recursion(rng, case, precision):
    """int8 as whole numbers with one scale a neuron, float16 as the float32 numbers that it holds."""
    network, spikes, _, silent = scene(rng, **CASES[case])
    network, neuron, dt = network.with_weights(precision), network.neuron, network.dt
    before = spikes
    for layer, got in zip(network.layers, forward(network, spikes).layers, strict=True):
        scale = layer.scale.reshape(-1)[: layer.n_out]
        w = layer.weight / scale
        w = np.rint(w) if precision == "int8" else w  # float16: divided by a power of two
        assert silent or some_but_not_all(got.spikes)
        for b in range(spikes.n_samples):
            part = before.sample(b)
            want, _ = srm32.layer(part.tick, part.address, w, spikes.n_ticks, neuron.dead_ticks(dt),
                                  neuron.constants(dt), scale=scale)
            assert pairs(got.spikes, b) == want
        before = got.spikes


@pytest.mark.parametrize("case", CASES)
def test_spikes_are_those_of_the_equations_but_for_rounding(rng, case):
    network, spikes, truncate, silent = scene(rng, **CASES[case])
    trace = forward(network, spikes, truncate=truncate)
    excuses, before = 0, spikes
    for layer, got in zip(network.layers, trace.layers, strict=True):
        assert silent or some_but_not_all(got.spikes)
        for b in range(spikes.n_samples):
            want, u, _, margin = naive_layer(layer.weight, network.neuron, before, b, truncate)
            excuses += len(excused_spikes(dense(got.spikes, b), want, u, margin, network.neuron.theta))
        before = got.spikes
    assert excuses <= 3


def dyadic_layer(rng, n_in=24, n_out=100):
    layer = Dense(n_in, n_out)
    layer.weight = rng.integers(-6, 9, (n_in, n_out)) / 4
    return layer


@pytest.mark.parametrize("truncate", [False, True])
@pytest.mark.parametrize("t_abs", [None, 3.0])
def test_exact_sums_give_exact_spikes(rng, truncate, t_abs):
    layer, neuron = dyadic_layer(rng), Dyadic(theta=4.0, t_abs=t_abs)
    spikes = random_spikes(rng, 24, 4, 10, 0.2, repeats=True, empty=(2,))
    got = forward_layer(layer, neuron, spikes, truncate=truncate).spikes
    assert some_but_not_all(got)
    on_threshold = 0
    for b in range(4):
        eps, nu = neuron.kernels(10, truncate)
        want, u, _ = naive.fire(naive.psp(dense(spikes, b), eps) @ layer.weight, nu, 4.0, neuron.dead_ticks(1.0))
        np.testing.assert_array_equal(dense(got, b), want)
        on_threshold += np.sum((u == 4.0) & (want == 1))
    assert on_threshold > 0  # u = theta spikes


@pytest.mark.parametrize("truncate", [False, True])
def test_exact_sums_do_not_depend_on_the_order_of_simultaneous_input(rng, truncate):
    layer, neuron = dyadic_layer(rng), Dyadic(theta=4.0)
    spikes = random_spikes(rng, 24, 1, 10, 0.3)
    shuffled = np.lexsort((rng.random(len(spikes)), spikes.tick))
    other = Spikes(spikes.sample_ptr, spikes.address[shuffled], tick=spikes.tick, n_neurons=24, n_ticks=10, check=False)
    assert other != spikes
    got = forward_layer(layer, neuron, spikes, truncate=truncate).spikes
    assert some_but_not_all(got)
    assert forward_layer(layer, neuron, other, truncate=truncate).spikes == got


@pytest.mark.parametrize("support", [0.3, 0.5, 1.0, 1.5, 1000.0])
@pytest.mark.parametrize("t_abs", [None, 4.0])
@pytest.mark.parametrize("truncate", [False, True])
def test_active_sets_hold_rho_wherever_it_counts(rng, support, t_abs, truncate):
    network = random_network(rng, (50, 70), (3.0,), SRM(tau_syn=2.0, t_abs=t_abs, tau_rho=0.4, scale_rho=3.0))
    layer, neuron = network.layers[0], network.neuron
    spikes = random_spikes(rng, 50, 3, 40, empty=(1,))
    got = forward(network, spikes, supports=[support], truncate=truncate).layers[0]
    assert some_but_not_all(got.spikes)
    p = naive_neuron(neuron, 1.0)
    excuses = 0
    for b in range(3):
        out, u, dead, margin = naive_layer(layer.weight, neuron, spikes, b, truncate)
        skip = excused_spikes(dense(got.spikes, b), out, u, margin, neuron.theta)
        address, tick, rho = got.active.pairs(b)
        assert np.all(np.diff(address * 40 + tick) > 0)
        ours = np.full(u.shape, np.nan)
        ours[tick, address] = rho
        want = naive.counts(u, dead, support, p)
        edge = np.abs(np.abs(u - p.theta) - support * p.theta) <= margin
        edge[:, skip] = True
        differ = ~np.isnan(ours) != want
        assert not np.any(differ & ~edge)
        excuses += np.sum(differ)
        same = want & ~differ & ~edge
        # An error of the margin in u is an error of margin / width in log rho.
        error = np.abs(np.log(ours / naive.surrogate(u, p)))[same]
        assert np.all(error <= np.broadcast_to(margin / (p.tau_rho * p.theta) + 1e-5, u.shape)[same])
    assert excuses <= 3
    assert got.active.n_pairs == len(got.active.rho)
    assert got.active.n_pairs > 0


def test_a_batch_without_samples_or_ticks_or_spikes_has_no_output():
    layer, neuron = Dense(5, 70), SRM()
    layer.weight = np.ones((5, 70))
    for n_samples, n_ticks in ((0, 10), (2, 0), (2, 10)):
        spikes = Spikes(np.zeros(n_samples + 1, int), [], tick=[], n_neurons=5, n_ticks=n_ticks)
        for support in (None, 0.5, 2.0, np.inf):
            trace = forward_layer(layer, neuron, spikes, support=support)
            trace.spikes.check()
            assert (trace.spikes.n_samples, len(trace.spikes), trace.spikes.n_neurons) == (n_samples, 0, 70)
            if support in (2.0, np.inf):
                assert trace.active.n_pairs == n_samples * n_ticks * 70


@pytest.mark.parametrize("n_threads", [1, 2])
def test_output_buffers_grow_until_everything_fits(rng, n_threads):
    # Without a refractory response and far above threshold every neuron spikes in every tick.
    layer, neuron = Dense(3, 200), SRM(scale_ref=0.0, tau_syn=50.0)
    layer.weight = np.full((3, 200), 1000.0)
    n_samples, n_ticks = 9, 7
    tick, address = np.divmod(np.arange(3 * n_ticks), 3)
    one = Spikes([0, len(tick)], address, tick=tick, n_neurons=3, n_ticks=n_ticks)
    kernels.set_threads(n_threads)
    try:
        trace = forward_layer(layer, neuron, Spikes.concatenate([one] * n_samples), support=1e9)
    finally:
        kernels.set_threads(None)
    trace.spikes.check()
    assert pairs(trace.spikes, 0) == [(t, i) for t in range(1, n_ticks) for i in range(200)]
    for b in range(n_samples):
        assert trace.spikes.sample(b) == trace.spikes.sample(0)
        address, tick, _ = trace.active.pairs(b)
        assert np.array_equal(address * n_ticks + tick, np.arange(200 * n_ticks))


@pytest.mark.parametrize("case", ["plain", "long silences", "long silences, truncated", "dead ticks"])
def test_spikes_do_not_depend_on_what_is_kept(rng, case):
    """Also where a silence is jumped over in which nobody fires but somebody is active."""
    network, spikes, truncate, _ = scene(rng, **CASES[case])
    want = forward(network, spikes, truncate=truncate)
    for support in (0.3, 0.9, 0.999, 1.5, np.inf):
        got = forward(network, spikes, supports=[support] * 2, truncate=truncate)
        assert all(a.spikes == b.spikes for a, b in zip(got.layers, want.layers, strict=True))


def test_a_time_constant_that_is_for_ever_in_float32_still_fires():
    """Its decay rounds to 1; what a psp can still reach is not known then, and no tick may be skipped."""
    neuron = SRM(theta=1.0, tau_syn=1e8, scale_ref=0.0)
    layer = Dense(2, 1)
    layer.weight = np.array([[1.5], [-1.5]]) * neuron.tau_syn / np.e
    spikes = Spikes([0, 2], [0, 1], tick=[0, 5], n_neurons=2, n_ticks=40)
    got = forward_layer(layer, neuron, spikes).spikes
    want, *_ = naive_layer(layer.weight, neuron, spikes, 0)
    assert len(got) == want.sum() > 30


def test_a_neuron_that_is_dead_for_longer_than_the_window_spikes_once(rng):
    for t_abs in (1e9, 39.0):
        network = random_network(rng, (50, 70), (5.0,), SRM(tau_syn=3.0, scale_ref=0.0, t_abs=t_abs), dt=0.25)
        trace = forward(network, random_spikes(rng, 50, dt=0.25), supports=[1.5])
        assert trace.output.counts().max() == 1


def test_synops_are_the_sum_of_fan_outs_over_the_spikes_of_every_layer(rng):
    network = random_network(rng, (50, 70, 20, 5), (3.0, 4.0, 4.0))
    trace = forward(network, random_spikes(rng, 50))
    into = [trace.input, *(layer.spikes for layer in trace.layers[:-1])]
    assert all(some_but_not_all(layer.spikes) for layer in trace.layers[:-1])
    want = [sum(network.layers[i].n_out for _ in spikes.address) for i, spikes in enumerate(into)]
    assert [layer.synops for layer in trace.layers] == want
    assert trace.synops == sum(want)
    assert trace.dense_macs == 3 * 40 * (50 * 70 + 70 * 20 + 20 * 5)


def test_the_class_is_the_neuron_with_most_spikes_and_ties_go_to_the_lowest(rng):
    network = random_network(rng, (4, 3), (1.0,))
    trace = forward(network, random_spikes(rng, 4, n_samples=3))
    trace.layers[-1].spikes = Spikes([0, 3, 3, 7], [2, 1, 2, 1, 0, 1, 0], tick=[0, 1, 1, 0, 1, 1, 2], n_neurons=3,
                                     n_ticks=40)
    assert trace.predict().tolist() == [2, 0, 0]
