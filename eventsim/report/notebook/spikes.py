"""`Spikes` in a notebook: figures, and a raster of the first sample that has any."""

import numpy as np

from eventsim.report import numbers
from eventsim.report.notebook import pictures
from eventsim.report.notebook.markup import fragment

_MOST_COUNTED = 1 << 24  # neurons of which those without a spike are counted


def show(spikes) -> str:
    """HTML of spikes over a batch."""
    n, samples, neurons = len(spikes), spikes.n_samples, spikes.n_neurons
    duration = spikes.n_ticks * spikes.dt  # ms
    clock = "exact" if spikes.tick is None else f"{numbers.several(spikes.n_ticks, 'tick')} of {spikes.dt:g} ms"
    facts = [("Spikes", f"{numbers.count(n)} in {numbers.several(samples, 'sample')}"),
             ("Neurons", numbers.count(neurons)), ("Clock", f"{clock}, {duration:g} ms")]
    if samples and duration:
        a_neuron = n / (samples * neurons)
        facts.append(("Rate", f"{a_neuron:.3g} spikes a neuron and sample, {1000 * a_neuron / duration:.3g} Hz"))
    if neurons <= _MOST_COUNTED:
        silent = 1.0 - np.count_nonzero(np.bincount(spikes.address, minlength=neurons)) / neurons
        facts.append(("Silent", f"{numbers.share(silent)} of the neurons"))
    return fragment("Spikes", facts, beside=_raster(spikes, duration))


def _raster(spikes, duration):
    counts = np.diff(spikes.sample_ptr)
    if not counts.any():
        return
    b = int(np.argmax(counts > 0))
    first, n = int(spikes.sample_ptr[b]), int(counts[b])
    part = slice(first, first + n)
    chosen = pictures.sampled(n)
    when = spikes.time[part][chosen] if spikes.tick is None else spikes.tick[part][chosen] * spikes.dt
    yield pictures.raster(when, spikes.address[part][chosen], duration, spikes.n_neurons,
                          f"{n} spikes: neurons from top to bottom, time to the right")
    which = f"sample {b} of {numbers.count(spikes.n_samples)}, " if spikes.n_samples > 1 else ""
    drawn = f", drawn from {numbers.count(len(when))} of {numbers.count(n)} spikes" if len(when) < n else ""
    yield pictures.caption(f"{which}neurons downwards, {duration:g} ms to the right{drawn}")
