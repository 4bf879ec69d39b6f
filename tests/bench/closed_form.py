"""Spike times of leaky neurons in closed form, from one spike to the next, in float64.

``p`` is an `LIF`, or a `CubaLIF` whose tau_mem is twice its tau_syn: with x = exp(-t / tau_mem) its potential is then
a x^2 + b x + c (J. Goeltz et al., Nature Machine Intelligence 3, 2021, the case tau_m = 2 tau_s). ``current`` is
constant input a ms, v the potential, i the synapses' current.
"""

import math

import numpy as np

from eventsim.model import CubaLIF


def _first_crossing(v, i, p, current):
    """ms until a potential below the threshold reaches it without further input; inf: never.

    x falls from 1, so the largest root below 1 is the first.
    """
    if math.isinf(p.tau_mem):
        return math.inf
    a, b, c = _polynomial(v, i, p, current)
    c -= p.theta
    square = b * b - 4.0 * a * c
    if square < 0.0:
        return math.inf
    q = -0.5 * (b + math.copysign(math.sqrt(square), b))
    roots = [x for x in ((q / a if a else 0.0), (c / q if q else 0.0)) if 0.0 < x < 1.0]
    return -p.tau_mem * math.log(max(roots)) if roots else math.inf


def _polynomial(v, i, p, current):
    """(a, b, c) of the potential."""
    if not isinstance(p, CubaLIF):
        settled = current * p.tau_mem
        return 0.0, v - settled, settled
    settled = current * p.tau_syn
    a = settled - i
    return a, v - settled - a, settled


def _after(v, i, s, p, current):
    """(v, i) s ms later."""
    if math.isinf(p.tau_mem):
        return v, i
    a, b, c = _polynomial(v, i, p, current)
    x = math.exp(-s / p.tau_mem)
    return (a * x + b) * x + c, current * getattr(p, "tau_syn", 0.0) - a * x * x


def spike_times(times, weights, p, length, current):
    """Spike times of one neuron that gets ``weights`` at ascending ``times``."""
    is_slow, out = isinstance(p, CubaLIF), []
    v = i = now = ready = 0.0
    for stop, weight in zip([*times.tolist(), length], [*weights.tolist(), 0.0], strict=True):
        while True:
            begin = max(now, ready)
            if begin >= stop:
                break
            v, i = _after(v, i, begin - now, p, current)
            now = begin
            wait = 0.0 if v >= p.theta else _first_crossing(v, i, p, current)
            if now + wait >= stop:
                break
            v, i = _after(v, i, wait, p, current)
            v = p.v_reset if p.reset == "hard" else (v if wait == 0.0 else p.theta) - p.theta
            now += wait
            ready = now + p.t_abs
            out.append(now)
        v, i = _after(v, i, stop - now, p, current)
        now = stop
        v, i = (v, i + weight) if is_slow else (v + weight, i)
    return np.array(out)
