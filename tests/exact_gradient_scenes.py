"""Neurons, inputs and comparisons for the exact clock's active sets and gradients."""

from types import SimpleNamespace

import numpy as np
from naive.srm import counts, surrogate

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
