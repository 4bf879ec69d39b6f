"""Random networks with delays and recurrence, and the exact clock's spikes of them beside those of the equations."""

from types import SimpleNamespace

import numpy as np
from naive import exact as naive
from spatial_scenes import behind_stages

from eventsim.model import SRM, Network
from eventsim.model.layers import Dense, Recurrent
from eventsim.spikes import Spikes

# The kinds of delays: of all synapses, of each presynaptic neuron, of each synapse, and those of few different values.
DELAYS = {
    "none": lambda rng, shape: None,
    "zero": lambda rng, shape: np.zeros(shape),
    "uniform": lambda rng, shape: rng.uniform(0, 5),
    "axonal": lambda rng, shape: rng.uniform(0, 5, shape[0]),
    "synaptic": lambda rng, shape: rng.uniform(0, 5, shape),
    "grouped": lambda rng, shape: rng.integers(0, 4, shape) * 1.5,
}
NEURONS = {
    "default": SRM(), "slow-refractory": SRM(tau_syn=2, tau_ref=5), "equal-taus": SRM(tau_syn=3, tau_ref=3),
    "dead-time": SRM(t_abs=4.0), "no-refractory": SRM(scale_ref=0),
    "long-recovery": SRM(tau_syn=1, tau_ref=8, scale_ref=6),
}


def random_layer(rng, n_in, n_out, gain, delay="none", own=None):
    """A layer with normal weights, on the average excitatory; of kind `Recurrent` where ``own`` names its delays."""
    layer = Dense(n_in, n_out) if own is None else Recurrent(n_in, n_out)
    layer.weight = rng.normal(gain / 3, gain, (n_in, n_out))
    layer.delay = DELAYS[delay](rng, (n_in, n_out))
    if own is not None:
        layer.recurrent.weight = rng.normal(-2.0, 8.0, (n_out, n_out))
        layer.recurrent.delay = DELAYS[own](rng, (n_out, n_out))
    return layer


def random_network(rng, widths, neuron, wiring, n_ticks=60, gain=6.0):
    """A network whose layers get their ``wiring`` in turn: pairs of delay and own delay."""
    network = Network("-".join(map(str, widths)), neuron, n_ticks=n_ticks, seed=None)
    for k, layer in enumerate(network.layers):
        grown = gain * np.sqrt(12 / layer.n_in) * (2 if k else 1)
        network.layers[k] = random_layer(rng, layer.n_in, layer.n_out, grown, *wiring[k % len(wiring)])
    return network


def random_times(rng, n_neurons, n_spikes, n_ticks=60, n_samples=1):
    """A batch of input spikes at random times."""
    rows = [np.sort(rng.uniform(0, 0.9 * n_ticks, n_spikes)) for _ in range(n_samples)]
    address = rng.integers(0, n_neurons, n_spikes * n_samples)
    return Spikes(n_spikes * np.arange(n_samples + 1), address, time=np.concatenate(rows), n_neurons=n_neurons,
                  n_ticks=n_ticks)


def parameters(neuron, dt):
    """A neuron's parameters as the naive functions take them."""
    names = ("theta", "tau_syn", "tau_ref", "scale_ref")
    return SimpleNamespace(t_abs=dt if neuron.t_abs is None else neuron.t_abs,
                           **{name: getattr(neuron, name) for name in names})


def naive_run(network, spikes):
    """The layers of the naive simulation of one sample, with their spikes."""
    layers = []
    for layer in network.layers:
        delay = 0.0 if layer.delay is None else layer.delay
        own = {}
        if isinstance(layer, Recurrent):
            own_delay = 0.0 if layer.recurrent.delay is None else layer.recurrent.delay
            own = {"own": layer.recurrent.weight.astype(float), "own_delay": own_delay}
        w, drive = behind_stages(layer)
        layers.append(naive.Layer(parameters(network.neuron, network.dt), w, delay, **own, current=drive / network.dt))
    naive.network(spikes.time.tolist(), spikes.address.tolist(), layers, spikes.n_ticks * spikes.dt)
    return layers


def by_neuron(time, address, n):
    """The times of each of n neurons."""
    return [np.asarray(time)[np.asarray(address) == i] for i in range(n)]


def first_difference(a, b):
    """(time, layer, neuron, spike in a, spike in b) of the first spike of one sample in which two traces differ.

    None where all times agree to 1e-9 ms; a spike that is not there is infinitely late.
    """
    differences = []
    for k, (one, other) in enumerate(zip(a.layers, b.layers, strict=True)):
        lists = (by_neuron(s.time, s.address, s.n_neurons) for s in (one.spikes, other.spikes))
        for i, (mine, theirs) in enumerate(zip(*lists, strict=True)):
            n = max(len(mine), len(theirs))
            x, y = (np.append(times, np.full(n - len(times), 1e9)) for times in (mine, theirs))
            differences += [(min(x[j], y[j]), k, i, x[j], y[j]) for j in np.flatnonzero(np.abs(x - y) > 1e-9)[:1]]
    return min(differences) if differences else None


def same_but_for_grazing(network, a, b):
    """False where two traces of one sample agree; True where they differ first in a grazing crossing; else fails.

    That is one with a slope below 1e-3 theta a ms, by the sum over the neuron's history.
    """
    first = first_difference(a, b)
    if first is None:
        return False
    t, k, i, mine, theirs = first
    given, own = a.input if k == 0 else a.layers[k - 1].spikes, a.layers[k].spikes
    p = parameters(network.neuron, network.dt)
    before, (w, drive) = given.time < t, behind_stages(network.layers[k])
    slope = w[given.address[before], i] @ naive.alpha_slope(t - given.time[before], p.tau_syn)
    slope += drive[i] / network.dt * naive.alpha(t, p.tau_syn)
    recoil = naive.alpha_slope(t - own.time[(own.address == i) & (own.time < t)], p.tau_ref).sum()
    slope -= p.scale_ref * p.theta * recoil
    assert abs(slope) < 1e-3 * p.theta, f"layer {k + 1}, neuron {i}: {mine} ms, or {theirs}, at a slope of {slope:g}"
    return True


def excused(trace, layers):
    """False where all spikes agree to 1e-9 ms; True where the first that do not are a matter of rounding; else fails.

    Rounding decides where u touches theta, or crosses it by less than 1e-3 theta a ms. A spike more or less may change
    any spike after it, so that what follows is not compared.
    """
    differences = []
    for k, (got, layer) in enumerate(zip(trace.layers, layers, strict=True)):
        wanted = by_neuron(*np.array(layer.spikes).reshape(-1, 2).T, len(layer.ready))
        for i, mine in enumerate(by_neuron(got.spikes.time, got.spikes.address, got.spikes.n_neurons)):
            n = max(len(mine), len(wanted[i]))
            a, b = (np.append(times, np.full(n - len(times), 1e9)) for times in (mine, wanted[i]))
            differ = np.flatnonzero(np.abs(a - b) > 1e-9)
            differences += [(min(a[j], b[j]), k, i, a[j], b[j]) for j in differ[:1]]
    if not differences:
        return False
    t, k, i, mine, wanted = min(differences)
    theta, ahead = layers[k].p.theta, np.linspace(t, t + 0.01, 100)
    distance = abs(layers[k].u(t, own_before=t)[i] - theta)
    slope = layers[k].u(t, naive.alpha_slope, own_before=t)[i]
    peak = max(layers[k].u(s, own_before=t)[i] for s in ahead)
    grazes = abs(slope) < 1e-3 * theta and (peak if mine > wanted else theta) <= theta * (1 + 1e-9)
    assert distance <= 1e-9 * theta and grazes, (
        f"layer {k + 1}, neuron {i}: {mine} ms instead of {wanted}, |u - theta| = {distance:g}, slope {slope:g}"
    )
    return True


def compare_with_equations(network, trace):
    """Every layer's spikes are those that the equations give for the spikes that it got; returns how many there are."""
    given, n = trace.input, 0
    for layer, got in zip(network.layers, trace.layers, strict=True):
        w, drive = behind_stages(layer)
        p = parameters(network.neuron, network.dt)
        got.spikes.check()
        for b in range(given.n_samples):
            one, mine = given.sample(b), got.spikes.sample(b)
            wanted = naive.layer_by_state(one.time, one.address, w, p, 60.0, current=drive / network.dt)
            when, who = np.array(wanted).reshape(-1, 2).T
            for x, y in zip(by_neuron(mine.time, mine.address, layer.n_out), by_neuron(when, who, layer.n_out),
                            strict=True):
                assert len(x) == len(y)
                np.testing.assert_allclose(x, y, rtol=0, atol=1e-9)
            n += len(when)
        given = got.spikes
    return n
