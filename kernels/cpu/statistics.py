"""What a spike list says of its neurons."""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)


# What is kept of a neuron in a sample, within one line of the cache.
_COUNT, _LAST, _SQUARES, _TWINS = range(4)
# Histograms of intervals that spikes take turns in: most go to one bin, and would wait for each other.
TURNS = 4
_TURNS = np.uint64(TURNS)


@kernel
def survey_spikes(
    sample_first, sample_last, n_ticks, ticks_a_unit, saturation, sample_ptr, address, when, fan_out, state, fired,
    first, here, neuron_spikes, neuron_fired, neuron_saturated, interval_bins, activity, sample_fired, sample_regular,
    sample_crossed, sample_synchrony, sample_variation, sample_interval,
):
    """Count a batch's spikes by neuron, tick, interval and sample; what is written is added to but for that by sample.

    sample_first, sample_last : samples to do; n_ticks : of each; ticks_a_unit : of ``when``
    saturation : spikes from which on a neuron is saturated in a sample
    sample_ptr : int64[B + 1]; address : int32[K]; when : int32|float64[K], ascending in a sample
    fan_out : int64[J,N], synapses that a spike of every neuron crosses, of several kinds
    state : float64[N,4], fired : int32[N], first : float64[N], here : int64[T], scratch
    neuron_spikes, neuron_fired, neuron_saturated : int64[N], out: spikes of a neuron, and samples in which it fired
        and was saturated
    interval_bins : int64[4,I], out: intervals between a neuron's spikes by whole ticks, to be summed up; the last has
        all longer ones
    activity : int64[T], out: spikes by tick
    sample_fired, sample_regular : int64[B], out: neurons with a spike, and with two intervals or more
    sample_crossed : int64[J,B], out: synapses
    sample_synchrony : float64[B], out: Golomb's chi, NaN where no neuron's rate changes
    sample_variation : float64[B], out: sum of the regular neurons' coefficients of variation
    sample_interval : float64[2,B], out: sum of all intervals, in ticks, and their number
    """
    longest = np.float64(interval_bins.shape[1] - 1)
    state[:, _COUNT] = 0.0
    for b in range(sample_first, sample_last):
        begin, end = sample_ptr[b], sample_ptr[b + 1]
        here[:] = 0
        n_fired = twins = np.int64(0)
        now, since = np.int64(0), begin  # the tick of the spikes from ``since`` on
        for k in range(begin, end):
            n = np.uint64(address[k])
            at = when[k] * ticks_a_unit
            tick = min(np.int64(at), n_ticks - 1)
            if tick != now:
                here[now] = k - since
                now, since = tick, k
            if state[n, _COUNT] == 0.0:
                fired[n_fired] = n
                first[n_fired] = at
                n_fired += 1
                state[n, _COUNT] = 1.0
                state[n, _SQUARES] = state[n, _TWINS] = 0.0
            else:
                last = state[n, _LAST]
                gap = at - last
                interval_bins[np.uint64(k) % _TURNS, np.uint64(min(gap, longest))] += 1
                state[n, _SQUARES] += gap * gap
                state[n, _COUNT] += 1.0
                before = state[n, _TWINS] + 1.0 if np.int64(last) >= tick else 0.0  # in the same tick
                state[n, _TWINS] = before
                twins += np.int64(before)
            state[n, _LAST] = at
        if end > begin:
            here[now] = end - since
        sample_crossed[:, b] = 0
        variation = total = 0.0
        n_regular = np.int64(0)
        # Of the mean over ticks of the square of a neuron's spikes in a tick, the square of the mean is no variance.
        spread = (end - begin + 2 * twins) / max(n_ticks, 1)
        for i in range(n_fired):
            n = fired[i]
            count, span = state[n, _COUNT], state[n, _LAST] - first[i]
            state[n, _COUNT] = 0.0
            spread -= (count / n_ticks) ** 2
            total += span
            neuron_spikes[n] += np.int64(count)
            neuron_fired[n] += 1
            neuron_saturated[n] += count >= saturation
            for j in range(len(fan_out)):
                sample_crossed[j, b] += np.int64(count) * fan_out[j, n]
            if count > 2.0:
                mean = span / (count - 1.0)
                n_regular += 1
                if mean > 0.0:
                    variation += math.sqrt(max(state[n, _SQUARES] / (count - 1.0) - mean * mean, 0.0)) / mean
        squares = np.int64(0)
        for tick in range(n_ticks):
            squares += here[tick] * here[tick]
            activity[tick] += here[tick]
        common = (squares - (end - begin) ** 2 / max(n_ticks, 1)) / max(n_ticks, 1)
        # Both are sums over neurons: that of the population's variance is N^2 times that of its mean.
        sample_synchrony[b] = math.sqrt(max(common, 0.0) / (len(state) * spread)) if spread > 1e-12 else math.nan
        sample_fired[b] = n_fired
        sample_regular[b] = n_regular
        sample_variation[b] = variation
        sample_interval[0, b] = total
        sample_interval[1, b] = end - begin - n_fired
    return _OK
