"""Neurons, inputs and comparisons for the exact clock's active sets and gradients."""

from types import SimpleNamespace

import numpy as np
from naive.srm import counts, surrogate
from scenes import shaken

from eventsim.engine import exact_active
from eventsim.model import SRM
from eventsim.spikes import Spikes

NEURONS = {
    "plain": SRM(tau_syn=3.0),
    "dead for ticks": SRM(tau_syn=2.0, t_abs=2.5, tau_rho=0.3, scale_rho=2.0),
    "dead for part of a tick": SRM(tau_syn=4.0, t_abs=0.13),
    "no refractory response": SRM(tau_syn=3.0, scale_ref=0.0, t_abs=1.7),
    "equal time constants": SRM(tau_syn=3.0, tau_ref=3.0, tau_rho=0.5),
    "slow refractory response": SRM(tau_syn=1.5, tau_ref=20.0, scale_ref=0.3),
}


def random_times(rng, n_neurons, n_spikes, n_ticks, dt=1.0, n_samples=3, empty=()):
    """A batch of input spikes; some are on ticks, some after the last one, and some come several times."""
    rows = []
    for b in range(n_samples):
        n = 0 if b in empty else n_spikes
        tick = rng.uniform(0, n_ticks, n)
        tick = np.where(rng.random(n) < 0.3, np.floor(tick), tick)
        tick = np.where(rng.random(n) < 0.05, n_ticks - 0.9 * rng.random(n), tick)
        again = rng.random(n) < 0.1
        address = rng.integers(0, n_neurons, n)
        time, address = np.append(tick, tick[again]) * dt, np.append(address, address[again])
        rows += [(b, t, i) for t, i in zip(time, address, strict=True)]
    array = np.array(rows, dtype=[("sample", np.int64), ("time", float), ("address", np.int32)])
    return Spikes.from_structured(array, n_samples=n_samples, n_neurons=n_neurons, n_ticks=n_ticks, dt=dt)


def parameters(neuron, dt):
    """A neuron's parameters as the naive functions take them."""
    names = ("theta", "tau_syn", "tau_ref", "scale_ref", "tau_rho", "scale_rho")
    return SimpleNamespace(t_abs=dt if neuron.t_abs is None else neuron.t_abs,
                           **{name: getattr(neuron, name) for name in names})


def errors_for(network, spikes, rng):
    """Errors float32[B, N_out, T] of the output spikes."""
    return rng.normal(size=(spikes.n_samples, network.arch.n_outputs, spikes.n_ticks)).astype(np.float32)


def same_active(a, b):
    """Whether two active sets are equal to the bit."""
    names = "entry_start", "pair_start", "entry_lane", "entry_ticks", "rho"
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def assert_same(a, b):
    """Two results of a test's ``trained``, a trace and arrays, are equal to the bit."""
    for x, y in zip(a[0].layers, b[0].layers, strict=True):
        assert x.spikes == y.spikes and same_active(x.active, y.active)
    for x, y in zip(a[1], b[1], strict=True):
        np.testing.assert_array_equal(x, y)


def shaken_run(trained, one, n_threads, room):
    """``trained(*one)`` on so many threads, and with first buffers that are too small."""
    with shaken(n_threads, exact_active=room):
        for layer in one[0].layers:
            exact_active._room[layer] = dict.fromkeys(exact_active._LISTS, 0.0)
        return trained(*one)


def assert_a_batch_is_the_loop(trained, one):
    """``trained(*one)`` has the bits of its samples one by one, and the sum of their gradients."""
    network, spikes, supports, errors = one
    whole, gradients = trained(*one)
    sums = [np.zeros_like(gradient) for gradient in gradients]
    for b in range(spikes.n_samples):
        single, parts = trained(network, spikes.sample(b), supports, errors[b : b + 1])
        for x, y in zip(whole.layers, single.layers, strict=True):
            assert x.spikes.sample(b) == y.spikes
            for mine, other in zip(x.active.pairs(b), y.active.pairs(0), strict=True):
                np.testing.assert_array_equal(mine, other)
        for total, part in zip(sums, parts, strict=True):
            total += part
    for x, y in zip(gradients, sums, strict=True):
        assert np.abs(x - y).max() <= 5e-6 * np.abs(y).max()


def check_active(active, b, u, dead, support, p):
    """Compare a layer's active set with the naive one; returns it as bool[T, N], and how many rounding decided."""
    address, tick, rho = active.pairs(b)
    got = np.zeros(u.shape, bool)
    got[tick, address] = True
    assert got.sum() == len(tick)
    excused = got != counts(u, dead, support, p)
    assert not np.any(excused & (np.abs(np.abs(u - p.theta) - support * p.theta) > 1e-4 * p.theta))
    np.testing.assert_allclose(rho, surrogate(u, p)[tick, address], rtol=1e-4, atol=1e-35)
    return got, excused.sum()
