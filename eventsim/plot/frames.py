"""Frames of a recording."""

import math

import numpy as np

from eventsim import checks
from eventsim.errors import ConfigError
from eventsim.events import Events
from eventsim.plot.canvas import BLUE, GREY, ORANGE, checked_span, new_figure, refuse_outside, text_width
from eventsim.report import numbers

_PANEL, _LEAST_WIDE, _MOST_WIDE, _GAP, _TITLE = 1.25, 4.0, 7.5, 0.09, 0.28  # inches
# Up to so many frames the page is _MOST_WIDE, of more it is wider.
_MANY, _MOST = 80, 200
_SHORTEST = 0.001  # ms, what recordings tell apart
_POINTS, _HANDLE, _BETWEEN = 8, 1.0, 1.5  # of the legend; lengths are in letters
_DOTS = 130  # an inch: smaller pixels are drawn several together
# Of the pixels that have events, the share whose ink is not full yet.
_NOT_FULL = 0.95


def frames(events, *, n=12, span=None):
    """A grid of ``n`` frames of equal time: ON events in blue ink on white paper, OFF in orange; both are dark.

    events : Events of a sensor with more than one row
    n : how many; fewer where they would be shorter than 1 us
    span : (first, last) in ms; None: from the first event to the last

    A pixel's ink grows with its events in the frame; it is full at a count that all frames share and the legend says.
    Pixels too small to be seen are squares of several.
    """
    if not isinstance(events, Events):
        raise ConfigError(f"frames are those of Events, got {type(events).__name__}; eventsim.read gives them")
    if events.sensor.height == 1:
        raise ConfigError(f"frames need a sensor with rows, this is one of {events.sensor}; draw a raster")
    n = checks.whole_number("n", n, 1, _MOST)
    whole = (events.t[0] / 1000, (events.t[-1] + 1) / 1000) if len(events) else (0.0, 1.0)
    first, last = whole if span is None else checked_span(span, None)
    if len(events) and (whole[1] <= first or whole[0] >= last):
        refuse_outside((first, last), before=whole[1] <= first, after=whole[0] >= last)
    n = min(n, max(1, round((last - first) / _SHORTEST)))
    aspect = events.sensor.height / events.sensor.width
    columns = min(n, max(1, round(math.sqrt(1.6 * n * aspect))))
    rows = math.ceil(n / columns)
    most = _MOST_WIDE * max(1.0, math.sqrt(n / _MANY))
    width = min(most, max(_LEAST_WIDE, columns * _PANEL / min(1.0, math.sqrt(aspect))))
    side = math.ceil(events.sensor.width * columns / (width * _DOTS))
    counts = _counts(events, n, first, last, side)
    full = max(1.0, float(np.quantile(counts[counts > 0], _NOT_FULL))) if counts.any() else 1.0
    titles, points, note = _titles(np.linspace(first, last, n + 1), width / columns - _GAP)
    handles = _handles(events, counts, full, side, note)
    lines = 1 if _line_width(handles) < width else 2

    figure = new_figure(width, rows * ((width / columns - _GAP) * aspect + _TITLE) + lines * _TITLE)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, frame, title in zip(grid, _inked(counts, full), titles, strict=False):
        axis.imshow(frame, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_title(title, fontsize=points, pad=3)
        for spine in axis.spines.values():
            spine.set(color=GREY, linewidth=0.6)
    for axis in grid[n:]:
        axis.remove()
    figure.legend(handles=handles, loc="outside lower center", ncols=math.ceil(len(handles) / lines), fontsize=_POINTS,
                  frameon=False, handlelength=_HANDLE, columnspacing=_BETWEEN)
    return figure


def _titles(edges, room):
    """(titles of the frames between ``edges`` ms, their size in points, what the legend says of them or nothing).

    The first of these that fits into ``room`` inches: both times, when it begins, and that smaller and smaller.
    """
    length = edges[1] - edges[0]
    digits = 0 if length >= 10 else 1 if length >= 1 else 2 if length >= 0.1 else 3
    begins = [f"{begin:,.{digits}f}" for begin in edges[:-1]]
    both = [f"{begin}–{end:,.{digits}f} ms" for begin, end in zip(begins, edges[1:], strict=True)]
    for titles, points in ((both, 8), (both, 7), *((begins, size) for size in (8, 7, 6, 5))):
        if max(text_width(title, points) for title in (titles[0], titles[-1])) <= room:
            break
    return titles, points, "" if titles is both else f"{numbers.plain(length)} ms a frame, from the ms above it"


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


def _handles(events, counts, full, side, note):
    """What the legend says: the inks, how many events are full ink, and a ``note`` on the titles."""
    from matplotlib.patches import Patch

    off, on = counts.sum(axis=(0, 2, 3)).tolist()
    named = [("ON", BLUE, on), ("OFF", ORANGE, off)] if events.sensor.polarities > 1 else [("events", BLUE, on)]
    handles = [Patch(color=colour, label=f"{name}, {numbers.count(n)}") for name, colour, n in named]
    where = "a pixel" if side == 1 else f"in {side}x{side} pixels"
    texts = [f"full ink: {numbers.several(round(full), 'event')} {where}", *([note] if note else [])]
    return handles + [Patch(color="none", label=text) for text in texts]


def _line_width(handles):
    """Inches of a legend of one line."""
    around = (_HANDLE + _BETWEEN + 1.0) * _POINTS / 72  # its handle, and gaps
    return sum(text_width(handle.get_label(), _POINTS) + around for handle in handles)
