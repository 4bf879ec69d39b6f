"""Leaky integrate-and-fire neurons of every kind, random networks of them, and how rounding may change their spikes."""

from types import SimpleNamespace

import numpy as np
from exact_gradient_scenes import parameters as parameters_of_srm
from naive import exact_lif as naive
from queue_scenes import first_difference
from spatial_scenes import behind_stages

from eventsim.model import LIF, SRM, CubaLIF, Network

NEURONS = {
    "subtract": LIF(tau_mem=8.0), "hard": LIF(theta=2.0, tau_mem=12.0, reset="hard", v_reset=-0.5),
    "if": LIF(tau_mem=np.inf), "if, hard": LIF(tau_mem=np.inf, reset="hard"), "dead": LIF(tau_mem=8.0, t_abs=3.0),
    "current": CubaLIF(tau_mem=10.0, tau_syn=4.0), "late": CubaLIF(tau_mem=10.0, tau_syn=4.0, late=True),
    "current, hard": CubaLIF(tau_mem=20.0, tau_syn=5.0, reset="hard"), "as fast": CubaLIF(tau_mem=5.0, tau_syn=5.0),
    "current, if": CubaLIF(theta=9.0, tau_mem=np.inf, tau_syn=3.0, late=True),
    "dead, hard": LIF(reset="hard", t_abs=2.0),
    "drop": LIF(tau_mem=8.0, v_drop=1.3), "strict": LIF(theta=0.5, tau_mem=8.0, strict=True),
}


def parameters(neuron, dt):
    """A neuron's parameters as the naive functions take them."""
    names = ("theta", "tau_mem", "reset", "v_reset", "tau_rho", "scale_rho", "strict")
    return SimpleNamespace(**{name: getattr(neuron, name) for name in names}, n_abs=neuron.dead_ticks(dt),
                           drop=neuron.taken,
                           tau_syn=getattr(neuron, "tau_syn", None), late=getattr(neuron, "late", False))


def network_of(rng, neuron, widths=(30, 70, 6), dt=1.0, gain=0.35):
    network = Network("-".join(map(str, widths)), neuron, dt=dt, seed=None)
    for layer in network.layers:
        layer.weight = gain * strength(neuron) * rng.normal(0.15, 1.0, (layer.n_in, layer.n_out))
    return network


def strength(neuron):
    """A weight with which few spikes make a neuron fire."""
    return neuron.theta * (8.0 if isinstance(neuron, CubaLIF) and np.isfinite(neuron.tau_mem) else 1.0)


def timed_parameters(neuron, dt):
    """`parameters` in continuous time, also of an SRM."""
    if isinstance(neuron, SRM):
        return parameters_of_srm(neuron, dt)
    p = parameters(neuron, dt)
    p.t_abs = neuron.dead_time(dt)
    return p


def same_but_for_rounding(network, a, b):
    """False where two traces of one sample in continuous time agree; True where rounding made the first difference.

    There the potential is at the threshold when nothing arrives, and moves by less than 1e-3 theta a ms; or, where it
    rose steeply before, by less than 1e-9 theta in between: the times of those spikes are rounded, too.
    """
    first = first_difference(a, b)
    if first is None:
        return False
    t, k, i, mine, theirs = first
    given, own = a.input if k == 0 else a.layers[k - 1].spikes, a.layers[k].spikes
    neuron, (w, drive) = network.neurons[k], behind_stages(network.layers[k])
    p, own = timed_parameters(neuron, network.dt), own.time[own.address == i]

    def u(when):
        return naive.potential(when, given.time, w[given.address, i], own, p, drive[i] / network.dt)

    slope = (u(t) - u(t - 1e-6)) / 1e-6
    grazes = abs(slope) < 1e-3 * neuron.theta or abs((mine - theirs) * slope) < 1e-9 * neuron.theta
    assert abs(u(t) - neuron.theta) < 1e-9 * neuron.theta and grazes, (
        f"layer {k + 1}, neuron {i}: {mine} ms, or {theirs}, at a potential of {u(t):g} and a slope of {slope:g}"
    )
    return True
