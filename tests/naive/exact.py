"""The spike response model in continuous time, by scanning: sums over histories, small steps, bisection. float64."""

import heapq

import numpy as np


def alpha(t, tau):
    """(t / tau) exp(1 - t / tau), 0 before t = 0."""
    t = np.maximum(t, 0.0)
    return t / tau * np.exp(1 - t / tau)


def settling(t, tau):
    """The integral of `alpha` from 0 to t, ms: what a constant current of 1 a ms, on from 0, drives a potential to."""
    t = np.maximum(t, 0.0)
    return np.e * tau * (1 - (1 + t / tau) * np.exp(-t / tau))


def layer(times, addresses, w, p, t_end, step=0.01, current=0.0):
    """Sorted spikes (time, neuron) of a layer over input spikes, every potential a sum over the whole history.

    ``p`` has theta, tau_syn, tau_ref, scale_ref, t_abs; ``current`` is a constant input a ms, of all neurons or each.
    Each neuron is scanned with ``step`` ms; where u is below theta at one point and not at the next, the crossing is
    bisected. What opens and closes within a step is missed.
    """
    spikes = []
    current = np.broadcast_to(current, w.shape[1])
    for i in range(w.shape[1]):
        own = []

        def u(t, i=i, own=own):
            psp = np.sum(w[addresses, i] * alpha(t - times, p.tau_syn)) + current[i] * settling(t, p.tau_syn)
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


def layer_by_state(times, addresses, w, p, t_end, step=0.02, current=0.0):
    """The same for recordings: all neurons at once, their four numbers stepped over a grid and every input time."""
    n = w.shape[1]
    lam, mu = 1.0 / p.tau_syn, 1.0 / p.tau_ref
    a, b, c, d = (np.zeros(n) for _ in range(4))
    ready = np.zeros(n)
    now, spikes = 0.0, []
    stops = np.unique(np.concatenate((times, np.arange(step, t_end, step), [t_end])))
    k = 0

    def at(s, i):
        u = (a[i] + b[i] * s) * np.exp(-lam * s) + (c[i] + d[i] * s) * np.exp(-mu * s)
        return u + current[i] * settling(now + s, p.tau_syn)

    everyone, current = np.arange(n), np.broadcast_to(current, n)
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


def alpha_slope(t, tau):
    """The derivative of `alpha`, from the right at t = 0."""
    return np.where(t >= 0, (1 - t / tau) / tau * np.exp(1 - np.maximum(t, 0.0) / tau), 0.0)


class Layer:
    """A layer of a network with delays and recurrence, which remembers every spike that ever reaches it.

    w float[N_in, N_out], and delay, ms, of all, of every row, or of every one of its synapses; own, own_delay : those
    of its own spikes back to it, or None; current : a constant input a ms. ``p`` has theta, tau_syn, tau_ref,
    scale_ref, t_abs.
    """

    def __init__(self, p, w, delay=0.0, own=None, own_delay=0.0, current=0.0):
        self.p, self.w, self.own, self.current = p, w, own, current
        n = w.shape[1]
        self.delay = np.broadcast_to(np.reshape(delay, (*np.shape(delay), 1)[:2]), w.shape)
        self.own_delay = np.broadcast_to(np.reshape(own_delay, (*np.shape(own_delay), 1)[:2]), (n, n))
        self.arrivals, self.weights = np.empty((0, n)), np.empty((0, n))
        self.spikes, self.ready = [], np.zeros(n)

    def receive(self, t, w, delay):
        """Remember a spike at t; returns when it arrives, by neuron. What arrives later does not count before."""
        self.arrivals, self.weights = np.vstack((self.arrivals, t + delay)), np.vstack((self.weights, w))
        return (t + delay).tolist()

    def u(self, t, of=alpha, own_before=np.inf):
        """Potentials at t, or their slopes; own spikes count that are before ``own_before``."""
        psp = np.sum(self.weights * of(t - self.arrivals, self.p.tau_syn), axis=0)
        psp = psp + self.current * (settling if of is alpha else alpha)(t, self.p.tau_syn)
        when, i = np.array(self.spikes).reshape(-1, 2).T
        response = np.where(when < own_before, of(t - when, self.p.tau_ref), 0.0)
        recoil = np.bincount(i.astype(int), response, len(self.ready))
        return psp - self.p.scale_ref * self.p.theta * recoil

    def crossings(self, low, high):
        """(time, neuron) of all that are not dead and reach threshold in (low, high], where nothing arrives."""
        theta = self.p.theta
        above, almost = self.u(high) >= theta, np.nextafter(high, low)
        turns = ~above & (self.u(low, alpha_slope) > 0) & (self.u(almost, alpha_slope) < 0) & (self.ready <= low)
        for i in np.flatnonzero((above & (self.ready <= high)) | turns):
            end = high
            if not above[i]:
                end = halved(low, almost, lambda t, i=i: self.u(t, alpha_slope)[i] <= 0)
                if self.u(end)[i] < theta:
                    continue
            start = max(low, self.ready[i])
            at_once = self.u(start)[i] >= theta
            yield start if at_once else halved(start, end, lambda t, i=i: self.u(t)[i] >= theta), i


def halved(low, high, reached):
    """Where ``reached`` begins to hold between two times, by bisection to the last bit."""
    while low < 0.5 * (low + high) < high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def network(times, addresses, layers, t_end, step=0.1):
    """Run a stack of `Layer`, which collect their ``spikes``: all together, from crossing to crossing.

    Time goes on by ``step`` ms, or to the next arrival or end of a dead time. Of the crossings on the way only the
    first one counts, the lower layer's and lower neuron's among equals, since it may change those after it. Of a neuron
    that turns twice within a step something is missed.
    """
    stops = [*np.arange(step, t_end, step).tolist(), t_end]
    for t, j in zip(times, addresses, strict=True):
        stops += layers[0].receive(t, layers[0].w[j], layers[0].delay[j])
    heapq.heapify(stops)
    now = 0.0
    while now < t_end:
        while stops[0] <= now:
            heapq.heappop(stops)
        found = [(t, k, i) for k, layer in enumerate(layers) for t, i in layer.crossings(now, stops[0])]
        now, k, i = min(found, default=(stops[0], None, None))
        if k is None or now >= t_end:
            continue
        layer, reached = layers[k], [now + layers[k].p.t_abs]
        layer.spikes.append((now, i))
        layer.ready[i] = now + layer.p.t_abs
        if layer.own is not None:
            reached += layer.receive(now, layer.own[i], layer.own_delay[i])
        if k + 1 < len(layers):
            reached += layers[k + 1].receive(now, layers[k + 1].w[i], layers[k + 1].delay[i])
        for stop in reached:
            heapq.heappush(stops, stop)
