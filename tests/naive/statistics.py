"""What a spike list says of its neurons, as the definitions read."""

import numpy as np


def trains(spikes, sample):
    """Times in ticks of every neuron's spikes in a sample."""
    part = slice(spikes.sample_ptr[sample], spikes.sample_ptr[sample + 1])
    when = spikes.tick if spikes.time is None else spikes.time / spikes.dt
    return [when[part][spikes.address[part] == n].astype(float) for n in range(spikes.n_neurons)]


def intervals(spikes, sample):
    """All intervals between neighbouring spikes of a neuron, in ticks."""
    return np.concatenate([np.diff(train) for train in trains(spikes, sample)])


def rates(spikes, sample):
    """s[N, T], spikes of every neuron and tick."""
    out = np.zeros((spikes.n_neurons, spikes.n_ticks))
    for n, train in enumerate(trains(spikes, sample)):
        np.add.at(out[n], np.minimum(train.astype(int), spikes.n_ticks - 1), 1)
    return out


def synchrony(spikes, sample):
    """Golomb's chi: the deviation of the mean over neurons, by the root of the mean of their variances."""
    s = rates(spikes, sample)
    return np.sqrt(np.var(s.mean(axis=0)) / np.var(s, axis=1).mean())
