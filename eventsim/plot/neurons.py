"""The same input to Hodgkin and Huxley's neuron and to the models of eventsim: what the simple ones leave out."""

import math
from dataclasses import dataclass

import numpy as np

from eventsim import checks
from eventsim.model import LIF, SRM, CubaLIF
from eventsim.plot import hodgkin_huxley
from eventsim.plot.canvas import BLUE, GREEN, GREY, INK, ORANGE, new_figure, tidy
from eventsim.plot.single import respond
from eventsim.wording import several

DT = 0.05  # ms, a tick of the simple models; five steps of Hodgkin and Huxley's
DURATION = 120.0  # ms
MOST_CURRENT = 100.0  # uA/cm2, towards which spikes of Hodgkin and Huxley's neuron dwindle
_UP, _DOWN = (10.0, 70.0), (80.0, 100.0)  # ms of the step, and of one below rest
_BELOW = -6.0  # uA/cm2 of that one
_TIMES = (10.0, 30.0, 34.0, 38.0, 50.0, 51.0, 52.0, 53.0, 54.0, 80.0, 81.0, 82.0, 83.0, 84.0)  # ms, input spikes
_INHIBITORY = 80.0  # ms, from which on they are
_JUMP = 0.45  # thresholds, of the potential after one of them
_PULSE, _TAU_SYN = 3.5, 4.0  # uA/cm2 of the current that one gives Hodgkin and Huxley's neuron at first, and its ms
_LONG = 600.0  # ms, after which an input is forgotten
_RHEOBASE = 6.26  # uA/cm2, from which on Hodgkin and Huxley's neuron fires again and again
_WIDTH, _TOP, _ROW, _GAP, _BOTTOM, _SIDE = 9.0, 1.15, 0.86, 0.52, 0.5, 0.75  # inches


@dataclass(frozen=True)
class _Panel:
    """A model and what it leaves out; ``neuron`` None is Hodgkin and Huxley's."""

    name: str
    about: str
    neuron: object = None
    fires: bool = True


# The leaky ones fire as often at 10 uA/cm2 as Hodgkin and Huxley's, 68 Hz, where their reset is hard.
_LIF = {"theta": 1.0, "tau_mem": 15.0}
_PANELS = (
    _Panel("Hodgkin and Huxley",
           "channels open and close with the potential: threshold, spike, refractoriness, and a spike after inhibition "
           "come of themselves"),
    _Panel("Passive membrane",
           "leaves out the channels: capacity and leak only, so it sums and forgets, and never spikes",
           LIF(**_LIF), fires=False),
    _Panel("Integrate-and-fire",
           "leaves out the leak, too: it never forgets, so that input however weak and rare makes a spike some day",
           LIF(theta=1.0, tau_mem=math.inf)),
    _Panel("LIF, reset by subtraction",
           "a fixed threshold instead of channels: no shape of a spike, no refractoriness, no rebound; what lies above "
           "the threshold is kept", LIF(**_LIF)),
    _Panel("LIF, hard reset", "the same, but what lies above the threshold is lost", LIF(**_LIF, reset="hard")),
    _Panel("CubaLIF",
           "synapses have a time course, but their current is the same wherever the potential is: no reversal, no "
           "saturation", CubaLIF(**_LIF, tau_syn=_TAU_SYN)),
    _Panel("Spike response model",
           "input and own spikes add fixed kernels, nothing is reset: what a spike does depends on no other spike and "
           "on no potential", SRM(theta=1.0, tau_syn=5.0, tau_ref=4.0)),
)
_RANGES = ((-1.1, 1.75), (-2.35, 2.5))  # thresholds shown, of the two columns


def neurons(*, current=10.0):
    """Potentials, thresholds and spikes of seven models of a neuron, for a current and for a train of spikes.

    current : uA/cm2 of the step to Hodgkin and Huxley's neuron; to the others it is as many thresholds as it has
        rheobases of 6.26 uA/cm2. One of -6 uA/cm2 comes after it; the last spikes of the train inhibit

    A figure of two columns; under each name stands what the model leaves out. Spikes of Hodgkin and Huxley's neuron are
    where its potential rises through 0 mV; it has no threshold that could be drawn.
    """
    current = checks.number("current", current, below=MOST_CURRENT)
    time = np.arange(round(DURATION / DT)) * DT
    inputs = (_step(time, current), _arrivals(time))
    heights = _TOP + len(_PANELS) * (_ROW + _GAP) + _BOTTOM
    figure = new_figure(_WIDTH, heights)
    figure.set_layout_engine("none")
    place = _Places(figure, heights)
    _draw_inputs(place.row(0.45, _ROW * 0.8), time, inputs)
    for panel in _PANELS:
        axes = place.row(_GAP, _ROW)
        place.say(panel)
        for axis, given, is_train in zip(axes, inputs, (False, True), strict=True):
            _draw(axis, panel, time, given, is_train)
    for axis in axes:
        axis.set_xlabel("time (ms)")
        axis.tick_params(labelbottom=True)
    return figure


def spike_times(*, current=10.0) -> dict:
    """ms of the spikes that `neurons` shows, by the model: those of the current, and those of the train."""
    current = checks.number("current", current, below=MOST_CURRENT)
    time = np.arange(round(DURATION / DT)) * DT
    return {panel.name: [_run(panel, given, is_train)[1].tolist() for given, is_train in (
        (_step(time, current), False), (_arrivals(time), True))] for panel in _PANELS}


def _step(time, current):
    """uA/cm2 of every tick."""
    inside = [(time >= first) & (time < last) for first, last in (_UP, _DOWN)]
    return current * inside[0] + _BELOW * inside[1]


def _arrivals(time):
    """Input spikes of every tick, -1 for one that inhibits."""
    out = np.zeros(len(time))
    for at in _TIMES:
        out[round(at / DT)] += -1.0 if at >= _INHIBITORY else 1.0
    return out


def _run(panel, given, is_train):
    """Potential of every tick, and times of spikes in ms, of one model and one of the inputs."""
    if panel.neuron is None:
        finer = round(DT / hodgkin_huxley.STEP)
        if is_train:
            given = _PULSE * np.convolve(given, np.exp(-np.arange(len(given)) * DT / _TAU_SYN))[: len(given)]
        v = hodgkin_huxley.potential(np.repeat(given, finer))
        return v[::finer], hodgkin_huxley.spikes(v)
    gain = _JUMP / _peak(panel.neuron) if is_train else 1.0 / (_RHEOBASE * _sum(panel.neuron))
    found = respond(panel.neuron if panel.fires else _silent(panel.neuron), gain * given, DT)
    return found.potential, found.ticks * DT


def _silent(neuron):
    return LIF(theta=1e9, tau_mem=neuron.tau_mem)


def _unit(neuron):
    """Potential of every tick after one unit in the first, without spikes."""
    once = np.zeros(round(_LONG / DT))
    once[0] = 1.0
    return respond(neuron, 1e-6 * once, DT).potential * 1e6


def _peak(neuron):
    return _unit(neuron).max()


def _sum(neuron):
    """What a unit a tick sums up to in the end; without a leak, in as many ms as the leaky ones' time constant."""
    unit = _unit(neuron)
    ticks = round(_LIF["tau_mem"] / DT) if getattr(neuron, "tau_mem", 0.0) == math.inf else len(unit)
    return unit[:ticks].sum()


class _Places:
    """Pairs of axes from the top of a figure down, in inches."""

    def __init__(self, figure, height):
        self._figure, self._height, self._y = figure, height, height

    def row(self, gap, height):
        """Two axes side by side."""
        self._y -= gap + height
        width = (_WIDTH - 2 * _SIDE - 0.2) / 2
        axes = []
        for x in (_SIDE, 2 * _SIDE + width):
            axis = self._figure.add_axes((x / _WIDTH, self._y / self._height, width / _WIDTH, height / self._height))
            tidy(axis)
            axis.set_xlim(0.0, DURATION)
            axis.tick_params(labelbottom=False, labelsize=7)
            axes.append(axis)
        self._top = self._y + height
        return axes

    def say(self, panel):
        """The name of a model and what it leaves out, over the pair."""
        for above, text, settings in ((0.23, panel.name, {"fontsize": 8.5, "fontweight": "bold"}),
                                      (0.09, panel.about, {"fontsize": 7})):
            self._figure.text(_SIDE / _WIDTH, (self._top + above) / self._height, text, color=INK, va="bottom",
                              **settings)


def _draw_inputs(axes, time, inputs):
    step, train = inputs
    axes[0].plot(time, step, color=GREEN, linewidth=1.2)
    axes[0].set_ylabel("input\n(µA/cm²)", fontsize=8)
    axes[0].set_title("a current", fontsize=9, loc="left")
    for sign, colour, what in ((1, GREEN, "excite"), (-1, GREY, "inhibit")):
        at = time[np.sign(train) == sign]
        axes[1].vlines(at, 0, sign, color=colour, linewidth=1.2, label=what)
    axes[1].axhline(0.0, color=INK, linewidth=0.5)
    axes[1].set_yticks([])
    axes[1].set_ylim(-1.3, 1.3)
    axes[1].set_ylabel("input\nspikes", fontsize=8)
    axes[1].set_title("a train of spikes", fontsize=9, loc="left")
    axes[1].legend(fontsize=7, frameon=False, loc="upper right", ncols=2, borderpad=0)


def _draw(axis, panel, time, given, is_train):
    potential, spikes = _run(panel, given, is_train)
    axis.plot(time, potential, color=BLUE, linewidth=1.0)
    axis.scatter(spikes, np.full(len(spikes), 0.97), s=30, marker="|", color=ORANGE, linewidths=1.2,
                 transform=axis.get_xaxis_transform(), clip_on=False)
    if panel.neuron is None:
        axis.set(ylim=(-90.0, 65.0), yticks=(hodgkin_huxley.REST, 0.0))
        axis.set_ylabel("mV", fontsize=8)
    else:
        low, high = _RANGES[is_train]
        axis.set_ylim(min(low, 1.1 * potential.min()), max(high, 1.1 * potential.max()))
        axis.locator_params(axis="y", integer=True, nbins=5)
        axis.set_ylabel("thresholds", fontsize=8)
        if panel.fires:
            axis.axhline(1.0, color=INK, linewidth=0.8, linestyle="--")
            axis.annotate("threshold", (DURATION, 1.0), (0, 2), textcoords="offset points", fontsize=6.5, color=INK,
                          ha="right", va="bottom")
    if panel.fires:
        said = several(len(spikes), "spike") + ("" if is_train else _rate(spikes))
        axis.text(1.0, 1.0 + 0.23 / _ROW, said, fontsize=7, color=ORANGE, ha="right", va="bottom",
                  transform=axis.transAxes)


def _rate(spikes):
    """Hz in words, of the last two spikes within the step; nothing where there are none."""
    during = spikes[(spikes >= _UP[0]) & (spikes < _UP[1])]
    return f", {1000.0 / (during[-1] - during[-2]):.0f} Hz" if len(during) > 1 else ""
