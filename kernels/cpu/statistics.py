"""What a spike list says of its neurons."""

import math

import numpy as np

from eventsim.kernels.cpu.jit import kernel
from eventsim.kernels.status import Status

_OK = np.int32(Status.OK)
# A neuron is one number while its sample is done: the time of its last spike, and below it how many it has had.
_COUNT_BITS = 32
_COUNT = np.int64((1 << _COUNT_BITS) - 1)
_FRESH = np.int64(-(1 << 30)) << _COUNT_BITS
# Histograms of intervals that spikes take turns in: most go to one bin, and would wait for each other.
TURNS = 4
_TURNS = np.uint64(TURNS)


@kernel
def _survey_sample(b, begin, end, n_ticks, shift, address, when, state, here, twin, interval_bins, sample_interval):
    """The pass over the spikes of a sample; shift is None where times are whole ticks. Returns pairs of `twin`."""
    longest = np.int64(interval_bins.shape[1] - 1)
    one = np.int64(1) if shift is None else np.int64(1) << shift
    now, since = np.int64(0), begin  # the tick of the spikes from ``since`` on
    twins = total = np.int64(0)
    square = 0.0
    for k in range(begin, end):
        n, at = np.uint64(address[k]), np.int64(when[k])
        own = state[n]
        before = own >> _COUNT_BITS
        state[n] = (at << _COUNT_BITS) + (own & _COUNT) + 1
        gap = at - before
        tick, length = (at, gap) if shift is None else (at >> shift, gap >> shift)
        if tick != now:
            here[now] = k - since
            now, since = tick, k
        # A neuron's first spike has an interval that nobody has, so that it needs no branch.
        interval_bins[np.uint64(k) % _TURNS, np.uint64(min(length, longest))] += 1
        if shift is not None and length < longest:
            total += gap
            square += np.float64(gap) * np.float64(gap)
        if gap < one and (shift is None or before >> shift == tick):
            if twins == 0:
                twin[:] = -1
            place = b * n_ticks + tick
            twin[n, 1] = twin[n, 1] + 1 if twin[n, 0] == place else 1
            twin[n, 0] = place
            twins += twin[n, 1]
    if end > begin:
        here[now] = end - since
    scale = np.float64(one)
    sample_interval[0, b], sample_interval[1, b] = total / scale, square / (scale * scale)
    return twins


@kernel
def survey_spikes(
    sample_first, sample_last, n_ticks, shift, saturation, sample_ptr, address, when, fan_out, state, here, twin,
    neuron_spikes, neuron_fired, neuron_saturated, interval_bins, activity, sample_fired, sample_crossed,
    sample_synchrony, sample_interval,
):
    """Count a batch's spikes by neuron, tick, interval and sample; what is written is added to but for that by sample.

    sample_first, sample_last : samples to do; n_ticks : of each
    saturation : spikes from which on a neuron is saturated in a sample
    sample_ptr : int64[B + 1]; address : int32[K]; when : int32[K], ascending in a sample, in ticks times 2^shift
    fan_out : int64[J,N], synapses that a spike of every neuron crosses, of several kinds
    state : int64[N], here : int64[T], scratch; twin : int64[N,2], scratch: the tick in which a neuron had several
        spikes, and how many before the last
    neuron_spikes, neuron_fired, neuron_saturated : int64[N], out: spikes of a neuron, and samples in which it fired
        and was saturated
    interval_bins : int64[4,I], out: intervals between a neuron's spikes by whole ticks, to be summed up; the last bin
        is nobody's
    activity : int64[T], out: spikes by tick
    sample_fired : int64[B], out: neurons with a spike; sample_crossed : int64[J,B], out: synapses
    sample_synchrony : float64[B], out: Golomb's chi, NaN where no neuron's rate changes
    sample_interval : float64[2,B], out: sums of all intervals and of their squares, in ticks; with shift 0 they are 0,
        and the bins say them
    """
    ticks = np.float64(max(n_ticks, 1))
    state[:] = _FRESH
    for b in range(sample_first, sample_last):
        begin, end = sample_ptr[b], sample_ptr[b + 1]
        here[:] = 0
        if shift == 0:
            twins = _survey_sample(b, begin, end, n_ticks, None, address, when, state, here, twin, interval_bins,
                                   sample_interval)
        else:
            twins = _survey_sample(b, begin, end, n_ticks, shift, address, when, state, here, twin, interval_bins,
                                   sample_interval)
        n_fired = squares = np.int64(0)
        for n in range(len(state)):
            count = state[n] & _COUNT
            state[n] = count
            neuron_spikes[n] += count
            neuron_fired[n] += count > 0
            neuron_saturated[n] += count >= saturation
            n_fired += count > 0
            squares += count * count
        for j in range(len(fan_out)):
            crossed = np.int64(0)
            for n in range(len(state)):
                crossed += state[n] * fan_out[j, n]
            sample_crossed[j, b] = crossed
        state[:] = _FRESH
        together = np.int64(0)
        for tick in range(n_ticks):
            together += here[tick] * here[tick]
            activity[tick] += here[tick]
        # Variances over ticks, times their number: of every neuron's spikes in a tick, summed up, and of all of them.
        single = (end - begin + 2 * twins) - np.float64(squares) / ticks
        common = together - np.float64(end - begin) ** 2 / ticks
        sample_synchrony[b] = math.sqrt(max(common, 0.0) / (len(state) * single)) if single > 1e-9 else math.nan
        sample_fired[b] = n_fired
    return _OK
