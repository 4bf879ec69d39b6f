"""The two-state recursion of one layer in float32, in the order in which it is to be added up: the same bits."""

import numpy as np


def layer(ticks, addresses, w, n_ticks, n_abs, constants, n_taps=0):
    """Spikes as a list of (tick, address), and potentials float32[T, N], of one sample.

    ticks, addresses : the input spikes in the order of the list; w : float32[N_in, N_out]
    constants : float32[7], decays, gains, threshold, and what a psp of ``n_taps`` ends with (0: it never ends)
    """
    alpha_syn, gain_syn, alpha_ref, gain_ref, theta, cut_p, cut_q = constants
    n_out = w.shape[1]
    p, q, pr, qr = np.zeros((4, n_out), np.float32)
    ready = np.zeros(n_out, int)
    spikes, potentials = [], np.empty((n_ticks, n_out), np.float32)
    for t in range(n_ticks):
        q = alpha_syn * (q + p)
        p = alpha_syn * p
        qr = alpha_ref * (qr + pr)
        pr = alpha_ref * pr
        u = potentials[t] = q + qr
        for i in range(n_out):
            if u[i] >= theta and t >= ready[i]:
                spikes.append((t, i))
                pr[i] += gain_ref
                ready[i] = t + n_abs
        p = p + gain_syn * sum_rows(addresses[ticks == t], w)
        if n_taps:
            ended = sum_rows(addresses[ticks == t - (n_taps - 1)], w)
            p = p - cut_p * ended
            q = q - cut_q * ended
    return spikes, potentials


def sum_rows(addresses, w):
    """Sum of weight rows: four at a time as (a + b) + (c + d), then the rest one by one."""
    total = np.zeros(w.shape[1], np.float32)
    whole = len(addresses) // 4 * 4
    for a, b, c, d in addresses[:whole].reshape(-1, 4):
        total = total + ((w[a] + w[b]) + (w[c] + w[d]))
    for a in addresses[whole:]:
        total = total + w[a]
    return total
