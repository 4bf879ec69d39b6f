"""The two-state recursion of one layer in float32, in the order in which it is to be added up: the same bits."""

import math

import numpy as np

TILE = 64
GAP = 8


def layer(ticks, addresses, w, n_ticks, n_abs, constants, n_taps=0, scale=None):
    """Spikes as a sorted list of (tick, address) of one sample, and the number of ticks that were jumped over.

    ticks, addresses : the input spikes in the order of the list; w : float32[N_in, N_out]
    constants : float32[7], decays, gains, threshold, and what a psp of ``n_taps`` ends with (0: it never ends)
    scale : float32[N_out], what one unit of w weighs for each neuron; None: 1
    """
    spikes, jumped = [], 0
    gain = constants[1] * (np.ones(w.shape[1], np.float32) if scale is None else scale)
    for first in range(0, w.shape[1], TILE):
        part = slice(first, first + TILE)
        found, skipped = tile(ticks, addresses, w[:, part], gain[part], n_ticks, n_abs, constants, n_taps)
        spikes += [(t, first + i) for t, i in found]
        jumped += skipped
    return sorted(spikes), jumped


def tile(ticks, addresses, w, gain_syn, n_ticks, n_abs, constants, n_taps):
    """`layer` for the neurons of one tile, which jump over a silence together."""
    alpha_syn, _, alpha_ref, gain_ref, theta, cut_p, cut_q = constants
    limit = np.float32(theta * np.float32(1.0 - 1e-4))
    reach = np.float32(1.0 / (math.e * -math.log(float(alpha_syn))))
    events = sorted(set(ticks.tolist()) | ({t + n_taps - 1 for t in ticks.tolist()} if n_taps else set()))
    p, q, pr, qr = np.zeros((4, w.shape[1]), np.float32)
    ready = np.zeros(w.shape[1], int)
    spikes, jumped = [], 0
    t = events[0] if events else n_ticks
    while t < n_ticks:
        q = alpha_syn * (q + p)
        p = alpha_syn * p
        qr = alpha_ref * (qr + pr)
        pr = alpha_ref * pr
        u = q + qr
        for i in range(len(u)):
            if u[i] >= theta and t >= ready[i]:
                spikes.append((t, i))
                pr[i] += gain_ref
                ready[i] = t + n_abs
        p = p + gain_syn * sum_rows(addresses[ticks == t], w)
        if n_taps:
            ended = sum_rows(addresses[ticks == t - (n_taps - 1)], w)
            p = p - cut_p * ended
            q = q - cut_q * ended
        t += 1
        ahead = min([tick for tick in events if tick >= t and tick < n_ticks], default=n_ticks)
        n = ahead - t
        if n >= GAP and np.all(np.maximum(q, 0) + np.maximum(p, 0) * reach < limit):
            fall = np.float32(math.pow(float(alpha_syn), n))
            q = fall * (q + np.float32(n) * p)
            p = fall * p
            fall = np.float32(math.pow(float(alpha_ref), n))
            qr = fall * (qr + np.float32(n) * pr)
            pr = fall * pr
            t, jumped = ahead, jumped + n
    return spikes, jumped


def sum_rows(addresses, w):
    """Sum of weight rows, one after the other."""
    total = np.zeros(w.shape[1], np.float32)
    for a in addresses:
        total = total + w[a]
    return total
