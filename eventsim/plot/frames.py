"""Frames of a recording."""

import math

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.plot.canvas import BLUE, GREY, ORANGE, checked_span, new_figure
from eventsim.report import numbers

_PANEL, _LEAST_WIDE, _MOST_WIDE, _GAP, _TITLE = 1.25, 4.0, 7.5, 0.09, 0.28  # inches
_DOTS = 130  # an inch: smaller pixels are drawn several together
# Of the pixels that have events, the share whose ink is not full yet.
_NOT_FULL = 0.95


def frames(events, *, n=12, span=None):
    """A grid of ``n`` frames of equal time: ON events in blue ink on white paper, OFF in orange; both are dark.

    events : Events of a sensor with more than one row
    span : (first, last) in ms; None: from the first event to the last

    A pixel's ink grows with its events in the frame; it is full at a count that all frames share and the legend says.
    Pixels too small to be seen are squares of several.
    """
    if not isinstance(events, Events):
        raise ConfigError(f"frames are those of Events, got {type(events).__name__}; eventsim.read gives them")
    if events.sensor.height == 1:
        raise ConfigError(f"frames need a sensor with rows, this is one of {events.sensor}; draw a raster")
    n = checks.whole_number("n", n, 1, 200)
    whole = (events.t[0] / 1000, (events.t[-1] + 1) / 1000) if len(events) else (0.0, 1.0)
    first, last = whole if span is None else checked_span(span, None)
    aspect = events.sensor.height / events.sensor.width
    columns = min(n, max(1, round(math.sqrt(1.6 * n * aspect))))
    rows = math.ceil(n / columns)
    width = min(_MOST_WIDE, max(_LEAST_WIDE, columns * _PANEL / min(1.0, math.sqrt(aspect))))
    side = math.ceil(events.sensor.width * columns / (width * _DOTS))
    counts = _counts(events, n, first, last, side)
    full = max(1.0, float(np.quantile(counts[counts > 0], _NOT_FULL))) if counts.any() else 1.0

    figure = new_figure(width, rows * ((width / columns - _GAP) * aspect + _TITLE) + _TITLE)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    edges = np.linspace(first, last, n + 1)
    digits = 0 if (last - first) / n >= 10 else 1 if (last - first) / n >= 1 else 2
    for axis, frame, begin, end in zip(grid, _inked(counts, full), edges, edges[1:], strict=False):
        axis.imshow(frame, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_title(f"{begin:,.{digits}f}–{end:,.{digits}f} ms", fontsize=8, pad=3)
        for spine in axis.spines.values():
            spine.set(color=GREY, linewidth=0.6)
    for axis in grid[n:]:
        axis.remove()
    _explain(figure, events, counts, full, side)
    return figure


def _counts(events, n, first, last, side):
    """Events of every frame and square of pixels by polarity (OFF first), int64[n, 2, rows, columns].

    A sensor of one polarity has ON only.
    """
    sensor = events.sensor
    rows, columns = math.ceil(sensor.height / side), math.ceil(sensor.width / side)
    t = events.t / 1000
    inside = (t >= first) & (t < last)
    frame = np.minimum(((t[inside] - first) * (n / (last - first))).astype(np.int64), n - 1)
    is_on = events.p[inside] == sensor.polarities - 1
    place = ((frame * 2 + is_on) * rows + events.y[inside] // side) * columns + events.x[inside] // side
    return np.bincount(place, minlength=n * 2 * rows * columns).reshape(n, 2, rows, columns)


def _inked(counts, full):
    """float64[n, height, width, 3], colours: every ink takes its part of the light away."""
    from matplotlib.colors import to_rgb

    inks = np.array([to_rgb(ORANGE), to_rgb(BLUE)])
    amount = np.minimum(counts / full, 1.0)[..., None]
    return (1.0 - amount * (1.0 - inks[None, :, None, None, :])).prod(axis=1)


def _explain(figure, events, counts, full, side):
    from matplotlib.patches import Patch

    off, on = counts.sum(axis=(0, 2, 3)).tolist()
    named = [("ON", BLUE, on), ("OFF", ORANGE, off)] if events.sensor.polarities > 1 else [("events", BLUE, on)]
    handles = [Patch(color=colour, label=f"{name}, {numbers.count(n)}") for name, colour, n in named]
    where = "a pixel" if side == 1 else f"in {side}x{side} pixels"
    handles.append(Patch(color="none", label=f"full ink: {numbers.several(round(full), 'event')} {where}"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False, handlelength=1,
                  columnspacing=1.5)
