"""A layer with delays and recurrence on the grid, spike by spike and synapse by synapse, float64."""

import numpy as np


def layer(s, w, delay, own_w, own_delay, eps, nu, theta, n_abs, own=None):
    """Spikes float[T, N], potentials with the refractory terms, and the sums of the absolute terms of each.

    s : float[T, N_in], number of input spikes; w float[N_in, N], delay int[N_in, N] in ticks
    own_w, own_delay : the same from the layer back to itself, [N, N]
    eps, nu : float[T], the response to an input spike and to a spike of one's own, at the ages 0, 1, ...
    own : float[T, N], spikes that come back in place of those found; None: those found
    """
    n_ticks, n_out = len(s), w.shape[1]
    u, size = np.zeros((2, n_ticks, n_out))
    out = np.zeros((n_ticks, n_out))
    last = np.full(n_out, -(10**9))

    def send(tick, source, count, weights, delays):
        for i in range(n_out):
            arrival = tick + delays[source, i]
            if arrival < n_ticks:
                response = count * weights[source, i] * eps[: n_ticks - arrival]
                u[arrival:, i] += response
                size[arrival:, i] += np.abs(response)

    for t in range(n_ticks):
        for j in np.flatnonzero(s[t]):
            send(t, j, s[t, j], w, delay)
        out[t] = (u[t] >= theta) & (t - last >= n_abs)
        for i in np.flatnonzero(out[t]):
            last[i] = t
            u[t:, i] += nu[: n_ticks - t]
            size[t:, i] += np.abs(nu[: n_ticks - t])
        back = out[t] if own is None else own[t]
        for i in np.flatnonzero(back):
            send(t, i, back[i], own_w, own_delay)
    return out, u, size
