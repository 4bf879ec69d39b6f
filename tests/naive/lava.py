"""lava-dl's CUBA neurons as its documentation writes them, in real numbers instead of its fixed-point ones."""

import numpy as np


def cuba(s, w, current_decay, voltage_decay, theta):
    """Spikes float[T, N] and potentials of one layer, from spikes s float[T, N_in] and weights w float[N_in, N].

    u[t] = (1 - a_u) u[t - 1] + x[t], v[t] = (1 - a_v) v[t - 1] + u[t]; v >= theta spikes, and v is 0 then.
    """
    u, v = np.zeros(w.shape[1]), np.zeros(w.shape[1])
    out, potential = np.zeros((len(s), w.shape[1])), np.zeros((len(s), w.shape[1]))
    for t in range(len(s)):
        u = (1 - current_decay) * u + s[t] @ w
        v = (1 - voltage_decay) * v + u
        potential[t], out[t] = v, v >= theta
        v = np.where(out[t] > 0, 0.0, v)
    return out, potential
