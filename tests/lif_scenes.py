"""Leaky integrate-and-fire neurons of every kind, and random networks of them."""

from types import SimpleNamespace

import numpy as np

from eventsim.model import LIF, CubaLIF, Network

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
