"""Small random networks and inputs, conversions to dense arrays, and spike comparison that excuses rounding."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
from naive import srm as naive

from eventsim import kernels
from eventsim.engine import Sink, backward, run
from eventsim.model import SRM, Network
from eventsim.spikes import Spikes
from eventsim.trainer.optimizers import Adam

# Of the sum of a potential's absolute terms: float32 rounding over dozens of ticks and hundreds of inputs.
ROUNDING = 1e-5


class Dyadic(SRM):
    """Decays, gains and threshold with few bits, so that float32 sums are exact in any order."""

    decay, gain, gain_ref = 0.5, 1.0, -8.0

    def n_taps(self, dt):
        return 4

    def constants(self, dt, n_taps=0):
        cut = self.gain * self.decay ** (n_taps - 1) if n_taps else 0.0
        cuts = cut, cut * (n_taps - 1)
        return np.array([self.decay, self.gain, self.decay, self.gain_ref, self.theta, *cuts], np.float32)

    def kernels(self, n_ticks, truncate):
        age = np.arange(n_ticks)
        eps, nu = self.gain * age * self.decay**age, self.gain_ref * age * self.decay**age
        return np.where(age < (4 if truncate else n_ticks), eps, 0.0), nu


@contextlib.contextmanager
def shaken(n_threads, **rooms):
    """Parts of a layer go to several threads however little there is to do, and buffers are first of another size.

    rooms : by the name of a module of `eventsim.engine`, the size
    """
    kernels.set_threads(n_threads)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("eventsim.engine.runs._ITEMS_WORTH_A_THREAD", 0)
            for module, room in rooms.items():
                patch.setattr(f"eventsim.engine.{module}._FIRST_ROOM", room)
            yield
    finally:
        kernels.set_threads(None)


def random_spikes(rng, n_neurons, n_samples=3, n_ticks=40, rate=0.1, repeats=False, empty=(), dt=1.0):
    """A batch of random input spikes; the samples in ``empty`` have none, ``repeats`` allows pairs to repeat."""
    rows = []
    for b in range(n_samples):
        wanted = 0 if b in empty else rng.binomial(n_ticks * n_neurons, rate)
        flat = rng.choice(n_ticks * n_neurons, wanted, replace=repeats)
        rows.append(np.sort(flat))
    ptr = np.cumsum([0] + [len(row) for row in rows])
    tick, address = np.divmod(np.concatenate(rows), n_neurons)
    return Spikes(ptr, address, tick=tick, n_neurons=n_neurons, n_ticks=n_ticks, dt=dt)


def random_network(rng, widths, gains, neuron=None, dt=1.0, grid=None):
    """A network with normal weights of ``gains``, one a layer, on the average excitatory.

    With ``grid`` the weights are whole multiples of it. Those of a lone neuron are excitatory, or it might do nothing.
    """
    network = Network("-".join(map(str, widths)), neuron or SRM(tau_syn=4.0), dt=dt, seed=None)
    for layer, gain in zip(network.layers, gains, strict=True):
        weight = rng.normal(gain / 10, gain, (layer.n_in, layer.n_out))
        weight = np.abs(weight) + gain if 1 in (layer.n_in, layer.n_out) else weight
        layer.weight = weight if grid is None else np.round(weight / grid) * grid
    return network


def dense(spikes, b):
    """Number of spikes float64[T, N] of sample ``b``."""
    out = np.zeros((spikes.n_ticks, spikes.n_neurons))
    part = slice(spikes.sample_ptr[b], spikes.sample_ptr[b + 1])
    np.add.at(out, (spikes.tick[part], spikes.address[part]), 1.0)
    return out


def pairs(spikes, b):
    """The (tick, address) list of sample ``b``."""
    part = slice(spikes.sample_ptr[b], spikes.sample_ptr[b + 1])
    return list(zip(spikes.tick[part].tolist(), spikes.address[part].tolist(), strict=True))


def naive_neuron(neuron, dt):
    """A neuron's parameters as the naive functions take them."""
    names = ("theta", "tau_syn", "tau_ref", "scale_ref", "tau_rho", "scale_rho")
    t_abs = dt if neuron.t_abs is None else neuron.t_abs
    return SimpleNamespace(n_abs=max(1, round(t_abs / dt)), **{name: getattr(neuron, name) for name in names})


def naive_layer(weight, neuron, spikes, b, truncate=False):
    """`naive.layer` on sample ``b``, and the margin float64[N] within which rounding may decide on a spike."""
    p, dt, s = naive_neuron(neuron, spikes.dt), spikes.dt, dense(spikes, b)
    weight = weight.astype(np.float64)
    n_taps = naive.n_taps(p.tau_syn, dt) if truncate else None
    out, u, dead = naive.layer(s, weight, p, dt, n_taps)
    kernel = naive.alpha(p.tau_syn, dt, len(s), n_taps)
    inputs = naive.psp(s, kernel) @ np.abs(weight)
    size = inputs.max(axis=0) + p.scale_ref * p.theta * out.sum(axis=0) + p.theta
    return out, u, dead, ROUNDING * size


def excused_spikes(ours, want, u, margin, theta):
    """Neurons whose spikes differ first where u lies within ``margin`` of theta; fails where any differs elsewhere."""
    excused = []
    for i in range(want.shape[1]):
        differ = np.flatnonzero(ours[:, i] != want[:, i])
        if len(differ):
            distance = abs(u[differ[0], i] - theta)
            assert distance <= margin[i], f"neuron {i}, tick {differ[0]}: spike differs, |u - theta| = {distance:g}"
            excused.append(i)
    return excused


def some_but_not_all(spikes):
    """There were spikes, and not in every tick of every neuron."""
    spikes.check()
    assert spikes.address.dtype == spikes.tick.dtype == np.int32
    return 0 < len(spikes) < spikes.n_samples * spikes.n_neurons * spikes.n_ticks


def gradients_of(network, trace, errors, truncate=False, pressure=None):
    """Weight gradients float32[N_in, N_out] of every layer; errors is float32[B, N_out, T]."""
    packed = [np.zeros_like(layer.packed) for layer in network.layers]
    sinks = [Sink(gradient=array) for array in packed]
    backward(network, trace, errors.__getitem__, sinks, pressure=pressure, truncate=truncate)
    out = []
    for layer, gradient in zip(network.layers, packed, strict=True):
        rows = gradient.transpose(1, 0, 2).reshape(layer.n_in, -1)
        assert not rows[:, layer.n_out :].any()  # padding lanes stay zero
        out.append(rows[:, : layer.n_out])
    return out


def step_in_two_ways(networks, batches, make_optimizer=Adam):
    """Steps within the backward walk for the first of two equal networks, on its gradients for the second.

    batches : (spikes, errors) of each step. Asserts that weights and the optimisers' states are the same bits; returns
    the state.
    """
    optimizers = [make_optimizer([layer.packed for layer in network.layers]) for network in networks]
    for spikes, errors in batches:
        for fused, network, optimizer in zip((True, False), networks, optimizers, strict=True):
            weights = [layer.packed for layer in network.layers]
            gradients = [np.zeros_like(w) for w in weights]
            trace = run(network, spikes, supports=(0.5, np.inf))
            optimizer.begin(1e-2)
            sinks = [optimizer.sink(i) if fused else Sink(gradient=g) for i, g in enumerate(gradients)]
            backward(network, trace, errors.__getitem__, sinks)
            for i in range(0 if fused else len(weights)):
                optimizer.update(i, weights[i], gradients[i])
    for a, b in zip(*(network.layers for network in networks), strict=True):
        np.testing.assert_array_equal(a.packed, b.packed)
    states = [optimizer.state() for optimizer in optimizers]
    for name, value in states[0].items():
        np.testing.assert_array_equal(value, states[1][name])
    return states[0]
