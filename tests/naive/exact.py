"""The spike response model in continuous time, by scanning: sums over histories, small steps, bisection. float64."""

import numpy as np


def alpha(t, tau):
    """(t / tau) exp(1 - t / tau), 0 before t = 0."""
    t = np.maximum(t, 0.0)
    return t / tau * np.exp(1 - t / tau)


def layer(times, addresses, w, p, t_end, step=0.01):
    """Sorted spikes (time, neuron) of a layer over input spikes, every potential a sum over the whole history.

    ``p`` has theta, tau_syn, tau_ref, scale_ref, t_abs. Each neuron is scanned with ``step`` ms; where u is below theta
    at one point and not at the next, the crossing is bisected. What opens and closes within a step is missed.
    """
    spikes = []
    for i in range(w.shape[1]):
        own = []

        def u(t, i=i, own=own):
            psp = np.sum(w[addresses, i] * alpha(t - times, p.tau_syn))
            return psp - p.scale_ref * p.theta * np.sum(alpha(t - np.array(own), p.tau_ref))

        t, ready = 0.0, 0.0
        while t < t_end:
            following = ready if t < ready < t + step else t + step
            if following < ready or u(following) < p.theta:
                t = following
                continue
            low, high = max(t, ready), following
            if u(low) >= p.theta:
                high = low
            while high - low > 1e-13:
                middle = 0.5 * (low + high)
                low, high = (low, middle) if u(middle) >= p.theta else (middle, high)
            if high < t_end:
                spikes.append((high, i))
                own.append(high)
            t, ready = high, high + p.t_abs
    return sorted(spikes)


def layer_by_state(times, addresses, w, p, t_end, step=0.02):
    """The same for recordings: all neurons at once, their four numbers stepped over a grid and every input time."""
    n = w.shape[1]
    lam, mu = 1.0 / p.tau_syn, 1.0 / p.tau_ref
    a, b, c, d = (np.zeros(n) for _ in range(4))
    ready = np.zeros(n)
    now, spikes = 0.0, []
    stops = np.unique(np.concatenate((times, np.arange(step, t_end, step), [t_end])))
    k = 0

    def at(s, i):
        return (a[i] + b[i] * s) * np.exp(-lam * s) + (c[i] + d[i] * s) * np.exp(-mu * s)

    everyone = np.arange(n)
    for stop in stops:
        # Crossings in (now, stop], the earliest neuron first: neurons of a layer do not act on each other.
        candidates = everyone[(at(stop - now, everyone) >= p.theta) & (ready <= stop)]
        for i in candidates:
            base = now
            while ready[i] <= stop and at(stop - now, i) >= p.theta:
                low, high = max(base, ready[i]) - now, stop - now
                if at(low, i) >= p.theta:
                    high = low
                while high - low > 1e-14:
                    middle = 0.5 * (low + high)
                    if middle in (low, high):
                        break
                    low, high = (low, middle) if at(middle, i) >= p.theta else (middle, high)
                t = now + high
                if t >= t_end:
                    break
                spikes.append((t, i))
                # The recoil starts at t: written as a term that stands since ``now``, it holds from t on only.
                fall = np.exp(mu * high)
                kick = -p.scale_ref * p.theta * np.e * mu * fall
                c[i], d[i] = c[i] - kick * high, d[i] + kick
                ready[i] = base = t
                ready[i] += p.t_abs
        s = stop - now
        fall, fall_ref = np.exp(-lam * s), np.exp(-mu * s)
        a, b = (a + b * s) * fall, b * fall
        c, d = (c + d * s) * fall_ref, d * fall_ref
        now = stop
        while k < len(times) and times[k] <= now:
            b = b + w[addresses[k]] * np.e * lam
            k += 1
    return sorted(spikes)
