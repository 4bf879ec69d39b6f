"""Hodgkin and Huxley's equations as their paper of 1952 writes them: V in mV from rest, negative is depolarised."""

import numpy as np


def _rates(v):
    """alpha and beta of n, m and h: equations 12, 13, 20, 21, 23 and 24."""
    def ratio(x):
        return 1.0 if abs(x) < 1e-9 else x / (np.exp(x) - 1.0)

    return (
        (0.1 * ratio((v + 10.0) / 10.0), 0.125 * np.exp(v / 80.0)),
        (1.0 * ratio((v + 25.0) / 10.0), 4.0 * np.exp(v / 18.0)),
        (0.07 * np.exp(v / 20.0), 1.0 / (np.exp((v + 30.0) / 10.0) + 1.0)),
    )


def _slope(state, current):
    """dV/dt (equation 26 of a patch whose potential is the same everywhere) and those of n, m, h (7, 15, 16)."""
    v, n, m, h = state
    ionic = 36.0 * n**4 * (v - 12.0) + 120.0 * m**3 * h * (v + 115.0) + 0.3 * (v + 10.613)
    gates = [a * (1.0 - x) - b * x for (a, b), x in zip(_rates(v), (n, m, h), strict=True)]
    return np.array([-current - ionic, *gates])


def membrane(current, dt):
    """Potential float64[T] in mV with the rest at -65, by Runge and Kutta's fourth order; current in uA/cm2 inward."""
    state = np.array([0.0, *(a / (a + b) for a, b in _rates(0.0))])
    out = np.empty(len(current))
    for k, given in enumerate(current):
        out[k] = -65.0 - state[0]
        k1 = _slope(state, given)
        k2 = _slope(state + dt / 2 * k1, given)
        k3 = _slope(state + dt / 2 * k2, given)
        k4 = _slope(state + dt * k3, given)
        state = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return out
