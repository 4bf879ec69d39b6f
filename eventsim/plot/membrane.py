"""What went on in chosen neurons: their input, potential and spikes, as in figure 1 of Shrestha & Orchard 2018."""

import math

import numpy as np

from eventsim import checks
from eventsim.engine import Trace, membranes
from eventsim.errors import ConfigError
from eventsim.model import Network
from eventsim.plot.canvas import BLUE, GREY, INK, ORANGE, different, marks, new_figure, stacked
from eventsim.plot.raster import draw_spikes, span_of
from eventsim.report.sampling import some_of

_MOST_GIVEN = 100  # neurons that are shown of those that give input
_MOST_NEURONS = 12  # panels that a page can hold
_A_TICK, _MOST_POINTS = 10, 40_000  # of a curve in continuous time
_MOST_BARS = 1500
_FAR = 6.0  # thresholds
_LESS = 1e-9  # of a tick, by which rounding may move an arrival off its edge


def busiest(trace, layer, n=3, sample=0, span=None):
    """The ``n`` neurons of a layer with most spikes, or as many as fired, ascending, int64[n]; one where none did.

    Of a layer whose potentials are read those with the highest scores.

    span : (first, last) in ms that is looked at; None: the whole sample
    """
    _check_trace(trace)
    n = checks.whole_number("n", n, 1)
    names = [done.name for done in trace.layers]
    done = trace.layers[names.index(checks.choice("layer", layer, names))]
    if done.readout is not None:
        return np.sort(np.argsort(-done.readout.score[sample], kind="stable")[:n])
    spikes = done.spikes.sample(sample)
    inside = slice(*np.searchsorted(spikes.times, span_of(spikes, span)))
    counts = np.bincount(spikes.address[inside], minlength=spikes.n_neurons)
    order = np.argsort(-counts, kind="stable")[:n]
    return np.sort(order[: max(1, np.count_nonzero(counts[order]))])


def membrane(network, trace, layer=None, neurons=None, *, sample=0, span=None):
    """Input spikes, and of every chosen neuron the weights that reach it, its potential, threshold and spikes.

    Where the potentials of a layer are read, what was read stands in place of threshold and spikes.

    layer : its name; None: the last
    neurons : addresses in it; None: the three that are `busiest` within the span
    span : (first, last) in ms; None: the whole sample

    Weights that arrive are summed up by ticks, of a long span by several, those above 0 apart from those below; between
    potential and psp lies the refractory response.
    """
    if not isinstance(network, Network):
        raise ConfigError(f"network must be a Network, got {type(network).__name__}; eventsim.load gives one")
    _check_trace(trace)
    layer = network.layer_names[-1] if layer is None else checks.choice("layer", layer, network.layer_names)
    index = network.layer_names.index(layer)
    width, theta, readout = network.layers[index].n_out, network.neurons[index].theta, trace.layers[index].readout
    given = trace.input
    first, last = span_of(given, span)
    neurons = busiest(trace, layer, sample=sample, span=span) if neurons is None else neurons
    n = len(checks.indices(f"neurons of {layer}", neurons, width))
    if not 0 < n <= _MOST_NEURONS:
        raise ConfigError(f"neurons to draw must be 1 to {_MOST_NEURONS}, got {n}; choose some of them")
    neurons = different(f"neurons of {layer}", neurons, width)
    found = membranes(network, trace, layer, neurons, sample, _fine_times(given, first, last))
    name, spikes = ("input", given) if index == 0 else (trace.layers[index - 1].name, trace.layers[index - 1].spikes)

    figure = new_figure(6.5, 1.6 + 2.1 * len(found))
    axes = stacked(figure, [1.2, *[0.55, 1.5] * len(found)])
    draw_spikes(axes[0], name, spikes.sample(sample), (first, last), some_of(spikes.n_neurons, _MOST_GIVEN))
    for one, arriving, potential in zip(found, axes[1::2], axes[2::2], strict=True):
        _draw_arrivals(arriving, one, given.dt, first, last)
        _draw_potential(potential, one, layer, theta, first, last)
        if readout is not None:
            _draw_readout(potential, readout, sample, one.neuron, given.n_ticks * given.dt)
    axes[2].legend(fontsize=8, frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1.0, 0.98), borderpad=0,
                   handlelength=1.8, columnspacing=1.2)
    axes[-1].set(xlabel="time (ms)", xlim=(first, last))
    figure.align_ylabels(axes)
    return figure


def _check_trace(trace):
    if not isinstance(trace, Trace):
        raise ConfigError(f"trace must be a Trace, got {type(trace).__name__}; Network.simulate gives one")


def _fine_times(spikes, first, last):
    """Times of the potentials: None on the grid, which has its ticks."""
    if spikes.time is None:
        return None
    end = min(last, spikes.n_ticks * spikes.dt)
    return np.linspace(first, end, 1 + min(_MOST_POINTS, max(1, round((end - first) / spikes.dt * _A_TICK))))


def _draw_arrivals(axis, one, dt, first, last):
    """Weights that arrive in a tick, or in as many as let bars be seen."""
    dt *= max(1, int(np.ceil((last - first) / (dt * _MOST_BARS))))
    edges = np.arange(np.floor(first / dt), np.ceil(last / dt) + 1) * dt
    for colour, chosen in ((BLUE, one.weight > 0), (ORANGE, one.weight < 0)):
        # The end of a tick is not its own, and on the grid arrivals lie on edges but for rounding.
        tick = np.floor(one.arrival[chosen] / dt + _LESS) - np.floor(first / dt)
        inside = (tick >= 0) & (tick < len(edges) - 1)
        height = np.bincount(tick[inside].astype(np.int64), one.weight[chosen][inside], len(edges) - 1)
        axis.stairs(height, edges, fill=True, color=colour, linewidth=0)
    axis.axhline(0.0, color=GREY, linewidth=0.5)
    axis.set_ylabel(f"weights in\n{dt:g} ms")
    axis.tick_params(labelsize=7)
    axis.locator_params(axis="y", nbins=3)


def _draw_potential(axis, one, layer, theta, first, last):
    seen = (one.time >= first) & (one.time <= last)
    time, spikes = one.time[seen], one.spikes[(one.spikes >= first) & (one.spikes < last)]
    axis.set_ylabel(f"{layer}, {one.neuron}\npotential")
    if math.isinf(theta):
        axis.plot(time, one.potential[seen], color=BLUE, linewidth=1.1, label="potential")
        return
    axis.plot(time, one.psp[seen], color=GREY, linewidth=0.8, label="psp of its input")
    axis.plot(time, one.potential[seen], color=BLUE, linewidth=1.1, label="potential")
    axis.axhline(theta, color=INK, linewidth=0.8, linestyle="--", label=f"threshold, {theta:g}")
    marks(axis, spikes, np.full(len(spikes), 0.95), (first, last), 1, s=36, c=ORANGE, linewidths=1.1, label="spikes",
          transform=axis.get_xaxis_transform())
    _scale(axis, np.concatenate((one.psp[seen], one.potential[seen], [0.0, theta])), theta)


def _draw_readout(axis, readout, sample, neuron, end):
    """What was read: a line for the mean, a point where the last or the largest potential is."""
    score, text = float(readout.score[sample, neuron]), f"{readout.kind}, {readout.score[sample, neuron]:.3g}"
    axis.axhline(0.0, color=GREY, linewidth=0.5)
    if readout.kind == "mean":
        axis.axhline(score, color=ORANGE, linewidth=1.1, linestyle="--", label=text)
        return
    at = end if readout.time is None else float(readout.time[sample, neuron])
    axis.plot([at], [score], "o", color=ORANGE, markersize=4, clip_on=False, label=text)


def _scale(axis, values, theta):
    """Room for ``values`` below the spikes; where they are far beyond the threshold, a scale that shows it yet."""
    low, high = values.min(), values.max()
    far = max(-low, high)
    if far <= _FAR * theta:
        axis.set_ylim(low - 0.05 * (high - low), high + 0.2 * (high - low))
        return
    linear = 2.0 * theta
    axis.set_yscale("symlog", linthresh=linear)
    axis.minorticks_off()
    step = 3.0 if far < 10.0 * linear else 10.0
    beyond = linear * step ** np.arange(1 + int(np.log(far / linear) / np.log(step)))
    ticks = np.concatenate((-beyond[::-1], [0.0], beyond))
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    to_axis = axis.yaxis.get_transform()
    ends = to_axis.transform(np.array([low, high]))
    room = (ends[1] - ends[0]) * np.array([-0.05, 0.2])
    axis.set_ylim(*to_axis.inverted().transform(ends + room))
    axis.set_title(f"log beyond ±{linear:g}", fontsize=7, loc="left", pad=2)
