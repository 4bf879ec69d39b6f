"""The spike response model on the tick clock: a tile of 64 neurons, stepped together.

State of a tile, float32[6, 64], rows P, Q, PR, QR, U and TOTAL (a scratch row). One array, so that rows stand at
constant offsets and the loops below vectorise without alias checks. The kernels eps and nu are alpha functions, each a
two-state linear system (Shrestha & Orchard 2018, eq. 1-5); the factors e dt / tau are folded into what is added to P
and PR:

    Q  <- a (Q + P)        P  <- a P          a  = exp(-dt / tau_syn)
    QR <- b (QR + PR)      PR <- b PR         b  = exp(-dt / tau_ref)
    U   = Q + QR           a spike where U >= theta and the neuron is not dead
    PR += b_gain at a spike,   P += a_gain * (sum of the tick's weight rows)

eps(0) = nu(0) = 0: neither the input nor a spike of tick t changes U of tick t.
"""

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.cpu.vector import lowest_bit, mask_at_least
from eventsim.kernels.layout import TILE

P, Q, PR, QR, U, TOTAL = range(6)
# Indices into the float32 vector of constants, `SRM.constants`.
ALPHA_SYN, GAIN_SYN, ALPHA_REF, GAIN_REF, THETA, CUT_P, CUT_Q = range(7)
N_CONSTANTS = 7


@kernel
def step(state, alpha_syn, alpha_ref):
    """Advance a tile by one tick; afterwards row U is the potential that is compared with theta."""
    for k in range(TILE):
        psp = alpha_syn * (state[Q, k] + state[P, k])
        state[Q, k] = psp
        state[P, k] = alpha_syn * state[P, k]
        refractory = alpha_ref * (state[QR, k] + state[PR, k])
        state[QR, k] = refractory
        state[PR, k] = alpha_ref * state[PR, k]
        state[U, k] = psp + refractory


@kernel
def sum_rows(rows, address, first, last, out):
    """out[64] = sum of ``rows[address[i]]`` for i in first..last-1; four rows a turn, ``out += (a + b) + (c + d)``."""
    for k in range(TILE):
        out[k] = np.float32(0.0)
    i = first
    while i + 3 < last:
        a, b, c, d = rows[address[i]], rows[address[i + 1]], rows[address[i + 2]], rows[address[i + 3]]
        for k in range(TILE):
            out[k] += (a[k] + b[k]) + (c[k] + d[k])
        i += 4
    while i < last:
        a = rows[address[i]]
        for k in range(TILE):
            out[k] += a[k]
        i += 1


@kernel
def receive(rows, address, first, last, cut_first, cut_last, constants, state):
    """Add a tick's input, spikes first..last-1, to a tile's psp, and take off the spikes whose truncated psp ends here.

    A psp of K taps counts for the last time at age K - 1. After that tick it is taken off as what the untruncated
    system then holds of it: gain a^(K-1) from P, gain (K-1) a^(K-1) from Q (oracle mode; else cut_first == cut_last).
    """
    if last > first:
        sum_rows(rows, address, first, last, state[TOTAL])
        gain = constants[GAIN_SYN]
        for k in range(TILE):
            state[P, k] += gain * state[TOTAL, k]
    if cut_last > cut_first:
        sum_rows(rows, address, cut_first, cut_last, state[TOTAL])
        cut_p, cut_q = constants[CUT_P], constants[CUT_Q]
        for k in range(TILE):
            state[P, k] -= cut_p * state[TOTAL, k]
            state[Q, k] -= cut_q * state[TOTAL, k]


@kernel
def fire(state, tick, constants, n_abs, ready):
    """Bit mask of the neurons that spike at ``tick``; gives them their refractory response and dead time.

    ready int32[64] holds the first tick at which each neuron may fire again.
    """
    spiking = mask_at_least(state, U, constants[THETA])
    crossing = spiking
    while crossing != np.uint64(0):
        lane = lowest_bit(crossing)
        crossing &= crossing - np.uint64(1)
        if tick < ready[lane]:
            spiking ^= np.uint64(1) << np.uint64(lane)
        else:
            state[PR, lane] += constants[GAIN_REF]
            ready[lane] = tick + n_abs
    return spiking


@kernel
def tick_end(tick, value, first, last):
    """End of the run of entries equal to ``value`` that starts at ``first`` (``first`` itself where there is none)."""
    while first < last and tick[first] == value:
        first += 1
    return first
