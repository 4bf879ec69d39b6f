"""What input and spikes make of the potential of a leaky integrate-and-fire neuron: sums of its impulse response."""

import numpy as np

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

# Times that are summed up for at once.
_AT_ONCE = 256


def lif_parts(neuron, spikes, time, arrival, weight, constant, fired):
    """(psp, refractory) at ``time``, float64[T] each: what the input alone makes of it, and what the resets take off.

    spikes : of the layer, for their clock; arrival, weight : of the input, ms ascending; constant : input of every tick
    fired : ms, the neuron's own spikes
    """
    impulse, settling = (_on_grid if spikes.time is None else _in_continuous_time)(neuron, spikes)

    def psp(when):
        return _summed(when, arrival, weight, impulse) + constant * settling(when)

    drops = _drops(neuron, psp(fired), fired) if len(fired) else np.empty(0)

    def taken_off(age):
        return np.where(age > 0, np.exp(-np.maximum(age, 0.0) / neuron.tau_mem), 0.0)

    return psp(time), -_summed(time, fired, drops, taken_off)


def _drops(neuron, psp, fired):
    """What every spike takes off the potential, which was ``psp`` but for the spikes before it."""
    if neuron.reset == "subtract":
        return np.full(len(fired), neuron.theta)
    drops = np.empty(len(fired))
    for k, at in enumerate(fired):
        before = np.sum(drops[:k] * np.exp(-(at - fired[:k]) / neuron.tau_mem))
        drops[k] = psp[k] - before - neuron.v_reset
    return drops


def _on_grid(neuron, spikes):
    """Functions of ages and times in ms: the potential after a unit of input, and by one in every tick."""
    constants, dt = neuron.constants(spikes.dt).astype(np.float64), spikes.dt
    v = current = 0.0
    response = np.empty(max(spikes.n_ticks, 1))
    for n in range(len(response)):
        given = 1.0 if n == 0 else 0.0
        v = constants[LIF_DECAY] * v + constants[LIF_FEED] * current + constants[LIF_GAIN] * given
        current = constants[LIF_SYN_DECAY] * current + constants[LIF_SYN_GAIN] * given
        response[n] = v
    whole = np.cumsum(response)
    return (lambda age: np.where(age > -0.5 * dt, response[np.maximum(np.rint(age / dt), 0).astype(int)], 0.0),
            lambda time: whole[np.rint(time / dt).astype(int)])


def _in_continuous_time(neuron, spikes):
    """The same, the constant input being a current."""
    constants = neuron.exact_constants(spikes.dt)
    lam, mu = constants[EXACT_LAM], constants[EXACT_MU]
    kick, kick_b, kick_c = (constants[i] for i in (EXACT_KICK, EXACT_KICK_B, EXACT_KICK_C))

    def impulse(age):
        s = np.maximum(age, 0.0)
        return np.where(age >= 0, (kick + kick_b * s) * np.exp(-lam * s) + kick_c * np.exp(-mu * s), 0.0)

    def settling(s):
        fall, fade = np.exp(-lam * s), np.exp(-mu * s)
        leaky = s if lam == 0.0 else (1.0 - fall) / lam
        return (kick * leaky + kick_c * (1.0 - fade) / mu
                + (kick_b * (1.0 - (1.0 + lam * s) * fall) / lam**2 if kick_b else 0.0)) / spikes.dt

    return impulse, settling


def _summed(time, when, weight, response):
    """The sum of responses that begin at ``when``, by ``weight``: float64[T]."""
    out = np.zeros(len(time))
    for first in range(0, len(time), _AT_ONCE):
        part = time[first : first + _AT_ONCE]
        out[first : first + _AT_ONCE] = response(part[:, None] - when) @ weight
    return out
