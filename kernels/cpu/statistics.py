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
def _close_sample(
    b, n_spikes, n_ticks, together, twins, saturation, fan_out, state, neuron_spikes, neuron_fired, neuron_saturated,
    sample_fired, sample_crossed, sample_synchrony,
):
    """What the neurons' counts say once a sample is done; they begin anew.

    together : sum over ticks of the square of their spikes; twins : pairs of spikes that share neuron and tick
    """
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
    # Variances over ticks, times their number: of every neuron's spikes in a tick, summed up, and of all of them.
    ticks = np.float64(max(n_ticks, 1))
    single = (n_spikes + 2 * twins) - np.float64(squares) / ticks
    common = together - np.float64(n_spikes) ** 2 / ticks
    sample_synchrony[b] = math.sqrt(max(common, 0.0) / (len(state) * single)) if single > 1e-9 else math.nan
    sample_fired[b] = n_fired


@kernel
def survey_ticks(
    sample_first, sample_last, n_ticks, coarse, saturation, run_base, run_count, run_tick, run_start, address, fan_out,
    state, neuron_spikes, neuron_fired, neuron_saturated, interval_bins, activity, sample_fired, sample_crossed,
    sample_synchrony,
):
    """Count a batch's spikes by neuron, tick, interval and sample; what is written is added to but for that by sample.

    sample_first, sample_last : samples to do; n_ticks : of each
    coarse : 2^coarse ticks have a bin of ``activity``
    saturation : spikes from which on a neuron is saturated in a sample
    run_base, run_count, run_tick, run_start : see `group_by_tick`; address : int32[K], each once in a tick
    fan_out : int64[J,N], synapses that a spike of every neuron crosses, of several kinds
    state : int64[N], scratch
    neuron_spikes, neuron_fired, neuron_saturated : int64[N], out: spikes of a neuron, and samples in which it fired
        and was saturated
    interval_bins : int64[4,I], out: intervals between a neuron's spikes in ticks, to be summed up; the last bin is
        nobody's
    activity : int64[bins], out: spikes by time
    sample_fired : int64[B], out: neurons with a spike; sample_crossed : int64[J,B], out: synapses
    sample_synchrony : float64[B], out: Golomb's chi, NaN where no neuron's rate changes
    """
    longest = np.int64(interval_bins.shape[1] - 1)
    state[:] = _FRESH
    for b in range(sample_first, sample_last):
        together = n_spikes = np.int64(0)
        for run in range(run_base[b], run_base[b] + run_count[b]):
            tick, begin, end = np.int64(run_tick[run]), run_start[run], run_start[run + 1]
            for k in range(begin, end):
                n = np.uint64(address[k])
                own = state[n]
                state[n] = (tick << _COUNT_BITS) + (own & _COUNT) + 1
                # A neuron's first spike has an interval that nobody has, so that it needs no branch.
                gap = min(tick - (own >> _COUNT_BITS), longest)
                interval_bins[np.uint64(k) % _TURNS, np.uint64(gap)] += 1
            activity[tick >> coarse] += end - begin
            together += (end - begin) ** 2
            n_spikes += end - begin
        _close_sample(b, n_spikes, n_ticks, together, np.int64(0), saturation, fan_out, state, neuron_spikes,
                      neuron_fired, neuron_saturated, sample_fired, sample_crossed, sample_synchrony)
    return _OK


@kernel
def survey_times(
    sample_first, sample_last, n_ticks, coarse, shift, fine, saturation, sample_ptr, address, when, fan_out, state,
    twin, neuron_spikes, neuron_fired, neuron_saturated, interval_bins, activity, sample_fired, sample_crossed,
    sample_synchrony, sample_interval, sample_shared,
):
    """`survey_ticks` for spikes between ticks, and those of which several share address and tick.

    sample_ptr : int64[B + 1]; when : int32[K], ascending in a sample, in ticks times 2^shift
    twin : int64[N,2], scratch: the tick in which a neuron had several spikes, and how many before the last
    interval_bins : a tick has 2^fine; sample_interval : float64[2,B], out: sums of intervals and of squares, in ticks
    sample_shared : int64[B], out: spikes that share their tick with one before of their neuron
    """
    longest, scale = np.int64(interval_bins.shape[1] - 1), np.float64(np.int64(1) << shift)
    state[:] = _FRESH
    twin[:] = -1
    for b in range(sample_first, sample_last):
        begin, end = sample_ptr[b], sample_ptr[b + 1]
        now, since = np.int64(0), begin  # the tick of the spikes from ``since`` on
        twins = together = total = shared = np.int64(0)
        square = 0.0
        for k in range(begin, end):
            n, at = np.uint64(address[k]), np.int64(when[k])
            own = state[n]
            before = own >> _COUNT_BITS
            state[n] = (at << _COUNT_BITS) + (own & _COUNT) + 1
            gap, tick = at - before, at >> shift
            if tick != now:
                activity[now >> coarse] += k - since
                together += (k - since) ** 2
                now, since = tick, k
            length = min(gap >> shift - fine, longest)
            interval_bins[np.uint64(k) % _TURNS, np.uint64(length)] += 1
            if length < longest:
                total += gap
                square += np.float64(gap) * np.float64(gap)
                if before >> shift == tick:
                    place = b * n_ticks + tick
                    twin[n, 1] = twin[n, 1] + 1 if twin[n, 0] == place else 1
                    twin[n, 0] = place
                    twins += twin[n, 1]
                    shared += 1
        if end > begin:
            activity[now >> coarse] += end - since
            together += (end - since) ** 2
        sample_shared[b] = shared
        sample_interval[0, b], sample_interval[1, b] = total / scale, square / (scale * scale)
        _close_sample(b, end - begin, n_ticks, together, twins, saturation, fan_out, state, neuron_spikes,
                      neuron_fired, neuron_saturated, sample_fired, sample_crossed, sample_synchrony)
    return _OK
