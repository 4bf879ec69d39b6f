"""What a loss gives: its value for every sample, and the error of a sample's output."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Past this age, in time constants, an alpha kernel is below float64's resolution of its peak.
_KERNEL_REACH = 45


@dataclass(frozen=True)
class LossResult:
    """value : float64[B]; error : ``error(b)`` is dL/ds of the output spikes of sample b, float32[N_out, T].

    Of a loss on potentials ``error(b)`` is that of their scores, float32[N_out].
    """

    value: np.ndarray
    error: Callable[[int], np.ndarray]


def psp_kernel(neuron, dt, n_ticks, truncate):
    """eps at t = 0, dt, ..., float64[at most n_ticks]; with ``truncate`` only slayerPytorch's taps."""
    n = neuron.n_taps(dt) if truncate else int(_KERNEL_REACH * neuron.tau_syn / dt) + 1
    x = np.arange(min(n, n_ticks)) * dt / neuron.tau_syn
    return x * np.exp(1.0 - x)


def spike_train(spikes, sample):
    """The spikes of one sample as float64[N, T] of zeros and ones; for output layers, which are few neurons wide."""
    part = slice(spikes.sample_ptr[sample], spikes.sample_ptr[sample + 1])
    out = np.zeros((spikes.n_neurons, spikes.n_ticks))
    out[spikes.address[part], spikes.tick[part]] = 1.0
    return out


def in_window(spikes, first, last):
    """Which spikes lie in the ticks first..last-1, bool[K]."""
    if spikes.time is None:
        return (spikes.tick >= first) & (spikes.tick < last)
    return (spikes.time >= first * spikes.dt) & (spikes.time < last * spikes.dt)


def psp_of(spikes, sample, kernel, neuron, window=None):
    """psp of one sample's spikes at every tick, float64[N, T]; with a window of ticks, of the spikes outside it.

    Spikes on ticks are convolved with ``kernel``; those in between have the psp of their own time, not truncated.
    """
    first, last = (0, 0) if window is None else window
    if spikes.time is None:
        train = spike_train(spikes, sample)
        train[:, first:last] = 0.0
        return convolve(train, kernel) if train.any() else train
    out = np.zeros((spikes.n_neurons, spikes.n_ticks))
    ticks = np.arange(spikes.n_ticks) * spikes.dt
    one = spikes.sample(sample)
    outside = ~in_window(one, first, last)
    for neuron_number, time in zip(one.address[outside], one.time[outside], strict=True):
        x = np.maximum(ticks - time, 0.0) / neuron.tau_syn
        out[neuron_number] += x * np.exp(1.0 - x)
    return out


def convolve(signal, kernel):
    """Causal convolution of every row of signal[N, T] with kernel."""
    return np.array([np.convolve(row, kernel)[: signal.shape[1]] for row in signal])


def correlate(signal, kernel):
    """The adjoint of `convolve`: out(t) = sum_k kernel[k] signal(t + k)."""
    return convolve(signal[:, ::-1], kernel)[:, ::-1]
