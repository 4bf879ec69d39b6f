"""The squid's giant axon (Hodgkin & Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764)."""

import math

import numpy as np

CAPACITY = 1.0  # uF/cm2
SODIUM, POTASSIUM, LEAK = (120.0, 50.0), (36.0, -77.0), (0.3, -54.387)  # mS/cm2, and reversal in mV
REST = -65.0  # mV
STEP = 0.01  # ms; spikes move by less than 0.01 ms with a tenth of it


def rates(v):
    """Opening and closing of the gates m, h and n per ms, at ``v`` mV: the paper's, at 6.3 degrees."""
    return (
        (_linear(v + 40.0, 0.1), 4.0 * math.exp(-(v + 65.0) / 18.0)),
        (0.07 * math.exp(-(v + 65.0) / 20.0), 1.0 / (1.0 + math.exp(-(v + 35.0) / 10.0))),
        (_linear(v + 55.0, 0.01), 0.125 * math.exp(-(v + 65.0) / 80.0)),
    )


def _linear(x, slope):
    """slope x / (1 - exp(-x / 10)), and its limit at 0."""
    return 10.0 * slope * (1.0 + x / 20.0) if abs(x) < 1e-6 else slope * x / -math.expm1(-x / 10.0)


def potential(current, dt: float = STEP):
    """Potential in mV, float64[T], at the start of every step of ``dt`` ms with a current in uA/cm2, float64[T].

    From rest. Potential and gates take turns half a step apart (Hines 1984, Int J Biomed Comput 15:69-76), each by the
    exact solution of its linear equation with the others held.
    """
    v = REST
    gates = [opening / (opening + closing) for opening, closing in rates(v)]
    out = np.empty(len(current))
    for k, given in enumerate(np.asarray(current, np.float64).tolist()):
        out[k] = v
        for i, (opening, closing) in enumerate(rates(v)):
            end = opening / (opening + closing)
            gates[i] = end + (gates[i] - end) * math.exp(-(opening + closing) * (dt if k else dt / 2))
        m, h, n = gates
        sodium, potassium = SODIUM[0] * m**3 * h, POTASSIUM[0] * n**4
        total = sodium + potassium + LEAK[0]
        end = (sodium * SODIUM[1] + potassium * POTASSIUM[1] + LEAK[0] * LEAK[1] + given) / total
        v = end + (v - end) * math.exp(-total * dt / CAPACITY)
    return out


def spikes(v, dt: float = STEP):
    """Times in ms at which the potential rises through 0 mV."""
    at = np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0))
    return (at - v[at] / (v[at + 1] - v[at])) * dt
