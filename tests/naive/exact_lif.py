"""Leaky integrate-and-fire in continuous time, by scanning: closed forms over short steps, and bisection. float64.

``p`` is as in `lif`, with t_abs in ms in place of n_abs.
"""

import numpy as np


def after(v, current, s, p, drive=0.0):
    """(v, current) of a neuron s ms later, to which nothing comes but a constant ``drive`` a ms."""
    fall = np.exp(-s / p.tau_mem)
    if p.tau_syn is None:
        settled = drive * s if np.isinf(p.tau_mem) else drive * p.tau_mem * (1.0 - fall)
        return v * fall + settled, 0.0
    fade = np.exp(-s / p.tau_syn)
    whole = drive * p.tau_syn  # what the current comes to
    rest = current - whole
    if np.isinf(p.tau_mem):
        given = rest * p.tau_syn * (1.0 - fade) + whole * s
    elif p.tau_mem == p.tau_syn:
        given = rest * s / p.tau_mem * fall + whole * (1.0 - fall)
    else:
        given = rest * p.tau_syn / (p.tau_syn - p.tau_mem) * (fade - fall) + whole * (1.0 - fall)
    return v * fall + given, rest * fade + whole


def neuron(times, weights, p, t_end, step=0.02, drive=0.0):
    """Spike times of one neuron whose synapses of these weights are crossed at these ascending times."""
    stops = np.unique(np.concatenate((times, np.arange(step, t_end, step), [t_end])))
    v = current = now = ready = 0.0
    spikes, k = [], 0
    for stop in stops:
        while now < stop:
            begin = max(now, min(ready, stop))
            if begin > now:  # dead until then
                v, current = after(v, current, begin - now, p, drive)
                now = begin
                if now == stop:  # what arrives at this very time goes before a crossing
                    break
            if ready <= now and v >= p.theta:
                hit = now
            else:
                if ready > now or after(v, current, stop - now, p, drive)[0] < p.theta:
                    v, current = after(v, current, stop - now, p, drive)
                    now = stop
                    break
                low, high = 0.0, stop - now
                while low < 0.5 * (low + high) < high:
                    middle = 0.5 * (low + high)
                    low, high = (low, middle) if after(v, current, middle, p, drive)[0] >= p.theta else (middle, high)
                v, current = after(v, current, high, p, drive)
                hit = now + high
            if hit >= t_end:
                return spikes
            spikes.append(hit)
            v = p.v_reset if p.reset == "hard" else v - p.drop
            now, ready = hit, hit + p.t_abs
        while k < len(times) and times[k] <= now:
            if p.tau_syn is None:
                v += weights[k]
            else:
                current += weights[k]
            k += 1
        if ready <= now and v >= p.theta and now < t_end:
            spikes.append(now)
            v = p.v_reset if p.reset == "hard" else v - p.drop
            ready = now + p.t_abs
    return spikes


def layer(times, addresses, w, p, t_end, drive=0.0):
    """Sorted spikes (time, neuron) of a layer over input spikes."""
    drive = np.broadcast_to(drive, w.shape[1])
    found = [neuron(times, w[addresses, i], p, t_end, drive=drive[i]) for i in range(w.shape[1])]
    return sorted((t, i) for i, own in enumerate(found) for t in own)


def potential(t, times, weights, own, p, drive=0.0):
    """A neuron's potential at t, to which what arrives then counts, and of its ``own`` spikes only those before."""
    v = current = now = 0.0
    happens = [(when, 0, weight) for when, weight in zip(times, weights, strict=True) if when <= t]
    for when, kind, weight in sorted([*happens, *((when, 1, 0.0) for when in own if when < t), (t, 2, 0.0)]):
        v, current = after(v, current, when - now, p, drive)
        now = when
        if kind == 1:
            v = p.v_reset if p.reset == "hard" else v - p.drop
        elif p.tau_syn is None:
            v += weight
        else:
            current += weight
    return v
