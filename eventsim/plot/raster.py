"""A raster: the spikes of every layer."""

import numpy as np

from eventsim import checks
from eventsim.engine import Trace
from eventsim.errors import ConfigError
from eventsim.plot.canvas import BLUE, INK, ORANGE, as_it_is, checked_span, marks, new_figure, stacked
from eventsim.report import numbers
from eventsim.report.sampling import some_of
from eventsim.spikes import Spikes

# Output layers up to so many neurons have them named, and the one with most spikes marked.
_MOST_NAMED = 20
_INCHES = 1.2  # of a panel


def raster(spikes, *, sample=0, most=150, span=None, chooses=True):
    """A panel for each layer, the input first: a mark is a spike. What titles count are spikes within the span.

    spikes : a `Trace`, Spikes, or a dict of name to Spikes such as `eventsim.report.spike_file.read` gives; of a trace
        a layer whose potentials are read is left out, which has no spikes
    sample : which of the batch
    most : neurons that are shown of a layer, evenly spread where there are more
    span : (first, last) in ms; None: the whole sample
    chooses : whether it is the last layer's spikes that say the class; not so where potentials are read

    Of very many spikes those that fall on the same spot of the picture are one mark, which looks the same.
    """
    layers = _named(spikes)
    most = checks.whole_number("most", most, 1)
    one = next(iter(layers.values()))
    first, last = span_of(one, span)
    figure = new_figure(6.5, max(2.2, _INCHES * len(layers) + 0.4))
    axes = stacked(figure, [1.0] * len(layers))
    for axis, (name, one) in zip(axes, layers.items(), strict=True):
        is_read = not chooses or (isinstance(spikes, Trace) and spikes.readout is not None)
        last_one = axis is axes[-1] and isinstance(spikes, Trace | dict) and not is_read
        draw_spikes(axis, name, one.sample(sample), (first, last), some_of(one.n_neurons, most), is_output=last_one)
    axes[-1].set(xlabel="time (ms)", xlim=(first, last))
    figure.supylabel("neuron (address)", fontsize=9)
    figure.align_ylabels(axes)
    return figure


def span_of(spikes, span) -> tuple:
    """``span`` as (first, last) in ms, by default all the time that spikes may have."""
    return checked_span(span, spikes.n_ticks * spikes.dt or spikes.dt)


def within(spikes, span) -> slice:
    """Which spikes of one sample lie in ``span``, (first, last) in ms."""
    return slice(*np.searchsorted(spikes.times, span))


def draw_spikes(axis, name, spikes, span, shown, is_output=False):
    """The spikes of the neurons ``shown`` within a ``span`` of ms, at their addresses."""
    inside = within(spikes, span)
    time, address = spikes.times[inside], spikes.address[inside]
    n, counts = len(time), np.bincount(address, minlength=spikes.n_neurons)
    named = is_output and spikes.n_neurons <= _MOST_NAMED and counts.any()
    chosen = int(np.argmax(counts)) if named else -1
    if len(shown) < spikes.n_neurons:
        kept = np.isin(address, shown)
        time, address = time[kept], address[kept]
    colour = BLUE if is_output else INK
    length = max(2.0, min(8.0, 0.6 * 72 * _INCHES / len(shown)))  # points
    marks(axis, time, address, span, spikes.n_neurons, s=length**2, linewidths=0.7 if length < 5 else 1.0,
          c=np.where(address == chosen, ORANGE, colour) if named else colour, clip_on=False)
    margin = max(0.6, 0.02 * spikes.n_neurons)
    axis.set_ylim(-margin, spikes.n_neurons - 1 + margin)
    axis.set_yticks(_scale(spikes.n_neurons))
    as_it_is(axis.set_ylabel(f"{name}\n{_part(len(shown), spikes.n_neurons)}"))
    rate = f"{numbers.plain(n / spikes.n_neurons)} a neuron"
    which = f"class {chosen}: {counts[chosen]:,} of " if named else ""
    axis.set_title(f"{which}{numbers.several(n, 'spike')}, {rate}", fontsize=8, loc="right", pad=2)


def _part(n_shown, n):
    return f"{n_shown:,} of {n:,}" if n_shown < n else f"all {n:,}"


def _scale(n):
    """Addresses on the scale: every one or second of few, else the first, the middle and the last."""
    return range(0, n, 1 + n // 7) if n <= _MOST_NAMED else [0, (n - 1) // 2, n - 1]


def _named(spikes) -> dict:
    """Name and spikes of everything that is to be drawn."""
    if isinstance(spikes, Trace):
        return {"input": spikes.input, **{one.name: one.spikes for one in spikes.layers if one.readout is None}}
    layers = {"spikes": spikes} if isinstance(spikes, Spikes) else spikes
    if not isinstance(layers, dict) or not layers or not all(isinstance(one, Spikes) for one in layers.values()):
        raise ConfigError(f"a raster is that of a Trace or of Spikes, got {type(spikes).__name__}")
    return layers
