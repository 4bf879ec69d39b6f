"""One neuron tick by tick: potentials that pictures of models show, by the equations of `eventsim.model.neurons`."""

from dataclasses import dataclass

import numpy as np

from eventsim.model import SRM


@dataclass(frozen=True)
class Response:
    """Potential of every tick, float64[T], where it is compared with the threshold; and the ticks of spikes."""

    potential: np.ndarray
    ticks: np.ndarray


def respond(neuron, given, dt: float) -> Response:
    """What a neuron does whose synapses give it ``given`` in every tick of ``dt`` ms, float64[T], from rest."""
    given = np.asarray(given, np.float64)
    return _spike_response(neuron, given, dt) if isinstance(neuron, SRM) else _leaky(neuron, given, dt)


def _alpha(tau, t):
    return t / tau * np.exp(1.0 - t / tau)


def _spike_response(neuron, given, dt):
    t = np.arange(len(given)) * dt
    u, psp = np.zeros(len(t)), _alpha(neuron.tau_syn, t)
    for k in np.flatnonzero(given):
        u[k:] += given[k] * psp[: len(t) - k]
    refractory = -neuron.scale_ref * neuron.theta * _alpha(neuron.tau_ref, t)
    ticks, free = [], 0
    for k in range(len(t)):
        if k >= free and u[k] >= neuron.theta:
            ticks.append(k)
            free = k + neuron.dead_ticks(dt)
            u[k:] += refractory[: len(t) - k]
    return Response(u, np.array(ticks, np.int64))


def _leaky(neuron, given, dt):
    decay, gain, syn_decay, syn_gain, theta, feed, _, drop, v_reset, hard = neuron.constants(dt).astype(np.float64)
    v = current = 0.0
    u, ticks, free = np.empty(len(given)), [], 0
    for k, arriving in enumerate(given.tolist()):
        v = decay * v + feed * current + gain * arriving
        current = syn_decay * current + syn_gain * arriving
        u[k] = v
        if k >= free and v >= theta:
            ticks.append(k)
            free = k + neuron.dead_ticks(dt)
            v = v_reset if hard else v - drop
    return Response(u, np.array(ticks, np.int64))
