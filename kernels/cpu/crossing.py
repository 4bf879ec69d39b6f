"""Where the membrane potential of an SRM neuron first reaches its threshold, in continuous time and in closed form.

Between two events, with s ms since the first of them, lam = 1 / tau_syn and mu = 1 / tau_ref,

    u(s) = (a + b s) exp(-lam s) + (c + d s) exp(-mu s)        psp, and refractory response (c, d <= 0)

A weight w adds w e lam to b, a spike adds -scale_ref theta e mu to d. The psp alone has one maximum, but the recovering
refractory response can lift u over theta long after it. So u is cut into monotone pieces: h = u' exp(lam s) has
h'' = (linear) exp((lam - mu) s), whose one root brackets the at most two roots of h', and those the at most three of h.

A constant input is a threshold of its own for its neuron, less by what the input comes to in the end, and a psp at the
start that takes that away again: u(s) is then without it. Such a threshold may be below zero, and is reached some day.
"""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel

# Orders of `_value`: the potential less theta, and h and h' whose roots bracket its monotone pieces.
_U, _H, _DH = 0, 1, 2
_MOST_STEPS = 200
# What rounding may do to a bound, as a share of what it is computed from; much more than it does.
ROUNDING = 1e-9


@kernel
def potential(s, a, b, c, d, lam, mu):
    """u(s), in the units of the threshold."""
    return (a + b * s) * math.exp(-lam * s) + (c + d * s) * math.exp(-mu * s)


@kernel
def psp_maximum(start, a, b, lam):
    """Largest psp at or after ``start``; u cannot be larger, since the refractory response is never above zero."""
    if b > 0.0:
        start = max(start, 1.0 / lam - a / b)
    value = (a + b * start) * math.exp(-lam * start)
    return value if b > 0.0 else max(value, 0.0)


@kernel
def upper_bound(a, b, lam):
    """What (a + b s) exp(-lam s) does not exceed for s >= 0, but for rounding; it takes no exponential."""
    return max(a, 0.0) + max(b, 0.0) / (lam * math.e)


@kernel
def no_crossing_before(a, b, c, d, lam, mu, theta):
    """A time s >= 0 with u < theta before it, or infinity; it is quick, and `first_crossing` may be much later.

    The psp may have no maximum that reaches theta. Otherwise u rises no faster than the largest slopes of psp and
    refractory response together, which are of the same form: (b - lam a - lam b s) exp(-lam s) is that of the psp.
    """
    if upper_bound(a, b, lam) < (1.0 - ROUNDING) * theta or psp_maximum(0.0, a, b, lam) < theta:
        return np.inf
    slope = upper_bound(b - lam * a, -lam * b, lam) + upper_bound(d - mu * c, -mu * d, mu)
    gap = theta - a - c - ROUNDING * (abs(theta) + abs(a) + abs(b) / lam + abs(c) + abs(d) / mu)
    return gap / slope if gap > 0.0 else 0.0


@kernel
def _value(order, s, a, b, c, d, lam, mu, theta):
    """Value and derivative of the function whose root is sought."""
    k = lam - mu
    grow = math.exp(k * s)
    p, r = b - lam * (a + b * s), d - mu * (c + d * s)
    if order == _U:
        fall = math.exp(-lam * s)
        return (a + b * s) * fall + (c + d * s) * math.exp(-mu * s) - theta, (p + r * grow) * fall
    if order == _H:
        return p + r * grow, -lam * b + (k * r - mu * d) * grow
    return -lam * b + (k * r - mu * d) * grow, k * (k * r - 2.0 * mu * d) * grow


@kernel
def _root(order, low, high, a, b, c, d, lam, mu, theta):
    """Root in [low, high], at whose ends the function has different signs: Newton, kept inside by bisection.

    Returns the side of the last bracket where the function has the sign that it has at ``high``.
    """
    upward = _value(order, high, a, b, c, d, lam, mu, theta)[0] >= 0.0
    s = 0.5 * (low + high)
    for _ in range(_MOST_STEPS):
        f, slope = _value(order, s, a, b, c, d, lam, mu, theta)
        if (f >= 0.0) == upward:
            high = s
        else:
            low = s
        if high - low <= 4e-16 * (abs(low) + abs(high)):
            break
        step = f / slope
        following = s - step
        if not low < following < high:  # also where the slope vanishes
            following = 0.5 * (low + high)
        elif abs(step) <= 1e-15 * abs(s):
            # Newton has arrived on one side; a hair's breadth on the other closes the bracket.
            following = s + 1e-14 * abs(s) if high > s else s - 1e-14 * abs(s)
            if not low < following < high:
                following = 0.5 * (low + high)
        s = following
    return high


@kernel
def _split(order, edges, n, a, b, c, d, lam, mu, theta):
    """Insert the roots of a function between edges, of which n are given in ascending order; returns the new number."""
    filled = n
    for i in range(n - 1):
        low, high = edges[i], edges[i + 1]
        if high > low:
            at_low = _value(order, low, a, b, c, d, lam, mu, theta)[0]
            at_high = _value(order, high, a, b, c, d, lam, mu, theta)[0]
            if (at_low >= 0.0) != (at_high >= 0.0):
                edges[filled] = _root(order, low, high, a, b, c, d, lam, mu, theta)
                filled += 1
    for i in range(1, filled):  # insertion sort of a handful
        value, j = edges[i], i
        while j > 0 and edges[j - 1] > value:
            edges[j] = edges[j - 1]
            j -= 1
        edges[j] = value
    return filled


@kernel
def _is_open(s, a, b, c, d, lam, mu, theta):
    """Whether u may reach theta for the first time after s, which is past the psp's peak."""
    if theta > 0.0:
        return (a + b * s) * math.exp(-lam * s) >= theta
    return potential(s, a, b, c, d, lam, mu) < theta


@kernel
def first_crossing(start, a, b, c, d, lam, mu, theta, edges):
    """First s >= start with u(s) >= theta, or infinity; ``edges`` float64[16] is scratch."""
    if psp_maximum(start, a, b, lam) < theta:
        return np.inf
    if potential(start, a, b, c, d, lam, mu) >= theta:
        return start
    if lam == mu:  # one alpha function: fold the two into the psp
        a, b, c, d = a + c, b + d, 0.0, 0.0
        if psp_maximum(start, a, b, lam) < theta:
            return np.inf
    # The psp's peak, and from there on until the psp alone is below theta, or u has reached one that is not above 0.
    peak = max(start, 1.0 / lam - a / b) if b > 0.0 else start
    end, stride = peak, 1.0 / lam
    while _is_open(end, a, b, c, d, lam, mu, theta):
        end += stride
        stride *= 2.0
    edges[0], edges[1], n = start, end, 2
    if c == 0.0 and d == 0.0:
        edges[1], edges[2], n = peak, end, 3
    else:
        if d != 0.0 and lam != mu:
            bend = (d - mu * c) / (mu * d) - 2.0 / (lam - mu)
            if start < bend < end:
                edges[1], edges[2], n = bend, end, 3
        n = _split(_DH, edges, n, a, b, c, d, lam, mu, theta)
        n = _split(_H, edges, n, a, b, c, d, lam, mu, theta)
    for i in range(n - 1):
        if potential(edges[i + 1], a, b, c, d, lam, mu) >= theta:
            return _root(_U, edges[i], edges[i + 1], a, b, c, d, lam, mu, theta)
    return np.inf
