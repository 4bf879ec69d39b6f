"""What pictures share: figures, colours, axes, and how they become files."""

import numpy as np

from eventsim import checks, files
from eventsim.errors import ConfigError

FORMATS = ("png", "svg", "pdf")
_DPI = 200
# Spots of a panel along its time and across, about half a pixel each: marks that share one look like one.
_COLUMNS, _ROWS = 2600, 480
# Marks of a panel that are all drawn, each by itself; more are merged, and are pixels where the format has lines.
_MOST_MARKS = 4000
# Okabe & Ito 2008: told apart with every kind of colour vision.
INK, BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW = (
    "#222222", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00",
)
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, INK)
GREY = "#8A8A8A"


def require():
    """Raise `ConfigError` where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigError('pictures need matplotlib; install it with `pip install "eventsim[plot]"`') from None


def new_figure(width, height):
    """An empty figure of so many inches that arranges its axes itself."""
    require()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def stacked(figure, heights):
    """Axes one below the other over the same time, of relative ``heights``."""
    axes = figure.subplots(len(heights), sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axis in axes:
        tidy(axis)
    axes[-1].ticklabel_format(axis="x", style="plain", useOffset=False)
    return axes


def tidy(axis):
    """Small figures, and no frame but that of the two scales."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8, length=3)
    axis.xaxis.label.set_size(9)
    axis.yaxis.label.set_size(9)


def diverging():
    """A colour map from negative over white to positive."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("eventsim", ["#8C3D00", ORANGE, "#FFFFFF", BLUE, "#00436A"])


def framed(x, y, width, height):
    """A thin frame."""
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, fill=False, edgecolor=GREY, linewidth=0.5)


def marks(axis, time, row, span, n_rows, **style):
    """A mark for each ``time`` in a ``span`` of ms, at its ``row`` of ``n_rows``; of very many, one for every spot.

    Nothing is lost that could be seen: marks on the same spot of the picture hide each other. Colours are one, or one
    for every mark.
    """
    if len(time) > _MOST_MARKS:
        first, last = span
        column = ((time - first) * (_COLUMNS / (last - first))).astype(np.int64)
        pooled = row.astype(np.int64) * min(_ROWS, n_rows) // n_rows
        kept = np.unique(column * _ROWS + pooled, return_index=True)[1]
        time, row = time[kept], row[kept]
        if np.ndim(style["c"]):
            style["c"] = style["c"][kept]
    return axis.scatter(time, row, marker="|", rasterized=len(time) > _MOST_MARKS, **style)


def as_it_is(*texts):
    """Draw texts of the user letter by letter: a $ is no formula."""
    for text in texts:
        text.set_parse_math(False)


def different(name, values, size):
    """``values`` as int64[n] in ``0..size - 1``, no two of them the same; see `checks.indices`."""
    chosen = checks.indices(name, values, size)
    counts = np.bincount(chosen, minlength=1)
    if counts.max() > 1:
        raise ConfigError(f"{name} to draw must differ, got {np.argmax(counts)} more than once; name it once")
    return chosen


def checked_span(span, end) -> tuple:
    """``span`` as (first, last) in ms, by default all of ``end`` ms; None: a recording without an end."""
    if span is None:
        return 0.0, end
    try:
        first, last = (checks.number("span", float(value)) for value in span)
    except (TypeError, ValueError):
        first, last = 0.0, 0.0
    if not first < last:
        raise ConfigError(f"span must be two times in ms, the first from 0 and the second after it, got {span!r}")
    if end is not None and first >= end:
        raise ConfigError(f"span {first:g} to {last:g} ms holds nothing: the time of the spikes ends at {end:g} ms; "
                          "name a part of it")
    return first, last


def refuse_outside(span, before, after):
    """Raise `ConfigError` for a ``span`` without an event, all of which are ``before`` or all ``after`` it."""
    if not (before and after):
        raise ConfigError(f"span {span[0]:g} to {span[1]:g} ms holds nothing: all events of the recording are "
                          f"{'before' if before else 'after'} it; name a part of it")


def text_width(text, points):
    """Inches of a line of text of so many ``points``."""
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text.replace("$", "S"), size=points).get_extents().width / 72


def format_of(path) -> str:
    """The format that the name of a picture says; raises `ConfigError` for none."""
    path = files.as_path(path)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: a picture's name ends in {', '.join(f'.{name}' for name in FORMATS)}; name it so")
    return suffix


def save(figure, path):
    """Write a figure to ``path``, all or nothing; the name says the format."""
    require()
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        raise ConfigError(f"a picture is saved of a figure, got {type(figure).__name__}; raster and its kin give one")
    kind = format_of(path)
    with files.replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=_DPI)
