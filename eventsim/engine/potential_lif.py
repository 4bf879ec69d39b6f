"""What input and spikes make of the potential of a leaky integrate-and-fire neuron: sums of its impulse response."""

import numpy as np

from eventsim.engine.responses import summed
from eventsim.kernels.layout import (
    EXACT_KICK,
    EXACT_KICK_B,
    EXACT_KICK_C,
    EXACT_LAM,
    EXACT_MU,
    LIF_DECAY,
    LIF_FEED,
    LIF_GAIN,
    LIF_SYN_DECAY,
    LIF_SYN_GAIN,
)
from eventsim.model import LIF


def lif_parts(neuron, spikes, time, arrival, weight, constant, fired):
    """(psp, refractory) at ``time``, float64[T] each: what the input alone makes of it, and what the resets take off.

    spikes : of the layer, for their clock; arrival, weight : of the input, ms ascending; constant : input of every tick
    fired : ms, the neuron's own spikes
    """
    if spikes.time is None:
        psp = _on_grid(neuron, spikes, arrival, weight, constant)
    else:
        psp = _in_continuous_time(neuron, spikes, arrival, weight, constant)
    drops = _drops(neuron, psp(fired), fired)
    return psp(time), -summed(time, fired, drops, 1.0 / neuron.tau_mem, 1.0, side="left")


def li_parts(neuron, spikes, time, arrival, weight, constant, fired):
    """`lif_parts` of neurons that never spike: (potential, zeros) at ``time``."""
    return lif_parts(LIF(tau_mem=neuron.tau_mem), spikes, time, arrival, weight, constant, fired)


def _drops(neuron, psp, fired):
    """What every spike takes off the potential, which was ``psp`` but for the spikes before it, float64[S]."""
    if neuron.reset == "subtract":
        return np.full(len(fired), neuron.taken)
    falls = np.exp(-np.diff(fired, prepend=fired[:1]) / neuron.tau_mem)
    drops, before = np.empty(len(fired)), 0.0
    for k, fall in enumerate(falls):
        before *= fall
        drops[k] = psp[k] - before - neuron.v_reset
        before += drops[k]
    return drops


def _on_grid(neuron, spikes, arrival, weight, constant):
    """The psp as a function of the times of ticks: the neuron's own recursion, without its resets."""
    constants, dt = neuron.constants(spikes.dt).astype(np.float64).tolist(), spikes.dt
    decay, feed, gain = constants[LIF_DECAY], constants[LIF_FEED], constants[LIF_GAIN]
    syn_decay, syn_gain = constants[LIF_SYN_DECAY], constants[LIF_SYN_GAIN]
    given = constant + np.bincount(np.rint(arrival / dt).astype(np.int64), weight, spikes.n_ticks)
    v = current = 0.0
    psp = np.empty(len(given))
    for n, x in enumerate(given.tolist()):
        v = decay * v + feed * current + gain * x
        current = syn_decay * current + syn_gain * x
        psp[n] = v
    return lambda time: psp[np.rint(time / dt).astype(np.int64)]


def _in_continuous_time(neuron, spikes, arrival, weight, constant):
    """The psp as a function of time; the constant input is a current."""
    constants = neuron.exact_constants(spikes.dt).tolist()
    lam, mu = constants[EXACT_LAM], constants[EXACT_MU]
    kick, kick_b, kick_c = (constants[i] for i in (EXACT_KICK, EXACT_KICK_B, EXACT_KICK_C))

    def settling(s):
        fall, fade = np.exp(-lam * s), np.exp(-mu * s)
        leaky = s if lam == 0.0 else (1.0 - fall) / lam
        return (kick * leaky + kick_c * (1.0 - fade) / mu
                + (kick_b * (1.0 - (1.0 + lam * s) * fall) / lam**2 if kick_b else 0.0)) / spikes.dt

    def psp(time):
        return (summed(time, arrival, weight, lam, kick, kick_b) + summed(time, arrival, weight, mu, kick_c)
                + constant * settling(time))

    return psp
